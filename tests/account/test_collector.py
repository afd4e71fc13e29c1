"""The account's gauges: what OpenRouter says, while it says so, and no scrape that waits for it."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from account.api_standin import as_json, serving
from account.conftest import KEY
from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter
from openrouter_otel import names
from openrouter_otel.account.asking import Books
from openrouter_otel.exporting.account import EVERY, PATIENCE, STALE, AccountCollector

Spend = Callable[..., Any]
CREDITS = names.CREDITS_REMAINING.prometheus
LIMIT = names.KEY_LIMIT.prometheus


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def shown(collector: AccountCollector) -> dict[str, float]:
    """What a scrape of it gives."""
    registry = CollectorRegistry()
    registry.register(collector)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        "".join((sample.name, *sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_gauges_are_what_openrouter_says(books: Books, spend: Spend, clock: Clock) -> None:
    spend("good;cost=0.25")
    collector = AccountCollector(books, clock)
    assert shown(collector) == {}
    collector.poll()
    usage = names.KEY_USAGE.prometheus
    assert shown(collector) == {
        LIMIT: 100,
        names.KEY_LIMIT_REMAINING.prometheus: 99.75,
        **{f"{usage}{period}": 0.25 for period in ("total", "daily", "weekly", "monthly")},
        names.KEY_FREE_REQUESTS.prometheus: 988,
        CREDITS: 99.75,
    }


def test_what_openrouter_does_not_say_is_no_gauge(account: FakeOpenRouter, clock: Clock) -> None:
    account.terms.limit = account.terms.free_requests = None
    collector = AccountCollector(Books(account.base_url, KEY, None), clock)
    collector.poll()
    assert set(shown(collector)) == {
        f"{names.KEY_USAGE.prometheus}{period}" for period in ("total", "daily", "weekly", "monthly")
    }


@pytest.mark.parametrize("lenient", [True, False])
def test_zeros_of_an_unauthorised_key_are_no_gauge(account: FakeOpenRouter, lenient: bool, clock: Clock) -> None:
    account.terms.lenient = lenient
    collector = AccountCollector(Books(account.base_url, KEY, KEY), clock)
    collector.poll()
    assert LIMIT in shown(collector)
    assert CREDITS not in shown(collector)


def test_a_credit_of_zero_is_one(account: FakeOpenRouter, books: Books, clock: Clock) -> None:
    account.terms.bought = Decimal(0)
    collector = AccountCollector(books, clock)
    collector.poll()
    assert shown(collector)[CREDITS] == 0


def test_figures_are_asked_for_once_a_minute(account: FakeOpenRouter, books: Books, spend: Spend, clock: Clock) -> None:
    collector = AccountCollector(books, clock)
    assert collector.poll() == EVERY
    asked = len(account.requests)
    spend("good;cost=0.25")
    clock.now += EVERY - 1
    assert collector.poll() == 1
    assert (len(account.requests), shown(collector)[CREDITS]) == (asked + 1, 100)
    clock.now += 1
    collector.poll()
    assert shown(collector)[CREDITS] == 99.75


def test_an_outage_is_ridden_out_and_then_nothing_is_shown(
    account: FakeOpenRouter, books: Books, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    collector = AccountCollector(books, clock)
    collector.poll()
    account.terms.trouble = 503
    pauses = []
    with caplog.at_level(logging.INFO, logger="openrouter_otel"):
        for _ in range(6):
            clock.now += collector.poll()
            pauses.append(collector.poll())
            assert (LIMIT in shown(collector)) == (clock.now - 1000 <= STALE)
        assert pauses == [60, 120, 240, 480, 900, 900]
        assert len(caplog.messages) == 2  # of two figures, each once
        account.terms.trouble = 0
        clock.now += PATIENCE
        assert collector.poll() == EVERY
    assert shown(collector)[CREDITS] == 100
    assert [message.partition(": ")[2] for message in caplog.messages[2:]] == ["OpenRouter answers again"] * 2


def test_a_refused_key_is_not_tried_every_minute_and_never_logged(
    account: FakeOpenRouter, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    account.terms.trouble = 401
    collector = AccountCollector(Books(account.base_url, KEY, MANAGEMENT_KEY, waits=()), clock)
    assert collector.poll() == PATIENCE
    assert "OPENROUTER_API_KEY was refused" in caplog.text
    assert "OPENROUTER_MANAGEMENT_KEY was refused" in caplog.text
    assert KEY not in caplog.text
    assert MANAGEMENT_KEY not in caplog.text


def test_openrouter_may_ask_for_more_patience(clock: Clock) -> None:
    with serving(as_json({}, 429, **{"Retry-After": "1800"})) as served:
        assert AccountCollector(Books(served.url, KEY, MANAGEMENT_KEY, waits=()), clock).poll() == 1800


def test_no_scrape_waits_for_openrouter() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        books = Books(f"http://127.0.0.1:{silent.getsockname()[1]}", KEY, MANAGEMENT_KEY, timeout=5.0, waits=())
        collector = AccountCollector(books)
        collector.start()
        began = time.monotonic()
        assert shown(collector) == {}
        collector.stop()
        assert time.monotonic() - began < 1


def test_the_background_keeps_the_gauges_up_to_date(books: Books) -> None:
    collector = AccountCollector(books)
    collector.start()
    deadline = time.monotonic() + 5
    while not shown(collector) and time.monotonic() < deadline:
        time.sleep(0.01)
    collector.stop()
    assert LIMIT in shown(collector)
