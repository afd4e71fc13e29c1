"""Eight programs at a time on one journal: started, killed, replaced, and listened to."""

from __future__ import annotations

import multiprocessing
import random
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from typing import Final

from chaos import worker
from chaos.worker import Ended, Said
from waiting import until

PROGRAMS: Final = 8
PATIENCE: Final = 60.0  # seconds


@dataclass
class Life:
    """One program, from its start to its end.

    Attributes:
        name: its sessions begin with it.
        ended: its calls, as it told of them.
        said: its log.
        killed_at: when it was sent a SIGKILL; None where it ended in order.
    """

    name: str
    process: ForkServerProcess
    orders: Connection
    ended: list[Ended] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    killed_at: float | None = None

    def end(self, order: str = "end") -> int | None:
        """Let it come to its end, and say its status."""
        self.orders.send(order)
        return self._gone()

    def terminate(self) -> int | None:
        """SIGTERM, which it takes for a reason to exit; again and again, for Python ignores an exit in a finalizer."""
        end = time.monotonic() + PATIENCE
        while self.process.is_alive() and time.monotonic() < end:
            self.process.terminate()
            self.process.join(5.0)  # its way out takes less
        return self.process.exitcode

    def kill(self) -> None:
        """SIGKILL, at whatever it is doing."""
        self.killed_at = time.time()
        self.process.kill()
        self._gone()

    def _gone(self) -> int | None:
        self.process.join(PATIENCE)
        return self.process.exitcode


class Troupe:
    """All lives, and how to begin one.

    Args:
        base_url: of the stand-in.
        journal: what they write.
        dice: what is left to chance.
    """

    def __init__(self, base_url: str, journal: str, dice: random.Random) -> None:
        self.lives: list[Life] = []
        self._dice = dice
        self._to = base_url, journal
        self._context = multiprocessing.get_context("forkserver")  # a process without threads, where openai is imported
        self._context.set_forkserver_preload([worker.__name__])
        self._heard: dict[Connection, Life] = {}
        self._over = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Troupe:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        for life in self.on_stage:
            life.process.kill()
            life.process.join()
        self._over.set()
        self._listener.join()

    @property
    def on_stage(self) -> list[Life]:
        """Those that are alive."""
        return [life for life in self.lives if life.process.is_alive()]

    def start(self, back: int = 0) -> Life:
        """One more; its clock is `back` seconds behind."""
        told, ours = self._context.Pipe(duplex=False), self._context.Pipe(duplex=False)
        name = f"life-{len(self.lives)}"
        arguments = (name, self._dice.randrange(2**32), *self._to, told[1], ours[0], back)
        process = self._context.Process(target=worker.work, args=arguments)
        life = Life(name, process, ours[1])
        self._heard[told[0]] = life
        process.start()
        told[1].close()
        ours[0].close()
        self.lives.append(life)
        return life

    def fill(self) -> None:
        """Have eight of them, each of which has made a call."""
        for _ in range(PROGRAMS - len(self.on_stage)):
            self.start()
        until(lambda: all(life.ended for life in self.on_stage))

    @contextmanager
    def without_room(self) -> Iterator[None]:
        """No file of theirs can grow meanwhile, as on a full disk: the system refuses to write."""
        programs = [life.process for life in self.on_stage]
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for program in programs:
            resource.prlimit(program.pid or 0, resource.RLIMIT_FSIZE, (1, hard))
        yield
        for program in programs:
            if program.is_alive():
                resource.prlimit(program.pid or 0, resource.RLIMIT_FSIZE, (soft, hard))

    def _listen(self) -> None:
        while not self._over.is_set() or self._heard:
            for connection in wait(list(self._heard), timeout=0.1):
                assert isinstance(connection, Connection)
                self._hear(connection)

    def _hear(self, connection: Connection) -> None:
        life = self._heard[connection]
        try:
            told = connection.recv()
        except (EOFError, OSError):  # it is gone, perhaps in the middle of a word
            del self._heard[connection]
            return
        if isinstance(told, Ended):
            life.ended.append(told)
        elif isinstance(told, Said):
            life.said.append(told.text)
