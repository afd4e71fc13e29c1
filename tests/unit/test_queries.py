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


def test_processes_are_sought_at_the_moment_each_should_have_been_seen() -> None:
    assert queries.seen_at([("p1", 1500), ("p2", 2000)], 300) == (
        'last_over_time(openrouter_process_start_time_seconds{process="p1"}[300ms] @ 1.500)'
        ' or last_over_time(openrouter_process_start_time_seconds{process="p2"}[300ms] @ 2.000)'
    )
