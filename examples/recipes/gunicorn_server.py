from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from openai import OpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context

OpenRouterInstrumentor().instrument()
client = OpenAI()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    asked = parse_qs(environ["QUERY_STRING"])
    with usage_context(user=asked["user"][0]):
        answer = client.chat.completions.create(
            model="openai/gpt-5-mini", messages=[{"role": "user", "content": asked["question"][0]}]
        )
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [(answer.choices[0].message.content or "").encode()]
