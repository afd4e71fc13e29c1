"""Filters keep what was asked for, and say what there is where nothing was found."""

from __future__ import annotations

import pytest

from openrouter_otel.reporting.filters import FilterError, Filters, Sieve, labels, unmatched

ALICE = {"user": "alice", "model": "gpt", "provider": "OpenAI", "service_name": "shop", "tag_team": "search"}
NOBODY = {"model": "gpt"}
ASKED = [
    (Filters(), True, True),
    (Filters(user="alice"), True, False),
    (Filters(user="anonymous"), False, True),
    (Filters(model="gpt"), True, True),
    (Filters(provider="(unknown)"), False, True),
    (Filters(service="shop"), True, False),
    (Filters(environment="prod"), False, False),
    (Filters(label={"tag.team": "search"}), True, False),
    (Filters(label={"tag_team": "search"}), True, False),
    (Filters(label={"tag.team": "(unknown)"}), False, True),
    (Filters(user="alice", label={"tag.team": "support"}), False, False),
]


@pytest.mark.parametrize(("filters", "alice", "nobody"), ASKED)
def test_all_that_is_asked_must_hold(filters: Filters, alice: bool, nobody: bool) -> None:
    for keep in (filters.keep, Sieve(filters).keep):
        assert (keep(ALICE), keep(NOBODY)) == (alice, nobody)


@pytest.mark.parametrize("filters", [Filters(user="alice"), Filters(label={"user": "alice"})])
def test_what_is_by_user_is_known_to_be(filters: Filters) -> None:
    assert filters.by_user
    assert not Filters(model="user", label={"tag.user": "alice"}).by_user


def test_a_value_that_nobody_has_is_told_with_the_nearest_there_are() -> None:
    filters = Filters(user="alcie", environment="prod")
    sieve = Sieve(filters)
    for user in ("zoe", "alice", "bob", "carol", "dave", "erin"):
        sieve.keep({"user": user})
    assert list(unmatched(filters, sieve.values)) == [
        "no call has the user 'alcie'; there are 'alice', 'bob', 'carol', 'dave', 'erin' and 1 more",
        "no call has the deployment_environment_name 'prod'; no call has any",
    ]


def test_values_that_exist_but_never_together_are_told() -> None:
    filters = Filters(user="alice", model="claude")
    sieve = Sieve(filters)
    for labels_seen in ({"user": "alice", "model": "gpt"}, {"user": "bob", "model": "claude"}):
        assert not sieve.keep(labels_seen)
    assert list(unmatched(filters, sieve.values)) == ["no call has all at once of what the filters ask for"]
    assert list(unmatched(Filters(), {})) == []


def test_a_pair_of_the_command_line_is_cut_at_its_first_sign() -> None:
    assert labels(["tag.team=a=b", "job=x"]) == {"tag.team": "a=b", "job": "x"}


@pytest.mark.parametrize("name", ["outcome", "finish_reason", "cost_source", "error.type", "error_type", "le", "payee"])
def test_a_label_that_only_some_metrics_have_is_no_filter(name: str) -> None:
    with pytest.raises(FilterError, match="only some metrics"):
        Filters(label={name: "x"})
