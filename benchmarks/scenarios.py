"""The ways to call and the ways in which a call ends: a row each, done by ordinary application code in both colours.

Runs in every subject's environment, so it knows the openai client and nothing of ours. A row's function returns what
the application got to see; bare and instrumented, that has to be the same.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from benchmarks.application import Application

_PRICED: Final = "prompt_tokens=10;completion_tokens=20;cost=0.03"
GOOD: Final = f"good;{_PRICED}"
_ENDLESS: Final = f"endless;{_PRICED}"
TOKENS: Final = (10, 20)
COST: Final = 0.03

Run = Callable[[Application], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Row:
    """One way.

    Attributes:
        name: in the table.
        run: does it.
        told: the application was told tokens and cost, so that telemetry can know them.
        error: whether it is an error; None where that is a matter of taste.
        path: the endpoint.
        colours: of the client.
    """

    name: str
    run: Run
    told: bool = True
    error: bool | None = False
    path: str = "/chat/completions"
    colours: tuple[str, ...] = ("sync", "async")


class River(BaseModel):
    """What a structured answer is asked for."""

    name: str
    length: float


def _content(item: Any) -> str:
    """What a chunk, an event or a line says, without what differs from call to call."""
    choices = getattr(item, "choices", None)
    if choices:
        return str((getattr(choices[0], "delta", None) or choices[0].message).content)
    return str(getattr(item, "type", type(item).__name__))


async def _given(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def _read(a: Application, source: Any, limit: int | None = None) -> list[str]:
    """The items of a stream, or the first few: then the loop is left by ``break``."""
    found: list[str] = []
    if a.asynchronous:
        async for item in source:
            found.append(_content(item))
            if len(found) == limit:
                break
    else:
        for item in source:
            found.append(_content(item))
            if len(found) == limit:
                break
    return found


async def _create(a: Application, wanted: str, **more: Any) -> Any:
    return await _given(a.client.chat.completions.create(**a.asking(wanted), **more))


async def _open(a: Application, wanted: str) -> Any:
    stream = await _create(a, wanted, stream=True)
    a.handed_out(stream)
    return stream


def _plain(wanted: str) -> Run:
    async def run(a: Application) -> Any:
        return _content(await _create(a, wanted))

    return run


def _stream(wanted: str) -> Run:
    async def run(a: Application) -> Any:
        return await _read(a, await _open(a, wanted))

    return run


async def _parse(a: Application) -> Any:
    answer = await _given(a.client.chat.completions.parse(**a.asking(GOOD), response_format=River))
    return [_content(answer), type(answer.choices[0].message.parsed).__name__]


async def _with(a: Application) -> Any:
    async with a.entered(await _open(a, GOOD)) as stream:
        return await _read(a, stream)


async def _break_close(a: Application) -> Any:
    stream = await _open(a, _ENDLESS)
    found = await _read(a, stream, 2)
    await _given(stream.close())
    return found


async def _with_break(a: Application) -> Any:
    async with a.entered(await _open(a, _ENDLESS)) as stream:
        return await _read(a, stream, 2)


async def _break(a: Application) -> Any:
    return await _read(a, await _open(a, _ENDLESS), 2)


async def _never_read(a: Application) -> Any:
    await _open(a, GOOD)


async def _kept(a: Application) -> Any:
    stream = await _open(a, _ENDLESS)
    a.keep(stream)
    return await _read(a, stream, 2)


async def _helper(a: Application) -> Any:
    async with a.entered(a.client.chat.completions.stream(**a.asking(GOOD))) as events:
        return await _read(a, events)


async def _helper_left(a: Application) -> Any:
    async with a.entered(a.client.chat.completions.stream(**a.asking(_ENDLESS))) as events:
        return await _read(a, events, 2)


async def _raw(a: Application) -> Any:
    answer = await _given(a.client.chat.completions.with_raw_response.create(**a.asking(GOOD)))
    a.handed_out(answer)
    return _content(answer.parse())


async def _raw_unparsed(a: Application) -> Any:
    answer = await _given(a.client.chat.completions.with_raw_response.create(**a.asking(GOOD)))
    a.handed_out(answer)
    return answer.http_response.json()["choices"][0]["message"]["content"]


async def _raw_stream(a: Application) -> Any:
    answer = await _given(a.client.chat.completions.with_raw_response.create(**a.asking(GOOD), stream=True))
    a.handed_out(answer)
    return await _read(a, answer.parse())


def _by_hand(read: Callable[[Application, Any], Awaitable[Any]], **more: Any) -> Run:
    async def run(a: Application) -> Any:
        manager = a.client.chat.completions.with_streaming_response.create(**a.asking(GOOD), **more)
        async with a.entered(manager) as response:
            a.handed_out(response)
            ahead = response.http_response.is_stream_consumed
            return [f"read ahead: {ahead}", await read(a, response)]

    return run


async def _lines(a: Application, response: Any) -> Any:
    return len(await _read(a, response.iter_lines()))


async def _parsed(a: Application, response: Any) -> Any:
    return _content(await _given(response.parse()))


async def _parsed_stream(a: Application, response: Any) -> Any:
    return await _read(a, await _given(response.parse()))


async def _retried(a: Application) -> Any:
    patient = a.client.with_options(max_retries=2)
    wanted = f"error;status=429;failures=1;retry_after=0.01;{_PRICED}"
    return _content(await _given(patient.chat.completions.create(**a.asking(wanted))))


async def _unreachable(a: Application) -> Any:
    nobody = a.make(port=9)
    return await _given(nobody.chat.completions.create(**a.asking(GOOD)))


async def _cancelled(a: Application) -> Any:
    task = asyncio.ensure_future(_create(a, "hang"))
    await asyncio.sleep(0.15)
    task.cancel()
    return await _ended(task)


async def _cancelled_stream(a: Application) -> Any:
    stream = await _open(a, f"stream-hang;{_PRICED}")
    task = asyncio.ensure_future(_read(a, stream))
    await asyncio.sleep(0.15)
    task.cancel()
    return await _ended(task)


async def _ended(task: asyncio.Future[Any]) -> str:
    try:
        await task
    except asyncio.CancelledError:
        return "cancelled"
    return "ended"


async def _response(a: Application) -> Any:
    return (await _given(a.client.responses.create(**a.asking(GOOD, prompt="input")))).output_text


async def _response_stream(a: Application) -> Any:
    stream = await _given(a.client.responses.create(**a.asking(GOOD, prompt="input"), stream=True))
    a.handed_out(stream)
    return await _read(a, stream)


async def _embeddings(a: Application) -> Any:
    return len((await _given(a.client.embeddings.create(**a.asking(GOOD, prompt="input")))).data)


UNTOLD: Final[dict[str, Any]] = {"told": False}
FAILED: Final[dict[str, Any]] = {"told": False, "error": True}
ROWS: Final = (
    Row("`create`", _plain(GOOD)),
    Row("`parse`", _parse),
    Row("`create(stream=True)`, read to the end", _stream(GOOD)),
    Row("stream in a `with` block", _with),
    Row("stream helper `.stream()`", _helper),
    Row("`with_raw_response`", _raw),
    Row("`with_raw_response`, never parsed", _raw_unparsed),
    Row("`with_raw_response` of a stream", _raw_stream),
    Row("`with_streaming_response`, parsed", _by_hand(_parsed)),
    Row("`with_streaming_response`, read line by line", _by_hand(_lines)),
    Row("`with_streaming_response` of a stream, parsed", _by_hand(_parsed_stream, stream=True)),
    Row("`with_streaming_response` of a stream, line by line", _by_hand(_lines, stream=True)),
    Row("stream, `break`, then `close()`", _break_close, **UNTOLD),
    Row("stream, `with` block left early", _with_break, **UNTOLD),
    Row("stream, `break`, then garbage collected", _break, **UNTOLD),
    Row("stream, never read, garbage collected", _never_read, **UNTOLD),
    Row("stream, `break`, never closed, still referred to", _kept, **UNTOLD),
    Row("stream helper, left early", _helper_left, **UNTOLD),
    Row("402, out of credits", _plain("error;status=402"), **FAILED),
    Row("502 from the upstream", _plain("error;status=502"), **FAILED),
    Row("429, then a retry that succeeds", _retried),
    Row("no connection", _unreachable, **FAILED),
    Row("error chunk in the middle of a stream", _stream("stream-error"), **FAILED),
    Row("connection lost in the middle of a stream", _stream("stream-drop"), **FAILED),
    Row("HTTP 200 with an error as its body", _plain("error-in-200"), **FAILED),
    Row("HTTP 200 with an error in a choice", _plain(f"choice-error;{_PRICED}"), error=True),
    Row("HTTP 200 stream with `choices: null`", _stream("choices-null"), told=False, error=None),
    Row("task cancelled while it waits", _cancelled, told=False, error=None, colours=("async",)),
    Row("task cancelled while it reads", _cancelled_stream, told=False, error=None, colours=("async",)),
    Row("`responses.create`", _response, path="/responses"),
    Row("`responses.create(stream=True)`", _response_stream, path="/responses"),
    Row("`embeddings.create`", _embeddings, path="/embeddings"),
)


def run(row: Row, application: Application) -> Any:
    """What the application got to see: a value, or an exception's class."""
    try:
        return application.run(row.run(application))
    except Exception as error:  # noqa: BLE001  # also what a rival raises at it
        return f"raised {type(error).__name__}"
    finally:
        gc.collect()
