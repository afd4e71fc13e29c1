"""A recipe as its reader runs it: the files in a folder, the page's command, a real process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

from fake_openrouter import FakeOpenRouter
from recipes_page import Command

PATIENCE: Final = 30.0  # seconds for a machine that does other things too
_BIN: Final = Path(sys.executable).parent


class Recipe:
    """A context manager around a command's process, which SIGTERM ends if nothing has before.

    Args:
        command: of the page.
        folder: where it runs and writes.
        openrouter: whom it calls.
        variables: of the environment, beside the page's own.
    """

    def __init__(self, command: Command, folder: Path, openrouter: FakeOpenRouter, **variables: str) -> None:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "OPENROUTER_", "OPENAI_"))}
        environment = {
            **plain,
            "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),  # gunicorn and Jupyter keep things there
            "OPENAI_BASE_URL": openrouter.base_url,
            "OPENAI_API_KEY": "sk-or-v1-test",
            "OPENROUTER_OTEL_BASE_URLS": openrouter.base_url,
            **command.variables,
            **variables,
        }
        self._log = folder / f"{command.words[0]}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(_BIN / command.words[0]), *command.words[1:]],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def log(self) -> str:
        """What it has said on standard error."""
        return self._log.read_text("utf-8")

    def output(self, typed: str = "") -> str:
        """Wait until it has ended well, and say what it printed."""
        printed, _ = self._process.communicate(typed, PATIENCE)
        assert self._process.returncode == 0, self.log
        return printed

    def give(self, line: str) -> None:
        """A line of input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log
        return line

    def stop(self) -> int:
        """Stop it as a container is stopped, and say its status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

    def __enter__(self) -> Recipe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
