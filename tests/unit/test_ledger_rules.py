"""The ledger's rules one by one; that they add up in any mixture is shown in properties/test_ledger.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.ledger import Entry, Reading, entries


def reading(*values: str, start: int = 1, **labels: str) -> Reading:
    return Reading({"process": "p1", **labels}, list(enumerate(values, start=start)))


def amounts(*batch: Reading) -> list[str]:
    return [str(entry.amount) for entry in entries([batch])]


def test_a_series_never_seen_before_counts_from_zero() -> None:
    assert amounts(reading("0.3")) == ["0.3"]


def test_amounts_are_differences_of_the_text_and_never_of_a_float() -> None:
    assert amounts(reading("0.1", "0.3", "0.30000000000000004")) == ["0.1", "0.2", "4E-17"]


def test_a_silence_of_any_length_ends_where_it_began() -> None:
    assert amounts(reading("5"), reading("7", start=10**9)) == ["5", "2"]


def test_a_lagging_replica_adds_nothing_and_is_no_reset() -> None:
    booked = list(entries([[reading("10", "11", "13", prometheus="a"), reading("9", "10", "12", prometheus="b")]]))
    assert [(entry.at, entry.amount, entry.reset) for entry in booked if entry.amount] == [
        (1, Decimal(10), False),
        (2, Decimal(1), False),
        (3, Decimal(2), False),
    ]
    assert not any(entry.reset for entry in booked)


def test_a_raw_series_that_falls_is_a_reset_and_counts_from_zero() -> None:
    assert list(entries([[reading("5", "2", "4")]])) == [
        Entry(Series((("process", "p1"),)), 1, Decimal(5), reset=False),
        Entry(Series((("process", "p1"),)), 2, Decimal(2), reset=True),
        Entry(Series((("process", "p1"),)), 3, Decimal(2), reset=False),
    ]


def test_two_replicas_that_both_see_a_reset_count_it_once() -> None:
    assert sum(map(Decimal, amounts(reading("5", "2", job="a"), reading("5", "2", job="b")))) == 7


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_what_is_no_amount_is_not_counted(value: str) -> None:
    assert amounts(reading("1", value, "3")) == ["1", "2"]


def test_identity_ignores_where_a_process_was_scraped_and_keeps_what_it_did() -> None:
    base = {"process": "p1", "model": "m", "error_type": "e", "tag_team": "search", "le": "1"}
    scraped = {"__name__": "x", "instance": "a", "job": "b", "pod": "c", "service_name": "d", "empty": ""}
    assert Series.of({**base, **scraped}) == Series.of({**base, "le": "1.0"})
    assert Series.of({**base, "tag_team": "ads"}) != Series.of(base)
    assert Series.of({**base, "user": ""}) == Series.of(base)


def test_without_a_process_every_label_tells_series_apart_but_those_of_replicas() -> None:
    assert Series.of({"model": "m", "instance": "a"}) != Series.of({"model": "m", "instance": "b"})
    assert Series.of({"model": "m", "replica": "a"}) == Series.of({"model": "m", "replica": "b"})
