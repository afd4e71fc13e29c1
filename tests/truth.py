"""Holds a report against what a history knows: every sum of every table, every quantile's bracket."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from decimal import Decimal

from histories import Call
from openrouter_otel.reporting.evidence import ROLLING
from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import Interval

Seen = list[tuple[int, Call]]


def money(calls: Iterable[Call]) -> Decimal:
    """What calls cost."""
    return Decimal(sum(call.cost for call in calls)).scaleb(-12)


def check_sums(report: Report, seen: Seen, now: int, period: Interval, tz: tzinfo) -> None:
    """Every table, to the last digit."""
    intervals = {name: Interval(now - length, now) for name, length in ROLLING.items()}
    for name, interval in {**intervals, "all_time": Interval(0, now), "period": period}.items():
        calls = [call for at, call in seen if at in interval]
        summary = report.summary[name]
        assert summary.total_requests == len(calls), name
        assert summary.total_cost == money(calls), name
        assert summary.total_tokens == sum(call.tokens for call in calls), name
        assert summary.total_errors == sum(not call.ok for call in calls), name
    inside = [(at, call) for at, call in seen if at in period]
    _check_groups(inside, lambda call: call.model, {n: (r.requests, r.cost) for n, r in report.model_breakdown.items()})
    users = {name: (row.requests, row.cost) for name, row in report.user_stats.items()}
    _check_groups(inside, lambda call: call.user or "anonymous", users)
    by_day: defaultdict[str, list[Call]] = defaultdict(list)
    for at, call in inside:
        by_day[datetime.fromtimestamp((at - 1) / 1000, tz).date().isoformat()].append(call)
    assert {day: row.cost for day, row in report.daily_trend.items() if row.requests} == {
        day: money(calls) for day, calls in by_day.items()
    }
    hours = Counter(f"{datetime.fromtimestamp((at - 1) / 1000, tz):%H}" for at, _ in inside)
    assert {hour: count for hour, count in report.hourly_distribution.items() if count} == hours


def _check_groups(inside: Seen, key: Callable[[Call], str], rows: dict[str, tuple[int, Decimal]]) -> None:
    groups: defaultdict[str, list[Call]] = defaultdict(list)
    for _, call in inside:
        groups[key(call)].append(call)
    assert rows == {name: (len(calls), money(calls)) for name, calls in groups.items()}


def check_latency(report: Report, seen: Seen, period: Interval, extremes: bool) -> None:
    """Count and mean are exact, the true quantiles lie in their brackets; and extremes, where every one was scraped."""
    inside = [call for at, call in seen if at in period and call.ok]
    _check(report.latency_overall, inside, extremes)
    for model in {call.model for call in inside}:
        _check(report.latency_stats[model], [call for call in inside if call.model == model], extremes)


def _check(told: Latency, calls: list[Call], extremes: bool) -> None:
    times = sorted(call.seconds * 1000 for call in calls)
    assert told.count == len(times)
    if not times:
        return
    assert told.mean is not None
    assert math.isclose(told.mean, sum(times) / len(times), rel_tol=1e-9)
    for q, (low, high) in ((0.5, told.p50_range), (0.95, told.p95_range), (0.99, told.p99_range)):
        true = times[math.ceil(q * len(times)) - 1]
        assert low is not None
        assert low <= true <= (math.inf if high is None else high)
    if extremes:
        assert (told.min, told.max) == (float(times[0]), float(times[-1]))
