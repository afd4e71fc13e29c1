"""Looks at the ports of this host where instrumented programs serve /metrics."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from openrouter_otel import names

_TIMEOUT: Final = 3.0  # seconds; it is this very host
_MOST: Final = 1 << 26  # bytes of a /metrics
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_SAMPLE: Final = re.compile(
    rf"^({names.BUILD_INFO.prometheus}|{names.PROCESS_START.prometheus})\{{(.*)\}} (\S+)", re.MULTILINE
)
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Program(NamedTuple):
    """An instrumented program.

    Attributes:
        address: ``host:port`` of its /metrics.
        process: its identity.
        version: of openrouter-otel.
        openai_version: of the client.
        started: seconds since the epoch; None where it does not tell.
    """

    address: str
    process: str
    version: str
    openai_version: str
    started: float | None


class Stranger(NamedTuple):
    """Somebody else's server at one of our ports, and what it says that it is."""

    address: str
    says: str


def look(host: str, ports: Sequence[int]) -> Iterator[Program | Stranger]:
    """Whoever answers at these ports."""
    host = _EVERYWHERE.get(host, host)
    for port in ports:
        address = f"{host}:{port}"
        if not _listens(host, port):
            continue
        try:
            programs, server = _served(host, port)
        except (OSError, http.client.HTTPException):
            yield Stranger(address, "a program that serves no HTTP")
            continue
        yield from (program._replace(address=address) for program in programs)
        if not programs:
            yield Stranger(address, f"another server ({server})" if server else "another server")


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _TIMEOUT).close()
    except OSError:
        return False
    return True


def _served(host: str, port: int) -> tuple[list[Program], str | None]:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read(_MOST).decode("utf-8", "replace")
        return _programs(text), answer.getheader("Server")
    finally:
        connection.close()


def _programs(text: str) -> list[Program]:
    found: dict[str, Program] = {}
    for name, pairs, value in _SAMPLE.findall(text):
        labels = dict(_LABEL.findall(pairs))
        process = labels.get(names.PROCESS, "")
        known = found.setdefault(process, Program("", process, "?", "?", None))
        if name == names.BUILD_INFO.prometheus:
            known = known._replace(version=labels.get("version", "?"), openai_version=labels.get("openai_version", "?"))
        else:
            known = known._replace(started=_number(value))
        found[process] = known
    return list(found.values())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
