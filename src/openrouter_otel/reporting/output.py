"""Writes a text, whole or as it comes: to standard output, or to a file that is whole or not there at all."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from openrouter_otel.reporting.render.paper import Paper


class OutputError(Exception):
    """The text could not be written; the message is one sentence for the user."""


def paper(path: Path | None) -> Paper:
    """What the text will be written on."""
    terminal = path is None and sys.stdout is not None and sys.stdout.isatty()
    return Paper(shutil.get_terminal_size((100, 24)).columns, terminal)


def write(pieces: Iterable[str], path: Path | None) -> None:
    """Write a text to a file, or to standard output where `path` is None; OutputError if that fails."""
    try:
        if path is None:
            _show(pieces)
        elif path.exists() and not path.is_file():  # /dev/null and pipes are written to, never replaced
            with path.open("w", encoding="utf-8") as file:
                file.writelines(pieces)
        else:
            _replace(Path(os.path.realpath(path)), pieces)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        target = "standard output" if path is None else str(path)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(f"cannot write {target!r}: {reason}") from error


def _show(pieces: Iterable[str]) -> None:
    if sys.stdout is None:  # started with `>&-`
        raise ValueError("it is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode still gets its report
    try:
        sys.stdout.writelines(pieces)
        sys.stdout.flush()
    except BrokenPipeError:
        # `report | head` has read enough; keep the interpreter from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replace(path: Path, pieces: Iterable[str]) -> None:
    draft = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.writelines(pieces)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
