"""The stand-in's ``GET`` pages: who may see them, and that they agree with the book and the price list."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai import OpenAI

from fake_openrouter import MANAGEMENT_KEY, MODELS, FakeOpenRouter
from fake_openrouter.book import Tokens

DAY = 86_400


@pytest.fixture
def client(_client: OpenAI, openrouter: FakeOpenRouter) -> OpenAI:
    return _client


@pytest.fixture
def manager(client: OpenAI) -> OpenAI:
    return client.with_options(api_key=MANAGEMENT_KEY)


def get(client: OpenAI, path: str, **query: str) -> Any:
    return client.get(path, cast_to=object, options={"params": query})


def ask(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    arguments: Any = {"model": "openai/gpt-5", "messages": [{"role": "user", "content": "Hello"}], **more}
    return client.chat.completions.create(**arguments, extra_headers={"x-scenario": wanted})


def test_the_pricing_is_what_is_charged(client: OpenAI) -> None:
    listed: Any = {model.id: model for model in client.models.list()}
    assert listed.keys() == MODELS.keys()
    tokens = Tokens(input=1000, output=500, cache_read=300, cache_write=200, reasoning=100)
    for slug, model in MODELS.items():
        price = {name: Decimal(text) for name, text in listed[slug].pricing.items()}
        fresh = (tokens.input - tokens.cache_read - tokens.cache_write) * price["prompt"]
        read = tokens.cache_read * price.get("input_cache_read", price["prompt"])
        written = tokens.cache_write * price.get("input_cache_write", price["prompt"])
        # Where reasoning has a price of its own, it is paid instead of the price of output.
        thought = tokens.reasoning * price.get("internal_reasoning", price["completion"])
        said = (tokens.output - tokens.reasoning) * price["completion"]
        assert fresh + read + written + thought + said + price["request"] == model.price(tokens)
        assert all(isinstance(text, str) for text in listed[slug].pricing.values())


def test_models_of_other_outputs_are_listed_on_request(client: OpenAI) -> None:
    everything = get(client, "/models", output_modalities="all")["data"]
    assert len(everything) > len(MODELS)
    (ranker,) = get(client, "/models", output_modalities="rerank")["data"]
    assert ranker["pricing"]["request"] == "0.002"


def test_one_model_is_found_by_its_slug(client: OpenAI) -> None:
    assert client.models.retrieve("openai/gpt-5").id == "openai/gpt-5"
    assert get(client, "/model/openai/gpt-5")["data"]["pricing"]["completion"] == "0.00001"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("acme/unheard-of")


def test_a_generation_is_looked_up_once_it_is_ingested(
    openrouter: FakeOpenRouter, client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(client, "byok;fee=0.001;cost=0.02;finish=length", user="alice")
    monkeypatch.setattr(openrouter, "ingestion", 60.0)
    with pytest.raises(openai.NotFoundError):
        get(client, "/generation", id=answer.id)
    monkeypatch.setattr(openrouter, "clock", lambda: time.time() + 61)
    known = get(client, "/generation", id=answer.id)["data"]
    assert (known["total_cost"], known["upstream_inference_cost"], known["is_byok"]) == (0.001, 0.02, True)
    assert (known["external_user"], known["finish_reason"], known["api_type"]) == ("alice", "length", "completions")
    assert known["native_tokens_prompt"] == answer.usage.prompt_tokens != known["tokens_prompt"]
    with pytest.raises(openai.NotFoundError):
        get(client, "/generation", id="gen-0-nobody")


def test_a_generation_tells_what_a_client_that_left_never_heard(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    with ask(client, "endless", stream=True) as chunks:
        left = next(iter(chunks)).id
    openrouter.book.settle()
    known = get(client, "/generation", id=left)["data"]
    assert (known["cancelled"], known["streamed"]) == (True, True)
    assert Decimal(repr(known["total_cost"])) == openrouter.book.totals().untold.charge


def test_activity_has_a_row_for_each_day_that_is_over(
    openrouter: FakeOpenRouter, client: OpenAI, manager: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in ("openai/gpt-5", "openai/gpt-5", "openai/gpt-4o-mini"):
        ask(client, "details", model=model)
    assert get(manager, "/activity")["data"] == []
    monkeypatch.setattr(openrouter, "clock", lambda: time.time() + DAY)
    rows = {row["model"]: row for row in get(manager, "/activity")["data"]}
    assert {model: row["requests"] for model, row in rows.items()} == {"openai/gpt-5": 2, "openai/gpt-4o-mini": 1}
    assert sum(Decimal(repr(row["usage"])) for row in rows.values()) == openrouter.book.totals().told.charge
    assert (rows["openai/gpt-5"]["prompt_tokens"], rows["openai/gpt-5"]["cached_tokens"]) == (8192, 2048)
    assert get(manager, "/activity", date="2020-01-01")["data"] == []
    assert get(manager, "/activity", api_key_hash="0" * 64)["data"] == []
    assert get(manager, "/activity", api_key_hash=openrouter.book.entries[0].key_hash)["data"]


def test_credits_and_key_move_with_every_call(openrouter: FakeOpenRouter, client: OpenAI, manager: OpenAI) -> None:
    ask(client, "good;cost=0.25")
    assert get(manager, "/credits")["data"] == {"total_credits": 100.0, "total_usage": 0.25}
    key = get(client, "/key")["data"]
    assert (key["usage"], key["limit_remaining"], key["is_management_key"]) == (0.25, 99.75, False)
    assert get(manager, "/key")["data"]["is_management_key"] is True


@pytest.mark.parametrize("path", ["/credits", "/activity"])
def test_the_whole_account_is_for_management_keys(client: OpenAI, path: str) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        get(client, path)


def test_looking_is_no_request_for_an_operation(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    assert list(client.files.list()) == []
    get(client, "/key")
    with pytest.raises(openai.NotFoundError):
        get(client, "/nowhere")
    assert (openrouter.book.totals().requests, openrouter.book.totals().errors) == (0, 0)
