"""An application as anybody would write it: openai clients, and one line that has them measured.

``search`` works with threads, ``support`` with asyncio. Each makes its calls, counts in its own ``try`` and ``except``
what became of them, and then stays until its standard input is closed, so that Prometheus can still scrape it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context

from .tally import ATTEMPT, CALL, DONE, ERROR, Tally
from .traffic import Call, traffic

_KEY = "sk-or-v1-demo"  # any text will do for the stand-in


def main() -> None:
    """Make the calls, say so in the tally, wait to be dismissed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("style", choices=("threads", "asyncio"))
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--tally", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()

    OpenRouterInstrumentor().instrument(base_urls=[given.base_url], metric_tags=["team"])

    calls = traffic(given.seed, given.calls, cancelling=given.style == "asyncio")
    tally = Tally(given.tally)
    pause = given.seconds / len(calls)
    if given.style == "threads":
        with_threads(calls, given.base_url, tally, pause)
    else:
        asyncio.run(with_asyncio(calls, given.base_url, tally, pause))
    tally.count(DONE)
    sys.stdin.read()
    tally.close()


def with_threads(calls: list[Call], base_url: str, tally: Tally, pause: float) -> None:
    """The synchronous client, shared by a few threads."""
    http = DefaultHttpxClient(event_hooks={"request": [lambda _: tally.count(ATTEMPT)]})
    with OpenAI(base_url=base_url, api_key=_KEY, http_client=http) as client, ThreadPoolExecutor(8) as pool:
        for call in calls:
            pool.submit(counted_ask, client, call, tally)
            time.sleep(pause)


def counted_ask(client: OpenAI, call: Call, tally: Tally) -> None:
    """One call, and what became of it."""
    try:
        failed = ask(client, call)
    except Exception as error:  # noqa: BLE001 - to its application a call that raises has failed, whatever it raises
        print(f"{call.model}: {type(error).__name__}")
        failed = True
    if failed:
        tally.count(ERROR)
    tally.count(CALL)


def ask(client: OpenAI, call: Call) -> bool:
    """Ask, and read the answer; returns whether it says that it failed."""
    patient = client.with_options(timeout=call.patience, max_retries=call.retries)
    with usage_context(tags={"team": call.team}):
        answer: Any = patient.chat.completions.create(**request(call, **told_user(call)))
        if not call.streamed:
            return is_failure(answer)
        failed = False
        with answer as chunks:
            for number, chunk in enumerate(chunks, 1):
                failed = failed or is_failure(chunk)
                if number == call.leave_after:
                    break
        return failed


async def with_asyncio(calls: list[Call], base_url: str, tally: Tally, pause: float) -> None:
    """The asynchronous client, many calls at once."""

    async def sent(_: object) -> None:
        tally.count(ATTEMPT)

    http = DefaultAsyncHttpxClient(event_hooks={"request": [sent]})
    async with AsyncOpenAI(base_url=base_url, api_key=_KEY, http_client=http) as client:
        tasks = []
        for call in calls:
            tasks.append(asyncio.create_task(counted_aask(client, call, tally)))
            await asyncio.sleep(pause)
        await asyncio.gather(*tasks)


async def counted_aask(client: AsyncOpenAI, call: Call, tally: Tally) -> None:
    """One call, and what became of it; one that is cancelled has not failed."""
    failed = False
    try:
        failed = await asyncio.wait_for(aask(client, call), call.cancel_after or None)
    except (TimeoutError, asyncio.TimeoutError):
        print(f"{call.model}: cancelled")
    except Exception as error:  # noqa: BLE001 - as above
        print(f"{call.model}: {type(error).__name__}")
        failed = True
    if failed:
        tally.count(ERROR)
    tally.count(CALL)


async def aask(client: AsyncOpenAI, call: Call) -> bool:
    """The same as `ask`; the user is told by the context here, and by the request there."""
    patient = client.with_options(timeout=call.patience, max_retries=call.retries)
    with usage_context(user=call.user or None, tags={"team": call.team}):
        answer: Any = await patient.chat.completions.create(**request(call))
        if not call.streamed:
            return is_failure(answer)
        failed = False
        async with answer as chunks:
            number = 0
            async for chunk in chunks:
                number += 1
                failed = failed or is_failure(chunk)
                if number == call.leave_after:
                    break
        return failed


def told_user(call: Call) -> dict[str, str]:
    """OpenRouter's own way to say who a call is for."""
    return {"user": call.user} if call.user else {}


def request(call: Call, **more: Any) -> dict[str, Any]:
    """The arguments of ``create``."""
    question = f"A question of {call.user or 'somebody'} to {call.model} about {call.team}."
    return {
        "model": call.model,
        "messages": [{"role": "user", "content": question}],
        "stream": call.streamed,
        "extra_headers": {"x-scenario": call.scenario},
        **more,
    }


def is_failure(part: Any) -> bool:
    """OpenRouter may say so inside a 200, where nothing raises."""
    if part.choices is None:
        return True
    return any(choice.finish_reason == "error" for choice in part.choices)


if __name__ == "__main__":
    main()
