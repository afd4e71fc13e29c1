"""PromQL is text, so its parts must stay in their place."""

from __future__ import annotations

import pytest

from openrouter_otel.reporting import queries


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("gpt", '"gpt"'),
        ('a"} or vector(1)', '"a\\"} or vector(1)"'),
        ("back\\slash", '"back\\\\slash"'),
        ("two\nlines", '"two\\nlines"'),
    ],
)
def test_a_label_value_cannot_leave_its_quotes(text: str, literal: str) -> None:
    assert queries.quoted(text) == literal


def test_windows_are_in_milliseconds() -> None:
    assert (
        queries.last("openrouter_requests_total", 3_600_000) == "last_over_time(openrouter_requests_total[3600000ms])"
    )


def test_several_selectors_are_asked_at_an_instant_each() -> None:
    asked = [("a", 300, 1500), ("b", 7, 2000)]
    assert queries.at_instants(asked) == "last_over_time(a[300ms] @ 1.500) or last_over_time(b[7ms] @ 2.000)"


def test_a_target_is_named_exactly_and_a_pattern_holds_names_only() -> None:
    exact = queries.of_target("m", {"job": "a", "instance": 'b"x:1'})
    assert exact == 'm{process="",instance="b\\"x:1",job="a"}'
    assert queries.of_targets("m", ["b.x:1", "a|c"]) == 'm{process="",instance=~"a\\\\|c|b\\\\.x\\\\:1"}'
