"""A program that uses the package as users do, on a clock of its own: told over a pipe what to call, and when.

Each line on standard input is a stretch of its life, ``{"until": seconds since the epoch, "calls": [...]}``; when it
has been lived, a line comes back. /metrics is served meanwhile, as anywhere. Nothing but the time is faked here.
"""
# ruff: noqa: E402  # the clock has to be in place before anybody looks at it

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any


class Hand:
    """The only hand of the clock: it stands still until it is put forward."""

    def __init__(self, start: float) -> None:
        self._now = round(start * 1e9)

    def __call__(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += round(seconds * 1e9)

    def reach(self, moment: float) -> None:
        """Wait for a moment; one that is over is not waited for."""
        self._now = max(self._now, round(moment * 1e9))


hand = Hand(float(os.environ["LIFE_BEGINS"]))
vars(time).update(time_ns=hand, perf_counter_ns=hand, time=lambda: hand() / 1e9, sleep=hand.advance)

import openai
import pydantic

from openrouter_otel import OpenRouterInstrumentor, record, usage_context

Call = Mapping[str, Any]
BASE_URL, API_KEY = os.environ["OPENROUTER_OTEL_BASE_URLS"], os.environ["OPENROUTER_API_KEY"]
TEAM = os.environ["OTEL_SERVICE_NAME"]  # a tag: it tells series apart, and no board knows of it
KEY = {"authorization": f"Bearer {API_KEY}"}
WHAT_CAN_HAPPEN = (openai.APIError, pydantic.ValidationError)
IMPATIENT = 0.05  # real seconds that a call waits which nobody will answer


class Cost(pydantic.BaseModel):
    """What an answer is asked to say."""

    usd: float


class Program:
    """An instrumented program."""

    def __init__(self) -> None:
        # Time passes on the way to OpenRouter: a stream's until its first chunk, else all of it.
        http = openai.DefaultHttpxClient(event_hooks={"request": [lambda _: hand.advance(self._away)]})
        self._client = openai.OpenAI(base_url=BASE_URL, api_key=API_KEY, http_client=http)
        self._away = 0.0

    def live(self, calls: Iterable[Call], until: float) -> None:
        """Make calls, each at its time, until a moment is reached."""
        for call in calls:
            hand.reach(call["at"])
            with usage_context(user=call["user"], tags={"team": TEAM}), suppress(*WHAT_CAN_HAPPEN):
                getattr(self, f"_{call['kind']}")(call)
        hand.reach(until)

    def _plain(self, call: Call) -> None:
        self._away = call["seconds"]
        self._client.with_options(max_retries=call["retries"]).chat.completions.create(**_request(call))

    def _parsed(self, call: Call) -> None:
        self._away = call["seconds"]
        self._client.chat.completions.parse(**_request(call), response_format=Cost)

    def _unanswered(self, call: Call) -> None:
        self._away = call["seconds"]
        self._client.with_options(max_retries=0, timeout=IMPATIENT).chat.completions.create(**_request(call))

    def _stream(self, call: Call) -> None:
        for _ in self._chunks(call):
            pass

    def _abandoned(self, call: Call) -> None:
        chunks = self._chunks(call)
        next(chunks)
        next(chunks)
        chunks.close()

    def _chunks(self, call: Call) -> Any:
        self._away = 0.25 * call["seconds"]
        with self._client.chat.completions.create(
            **_request(call), stream=True, stream_options={"include_usage": True}
        ) as stream:
            for chunk in stream:
                yield chunk
                hand.advance(0.1 * call["seconds"])

    def _embeddings(self, call: Call) -> None:
        self._away = call["seconds"]
        request = _request(call)
        self._client.embeddings.create(
            model=request["model"], input="What did it cost?", extra_headers=request["extra_headers"]
        )

    def _by_hand(self, call: Call) -> None:
        """Without the openai client, and told to `record`."""
        request = _request(call)
        headers = {**request.pop("extra_headers"), **KEY}
        asked = urllib.request.Request(f"{BASE_URL}/chat/completions", json.dumps(request).encode(), headers)
        hand.advance(call["seconds"])
        with urllib.request.urlopen(asked, timeout=10) as answer:
            record(json.load(answer), latency_ms=1000 * call["seconds"])


def _request(call: Call) -> dict[str, Any]:
    return {
        "model": call["model"],
        "messages": [{"role": "user", "content": "What did it cost?"}],
        "extra_headers": {"x-scenario": call["scenario"]},
    }


def main() -> None:
    """Live, stretch by stretch, until standard input ends."""
    OpenRouterInstrumentor().instrument()
    program = Program()
    runtime = OpenRouterInstrumentor._runtime
    assert runtime is not None
    print(runtime.metering.port, flush=True)
    for line in sys.stdin:
        program.live(**json.loads(line))
        print(flush=True)


if __name__ == "__main__":
    main()
