"""What OpenRouter's books say, asked over HTTP: typed, exact, and never a figure that is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from account.api_standin import as_json, serving
from account.conftest import DAY, KEY
from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter, key_hash
from openrouter_otel.account.asking import Books
from openrouter_otel.account.readings import Credits
from openrouter_otel.openrouter_api import OpenRouterError

Spend = Callable[..., Any]


def test_a_key_knows_what_it_spent_and_what_it_may(account: FakeOpenRouter, books: Books, spend: Spend) -> None:
    spend("good;cost=0.25")
    spend("byok;fee=0.001;cost=0.02")
    spend("good;cost=7", key="sk-or-v1-somebody-else")
    key = books.key()
    assert key is not None
    assert dict(key.usage) == dict.fromkeys(("total", "daily", "weekly", "monthly"), Decimal("0.251"))
    assert dict(key.byok_usage) == dict.fromkeys(("total", "daily", "weekly", "monthly"), Decimal("0.02"))
    assert (key.limit, key.limit_remaining, key.limit_reset) == (Decimal(100), Decimal("99.749"), "monthly")
    assert (key.free_requests_remaining, key.free_tier, key.management) == (988, False, False)


def test_windows_are_told_apart(account: FakeOpenRouter, books: Books, spend: Spend) -> None:
    spend("good;cost=0.25")
    account.clock = lambda: time.time() + 40 * DAY
    key = books.key()
    assert key is not None
    assert (key.usage["total"], key.usage["daily"], key.usage["monthly"]) == (Decimal("0.25"), Decimal(0), Decimal(0))


def test_a_key_without_a_limit_has_none(account: FakeOpenRouter, books: Books) -> None:
    account.terms.limit = account.terms.free_requests = None
    key = books.key()
    assert key is not None
    assert (key.limit, key.limit_remaining, key.limit_reset, key.free_requests_remaining) == (None,) * 4


def test_an_overdrawn_account_owes(account: FakeOpenRouter, books: Books, spend: Spend) -> None:
    account.terms.bought = account.terms.limit = Decimal("0.1")
    spend("good;cost=0.25")
    key = books.key()
    assert books.credits() == Credits(Decimal("0.1"), Decimal("0.25"), Decimal("-0.15"))
    assert key is not None
    assert key.limit_remaining == Decimal("-0.15")


@pytest.mark.parametrize("lenient", [True, False])
def test_what_an_inference_key_hears_of_the_credit_is_no_figure(account: FakeOpenRouter, lenient: bool) -> None:
    account.terms.lenient = lenient
    with pytest.raises(OpenRouterError, match="OPENROUTER_MANAGEMENT_KEY was refused: it is a key for calls") as caught:
        Books(account.base_url, None, KEY).credits()
    assert caught.value.refused
    assert "/credits" not in {request.path for request in account.requests}


def test_who_has_no_key_is_told_nothing_and_asks_nothing(account: FakeOpenRouter) -> None:
    nobody = Books(account.base_url, None, None).account()
    assert (nobody.key, nobody.credits, len(account.requests)) == (None, None, 0)


def test_a_refused_key_is_named_and_not_shown() -> None:
    with (
        serving(as_json({"error": {"message": f"No cookie auth credentials found for {KEY}"}}, 401)) as served,
        pytest.raises(OpenRouterError, match=r"^OPENROUTER_API_KEY was refused: .*/key answered status 401") as caught,
    ):
        Books(served.url, KEY, None).key()
    assert KEY not in str(caught.value)


@pytest.mark.usefixtures("tomorrow")
def test_days_that_are_over_are_in_the_books(account: FakeOpenRouter, books: Books, spend: Spend) -> None:
    account.terms.dated = {"openai/gpt-5": "openai/gpt-5-2025-08-07"}
    spend("good;cost=0.25")
    spend("good;cost=0.000000001")
    spend("byok;fee=0.001;cost=0.02;provider=Azure")
    openai, azure = sorted(books.activity(), key=lambda line: line.requests, reverse=True)
    assert (openai.model, openai.permaslug, openai.provider) == ("openai/gpt-5", "openai/gpt-5-2025-08-07", "OpenAI")
    assert (openai.requests, openai.charged, openai.byok) == (2, Decimal("0.250000001"), Decimal(0))
    assert (azure.provider, azure.charged, azure.byok) == ("Azure", Decimal("0.001"), Decimal("0.02"))
    assert openai.day == time.strftime("%Y-%m-%d", time.gmtime())


def test_today_and_what_is_older_than_30_days_is_not(account: FakeOpenRouter, books: Books, spend: Spend) -> None:
    spend()
    assert books.activity() == ()
    account.clock = lambda: time.time() + 30 * DAY
    assert len(books.activity()) == 1
    account.clock = lambda: time.time() + 31 * DAY
    assert books.activity() == ()


@pytest.mark.usefixtures("tomorrow")
def test_the_books_of_one_key_are_its_own(books: Books, spend: Spend) -> None:
    spend("good;cost=1")
    spend("good;cost=2", key="sk-or-v1-somebody-else")
    assert sum(line.charged for line in books.activity()) == 3
    assert sum(line.charged for line in books.activity(key_hash(KEY))) == 1


def test_one_user_is_found_by_the_analytics(account: FakeOpenRouter, books: Books, spend: Spend) -> None:
    account.terms.dated = {"openai/gpt-5": "openai/gpt-5-2025-08-07"}
    spend("good;cost=1", user="alice")
    spend("byok;fee=0.5;cost=4", user="alice", key="sk-or-v1-somebody-else")
    spend("good;cost=2", user="bob")
    today, after = (time.strftime("%Y-%m-%d", time.gmtime(time.time() + ahead)) for ahead in (0, DAY))
    (alice,) = books.of_user("alice", today, after)
    assert (alice.day, alice.model, alice.requests) == (today, "openai/gpt-5-2025-08-07", 2)
    assert (alice.charged, alice.byok) == (Decimal("1.5"), Decimal(4))
    (own,) = books.of_user("alice", today, after, key_hash(KEY))
    assert (own.requests, own.charged, own.byok) == (1, Decimal(1), Decimal(0))
    assert books.of_user("nobody", today, after) == ()


@pytest.mark.parametrize("asked", [Books.activity, lambda books: books.of_user("alice", "2026-11-01", "2026-11-02")])
def test_the_account_s_books_want_a_management_key(account: FakeOpenRouter, asked: Callable[[Books], object]) -> None:
    with pytest.raises(ValueError, match="only a management key"):
        asked(Books(account.base_url, KEY, None))
    with pytest.raises(OpenRouterError, match=r"OPENROUTER_MANAGEMENT_KEY was refused: .* Only management keys can"):
        asked(Books(account.base_url, None, KEY))


LINE = {"date": "2026-11-24", "model": "a/b", "requests": 1, "usage": 0.1, "byok_usage_inference": None}


@pytest.mark.parametrize(
    "body",
    [
        {"data": None},
        {"data": {}},
        [],
        {"data": [LINE, {**LINE, "usage": None}]},
        {"data": [{**LINE, "requests": "many"}]},
        {"data": [{**LINE, "usage": -1}]},
        {"data": [{**LINE, "model": None}]},
        {"data": [{**LINE, "date": 20261124}]},
        {"data": ["a line"]},
    ],
)
def test_books_that_cannot_be_read_are_no_books(body: object) -> None:
    with serving(as_json(body)) as served, pytest.raises(OpenRouterError, match="/activity of OpenRouter answered"):
        Books(served.url, None, MANAGEMENT_KEY).activity()


def test_an_answer_of_the_analytics_that_was_cut_short_is_none() -> None:
    cut = {"data": {"data": [], "metadata": {"truncated": True}}}
    with serving(as_json(cut)) as served, pytest.raises(OpenRouterError, match="unexpected"):
        Books(served.url, None, MANAGEMENT_KEY).of_user("alice", "2026-11-01", "2026-11-02")


@pytest.mark.parametrize("body", [{"data": {"label": "sk"}}, {"data": {"usage": "much"}}, {"error": {}}, None])
def test_statistics_that_say_nothing_of_a_key_are_an_error(body: object) -> None:
    with serving(as_json(body)) as served, pytest.raises(OpenRouterError, match="/key of OpenRouter answered"):
        Books(served.url, KEY, None).key()
