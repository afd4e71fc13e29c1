"""Measures one subject in its own environment: a line in asks for pairs of blocks, a line out tells microseconds.

Blocks are short: on a busy machine some of them find it quiet, and a quantile of many sees those.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from benchmarks import instruments, mock, providers
from benchmarks.floor import floor
from benchmarks.switch import Switch

Pair = tuple[float, float]


def _plain(client: Any) -> None:
    client.chat.completions.create(**mock.ASKING)


def _stream(client: Any) -> None:
    for _ in client.chat.completions.create(**mock.ASKING, stream=True):
        pass


async def _plain_async(client: Any) -> None:
    await client.chat.completions.create(**mock.ASKING)


async def _stream_async(client: Any) -> None:
    async for _ in await client.chat.completions.create(**mock.ASKING, stream=True):
        pass


SYNC: Final[dict[str, Callable[[Any], None]]] = {"plain": _plain, "stream": _stream}
ASYNC: Final = {"plain, async": _plain_async, "stream, async": _stream_async}


class Bench:
    """Clients of one subject, bare and instrumented.

    Args:
        name: the subject's.
    """

    def __init__(self, name: str) -> None:
        providers.set_up()
        self._switch = Switch(lambda: instruments.switch_on(name))
        self._loop = asyncio.new_event_loop()
        self._clients: dict[tuple[bool, bool], Any] = {}
        for on in (False, True):
            self._switch.turn(on=on)
            for asynchronous in (False, True):
                self._clients[on, asynchronous] = mock.client(asynchronous=asynchronous)
        self._once, self._floor = floor()
        self._swap = False

    def pairs(self, shape: str, times: int, pairs: int) -> list[Pair]:
        """Microseconds a call in adjacent blocks, bare and instrumented; the order alternates."""
        gc.collect()
        return [self._pair(shape, times) for _ in range(pairs)]

    def floor(self, times: int, pairs: int) -> list[Pair]:
        """The floor, and nothing below it."""
        return [(0.0, self._floor(times)) for _ in range(pairs)]

    def floor_in_a_call(self, times: int, pairs: int) -> list[Pair]:
        """The floor after each bare call, when the processor's caches are full of other things."""
        self._switch.turn(on=False)
        client = self._clients[False, False]

        def both(client: Any) -> None:
            _plain(client)
            self._once()

        return [(_timed(_plain, client, times), _timed(both, client, times)) for _ in range(pairs)]

    def sustained(self, times: int, pairs: int) -> list[Pair]:
        """Plain calls without a pause."""
        return self.pairs("plain", times, pairs)

    def wrapper(self, times: int, pairs: int) -> list[Pair]:
        """Our stream wrapper alone, a chunk."""
        from benchmarks.wrapper import per_chunk  # ours only

        self._switch.turn(on=True)
        return [per_chunk(times) for _ in range(pairs)]

    def _pair(self, shape: str, times: int) -> Pair:
        self._swap = not self._swap
        taken = {on: self._block(shape, times, on=on) for on in ((True, False) if self._swap else (False, True))}
        return taken[False], taken[True]

    def _block(self, shape: str, times: int, *, on: bool) -> float:
        self._switch.turn(on=on)
        client = self._clients[on, shape in ASYNC]
        if shape in ASYNC:
            return self._loop.run_until_complete(_timed_async(ASYNC[shape], client, times))
        return _timed(SYNC[shape], client, times)


def _timed(call: Callable[[Any], None], client: Any, times: int) -> float:
    call(client)  # the interpreter gets used to what has been switched
    start = time.perf_counter_ns()
    for _ in range(times):
        call(client)
    return (time.perf_counter_ns() - start) / 1000 / times


async def _timed_async(call: Callable[[Any], Any], client: Any, times: int) -> float:
    await call(client)
    start = time.perf_counter_ns()
    for _ in range(times):
        await call(client)
    return (time.perf_counter_ns() - start) / 1000 / times


def main() -> None:
    """Answer until there are no more questions."""
    name = sys.argv[1]
    out, sys.stdout = sys.stdout, sys.stderr  # rivals print
    bench = Bench(name)
    print(json.dumps(instruments.versions(name)), file=out, flush=True)
    special_ones = {
        "floor": bench.floor,
        "floor in a call": bench.floor_in_a_call,
        "wrapper": bench.wrapper,
        "sustained": bench.sustained,
    }
    for line in sys.stdin:
        shape, times, pairs = json.loads(line)
        special = special_ones.get(shape)
        print(json.dumps(special(times, pairs) if special else bench.pairs(shape, times, pairs)), file=out, flush=True)


if __name__ == "__main__":
    main()
