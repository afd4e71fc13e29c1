"""Evidence -> latency: which histogram entries and gauges a group's figures come from. Pure.

Latency covers calls that went well; a failure's duration says nothing about a model's speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from openrouter_otel import names
from openrouter_otel.reporting import books, latency
from openrouter_otel.reporting.books import Key, Totals
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.latency import Latency, Measured
from openrouter_otel.reporting.ledger import NOT_COUNTED, ZERO, Reading
from openrouter_otel.reporting.period import Interval

PARTS = ("_count", "_sum", "_bucket")
NOTHING = Totals({})


def mean_ms(evidence: Evidence, interval: Interval) -> float | None:
    """Mean duration over an interval, None without a call."""
    count, total = (_calls(evidence, part, interval) for part in PARTS[:2])
    return latency.latency(Measured(count.sum(), total.sum())).mean


def means_ms(evidence: Evidence, key: Key) -> dict[str, float | None]:
    """Mean durations over the period by what `key` says of a series."""
    count, total = (_calls(evidence, part, evidence.period).by(key) for part in PARTS[:2])
    return {name: latency.latency(Measured(calls, total.get(name, ZERO))).mean for name, calls in count.items()}


def of_calls(evidence: Evidence) -> tuple[Latency, dict[str, Latency]]:
    """Durations over the period, overall and by model."""
    parts = [_calls(evidence, part, evidence.period) for part in PARTS]
    parts.append(evidence.books[names.DURATION_SQUARED.prometheus].within(evidence.period))
    shortest, longest = _seconds(evidence.shortest, min), _seconds(evidence.longest, max)
    overall = _latency(parts, min(shortest.values(), default=None), max(longest.values(), default=None))
    return overall, {
        model: _latency(group, shortest.get(model), longest.get(model)) for model, group in _by_model(parts).items()
    }


def of_first_tokens(evidence: Evidence) -> dict[str, Latency]:
    """Times to the first token over the period, by model."""
    books_of_parts = (evidence.books[f"{names.FIRST_TOKEN.prometheus}{part}"] for part in PARTS)
    parts = [book.within(evidence.period) for book in books_of_parts]
    return {model: _latency([*group, NOTHING], None, None) for model, group in _by_model(parts).items()}


def _calls(evidence: Evidence, part: str, interval: Interval) -> Totals:
    return evidence.books[f"{names.DURATION.prometheus}{part}"].within(interval).of(outcome=names.OK)


def _by_model(parts: list[Totals]) -> dict[str, list[Totals]]:
    grouped = [part.grouped(books.model) for part in parts]
    return {model: [group.get(model, NOTHING) for group in grouped] for model in sorted(parts[0].by(books.model))}


def _latency(parts: list[Totals], shortest: float | None, longest: float | None) -> Latency:
    count, total, buckets, squares = parts
    return latency.latency(
        Measured(
            count=count.sum(),
            total=total.sum(),
            squares=squares.sum() or None,
            shortest=shortest,
            longest=longest,
            buckets=latency.buckets(buckets.items()),
        )
    )


def _seconds(extremes: Iterable[Reading], better: Callable[[float, float], float]) -> dict[str, float]:
    """One extreme per model."""
    found: dict[str, float] = {}
    for reading in extremes:
        model = books.model(Series.of(reading.labels))
        for _, text in reading.points:
            if text not in NOT_COUNTED:
                found[model] = better(found.get(model, float(text)), float(text))
    return found
