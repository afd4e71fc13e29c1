"""Whatever comes, under whatever caps: the series of a counter add up to the truth, and stay few."""

from __future__ import annotations

import logging
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openrouter_otel import names
from openrouter_otel.emit.counting import Counting
from openrouter_otel.emit.increments import increments
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import Record
from openrouter_otel.settings import Settings
from records import ended

pytestmark = pytest.mark.usefixtures("silent")
COUNTERS = [metric for metric in names.USAGE_METRICS if metric.kind == "counter"]
TAGS = ("team", "stage")

amounts = st.integers(0, 10**14).map(lambda n: Decimal(n).scaleb(-12))
words = st.sampled_from(["a", "b", "c", "(other)", "x" * 200, "\n"]) | st.text(max_size=3)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@pytest.fixture(scope="module")
def silent() -> Iterator[None]:
    """Without the warnings that caps as low as these call for."""
    logger = logging.getLogger("openrouter_otel")
    logger.disabled = True
    yield
    logger.disabled = False


usages = st.builds(
    Usage,
    maybe(st.integers(0, 10**6)),
    maybe(st.integers(0, 10**6)),
    st.dictionaries(st.sampled_from(names.TOKEN_DETAILS), st.integers(1, 99), max_size=3).map(
        lambda d: tuple(d.items())
    ),
    maybe(amounts),
    st.booleans(),
    maybe(amounts),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A call of anybody, with anything, that ended in any way."""
    outcome = draw(st.sampled_from(names.OUTCOMES))
    return ended(
        model=draw(maybe(words)),
        requested=draw(maybe(words)),
        provider=draw(maybe(words)),
        user=draw(maybe(words)),
        tags=draw(st.dictionaries(st.sampled_from([*TAGS, "other"]), words, max_size=2)),
        finish=draw(maybe(words)),
        usage=draw(maybe(usages)),
        outcome=outcome,
        failure=Failure(draw(words) or "x") if outcome == names.ERROR else None,
        duration=draw(maybe(st.sampled_from([0.0, 0.5, 2.0, 1024.0]))),  # whose squares add up exactly
        retries=draw(st.integers(0, 2)),
    )


caps = st.fixed_dictionaries(
    {"max_users": st.integers(1, 4), "max_histogram_users": st.integers(1, 4), "max_series": st.integers(1, 12)}
)


def truth(of: list[Record]) -> dict[names.Metric, Fraction]:
    totals: dict[names.Metric, Fraction] = defaultdict(Fraction)
    for record in of:
        for metric, _, amount in increments(record):
            totals[metric] += Fraction(amount)
    return totals


@settings(max_examples=40, deadline=None)
@given(st.lists(records(), max_size=40), caps)
def test_all_series_of_a_counter_add_up_to_the_exact_total(of: list[Record], limits: dict[str, int]) -> None:
    counting = Counting(Settings(metric_tags=TAGS, **limits), "p")  # type: ignore[arg-type]

    for record in of:
        assert counting.add(record)

    expected = truth(of)
    for metric in COUNTERS:
        counted = [Fraction(counting._sums.get(series, 0)) for series in counting.families[metric].all()]
        assert sum(counted, Fraction(0)) == expected[metric]
        shown = [counting.sum(series) for series in counting.families[metric].all()]
        assert shown == [float(exact) for exact in counted]  # the nearest float64


@settings(max_examples=40, deadline=None)
@given(st.lists(records(), max_size=40), caps)
def test_series_stay_few_and_their_labels_short(of: list[Record], limits: dict[str, int]) -> None:
    counting = Counting(Settings(metric_tags=TAGS, **limits), "p")  # type: ignore[arg-type]

    for record in of:
        counting.add(record)
        counting.histogram_attributes(names.DURATION, record, (record.outcome,))

    for metric, family in counting.families.items():
        # Past the headroom only words of ours tell series apart, and which of user and tags are there at all.
        ours = {tuple(sorted(_enumerated(series.attributes).items())) for series in family.all()}
        assert len(family.all()) <= limits["max_series"] + 20 + 16 * len(ours)
        seen = [frozenset(series.attributes.items()) for series in family.all()]
        assert len(seen) == len(set(seen))
        for series in family.all():
            assert set(series.attributes) <= _allowed(metric)
            for value in series.attributes.values():
                assert 0 < len(value) <= 128
                assert not {"Cc", "Cs"} & set(map(unicodedata.category, value))


@settings(max_examples=40, deadline=None)
@given(st.lists(records(), max_size=40), caps)
def test_users_have_a_name_up_to_their_cap(of: list[Record], limits: dict[str, int]) -> None:
    counting = Counting(Settings(**limits), "p")  # type: ignore[arg-type]

    for record in of:
        counting.add(record)

    named = {s.attributes.get("user") for s in counting.families[names.REQUESTS].all()}
    assert len(named - {None, names.ANONYMOUS, names.OTHER}) <= limits["max_users"]


def _allowed(metric: names.Metric) -> set[str]:
    user = {names.USER} if metric.user else set()
    return {*names.BASE, *user, *metric.attributes, *(names.TAG_PREFIX + tag for tag in TAGS)}


def _enumerated(attributes: Any) -> dict[str, str]:
    free = {names.MODEL, names.REQUESTED_MODEL, names.UPSTREAM, names.USER, names.ERROR_TYPE, names.FINISH_REASON}
    return {k: v for k, v in attributes.items() if k not in free and not k.startswith(names.TAG_PREFIX)}
