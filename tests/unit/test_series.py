"""The attribute sets of one instrument: who keeps which attribute when room runs out."""

from __future__ import annotations

from collections import Counter

import pytest

from openrouter_otel import names
from openrouter_otel.emit.series import Base, Family

P = "0123456789abcdef"


def base(model: str = "m", **more: str) -> Base:
    return Base({names.MODEL: model, names.OPERATION: "chat", **more})


def family(metric: names.Metric = names.TOKENS, room: int = 10) -> Family:
    return Family(metric, P, room)


def test_a_series_carries_process_base_user_and_the_metrics_own_attributes() -> None:
    found = family().find(base("m", provider="OpenAI"), "alice", ("input",))

    assert dict(found.attributes) == {
        "process": P,
        "model": "m",
        "operation": "chat",
        "provider": "OpenAI",
        "user": "alice",
        "token_type": "input",
    }


def test_what_is_not_known_is_absent() -> None:
    assert "finish_reason" not in family(names.REQUESTS).find(base(), "u", ("ok", "reported", None)).attributes
    assert "user" not in family().find(base(), None, ("input",)).attributes
    assert "error.type" not in family(names.ERRORS).find(base(), "u", ("\x00",)).attributes  # nothing is left of it


def test_a_metric_without_users_gets_none() -> None:
    assert "user" not in family(names.DURATION_SQUARED).find(base(), "alice").attributes


def test_free_text_of_an_own_attribute_is_cleaned() -> None:
    assert family(names.ERRORS).find(base(), "u", ("(other)\n",)).attributes["error.type"] == "(other)_"


def test_the_same_attributes_are_the_same_series_however_they_came() -> None:
    tokens = family()

    first = tokens.find(base(), "alice", ("input",))

    assert tokens.find(base(), "alice", ("input",)) is first
    assert tokens.find(base(), "alice", ("output",)) is not first
    assert len(tokens.all()) == 2


def test_beyond_the_cap_the_user_goes_first_and_the_model_stays() -> None:
    tokens = family(room=10)

    found = [tokens.find(base(f"m{n % 3}"), f"u{n}", ("input",)).attributes for n in range(50)]

    assert all(attributes["user"] == f"u{n}" for n, attributes in enumerate(found[:10]))
    assert all(attributes["user"] == "(other)" for attributes in found[10:])
    assert Counter(attributes["model"] for attributes in found) == {"m0": 17, "m1": 17, "m2": 16}
    assert len(tokens.all()) == 13


def test_then_the_tags_go_and_the_model_stays() -> None:
    tokens = family(room=10)

    found = [tokens.find(base("m", **{"tag.n": f"t{n}"}), f"u{n}", ("input",)).attributes for n in range(50)]

    assert {attributes["model"] for attributes in found} == {"m"}
    assert [attributes["tag.n"] for attributes in found[:20]] == [f"t{n}" for n in range(20)]  # user went, tag stayed
    assert {attributes["tag.n"] for attributes in found[20:]} == {"(other)"}
    assert {attributes["user"] for attributes in found[10:]} == {"(other)"}


def test_then_the_model_and_every_other_free_text_goes() -> None:
    requests = family(names.REQUESTS, room=10)

    for n in range(200):
        last = requests.find(
            base(f"m{n}", provider=f"p{n}", requested_model=f"r{n}"), f"u{n}", ("ok", "reported", f"f{n}")
        )

    assert dict(last.attributes) == {
        "process": P,
        "model": "(other)",
        "operation": "chat",
        "user": "(other)",
        "outcome": "ok",
        "cost_source": "reported",
        "finish_reason": "(other)",
    }
    assert len(requests.all()) <= 31


def test_a_known_series_keeps_its_attributes_for_the_life_of_the_process() -> None:
    tokens = family(room=10)
    first = tokens.find(base("m"), "alice", ("input",))
    for n in range(300):
        tokens.find(base(f"m{n}"), f"u{n}", ("input",))

    assert tokens.find(base("m"), "alice", ("input",)) is first


def test_what_was_folded_away_is_not_remembered_for_ever() -> None:
    tokens = family(room=10)

    for n in range(1000):
        tokens.find(base(f"m{n}"), f"u{n}", ("input",))

    assert len(tokens._memo) <= 41
    assert len(tokens.all()) <= 31


def test_the_cap_warns_once_and_names_setting_and_metric(caplog: pytest.LogCaptureFixture) -> None:
    tokens = family(room=10)
    for n in range(100):
        tokens.find(base(), f"u{n}", ("input",))

    [line] = caplog.records
    assert "max_series of openrouter.tokens = 10" in line.getMessage()
