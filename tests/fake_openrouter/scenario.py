"""What one call asks the stand-in to do: ``x-scenario: name;param=value;...``.

A scenario is one flat value. A preset is a name for a few of its fields, so everything combines:
``flaky;failures=1;byok=true;shape=B`` fails once, then streams a BYOK answer in shape B.
Values are percent-decoded, so that a header can carry any text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote


@dataclass(frozen=True)
class Scenario:
    """How one call is answered.

    Attributes:
        fault: what goes wrong, a name of ``faults.FAULTS``; empty for a good answer. An endpoint that has no place
            for it (chat has no ``failed``, only choices can be null) refuses with 400.
        failures: the fault strikes only the first so many attempts of a call; 0 means every attempt.
        key: groups attempts into one call for clients that do not send their retry count.
        status: HTTP status of the fault ``status``.
        error_type: OpenRouter's word for the error; empty for the usual one of the status.
        code: the error body's ``code`` as text, where it is not the status as a number.
        retry_after: text of a Retry-After header.
        charged: whether a failed generation is charged without anybody being told: ``yes``, ``no``, or ``auto``:
            an answer that got lost is, unless the call is to be repeated (`failures`: then the fault struck before
            anything was generated), an answered error is not.
        at: content chunks sent before a fault strikes in a stream.
        latency: seconds before the response's headers.
        chunks: content chunks of a stream.
        chunk_delay: seconds before each chunk after the first.
        comments: ``: OPENROUTER PROCESSING`` lines before each chunk.
        named: an ``event:`` line with its type before each event that has one, as OpenAI's own endpoints send it.
        shape: where a stream's usage rides, A, B or C of the facts sheet's section 2.2; CA tells it twice.
        first: what the answer begins with: ``content``, ``reasoning`` or ``tool``.
        finish: finish_reason of choice 0.
        content: the answer's text; empty for generated text.
        model: the model that serves; empty for the requested one.
        provider: the upstream that serves; empty for the model's usual one.
        prompt_tokens: tokens in; -1 counts the request's text.
        completion_tokens: tokens out; -1 derives a number from the request.
        cost: what OpenRouter charges; None computes it from the price list.
        byok: served with the caller's own provider key.
        fee: OpenRouter's charge under BYOK.
        upstream: how upstream_inference_cost is told: ``told``, ``null`` or ``absent``.
        usage: how usage is told, a name of ``usage.FORMS``.
        cache: response-cache status header, ``HIT`` or ``MISS``; empty for none.
    """

    fault: str = ""
    failures: int = 0
    key: str = ""
    status: int = 500
    error_type: str = ""
    code: str = ""
    retry_after: str = ""
    charged: str = "auto"
    at: int = 2
    latency: float = 0.0
    chunks: int = 4
    chunk_delay: float = 0.0
    comments: int = 1
    named: bool = False
    shape: str = "A"
    first: str = "content"
    finish: str = "stop"
    content: str = ""
    model: str = ""
    provider: str = ""
    prompt_tokens: int = -1
    completion_tokens: int = -1
    cached: int = 0
    cache_write: int = 0
    audio_in: int = 0
    video_in: int = 0
    reasoning: int = 0
    image_out: int = 0
    audio_out: int = 0
    cost: Decimal | None = None
    byok: bool = False
    fee: Decimal = Decimal(0)
    upstream: str = "told"
    usage: str = "full"
    cache: str = ""

    @property
    def charges_lost_answer(self) -> bool:
        """Whether an answer that never arrives is charged."""
        return self.charged == "yes" or (self.charged == "auto" and self.failures == 0)


PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "good": {},
    # --- unusual answers ---
    "reasoning": {"first": "reasoning", "reasoning": 24},
    "tool": {"first": "tool", "finish": "tool_calls"},
    "length": {"finish": "length"},
    "incomplete": {"finish": "length"},  # what Responses calls it
    "details": {
        "prompt_tokens": 4096, "completion_tokens": 512, "cached": 1024, "cache_write": 512, "audio_in": 64,
        "video_in": 32, "reasoning": 128, "image_out": 16, "audio_out": 8,
    },
    "byok": {"byok": True},
    "byok-silent": {"byok": True, "upstream": "absent"},
    "cache-hit": {"cache": "HIT", "usage": "zero", "cost": Decimal(0)},
    "free": {"cost": Decimal(0)},
    "fallback": {"model": "(fallback)"},
    "no-usage": {"usage": "none"},
    "null-usage": {"usage": "null"},
    "total-only": {"usage": "total"},
    "bare-total": {"usage": "bare-total"},
    "no-cost": {"usage": "no-cost"},
    "unparsable": {"content": '{"unexpected": [1, 2'},
    # --- errors that OpenRouter answers ---
    "error": {"fault": "status"},
    "flat-error": {"fault": "flat-status"},
    "edge-error": {"fault": "edge", "status": 502},
    "flaky": {"fault": "status", "status": 503, "failures": 2},
    "error-in-200": {"fault": "body-error", "status": 502},
    "choices-null": {"fault": "choices-null"},
    "choice-error": {"fault": "choice-error", "status": 502, "finish": "error"},
    "stream-error": {"fault": "body-error", "status": 502},
    "stream-choice-error": {"fault": "choice-error", "status": 502, "usage": "none"},
    "failed": {"fault": "failed", "status": 502, "usage": "null"},
    "event-error": {"fault": "event-error", "status": 502, "usage": "none"},
    # --- answers that never arrive ---
    "drop": {"fault": "drop"},
    "stream-drop": {"fault": "cut"},
    "hang": {"fault": "hang"},
    "stream-hang": {"fault": "stall"},
    "endless": {"fault": "endless", "chunk_delay": 0.01},
}  # fmt: skip


class UnknownScenarioError(ValueError):
    """A test asked for something the stand-in does not have."""


def _boolean(text: str) -> bool:
    return text.lower() in {"1", "true", "yes"}


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _boolean,
    "Decimal": Decimal,
    "Decimal | None": Decimal,
}
_FIELDS: Final = {field.name: _READERS[str(field.type)] for field in fields(Scenario)}


def scenario(text: str, default: Scenario | None = None) -> Scenario:
    """Read a header; `default` is what its first word is laid over."""
    name, *params = [part.strip() for part in text.split(";") if part.strip()] or ["good"]
    if name not in PRESETS:
        raise UnknownScenarioError(f"no scenario {name!r}; there are {', '.join(PRESETS)}")
    return replace(default or Scenario(), **{**PRESETS[name], **dict(map(_param, params))})


def _param(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if name not in _FIELDS:
        raise UnknownScenarioError(f"no parameter {name!r}; there are {', '.join(_FIELDS)}")
    return name, _FIELDS[name](unquote(value.strip()))
