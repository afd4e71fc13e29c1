"""An instrumented program that does as it is told: one JSON object a line on standard input, one back for each.

``{"calls": 3, "scenario": "good", "stream": true, "leave_after": 2, "model": "...", "user": "..."}`` makes calls, and
``{"fork": {...}}`` has a forked child make them, which then lives as long as its parent. Answers are what the program
itself saw: ``{"calls": 3, "errors": 0, "retries": 0}``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from openai import DefaultHttpxClient, OpenAI

from openrouter_otel import OpenRouterInstrumentor


class Worker:
    """Makes calls and counts them by itself."""

    def __init__(self, base_url: str) -> None:
        self.attempts = 0
        http = DefaultHttpxClient(event_hooks={"request": [self._attempt]})
        self._client = OpenAI(base_url=base_url, api_key="sk-or-v1-worker", http_client=http)

    def _attempt(self, _: object) -> None:
        self.attempts += 1

    def calls(self, asked: dict[str, Any]) -> dict[str, int]:
        """Make the calls that were asked for."""
        before, count = self.attempts, asked.get("calls", 1)
        errors = sum(self._fails(asked) for _ in range(count))
        return {"calls": count, "errors": errors, "retries": self.attempts - before - count}

    def _fails(self, asked: dict[str, Any]) -> bool:
        client = self._client.with_options(max_retries=asked.get("retries", 2), timeout=asked.get("timeout", 20.0))
        try:
            answer: Any = client.chat.completions.create(
                model=asked.get("model", "openai/gpt-4o-mini"),
                messages=[{"role": "user", "content": "What is the capital of France?"}],
                user=asked.get("user", "alice"),
                stream=asked.get("stream", False),
                extra_headers={"x-scenario": asked.get("scenario", "good")},
            )
            if not asked.get("stream"):
                return answer.choices is None or answer.choices[0].finish_reason == "error"
            with answer:
                for number, _ in enumerate(answer, 1):
                    if number == asked.get("leave_after"):
                        break
        except Exception:  # noqa: BLE001 - to a program a call that raises has failed, whatever it raises
            return True
        return False


def forked(base_url: str, asked: dict[str, Any]) -> dict[str, int]:
    """Have a child make the calls; it ends when our end of its pipe closes, which the kernel does for us."""
    from_child, to_parent = os.pipe()
    from_parent, to_child = os.pipe()
    if os.fork() == 0:
        os.close(to_child)
        os.write(to_parent, json.dumps(Worker(base_url).calls(asked)).encode() + b"\n")
        os.read(from_parent, 1)
        os._exit(0)
    os.close(from_parent)
    with os.fdopen(from_child) as answers:
        told: dict[str, int] = json.loads(answers.readline())
    return told


def main(base_url: str) -> None:
    """Do as told until standard input closes."""
    OpenRouterInstrumentor().instrument(base_urls=[base_url])
    worker = Worker(base_url)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = forked(base_url, asked["fork"]) if "fork" in asked else worker.calls(asked)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
