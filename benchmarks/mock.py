"""The openai client on an in-process transport that answers at once: what is left is the client and who watches it."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, Final

import openai

HTTPX: Final[Any] = import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")
BASE_URL: Final = "https://openrouter.ai/api/v1"
KEY: Final = "sk-or-v1-0123456789abcdef0123456789abcdef"
MODEL: Final = "openai/gpt-4o-mini"
CHUNKS: Final = 200
ASKING: Final[dict[str, Any]] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "How long is the river?"}],
    "user": "user-1",
    "temperature": 0.2,
}

_HEAD: Final = {
    "id": "gen-1760000000-AbCdEfGhIjKlMnOpQrSt",
    "model": MODEL,
    "provider": "OpenAI",
    "created": 1760000000,
}
_USAGE: Final = {
    "prompt_tokens": 412,
    "completion_tokens": 200,
    "total_tokens": 612,
    "cost": 0.0001818,
    "is_byok": False,
    "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
    "cost_details": {"upstream_inference_cost": None},
    "completion_tokens_details": {"reasoning_tokens": 64, "image_tokens": 0},
}
_FINISH: Final = {"index": 0, "finish_reason": "stop", "native_finish_reason": "stop", "logprobs": None}
_BODY: Final = json.dumps(
    {
        **_HEAD,
        "object": "chat.completion",
        "system_fingerprint": "fp_1",
        "choices": [{**_FINISH, "message": {"role": "assistant", "content": "word " * 200, "refusal": None}}],
        "usage": _USAGE,
    }
).encode()


def chunk(content: str = "word ") -> dict[str, Any]:
    """One chunk with content, as JSON."""
    choice = {**_FINISH, "finish_reason": None, "native_finish_reason": None}
    delta = {"role": "assistant", "content": content}
    return {**_HEAD, "object": "chat.completion.chunk", "choices": [{**choice, "delta": delta}]}


def client(*, asynchronous: bool) -> Any:
    """A new client; some rivals instrument it as it is made."""
    kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    transport = HTTPX.MockTransport(_answer)
    http: Any = (HTTPX.AsyncClient if asynchronous else HTTPX.Client)(transport=transport)
    return kind(base_url=BASE_URL, api_key=KEY, http_client=http, max_retries=0)


def _stream() -> bytes:
    last = {**chunk(""), "usage": _USAGE}
    last["choices"] = [{**_FINISH, "delta": {"role": "assistant", "content": ""}}]
    events = [*(chunk() for _ in range(CHUNKS - 1)), last]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


_EVENTS: Final = _stream()


def _answer(request: Any) -> Any:
    if b'"stream":true' in request.content.replace(b" ", b""):
        return HTTPX.Response(200, headers={"content-type": "text/event-stream"}, content=_EVENTS)
    return HTTPX.Response(200, headers={"content-type": "application/json"}, content=_BODY)
