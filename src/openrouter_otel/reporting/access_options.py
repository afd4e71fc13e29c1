"""The options that let us in to a source, and the files they name: secrets never stand on a command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from openrouter_otel.reporting.access import Access, AccessError, unreadable

NAMES: Final = ("header", "bearer_token_file", "basic_auth_file", "client_cert", "ca_file")
LONGEST: Final = 1 << 16  # characters of a secret: a wrong file is not read to its end


def add(options: argparse._ActionsContainer) -> None:
    """Declare the options of a parser or of a group of its."""
    option = options.add_argument
    option("--header", action="append", default=[], metavar="'NAME: VALUE'", help="send this header too; repeatable")
    option("--bearer-token-file", type=Path, metavar="FILE", help="a file with the token to send")
    option("--basic-auth-file", type=Path, metavar="FILE", help="a file with user:password")
    option("--client-cert", type=Path, metavar="FILE", help="a PEM file with a certificate and its key to show")
    option("--ca-file", type=Path, metavar="FILE", help="a PEM file with the authorities to trust")


def access(found: argparse.Namespace) -> Access:
    """What the options give; AccessError if a file or a header is not what it should be."""
    token, basic = found.bearer_token_file, found.basic_auth_file
    return Access(
        headers=_headers(found.header),
        bearer_token=None if token is None else _secret(token).strip(),
        basic_auth=None if basic is None else _secret(basic),
        client_cert=found.client_cert,
        ca_file=found.ca_file,
    )


def _headers(lines: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise AccessError("--header wants 'Name: value', with a colon")
        if name.lower() in (known.lower() for known in headers):
            raise AccessError("--header gives the same header twice")
        headers[name] = value.strip(" \t")
    return headers


def _secret(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if len(text) > LONGEST:
        raise AccessError(f"{str(path)!r} is far too long for a secret")
    if not text.strip():
        raise AccessError(f"{str(path)!r} is empty")
    return text.rstrip("\r\n")
