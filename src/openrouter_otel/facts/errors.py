"""What went wrong, in few words: `error.type`, a message fit to be shown, and whether OpenRouter itself said so.

Error vocabulary and places: https://openrouter.ai/docs/api-reference/errors-and-debugging.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from openrouter_otel.facts.reading import field, path, text, whole

# Their messages may quote the prompt.
QUOTING_TYPES: Final = frozenset({"content_policy_violation", "refusal", "invalid_prompt"})
MESSAGE_LIMIT: Final = 200
TYPE_LIMIT: Final = 64

# Where a body is read past the SDK, the HTTP library's own exceptions come through: one failure, one name.
_TRANSPORT: Final = {"TimeoutException": "APITimeoutError", "TransportError": "APIConnectionError"}
# OpenRouter's own keys also where they stick to a word before them, as in a quoted "\\nsk-or-v1-...".
_KEYS: Final = re.compile(r"(?:sk-or-v\d|\bsk)-[\w-]{6,}|\b(?:Bearer|Basic)\s+\S+", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_A_TYPE: Final = re.compile(r"[^A-Za-z0-9_.]")


class Failure(NamedTuple):
    """Why a call failed.

    Attributes:
        type: `error.type`: OpenRouter's word, else ``http_<status>``, else the exception's class name.
        message: OpenRouter's own message, redacted and cut; None where it might quote a prompt.
        provider: the upstream that failed, where told.
        answered: OpenRouter answered an error, so that no charge can be outstanding.
    """

    type: str
    message: str | None = None
    provider: str | None = None
    answered: bool = False


def answered_failure(error: object, status: int | None, otherwise: str, word: str | None = None) -> Failure:
    """A failure that OpenRouter described in an ``error`` object.

    Args:
        error: the object; a string or None when the edge answered something else.
        status: the HTTP status, where there is one besides ``error.code``.
        otherwise: `error.type` where neither a word nor a status is to be had.
        word: OpenRouter's `error_type`, where it stands beside the object.
    """
    word = word or text(path(error, "metadata.error_type")) or text(field(error, "error_type"))
    status = status or whole(field(error, "code"))
    kind = error_type(word or (f"http_{status}" if status else otherwise))
    return Failure(
        kind,
        None if kind in QUOTING_TYPES else shown(field(error, "message")),
        text(path(error, "metadata.provider_name")),
        answered=True,
    )


def raised_failure(error: BaseException) -> Failure:
    """A failure that the client raised: with a status or an error object OpenRouter answered, else the transport.

    With a status below 400 OpenRouter answered no error: the client refused its answer.
    """
    status = whole(getattr(error, "status_code", None))
    body = getattr(error, "body", None)
    kind = type(error)
    name = next((_TRANSPORT[k.__name__] for k in kind.__mro__ if k.__name__ in _TRANSPORT), kind.__name__)
    if isinstance(body, dict) if status is None else status >= 400:
        return answered_failure(body, status, name, _word_beside(error))
    return Failure(error_type(name))


def _word_beside(error: BaseException) -> str | None:
    """Responses have their `error_type` beside the error object, which is all that the SDK keeps of a body."""
    try:
        content = getattr(getattr(error, "response", None), "text", "")
        return text(field(json.loads(content), "error_type")) if '"error_type"' in content else None
    except (TypeError, ValueError, RuntimeError):  # no JSON, or a body that nobody has read
        return None


def error_type(word: str) -> str:
    """A word fit for a label: at most 64 characters of ``[A-Za-z0-9_.]``."""
    return _NOT_IN_A_TYPE.sub("_", word)[:TYPE_LIMIT]


def shown(message: object) -> str | None:
    """A message fit for a span: keys redacted, control characters gone, at most 200 characters."""
    told = text(message)
    if told is None:
        return None
    return _CONTROL.sub(" ", _KEYS.sub("[redacted]", told[: 4 * MESSAGE_LIMIT])).strip()[:MESSAGE_LIMIT]
