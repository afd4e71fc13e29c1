"""The book as ``GET /generation`` and ``GET /activity`` show it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from .book import CLIENT_GONE, Entry

JSON = dict[str, Any]
RETENTION: Final = 30 * 86_400
_API_TYPES: Final = {
    "embeddings": "embeddings", "speech": "tts", "transcription": "stt", "image": "image", "rerank": "rerank",
}  # fmt: skip


def generation(entry: Entry) -> JSON:
    """All that is known of one generation."""
    tokens, finish = entry.tokens, entry.finish or None
    known = {
        "id": entry.id,
        "model": entry.model,
        "provider_name": entry.provider,
        "router": entry.requested_model if entry.requested_model.startswith("openrouter/") else None,
        "api_type": _API_TYPES.get(entry.operation, "completions"),
        "created_at": _moment(entry.time, "%Y-%m-%dT%H:%M:%S+00:00"),
        "external_user": entry.user or None,
        "streamed": entry.streamed,
        "cancelled": entry.outcome == CLIENT_GONE,
        "finish_reason": finish,
        "native_finish_reason": finish,
        "is_byok": entry.byok,
        "data_region": "global",
        "origin": "",
        "total_cost": entry.spent.charge,
        "usage": entry.spent.charge,
        "upstream_inference_cost": entry.spent.bill,
        # The tokenizer of the first pair is not the model's own, and nothing is billed by it.
        "tokens_prompt": tokens.input * 9 // 13,
        "tokens_completion": tokens.output * 9 // 13,
        "native_tokens_prompt": tokens.input,
        "native_tokens_completion": tokens.output,
        "native_tokens_reasoning": tokens.reasoning,
        "native_tokens_cached": tokens.cache_read,
        "native_tokens_completion_images": tokens.image_output,
    }
    return {**known, **dict.fromkeys(_UNKNOWN)}


_UNKNOWN: Final = (
    "upstream_id", "request_id", "session_id", "preset_id", "service_tier", "app_id", "http_referer", "user_agent",
    "workspace_id", "web_search_engine", "response_cache_source_id", "cache_discount", "num_media_prompt",
    "num_media_completion", "num_input_audio_prompt", "num_search_results", "num_fetches", "latency",
    "generation_time", "moderation_latency", "provider_responses",
)  # fmt: skip


def activity(entries: Iterable[Entry], now: float, query: Mapping[str, str], dated: Mapping[str, str]) -> list[JSON]:
    """A row for each of the last 30 days that are over, model and provider; `dated` has the models' other names."""
    date, key = query.get("date"), query.get("api_key_hash")
    seen = [entry for entry in entries if date in {None, _day(entry)} and key in {None, entry.key_hash}]
    first, today = _moment(now - RETENTION), _moment(now)
    over = sorted((entry for entry in seen if first <= _day(entry) < today), key=_row)
    return [_daily(*row, dated, list(group)) for row, group in itertools.groupby(over, _row)]


def _daily(day: str, model: str, provider: str, dated: Mapping[str, str], entries: list[Entry]) -> JSON:
    return {
        "date": day,
        "model": model,
        "model_permaslug": dated.get(model, model),
        "endpoint_id": "00000000-0000-4000-8000-000000000000",
        "provider_name": provider,
        "requests": len(entries),
        "prompt_tokens": sum(entry.tokens.input for entry in entries),
        "completion_tokens": sum(entry.tokens.output for entry in entries),
        "reasoning_tokens": sum(entry.tokens.reasoning for entry in entries),
        "cached_tokens": sum(entry.tokens.cache_read for entry in entries),
        "usage": sum((entry.spent.charge for entry in entries), Decimal(0)),
        "byok_usage_inference": sum((entry.spent.bill for entry in entries), Decimal(0)),
    }


def _row(entry: Entry) -> tuple[str, str, str]:
    return _day(entry), entry.model, entry.provider


def _day(entry: Entry) -> str:
    return _moment(entry.time)


def _moment(seconds: float, form: str = "%Y-%m-%d") -> str:
    return time.strftime(form, time.gmtime(seconds))
