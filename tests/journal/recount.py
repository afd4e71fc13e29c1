"""A plain recount of Records: what a journal's report must say, from nothing but the Records themselves."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

import pytest

from openrouter_otel.record import Record
from openrouter_otel.reporting.evidence import ROLLING
from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import Report, rounded
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.rates import Rate


@dataclass(frozen=True)
class Called:
    """A Record in a journal.

    Attributes:
        record: what the writer was given.
        service: whose.
        resolved: the price that was found out later.
    """

    record: Record
    service: str = "shop"
    resolved: Decimal | None = None

    @property
    def at(self) -> int:
        return self.record.ended_at // 1_000_000

    @property
    def model(self) -> str:
        return self.record.model or "(unknown)"

    @property
    def asked_for(self) -> str:
        return self.record.request.model or self.model

    @property
    def provider(self) -> str:
        return self.record.provider or "(unknown)"

    @property
    def user(self) -> str:
        return self.record.attribution.user or "anonymous"

    @property
    def team(self) -> str:
        return self.record.attribution.tags.get("team", "(unknown)")

    @property
    def cost(self) -> Decimal | None:
        return self.record.cost if self.resolved is None else self.resolved

    @property
    def paid(self) -> Decimal:
        return self.cost or Decimal(0)

    @property
    def unpriced(self) -> bool:
        return self.record.cost_source == "unknown" and self.resolved is None

    @property
    def tokens(self) -> int:
        usage = self.record.answer.usage
        return (usage.input_tokens or 0) + (usage.output_tokens or 0) if usage else 0

    @property
    def failed(self) -> bool:
        return self.record.outcome == "error"

    @property
    def seconds(self) -> float | None:
        return self.record.duration if self.record.outcome == "ok" else None


Calls = Sequence[Called]
Key = Callable[[Called], str]
KEYS: Mapping[str, Key] = {
    "model": lambda call: call.model,
    "provider": lambda call: call.provider,
    "user": lambda call: call.user,
    "tag.team": lambda call: call.team,
    "service": lambda call: call.service,
}


def grouped(calls: Iterable[Called], key: Key) -> dict[str, list[Called]]:
    groups: defaultdict[str, list[Called]] = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    return dict(groups)


def within(calls: Calls, interval: Interval, now: int) -> list[Called]:
    """An instant belongs to what it begins; what is later than now counts as of now."""
    return [
        call for call in calls if interval.since <= call.at < (math.inf if interval.until == now else interval.until)
    ]


def check(report: Report, calls: Calls, now: int, period: Interval, tz: tzinfo) -> None:
    """Every table."""
    intervals = {name: Interval(now - length, now) for name, length in ROLLING.items()}
    for name, interval in {**intervals, "all_time": Interval(-(10**15), now), "period": period}.items():
        check_summary(report.summary[name], within(calls, interval, now), name)
    inside = within(calls, period, now)
    check_breakdown(report.model_breakdown, grouped(inside, KEYS["model"]))
    check_breakdown(report.provider_breakdown, grouped(inside, KEYS["provider"]))
    if report.group_by:
        check_breakdown(report.group_by.rows, grouped(inside, KEYS[report.group_by.label]))
    users = grouped(inside, KEYS["user"])
    assert {
        user: (row.requests, row.cost, row.tokens, row.errors, row.models_used)
        for user, row in report.user_stats.items()
    } == {user: (*sums(group), tuple(sorted({one.model for one in group}))) for user, group in users.items()}
    check_course(report, inside, now, tz)
    check_errors(report, inside)
    check_books(report, inside)
    check_spreads(report, inside)
    check_sessions(report, inside)


def sums(calls: Calls) -> tuple[int, Decimal, int, int]:
    cost = rounded(sum((call.paid for call in calls), Decimal(0)))
    return len(calls), cost, sum(call.tokens for call in calls), sum(call.failed for call in calls)


def detail(calls: Calls, kind: str) -> int:
    usages = (call.record.answer.usage for call in calls)
    return sum(count for usage in usages if usage for one, count in usage.details if one == kind)


def mean_ms(calls: Calls) -> Any:
    times = [call.seconds for call in calls if call.seconds is not None]
    return pytest.approx(1000 * math.fsum(times) / len(times), abs=1e-5) if times else None


def check_summary(told: Any, calls: Calls, name: str) -> None:
    found = (told.total_requests, told.total_cost, told.total_tokens, told.total_errors)
    assert found == sums(calls), name
    assert told.cached_input_tokens == detail(calls, "cache_read")
    assert told.abandoned_requests == sum(call.record.outcome == "abandoned" for call in calls)
    assert told.unpriced_requests == sum(call.unpriced for call in calls), name
    assert told.avg_latency_ms == mean_ms(calls)


def check_breakdown(told: Mapping[str, Any], groups: Mapping[str, Calls]) -> None:
    found = {name: (row.requests, row.cost, row.tokens, row.errors) for name, row in told.items()}
    assert found == {name: sums(group) for name, group in groups.items()}
    assert {name: row.avg_latency_ms for name, row in told.items()} == {
        name: mean_ms(group) for name, group in groups.items()
    }


def check_course(report: Report, inside: Calls, now: int, tz: tzinfo) -> None:
    def moment(call: Called) -> datetime:
        return datetime.fromtimestamp(min(call.at, now - 1) / 1000, tz)

    days = grouped(inside, lambda call: moment(call).date().isoformat())
    told = {
        day: (row.requests, row.cost, row.tokens, row.errors) for day, row in report.daily_trend.items() if row.requests
    }
    assert told == {day: sums(group) for day, group in days.items()}
    hours = Counter((moment(call).weekday(), moment(call).hour) for call in inside)
    found = {(day, hour): count for day, row in enumerate(report.hour_of_week) for hour, count in enumerate(row)}
    assert {place: count for place, count in found.items() if count} == hours


def check_errors(report: Report, inside: Calls) -> None:
    failed = [call for call in inside if call.failed]
    assert report.errors.by_type == Counter(call.record.failure.type for call in failed if call.record.failure)
    assert report.errors.by_model == Counter(call.asked_for for call in failed)
    assert report.errors.recent is not None
    newest = sorted(failed, key=lambda call: call.at, reverse=True)[:20]
    told = [datetime.fromisoformat(one.time).timestamp() * 1000 for one in report.errors.recent]
    assert told == pytest.approx([call.at for call in newest], abs=0.5)


def check_books(report: Report, inside: Calls) -> None:
    books = report.accounting
    usages = [call.record.answer.usage for call in inside if call.record.answer.usage]
    found_out = [call.resolved for call in inside if call.resolved is not None]
    assert books.charged_cost == added([*(usage.cost for usage in usages), *found_out])
    assert books.byok_cost == added(usage.provider_cost for usage in usages)
    assert books.estimated_cost == added(call.record.estimate for call in inside)
    assert books.unpriced_requests == sum(call.unpriced for call in inside)
    cut = [call for call in inside if call.record.outcome == "ok" and "length" in call.record.answer.finish_reasons]
    assert report.fruitless_spend.truncated.requests == len(cut)
    paid = sums(cut)[1]
    if paid or any(call.record.cost_source != "unknown" for call in cut):  # else nobody knows what they came to
        assert report.fruitless_spend.truncated.cost == paid


def added(amounts: Iterable[Decimal | None]) -> Decimal:
    return rounded(sum((amount for amount in amounts if amount is not None), Decimal(0)))


def check_spreads(report: Report, inside: Calls) -> None:
    check_latency(report.latency_overall, times(inside))
    for told, key in (
        (report.latency_stats, KEYS["model"]),
        (report.provider_latency_stats, KEYS["provider"]),
        ({user: row.latency for user, row in report.user_stats.items()}, KEYS["user"]),
    ):
        for name, group in grouped(inside, key).items():
            check_latency(told.get(name, Latency(0)), times(group))
    for name, group in grouped(inside, KEYS["model"]).items():
        firsts = [call.record.first_token for call in group if call.record.first_token is not None]
        check_latency(report.time_to_first_token_stats.get(name, Latency(0)), firsts)
        paces = [call.record.output_rate for call in group if call.record.output_rate is not None]
        check_rate(report.output_rate_stats.get(name, Rate(0)), paces)


def times(calls: Calls) -> list[float]:
    return [call.seconds for call in calls if call.seconds is not None]


def ranked(values: Sequence[float], q: str) -> float:
    return sorted(values)[math.ceil(Decimal(q) * len(values)) - 1]


def check_latency(told: Latency, seconds: Sequence[float]) -> None:
    assert told.count == len(seconds)
    if not seconds:
        return
    exact = {
        name: round(ranked(seconds, q) * 1000, 6) for name, q in (("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99"))
    }
    assert {name: getattr(told, name) for name in exact} == exact
    assert {name: getattr(told, f"{name}_range") for name in exact} == {name: (ms, ms) for name, ms in exact.items()}
    assert (told.min, told.max) == (round(min(seconds) * 1000, 6), round(max(seconds) * 1000, 6))
    assert told.stdev_estimated is False
    deviation = statistics.stdev(seconds) * 1000 if len(seconds) > 1 else None
    assert told.stdev == (None if deviation is None else pytest.approx(deviation, rel=1e-6, abs=1e-2))


def check_rate(told: Rate, paces: Sequence[float]) -> None:
    assert told.count == len(paces)
    if paces:
        exact = {name: round(ranked(paces, q), 6) for name, q in (("median", "0.5"), ("p5", "0.05"), ("p95", "0.95"))}
        assert {name: getattr(told, name) for name in exact} == exact


def check_sessions(report: Report, inside: Calls) -> None:
    known = grouped([call for call in inside if call.record.attribution.session], lambda call: session(call))
    assert report.sessions is not None
    dearest = sorted(known, key=lambda name: (-sum(call.paid for call in known[name]), name))[:10]
    assert [one.session_id for one in report.sessions] == dearest
    for one in report.sessions:
        calls = known[one.session_id]
        priced = any(call.cost is not None for call in calls)
        requests, cost, tokens, errors = sums(calls)
        assert (one.requests, one.tokens, one.errors) == (requests, tokens, errors)
        assert one.cost == (cost if priced else None)
        assert one.users == tuple(sorted({call.user for call in calls}))


def session(call: Called) -> str:
    return call.record.attribution.session or ""
