"""A client whose answers are canned, with no pool of connections below it.

httpcore's pool closes a stream that is collected as garbage under a lock that is not reentrant: when the collector runs
while the same thread holds that lock, the client waits for itself for ever, with or without us. Where a test collects
garbage at every allocation, nothing but our own locks and OpenTelemetry's may be at stake.
"""

from __future__ import annotations

import json
from typing import Any, Final

import openai

from contract.driving import HTTPX, KEY, MODEL

BASE_URL: Final = "http://canned.test/api/v1"
COST: Final = 0.03
_HEAD: Final = {"id": "gen-1", "created": 1, "model": MODEL, "provider": "OpenAI"}
_USAGE: Final = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30, "cost": COST, "is_byok": False}


def client() -> openai.OpenAI:
    """Plain answers and streams of four chunks and a usage."""
    http = HTTPX.Client(transport=HTTPX.MockTransport(answer))
    return openai.OpenAI(base_url=BASE_URL, api_key=KEY, http_client=http, max_retries=0)


def _choice(finish: str | None, **said: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": finish, "native_finish_reason": finish, "logprobs": None, **said}


def answer(request: Any) -> Any:
    """What the client gets for a request, as a response of its HTTP library."""
    if not json.loads(request.content).get("stream"):
        message = {"role": "assistant", "content": "Paris."}
        body = {**_HEAD, "object": "chat.completion", "choices": [_choice("stop", message=message)], "usage": _USAGE}
        return HTTPX.Response(200, json=body)
    chunks: list[dict[str, Any]] = [{"choices": [_choice(None, delta={"content": "Paris "})]} for _ in range(3)]
    chunks += [{"choices": [_choice("stop", delta={"content": ""})]}, {"choices": [], "usage": _USAGE}]
    lines = [json.dumps({**_HEAD, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]
    events = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
    return HTTPX.Response(200, headers={"content-type": "text/event-stream"}, content=events.encode())
