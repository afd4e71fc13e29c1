"""The report as one frozen value: every number, order and label is decided here; renderers only write.

Every table is a sum of the same entries, so that all of them agree to the last digit. Money and ratios are Decimals
rounded to twelve places, counts are ints, latencies floats in milliseconds. Field names are the JSON's keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from openrouter_otel.reporting.account import AccountStatus
from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.rates import Rate
from openrouter_otel.reporting.reconciled import Reconciliation

PLACES: Final = Decimal("1e-12")


def rounded(amount: Decimal) -> Decimal:
    """Money and ratios as the report has them."""
    return amount.quantize(PLACES)


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """A quotient as the report has it; None where there is nothing to divide by."""
    return rounded(part / whole) if whole else None


def known(cost: Decimal, requests: int, unpriced: int) -> Decimal | None:
    """A cost, None where no call's price is known: unknown is not zero."""
    return None if requests and unpriced >= requests and not cost else cost


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
    """One model's, provider's or any other label's figures over the period.

    Attributes:
        share: of the period's cost, 0 to 1; None where nothing was spent.
        cache_hit_share: cached input tokens of all input tokens.
        unpriced_requests: calls of unknown price, which the cost is without.
    """

    requests: int
    tokens: int
    cost: Decimal
    avg_latency_ms: float | None
    cost_per_request: Decimal | None
    errors: int
    error_rate: Decimal
    cost_per_million_tokens: Decimal | None
    share: Decimal | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0
    cache_hit_share: Decimal | None = None
    unpriced_requests: int = 0

    @property
    def known_cost(self) -> Decimal | None:
        """The cost; None where no call's price is known."""
        return known(self.cost, self.requests, self.unpriced_requests)

    @property
    def known_cost_per_request(self) -> Decimal | None:
        """The mean cost of a call; None where no call's price is known."""
        return None if self.known_cost is None else self.cost_per_request


@dataclass(frozen=True)
class Usage:
    """One step of a trend."""

    requests: int
    tokens: int
    cost: Decimal
    errors: int


@dataclass(frozen=True)
class UserUsage:
    """One user's figures over the period.

    Attributes:
        latency: what the histograms can give (`Latency.stdev_estimated`).
        unpriced_requests: calls of unknown price, which the cost is without.
    """

    requests: int
    tokens: int
    cost: Decimal
    models_used: tuple[str, ...]
    share: Decimal | None = None
    errors: int = 0
    latency: Latency = Latency(0)  # noqa: RUF009  # immutable
    unpriced_requests: int = 0

    @property
    def known_cost(self) -> Decimal | None:
        """The cost; None where no call's price is known."""
        return known(self.cost, self.requests, self.unpriced_requests)


@dataclass(frozen=True)
class Price:
    """What a million tokens really cost of one model at one provider."""

    requests: int
    tokens: int
    cost: Decimal
    cost_per_million_tokens: Decimal | None


@dataclass(frozen=True)
class Showback:
    """The period by any one label, as `--group-by` asked; a series without it is under "(unknown)"."""

    label: str
    rows: Mapping[str, Breakdown]


@dataclass(frozen=True)
class Comparison:
    """The period before: of the same kind where a calendar word was asked for, else the same length just before.

    Attributes:
        period: its ends.
        summary: its figures.
        change: by summary key (``total_cost``, ``total_requests`` ...), this period's figure over that one's, less 1;
            None where there was nothing.
    """

    period: Mapping[str, str]
    summary: Summary
    change: Mapping[str, Decimal | None]


@dataclass(frozen=True)
class Projection:
    """What the running local month comes to if it goes on like this.

    Attributes:
        month: ``2026-11``.
        spent: USD so far this month.
        projected: USD at its end; None where nothing is known to project from.
        method: one sentence that says how.
    """

    month: str
    spent: Decimal
    projected: Decimal | None
    method: str


@dataclass(frozen=True)
class Standing:
    """How a budget stands.

    Attributes:
        of: the model, the user or the tag's value that it is about; None where it is about everything.
        period: ``day``, ``week`` or ``month``, by UTC's calendar.
        since: when the running one began.
        until: when it ends.
        used_share: of the limit; 1 is all of it.
        forecast: USD at its end; None where less than a day is known to go by.
        exhausted_on: the UTC day on which it was used up, or will be; None where it will not be, or nobody knows.
        status: ``ok``, ``at_risk`` (the forecast is beyond the limit) or ``exceeded``.
    """

    name: str
    scope: str
    of: str | None
    period: str
    since: str
    until: str
    limit: Decimal
    used: Decimal
    used_share: Decimal
    forecast: Decimal | None
    exhausted_on: str | None
    status: str


@dataclass(frozen=True)
class Spend:
    """Calls, and what was paid for them.

    Attributes:
        cost: of those whose price is known; None where not one is.
        unpriced_requests: calls of unknown price, which the cost is without.
    """

    requests: int
    cost: Decimal | None
    unpriced_requests: int = 0


@dataclass(frozen=True)
class CacheUse:
    """Tokens written to a provider's cache, and read from it."""

    written: int
    read: int


@dataclass(frozen=True)
class FruitlessSpend:
    """Spend that bought nothing.

    Attributes:
        cost: paid for calls that failed, were abandoned or cancelled.
        share: of the period's cost.
        by_outcome: ``error``, ``abandoned``, ``cancelled``.
        by_model: the same cost by model, dearest first.
        truncated: answers cut off at the token limit; metrics know their number, only a journal their cost.
        cache_never_read: models whose prompts were written to a cache from which the period never read.
    """

    cost: Decimal
    share: Decimal | None
    by_outcome: Mapping[str, Spend]
    by_model: Mapping[str, Decimal]
    truncated: Spend
    cache_never_read: Mapping[str, CacheUse]


@dataclass(frozen=True)
class Row:
    """One line of the CSV: a day and who or what `--group-by` tells apart (model and user otherwise)."""

    date: str
    group: tuple[str, ...]
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    avg_latency_ms: float | None
    errors: int


@dataclass(frozen=True)
class RecentError:
    """One call that failed.

    Attributes:
        time: when it ended.
        model: the one that was asked for.
        type: ``error.type``.
        message: OpenRouter's own words; None where there are none, or they might quote a prompt.
    """

    time: str
    model: str
    type: str
    message: str | None


@dataclass(frozen=True)
class Errors:
    """What failed in the period.

    Attributes:
        recent: the last ones, the newest first; None where the source knows no single calls.
    """

    error_rate: Decimal
    by_type: Mapping[str, int]
    by_model: Mapping[str, int]
    recent: tuple[RecentError, ...] | None = None


@dataclass(frozen=True)
class SessionUsage:
    """One session's figures over the period.

    Attributes:
        cost: of calls whose price is known; None where not one is.
        first: when the first of its calls ended.
        last: when the last one did.
    """

    session_id: str
    users: tuple[str, ...]
    requests: int
    tokens: int
    cost: Decimal | None
    errors: int
    first: str
    last: str


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
        output_rate_stats: tokens per second, by model.
        top_users: the first of `user_stats`.
        account: what OpenRouter itself says; None where nobody asked, or nobody answered.
        group_by: what `--group-by` asked for.
        comparison: None where the source knows nothing of the whole period before.
        effective_prices: by model, then provider.
        daily_cost_by_model: by day (every day of the period), then model (those that cost something).
        hour_of_week: requests by day of the week (Monday first), then hour.
        budgets: how each stands, in the order of their file; None where none were asked about.
        sessions: the dearest ones, the dearest first; None where the source knows none.
        reconciliation: how OpenRouter's own books compare; None where nobody asked.
        daily_levels: bar heights 0 to 8 of `daily_trend`'s costs, for formats that draw.
        rows: the CSV's lines; empty unless asked for.
        row_labels: what `Row.group` holds, such as ``("model", "user_id")``.
    """

    schema_version: int
    generated_at: str
    timezone: str
    source: Mapping[str, str]
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
    provider_latency_stats: Mapping[str, Latency]
    time_to_first_token_stats: Mapping[str, Latency]
    output_rate_stats: Mapping[str, Rate]
    top_users: tuple[str, ...]
    user_stats: Mapping[str, UserUsage]
    errors: Errors
    account: AccountStatus | None
    accounting: Accounting
    group_by: Showback | None
    comparison: Comparison | None
    projection: Projection
    fruitless_spend: FruitlessSpend
    effective_prices: Mapping[str, Mapping[str, Price]]
    daily_cost_by_model: Mapping[str, Mapping[str, Decimal]]
    hour_of_week: tuple[tuple[int, ...], ...]
    daily_levels: tuple[int, ...]
    budgets: tuple[Standing, ...] | None = None
    sessions: tuple[SessionUsage, ...] | None = None
    reconciliation: Reconciliation | None = None
    row_labels: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
