"""What must never leave the process is planted wherever it can stand, and then looked for in everything we emit."""

from __future__ import annotations

import contextlib
import json
import logging
import urllib.request
from collections.abc import Coroutine, Iterator
from typing import Any

import openai
import pytest

from contract.driving import KEY, PRICED, PROMPT, Caller, Each, Measure, Telemetry, asking
from fake_openrouter import SECRETS
from fake_openrouter.errors import FAILURES
from openrouter_otel import OpenRouterInstrumentor, quiet, record, usage_context
from openrouter_otel.settings import resolve
from shapes import parse

COMPLETION = "COMPLETION-SECRET, the answer to it"
HEADER = "HEADER-SECRET-in-a-cookie"
TOOL = "TOOL-SECRET"
HASH_KEY = "HASH-KEY-SECRET-of-the-company"
EMAIL = "alice.private@example.com"
PLANTED = (
    *SECRETS, KEY, "PROMPT-SECRET", "COMPLETION-SECRET", HEADER, TOOL, HASH_KEY, EMAIL, "Bearer", "sk-or-", "merger",
)  # fmt: skip

ERRORS = [f"{preset};status={status}" for preset in ("error", "flat-error", "error-in-200") for status in FAILURES]
QUOTED = [f"error;status=400;error_type={word}" for word in ("content_policy_violation", "refusal", "invalid_prompt")]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """All that our logger says at any level, tracebacks included."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter("%(message)s").format(record))

    ours, handler = logging.getLogger("openrouter_otel"), Keeping()
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    yield lines
    ours.removeHandler(handler)
    ours.setLevel(level)


async def everything(caller: Caller) -> None:
    """Every place that a secret can stand in, in calls that go well and that fail."""
    content = f"content={COMPLETION}"
    tool = {"type": "function", "function": {"name": "look_up", "description": TOOL, "parameters": {}}}
    more: dict[str, Any] = {
        "extra_headers": {"Cookie": HEADER, "X-Title": HEADER},
        "tools": [tool],
        "stop": [TOOL],
        "user": EMAIL,
        "extra_body": {"plugins": [{"id": "web", "search_prompt": PROMPT}]},
    }
    for wanted in (f"good;{PRICED};{content}", f"tool;{PRICED}", "reasoning", f"choice-error;{content}", "no-usage"):
        await caller.create(wanted, **more)
        await caller.read(await caller.create(wanted, stream=True, **more))
        async with caller.entered(
            caller.chat.with_streaming_response.create(**asking(wanted, stream=True, **more))
        ) as response:
            await caller.read(response.iter_lines())
    for wanted in (*ERRORS, *QUOTED, "edge-error", "drop", "choices-null", f"x {KEY}"):
        await failing(caller, caller.create(wanted, **more))
    await failing(caller, parse(caller, f"unparsable;{PRICED}"))
    await failing(caller, stream_error(caller))
    stream = await caller.create(f"endless;chunk_delay=0.001;{content}", stream=True, **more)
    await Each(stream).__anext__()
    await caller.close(stream)
    record(
        {
            "choices": [{"message": {"content": COMPLETION}}],
            "prompt": PROMPT,
            "error": {"metadata": {"raw": SECRETS[0]}},
        }
    )


async def failing(caller: Caller, waiting: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(openai.OpenAIError, ValueError):
        await waiting


async def stream_error(caller: Caller) -> None:
    await caller.read(await caller.create("stream-error;status=429", stream=True))


def emitted(telemetry: Telemetry) -> str:
    """Every span and every point, as text."""
    data = telemetry.reader.get_metrics_data()
    assert data is not None
    return "\n".join([*(span.to_json() for span in telemetry.spans), data.to_json()])


def found(text: str) -> list[str]:
    return [secret for secret in PLANTED if secret.lower() in text.lower()]


def test_no_secret_is_in_any_span_metric_or_log(caller: Caller, measure: Measure, said: list[str]) -> None:
    telemetry = measure(users="hashed", user_hash_key=HASH_KEY, metric_tags=["team"])
    with usage_context(user=EMAIL):
        caller.run(everything(caller))

    text = emitted(telemetry)
    assert len(telemetry.spans) > 60
    assert found(text) == []
    assert found("\n".join(said)) == []


def test_no_secret_is_in_the_log_of_a_fault_of_ours(
    caller: Caller, measure: Measure, said: list[str], faults: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault is logged with its traceback: whatever stands there must not be what the call was about."""
    measure()
    for name in ("read_usage", "hidden_failure"):
        monkeypatch.setattr(f"openrouter_otel.facts.response.{name}", _broken)
    caller.run(everything(caller))

    assert faults
    assert said
    assert found("\n".join(said)) == []
    faults.clear()
    assert quiet._told is faults


def _broken(_: object) -> None:
    raise KeyError("model")


def test_no_secret_is_in_a_complaint_about_settings(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="user_hash_key") as raised:
        resolve({"users": "hashed", "user_hash_key": TOOL})
    monkeypatch.setenv("OPENROUTER_OTEL_USERS", "hashed")
    monkeypatch.setenv("OPENROUTER_OTEL_USER_HASH_KEY", TOOL)
    resolve({})

    assert said
    assert TOOL not in str(raised.value) + "".join(said)


def test_the_served_page_has_no_secret_either(
    sync_caller: Caller, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
    measure(serve_metrics=True)
    sync_caller.run(everything(sync_caller))

    runtime = OpenRouterInstrumentor._runtime
    assert runtime is not None
    assert runtime.metering._private is not None
    server = runtime.metering._private.server
    assert server is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5) as page:
        text = page.read().decode()
    assert "openrouter_requests_total{" in text
    assert [secret for secret in found(text) if secret != EMAIL] == []
    assert json.dumps(EMAIL) in text, "users are plain unless asked otherwise"
