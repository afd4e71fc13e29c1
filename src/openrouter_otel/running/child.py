"""The program that is run: started, waited for, and stopped if need be; signals take the way they would without us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

_LOOK_EVERY: Final = 1.0  # seconds
_GRACE: Final = 5.0  # seconds between asking a program to stop and making it
# A Ctrl-C goes to the whole foreground group of a terminal: the program has it already.
_SEEN_BY_BOTH: Final = ("SIGINT", "SIGQUIT")
_FORWARDED: Final = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


class CannotStart(Exception):
    """The program could not be started.

    Attributes:
        status: the shell's for this: 127 where there is none, else 126.
    """

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


def run(command: Sequence[str], environment: Mapping[str, str], too_dear: Callable[[], Iterable[int] | None]) -> int:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        environment: its environment.
        too_dear: asked every second; where it tells ids of processes, these and the program are stopped.

    Returns:
        Its exit status, 128+n where signal n ended it.

    Raises:
        CannotStart: the program is not there or is none.
    """
    with _signals() as started:
        try:
            process = subprocess.Popen(command, env=environment)
        except FileNotFoundError as error:
            raise CannotStart(f"{command[0]}: command not found", 127) from error
        except (OSError, ValueError) as error:
            raise CannotStart(f"{command[0]}: {getattr(error, 'strerror', None) or error}", 126) from error
        started.append(process)
        status = _end(process, too_dear)
    return status if status >= 0 else 128 - status


def _end(process: subprocess.Popen[bytes], too_dear: Callable[[], Iterable[int] | None]) -> int:
    while (status := _waited(process, _LOOK_EVERY)) is None:
        if (others := too_dear()) is not None:
            return _stop(process, others)
    return status


def _waited(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _stop(process: subprocess.Popen[bytes], others: Iterable[int]) -> int:
    """Ask the program and those it has started to stop, and make them if they do not."""
    ours = [pid for pid in others if pid != process.pid and _in_our_group(pid)]
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        process.send_signal(number)
        for pid in ours:
            if _in_our_group(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        if (status := _waited(process, _GRACE)) is not None:
            return status
    return process.wait()


def _in_our_group(pid: int) -> bool:
    """Whether it is still one of those that a Ctrl-C here would reach: an id may have gone to somebody else."""
    try:
        return os.getpgid(pid) == os.getpgrp()
    except (AttributeError, OSError):
        return False


@contextlib.contextmanager
def _signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Signals to us do not end us: the program's end does, and then its bill is told."""
    started: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: object) -> None:
        for process in started:
            process.send_signal(number)

    def ignore(number: int, frame: object) -> None:
        """Not SIG_IGN, which the program would inherit."""

    before: dict[int, Any] = {}
    for names, handler in ((_SEEN_BY_BOTH, ignore), (_FORWARDED, forward)):
        for name in names:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
