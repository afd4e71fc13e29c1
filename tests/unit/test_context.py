"""Who is calling, what their block has cost, and how much of it is told."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import hmac
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry import context as otel_context

from openrouter_otel.attribution import Privacy, attribute
from openrouter_otel.context import as_tags, charge, current, usage_context
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import Attribution
from records import ended, request

PLAIN = Privacy("plain", None)
KEY = "0123456789abcdef"


def who(asked: Request | None = None, privacy: Privacy = PLAIN) -> Attribution:
    return attribute(asked or request(), privacy)


@contextmanager
def carried(**items: object) -> Iterator[None]:
    """Baggage; a double underscore stands for a dot."""
    current = otel_context.get_current()
    for name, value in items.items():
        current = baggage.set_baggage(name.replace("__", "."), value, current)
    token = otel_context.attach(current)
    try:
        yield
    finally:
        otel_context.detach(token)


# --- tags ---
@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, {}),
        ({}, {}),
        ([], {}),
        ({"team": "search"}, {"team": "search"}),
        ({"n": 7, 8: None}, {"n": "7", "8": "None"}),
        (["batch"], {"batch": "true"}),
        (("a", "b"), {"a": "true", "b": "true"}),
        ({"only"}, {"only": "true"}),
        ("batch", {"batch": "true"}),
        (iter(["x"]), {"x": "true"}),
        ([1], {"1": "true"}),
    ],
)
def test_tags_are_a_mapping_or_a_list_of_words(tags: Any, expected: Mapping[str, str]) -> None:
    assert as_tags(tags) == expected


# --- who ---
def test_outside_of_any_block_nobody_calls() -> None:
    assert who() == Attribution(None, None, {})
    assert current().usages == ()


def test_a_block_says_who_calls_until_it_ends() -> None:
    with usage_context(user="alice", session="s-1", tags={"team": "search"}):
        assert who() == Attribution("alice", "s-1", {"team": "search"})
    assert who() == Attribution(None, None, {})


def test_the_inner_block_wins_and_what_it_does_not_say_is_the_outers() -> None:
    with usage_context(user="alice", session="s-1", tags={"a": "1", "b": "1"}):
        with usage_context(user="bob", tags={"b": "2", "c": "2"}):
            assert who() == Attribution("bob", "s-1", {"a": "1", "b": "2", "c": "2"})
        assert who() == Attribution("alice", "s-1", {"a": "1", "b": "1"})


def test_the_requests_own_user_and_session_beat_the_blocks_and_the_blocks_tags_beat_its_metadata() -> None:
    asked = request()._replace(user="carol", session="s-9", metadata={"team": "own", "x": "own"})

    with usage_context(user="alice", session="s-1", tags={"team": "block"}):
        assert who(asked) == Attribution("carol", "s-9", {"team": "block", "x": "own"})
    assert who(asked) == Attribution("carol", "s-9", {"team": "own", "x": "own"})


def test_baggage_names_the_user_where_neither_request_nor_block_does() -> None:
    with carried(user__id="u", enduser__id="e"):
        assert who().user == "u"
        with usage_context(session="s"):
            assert who().user == "u"
        with usage_context(user="alice"):
            assert who().user == "alice"
    with carried(enduser__id="e"):
        assert who().user == "e"
    with carried(user__id=""):
        assert who().user is None
    with carried(user__id=7):
        assert who().user is None


def test_a_user_that_is_no_text_is_taken_as_its_text() -> None:
    with usage_context(user=42, session=7):  # type: ignore[arg-type]  # ids often are numbers
        assert who() == Attribution("42", "7", {})


def test_one_block_object_can_be_entered_again_and_within_itself() -> None:
    block = usage_context(user="alice")

    with block as outer:
        with block as inner:
            assert current().usages == (outer, inner)
        assert current().usages == (outer,)
    with block:
        assert who().user == "alice"
    assert who().user is None


def test_an_exception_ends_the_block_and_passes() -> None:
    with pytest.raises(KeyError), usage_context(user="alice"):
        raise KeyError
    assert who().user is None


def test_tasks_inherit_the_block_and_do_not_see_each_others() -> None:
    async def task(user: str | None) -> str | None:
        if user is None:
            await asyncio.sleep(0)
            return who().user
        async with usage_context(user=user):
            await asyncio.sleep(0)
            return who().user

    async def main() -> list[str | None]:
        with usage_context(user="outer"):
            return list(await asyncio.gather(*map(task, ["a", None, "b"])))

    assert asyncio.run(main()) == ["a", "outer", "b"]


def test_a_thread_has_the_block_when_run_in_a_copied_context() -> None:
    seen: list[str | None] = []

    def look() -> None:
        seen.append(who().user)

    with usage_context(user="alice"):
        for thread in (
            threading.Thread(target=look),
            threading.Thread(target=contextvars.copy_context().run, args=[look]),
        ):
            thread.start()
            thread.join()

    assert seen == [None, "alice"]


# --- privacy ---
@pytest.mark.parametrize(
    ("users", "expected"),
    [("plain", "alice"), ("off", None), ("hashed", hmac.new(KEY.encode(), b"alice", hashlib.sha256).hexdigest()[:16])],
)
def test_users_are_known_plainly_by_a_keyed_hash_or_not_at_all(users: str, expected: str | None) -> None:
    privacy = Privacy(users, KEY)

    assert privacy.known_as("alice") == expected
    assert who(request()._replace(user="alice"), privacy).user == expected
    assert privacy.known_as(None) is None


def test_a_hash_depends_on_the_key_and_takes_any_text() -> None:
    assert Privacy("hashed", KEY).known_as("alice") != Privacy("hashed", KEY[::-1]).known_as("alice")
    assert len(str(Privacy("hashed", KEY).known_as("\ud800 日本"))) == 16


@pytest.mark.parametrize("users", ["hashed", "off"])
def test_a_user_from_baggage_is_private_too(users: str) -> None:
    with carried(user__id="alice"):
        assert who(privacy=Privacy(users, KEY)).user != "alice"


# --- what a block has cost ---
def test_a_block_adds_up_its_calls_and_its_inner_blocks_calls() -> None:
    byok = Usage(1, 2, (), Decimal("0.01"), byok=True, provider_cost=Decimal("0.5"))

    with usage_context() as outer:
        charge(current().usages, ended(usage=Usage(10, 5, (), Decimal("0.1"))))
        with usage_context() as inner:
            charge(current().usages, ended(usage=byok))
            charge(current().usages, ended(usage=None))

    assert (outer.cost, outer.input_tokens, outer.output_tokens) == (Decimal("0.61"), 11, 7)
    assert (outer.requests, outer.unpriced) == (3, 1)
    assert (inner.cost, inner.input_tokens, inner.output_tokens) == (Decimal("0.51"), 1, 2)
    assert (inner.requests, inner.unpriced) == (2, 1)


def test_a_block_that_made_no_call_cost_nothing() -> None:
    with usage_context() as usage:
        pass

    assert (usage.cost, usage.requests, usage.unpriced) == (Decimal(0), 0, 0)
    assert repr(usage) == "<usage cost=0 requests=0 unpriced=0>"


def test_a_call_that_ends_after_its_block_still_adds_to_it() -> None:
    with usage_context() as usage:
        open_blocks = current().usages

    charge(open_blocks, ended())

    assert (usage.cost, usage.requests) == (Decimal("0.001"), 1)


def test_a_record_that_is_offered_again_is_charged_once() -> None:
    record = ended()
    with usage_context() as usage:
        charge(current().usages, record)
        charge(current().usages, record)
        charge(current().usages, ended())

    assert usage.requests == 2


def test_many_threads_charge_one_block_exactly() -> None:
    with usage_context() as usage:
        blocks = current().usages

    def work() -> None:
        for _ in range(250):
            charge(blocks, ended(usage=Usage(1, 1, (), Decimal("1e-12"))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (usage.requests, usage.cost) == (2000, Decimal("2e-9"))
