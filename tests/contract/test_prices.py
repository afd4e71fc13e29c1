"""Calls that come without a cost: estimated where prices are known and marked as such, else unknown, never zero."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from decimal import Decimal, localcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

import genai_prices
import pytest

from contract.driving import GOOD, MODEL, PRICED, Caller, Measure, Telemetry
from fake_openrouter import FakeOpenRouter
from openrouter_otel import PricesError, RunningUsage, load_prices, names, prices, record, usage_context

COUNTED = "no-cost;prompt_tokens=1000;completion_tokens=100"
FAR = "deepseek/deepseek-chat-v3.1"
LLAMA = "meta-llama/llama-3.3-70b-instruct"


@pytest.fixture(autouse=True)
def _own_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test has loaded is nothing to the next."""
    monkeypatch.setattr(prices, "_catalogue", {})


@pytest.fixture
def estimating(measure: Measure) -> Telemetry:
    """Measuring as users do: estimates are on."""
    return measure(estimate_costs=True)


def listed(model: str, **counted: int) -> Decimal:
    """The package's own price."""
    price: Decimal = genai_prices.calc_price(genai_prices.Usage(**counted), model, provider_id="openrouter").total_price
    return price


def asked(caller: Caller, wanted: str, **more: Any) -> RunningUsage:
    """One call in a block of its own."""

    async def body() -> RunningUsage:
        with usage_context() as usage:
            answer = await caller.create(wanted, **more)
            if more.get("stream"):
                await caller.read(answer)
        return usage

    return caller.run(body())


def expect(telemetry: Telemetry, usage: RunningUsage, cost: Decimal | None, source: str) -> None:
    """Span, metrics and block agree on what the only call came to, and on where that is from."""
    attributes = telemetry.the_only_call()
    assert attributes["openrouter.cost_source"] == source
    assert attributes.get("gen_ai.usage.cost") == (None if cost is None else float(cost))
    assert telemetry.total(names.REQUESTS, cost_source=source) == 1
    told = {(dict(p)["cost_source"], dict(p)["payee"]): v for p, v in telemetry.points(names.COST).items()}
    assert told == ({} if cost is None else {(source, names.OPENROUTER): float(cost)})
    assert (usage.cost, usage.unpriced) == (cost or 0, source == names.UNPRICED)


# --- the package's price list ---
@pytest.mark.parametrize("stream", [False, True])
def test_usage_without_a_cost_is_priced_and_marked_as_an_estimate(
    stream: bool, caller: Caller, estimating: Telemetry
) -> None:
    expected = listed(MODEL, input_tokens=1000, output_tokens=100)
    assert expected > 0

    usage = asked(caller, COUNTED, **({"stream": True} if stream else {}))
    expect(estimating, usage, expected, names.ESTIMATED)
    assert estimating.total(names.TOKENS) == 1100


def test_cached_tokens_cost_what_cached_tokens_cost(caller: Caller, estimating: Telemetry) -> None:
    expected = listed(MODEL, input_tokens=1000, output_tokens=100, cache_read_tokens=600)
    assert expected < listed(MODEL, input_tokens=1000, output_tokens=100)

    expect(estimating, asked(caller, f"{COUNTED};cached=600"), expected, names.ESTIMATED)


def test_a_variant_costs_what_its_model_does(caller: Caller, estimating: Telemetry) -> None:
    expected = listed(MODEL, input_tokens=1000, output_tokens=100)

    expect(estimating, asked(caller, f"{COUNTED};model={MODEL}:nitro"), expected, names.ESTIMATED)


@pytest.mark.parametrize("model", ["acme/unheard-of", f"{MODEL}:free"])
def test_a_model_without_a_price_stays_unknown(model: str, caller: Caller, estimating: Telemetry) -> None:
    expect(estimating, asked(caller, f"{COUNTED};model={model}"), None, names.UNPRICED)


@pytest.mark.parametrize("wanted", ["no-usage", "null-usage"])
def test_without_usage_there_is_nothing_to_price(wanted: str, caller: Caller, estimating: Telemetry) -> None:
    expect(estimating, asked(caller, wanted), None, names.UNPRICED)


def test_a_decimal_context_of_the_applications_own_takes_no_digit(caller: Caller, estimating: Telemetry) -> None:
    expected = listed(MODEL, input_tokens=1234567, output_tokens=7)

    with localcontext() as narrow:
        narrow.prec = 2
        usage = asked(caller, "no-cost;prompt_tokens=1234567;completion_tokens=7")
    expect(estimating, usage, expected, names.ESTIMATED)


# --- what OpenRouter says comes first ---
def test_a_reported_cost_wins(caller: Caller, estimating: Telemetry) -> None:
    expect(estimating, asked(caller, GOOD), Decimal("0.03"), names.REPORTED)


@pytest.mark.parametrize("wanted", ["cache-hit", "free;prompt_tokens=1000;completion_tokens=100"])
def test_a_reported_zero_is_a_price(wanted: str, caller: Caller, estimating: Telemetry) -> None:
    expect(estimating, asked(caller, wanted), Decimal(0), names.REPORTED)


def test_the_providers_own_bill_is_not_estimated(caller: Caller, estimating: Telemetry) -> None:
    """Under BYOK it is the provider's figure that is missing, and no price list of OpenRouter's knows it."""
    usage = asked(caller, f"byok-silent;{PRICED};fee=0.001")

    assert (usage.cost, usage.unpriced) == (Decimal("0.001"), 1)
    assert estimating.the_only_call()["openrouter.cost_source"] == names.UNPRICED
    assert estimating.total(names.COST, cost_source=names.REPORTED) == 0.001
    assert estimating.total(names.COST, cost_source=names.ESTIMATED) == 0


def test_byok_without_any_figure_is_unknown(estimating: Telemetry) -> None:
    with usage_context() as usage:
        record(
            {
                "model": MODEL,
                "choices": [{"finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "is_byok": True},
            }
        )
    expect(estimating, usage, None, names.UNPRICED)


def test_a_recorded_call_is_estimated_like_any_other(estimating: Telemetry) -> None:
    with usage_context() as usage:
        record({"model": MODEL, "choices": [{}], "usage": {"prompt_tokens": 1000, "completion_tokens": 100}})
    expect(estimating, usage, listed(MODEL, input_tokens=1000, output_tokens=100), names.ESTIMATED)


# --- not wanted, not installed ---
def test_estimates_can_be_switched_off(caller: Caller, measure: Measure, openrouter: FakeOpenRouter) -> None:
    load_prices(openrouter.base_url)

    telemetry = measure(estimate_costs=False)
    expect(telemetry, asked(caller, COUNTED), None, names.UNPRICED)


def test_without_the_package_one_line_says_how_to_get_it(
    caller: Caller,
    measure: Measure,
    openrouter: FakeOpenRouter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with caplog.at_level(logging.INFO, logger="openrouter_otel"):
        telemetry = measure(estimate_costs=True)
        first = asked(caller, COUNTED)
    (line,) = [r for r in caplog.records if r.name.startswith("openrouter_otel") and "prices" in r.getMessage()]
    assert line.levelno == logging.INFO
    assert "pip install 'openrouter-otel[prices]'" in line.getMessage()
    expect(telemetry, first, None, names.UNPRICED)

    load_prices(openrouter.base_url)
    assert asked(caller, COUNTED).cost > 0, "OpenRouter's own list needs no package"


# --- OpenRouter's own list ---
def test_loaded_prices_come_to_what_the_hand_and_the_stand_in_compute(
    caller: Caller, openrouter: FakeOpenRouter, estimating: Telemetry
) -> None:
    assert load_prices(openrouter.base_url) >= 7

    usage = asked(caller, f"{COUNTED};cached=600;cache_write=50", model=FAR)
    # 400 plain or written x 0.27, 600 cached x 0.027, 100 out x 1.000073, all USD a million
    assert usage.cost == Decimal("0.0002242073")
    (entry,) = openrouter.book.entries
    assert usage.cost == entry.spent.charge
    expect(estimating, usage, entry.spent.charge, names.ESTIMATED)


def test_loaded_prices_beat_the_packages(caller: Caller, openrouter: FakeOpenRouter, estimating: Telemetry) -> None:
    before = asked(caller, COUNTED, model=LLAMA)
    load_prices(openrouter.base_url + "/")
    after = asked(caller, COUNTED, model=LLAMA)

    assert before.cost == listed(LLAMA, input_tokens=1000, output_tokens=100) > 0
    # 1,000 in x 0.13, 100 out x 0.39, USD a million
    assert after.cost == Decimal("0.000169") != before.cost
    assert estimating.total(names.REQUESTS, cost_source=names.ESTIMATED) == 2


def test_loading_prices_is_no_call_of_the_applications(
    caller: Caller, openrouter: FakeOpenRouter, estimating: Telemetry
) -> None:
    load_prices(openrouter.base_url)
    asked(caller, COUNTED)
    asked(caller, COUNTED)

    assert [request.path for request in openrouter.requests] == ["/models", "/chat/completions", "/chat/completions"]
    assert len(estimating.spans) == 2


class _Page(BaseHTTPRequestHandler):
    """Answers what it is asked for: ``/200/text/models``."""

    def do_GET(self) -> None:
        _, status, text, _ = unquote(self.path).split("/")
        self.send_response(int(status))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is its own."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("200/<html>", "no JSON"),
        ("200/[]", "no model with prices"),
        ('200/{"data":[{"id":"a"}]}', "no model with prices"),
        ("200/null", "no model with prices"),
        ("404/{}", "status 404"),
        ("503/busy", "status 503"),
    ],
)
def test_a_catalogue_that_is_none_is_one_clear_error(where: str, why: str, pages: str) -> None:
    before = dict(prices._catalogue)
    with pytest.raises(PricesError) as caught:
        load_prices(f"{pages}/{where}")

    expect_one_sentence(caught.value, why)
    assert prices._catalogue == before


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:9", "nothing listens there"),
        ("ftp://127.0.0.1/v1", "must look like https://openrouter.ai/api/v1"),
        ("nonsense", "must look like https://openrouter.ai/api/v1"),
        ("http://[::1", "must look like"),
        ("http://nobody.invalid", "no such host"),
    ],
)
def test_an_address_where_nobody_is_is_one_clear_error(address: str, why: str) -> None:
    with pytest.raises(PricesError) as caught:
        load_prices(address, timeout=2)

    expect_one_sentence(caught.value, why)


def test_a_catalogue_that_never_comes_is_waited_for_no_longer_than_asked() -> None:
    with HTTPServer(("127.0.0.1", 0), _Page) as silent, pytest.raises(PricesError) as caught:
        load_prices(f"http://127.0.0.1:{silent.server_port}", timeout=0.1)

    expect_one_sentence(caught.value, "timed out")


def expect_one_sentence(error: PricesError, why: str) -> None:
    assert str(error).startswith("no prices: ")
    assert why in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 300
