"""One question: what does our iterator inside a `Stream` add to each chunk?"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from benchmarks import mock

_DISTINCT: Final = 500  # a real chunk has just been made and is in the processor's cache; 100,000 would not be


def per_chunk(times: int) -> tuple[float, float]:
    """Microseconds a chunk, plain and through ours, over real ``ChatCompletionChunk`` objects."""
    kind = import_module("openai.types.chat").ChatCompletionChunk
    chunks = [kind.model_validate(mock.chunk()) for _ in range(_DISTINCT)]
    plain = _read(itertools.islice(itertools.cycle(chunks), times))
    return plain / times, _read(_ours(itertools.islice(itertools.cycle(chunks), times))) / times


def _ours(source: Iterable[object]) -> Any:
    """Our iterator around any source, for a call as the instrumentation itself begins it."""
    streams = import_module("openrouter_otel.streams")
    stream = mock.client(asynchronous=False).chat.completions.create(**mock.ASKING, stream=True)
    reading = stream._iterator
    if not isinstance(reading, streams.Reading):
        raise TypeError(f"the stream holds a {type(reading)}: is it instrumented?")
    return streams.Reading(source, reading._call)


def _read(source: Iterable[object]) -> float:
    start = time.perf_counter_ns()
    deque(source, maxlen=0)
    return (time.perf_counter_ns() - start) / 1000
