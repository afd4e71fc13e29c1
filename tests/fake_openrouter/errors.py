"""OpenRouter's error bodies, one row per status.

`raw` and `flagged_input` carry planted secrets: no test may find them anywhere outside the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .scenario import Scenario

ACCOUNT: Final = "user_2abcDEFghi"

# What must never leave the instrumented process, planted where a provider would quote a prompt or a key.
SECRETS: Final = (
    "RAW-SECRET-my-prompt-about-the-merger",
    "FLAGGED-SECRET-what-the-user-typed",
    "sk-or-v1-5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e7",
)
_RAW, _FLAGGED, _KEY = SECRETS


@dataclass(frozen=True)
class Failure:
    """One way a request fails.

    Attributes:
        code: the HTTP status.
        word: `error_type`, OpenRouter's stable word.
        provider_code: the provider's own word; None where OpenRouter itself refuses.
    """

    code: int
    word: str | None
    message: str
    provider_code: str | None = None

    def body(self, provider: str, word: str = "") -> dict[str, Any]:
        """The ``error`` object, secrets included."""
        blame = {"provider_name": provider, "provider_code": self.provider_code, "raw": _RAW, "is_byok": False}
        metadata: dict[str, Any] = {
            "error_type": word or self.word,
            **(blame if self.provider_code else {}),
            **_EXTRAS.get(self.code, {}),
        }
        known = {key: value for key, value in metadata.items() if value is not None}
        return {"code": self.code, "message": self.message, "metadata": known}

    def flat(self, word: str = "") -> dict[str, Any]:
        """The availability flavour: no `code`, `error_type` directly under ``error``."""
        return {
            "error_type": word or self.word,
            "http_status": self.code,
            "message": self.message,
            "availability": {"code": "capacity_exhausted", "retryable": True, "retry_after": None},
        }


_EXTRAS: Final[Mapping[int, Mapping[str, Any]]] = {
    402: {"limit_source": "openrouter_key_limit"},
    403: {"reasons": ["violence"], "flagged_input": _FLAGGED, "provider_name": "OpenAI", "model_slug": "openai/gpt-5"},
    429: {"limit_source": "upstream_provider_shared_pool", "remedy_hint": "Retry shortly"},
}
_FAILURES: Final = (
    Failure(400, "invalid_request", f"{_KEY} is not a valid model parameter"),
    Failure(401, "authentication", f"No auth credentials found for {_KEY}"),
    Failure(402, "payment_required", "Insufficient credits. Add more to continue."),
    Failure(403, "permission_denied", "Your input was flagged by moderation"),
    Failure(404, "not_found", "No endpoints found for this model"),
    Failure(408, None, "Request timed out"),
    Failure(409, None, "Conflict"),
    Failure(412, "precondition_failed", "Precondition failed"),
    Failure(413, "payload_too_large", "Payload too large"),
    Failure(422, "unprocessable", "temperature: expected a number"),
    Failure(429, "rate_limit_exceeded", "Provider returned error", "rate_limited"),
    Failure(500, "server", "Internal Server Error"),
    Failure(502, "provider_unavailable", "Provider disconnected", "conn_reset"),
    Failure(503, "provider_overloaded", "Provider returned error", "engine_overloaded"),
    Failure(504, "timeout", "Provider did not answer in time", "deadline_exceeded"),
    Failure(524, None, "A timeout occurred"),
    Failure(529, "provider_overloaded", "Provider is overloaded", "overloaded_error"),
)
FAILURES: Final = {failure.code: failure for failure in _FAILURES}

# What Cloudflare puts in front of OpenRouter: not JSON at all.
EDGE_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>502: Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
)


def failure(status: int) -> Failure:
    """The row of a status; one that is not on the list has no word of its own."""
    return FAILURES.get(status) or Failure(status, None, f"Status {status}")


def refusal(row: Failure, provider: str, scenario: Scenario) -> dict[str, Any]:
    """The body under an HTTP status that most endpoints have."""
    error = row.body(provider, scenario.error_type)
    return {"error": {**error, **({"code": scenario.code} if scenario.code else {})}, "user_id": ACCOUNT}
