"""The report as one frozen value: every number, order and label is decided here; renderers only write.

Every table is a sum of the same entries, so that all of them agree to the last digit. Money and ratios are Decimals
rounded to twelve places, counts are ints, latencies floats in milliseconds. Field names are the JSON's keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from openrouter_otel.reporting.latency import Latency

PLACES: Final = Decimal("1e-12")


def rounded(amount: Decimal) -> Decimal:
    """Money and ratios as the report has them."""
    return amount.quantize(PLACES)


@dataclass(frozen=True)
class Summary:
    """One interval's figures; averages are None where there is nothing to average."""

    total_requests: int
    total_tokens: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    reasoning_tokens: int
    total_cost: Decimal
    avg_latency_ms: float | None
    avg_cost_per_request: Decimal | None
    total_errors: int
    error_rate: Decimal
    abandoned_requests: int
    unpriced_requests: int


@dataclass(frozen=True)
class Breakdown:
    """One model's or provider's figures over the period."""

    requests: int
    tokens: int
    cost: Decimal
    avg_latency_ms: float | None
    cost_per_request: Decimal | None
    errors: int
    error_rate: Decimal
    cost_per_million_tokens: Decimal | None


@dataclass(frozen=True)
class Usage:
    """One step of a trend."""

    requests: int
    tokens: int
    cost: Decimal
    errors: int


@dataclass(frozen=True)
class UserUsage:
    """One user's figures over the period."""

    requests: int
    tokens: int
    cost: Decimal
    models_used: tuple[str, ...]


@dataclass(frozen=True)
class Errors:
    """What failed in the period; `recent` needs a journal."""

    error_rate: Decimal
    by_type: Mapping[str, int]
    by_model: Mapping[str, int]
    recent: None = None


@dataclass(frozen=True)
class Accounting:
    """How the figures came about."""

    identity: str
    unpriced_requests: int
    charged_cost: Decimal
    byok_cost: Decimal
    estimated_cost: Decimal
    overflow_requests: int
    gaps: tuple[Mapping[str, str], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """All of it, in the order of the JSON.

    Attributes:
        top_users: the first of `user_stats`.
        daily_levels: bar heights 0 to 8 of `daily_trend`'s costs, for formats that draw.
    """

    schema_version: int
    generated_at: str
    timezone: str
    source: Mapping[str, Any]
    filters: Mapping[str, Any]
    data_since: str | None
    period: Mapping[str, str]
    verdict: str
    statement: str
    summary: Mapping[str, Summary]
    model_breakdown: Mapping[str, Breakdown]
    provider_breakdown: Mapping[str, Breakdown]
    daily_trend: Mapping[str, Usage]
    weekly_trend: Mapping[str, Usage]
    monthly_trend: Mapping[str, Usage]
    hourly_distribution: Mapping[str, int]
    latency_overall: Latency
    latency_stats: Mapping[str, Latency]
    time_to_first_token_stats: Mapping[str, Latency]
    top_users: tuple[str, ...]
    user_stats: Mapping[str, UserUsage]
    errors: Errors
    account: None
    accounting: Accounting
    daily_levels: tuple[int, ...]
