"""Beginning and ending to measure: nothing of ours stays behind, nothing of others is taken, no count goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import wrapt
from opentelemetry.instrumentation.utils import suppress_instrumentation

from contract.driving import GOOD, Caller, Measure, Telemetry
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names

CLIENTS = (openai.OpenAI, openai.AsyncOpenAI)


def members() -> list[list[tuple[str, object]]]:
    return [list(vars(client).items()) for client in CLIENTS]


@pytest.fixture(autouse=True)
def _nothing_stays_behind() -> Iterator[None]:
    before = members()
    yield
    assert members() == before


def test_uninstrument_restores_the_clients_exactly(measure: Measure) -> None:
    before = members()
    telemetry = measure()
    assert members() != before
    telemetry.uninstrument()

    assert members() == before


def test_instrument_and_uninstrument_can_be_repeated(caller: Caller, telemetry: Telemetry) -> None:
    telemetry.instrument()
    caller.run(caller.create())
    assert len(telemetry.spans) == telemetry.total(names.REQUESTS) == 1

    telemetry.uninstrument()
    telemetry.uninstrument()
    caller.run(caller.create())
    assert len(telemetry.spans) == telemetry.total(names.REQUESTS) == 1


def test_instrumenting_again_goes_on_counting_under_the_same_process(caller: Caller, telemetry: Telemetry) -> None:
    """No counter ever goes back, so that no report needs to know of restarts within a process."""
    counts = []
    for _ in range(3):
        caller.run(caller.create())
        counts.append(telemetry.total(names.COST))
        with telemetry.asleep():
            caller.run(caller.create())
            counts.append(telemetry.total(names.COST))

    assert counts == pytest.approx([0.03, 0.03, 0.06, 0.06, 0.09, 0.09])
    assert len(telemetry.processes()) == 1


def test_other_settings_count_anew_under_a_new_process(caller: Caller, measure: Measure) -> None:
    first = measure()
    caller.run(caller.create())
    first.uninstrument()
    second = measure(users="off")
    caller.run(caller.create())

    assert first.total(names.REQUESTS) == second.total(names.REQUESTS) == 1
    assert first.processes().isdisjoint(second.processes())


# --- other patches ---
Patch = Callable[[type], None]


@pytest.fixture
def others() -> Iterator[Any]:
    """Somebody else's patch on the door of either client; counts the calls that pass it."""
    before = {client: vars(client).get("request") for client in CLIENTS}
    patch = OtherPatch()
    yield patch
    for client, request in before.items():
        if request is None and "request" in vars(client):
            del client.request
        elif request is not None:
            client.request = request  # type: ignore[method-assign]


class OtherPatch:
    """What the instrumentations beside us do."""

    def __init__(self) -> None:
        self.calls = 0
        self._saved: dict[type, Any] = {}

    def wrap(self) -> None:
        """Put a wrapper on top of what is there, as wrapt does."""
        for client in CLIENTS:
            self._saved[client] = client.request
            wrapt.wrap_function_wrapper(client, "request", self._count)

    def hide(self) -> None:
        """Put a plain function on top, which does not tell what is below it."""
        for client in CLIENTS:
            below = client.request

            def request(self_: Any, *args: Any, __below: Any = below, **kwargs: Any) -> Any:
                self.calls += 1
                return __below(self_, *args, **kwargs)

            client.request = request  # type: ignore[method-assign, assignment]

    def restore(self) -> None:
        """Put back what was there before, as those do that forget about later patches."""
        for client, request in self._saved.items():
            client.request = request  # type: ignore[attr-defined]

    def _count(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        self.calls += 1
        return wrapped(*args, **kwargs)


def flaky(caller: Caller) -> None:
    caller.run(caller.using(max_retries=1).create(f"flaky;failures=1;retry_after=0.01;{GOOD.partition(';')[2]}"))


@pytest.mark.parametrize("how", ["wrap", "hide"])
def test_with_another_patch_above_ours_every_call_counts_once(
    how: str, caller: Caller, others: OtherPatch, measure: Measure
) -> None:
    telemetry = measure()
    getattr(others, how)()
    for passed in range(1, 4):
        flaky(caller)
        assert telemetry.total(names.REQUESTS) == passed
        assert telemetry.total(names.RETRIES) == passed, "also the retries, whose door nobody else has touched"
        telemetry.uninstrument()
        flaky(caller)
        assert telemetry.total(names.REQUESTS) == passed, "a wrapper below another one sleeps"
        telemetry.instrument()
    assert others.calls == 6


@pytest.mark.parametrize("how", ["wrap", "hide"])
def test_with_another_patch_below_ours_every_call_counts_once(
    how: str, caller: Caller, others: OtherPatch, measure: Measure
) -> None:
    getattr(others, how)()
    before = members()
    telemetry = measure()
    for passed in range(1, 4):
        flaky(caller)
        assert telemetry.total(names.REQUESTS) == telemetry.total(names.RETRIES) == passed
        telemetry.uninstrument()
        assert members() == before
        flaky(caller)
        telemetry.instrument()
    assert others.calls == 6
    telemetry.uninstrument()


def test_a_patch_that_takes_ours_away_with_itself_does_not_do_so_for_ever(
    caller: Caller, others: OtherPatch, measure: Measure
) -> None:
    others.wrap()
    telemetry = measure()
    others.restore()  # what it remembers is from before us
    telemetry.uninstrument()
    telemetry.instrument()

    caller.run(caller.create())
    assert telemetry.total(names.REQUESTS) == 1
    telemetry.uninstrument()


# --- switched off ---
def test_nothing_is_measured_where_the_sdk_is_disabled(
    caller: Caller, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    before = members()
    telemetry = measure()

    assert members() == before
    caller.run(caller.create())
    assert telemetry.exporter.get_finished_spans() == ()
    assert telemetry.points(names.REQUESTS) == {}


def test_nothing_is_measured_in_a_context_that_suppresses_instrumentation(
    caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    async def body() -> None:
        with suppress_instrumentation():
            await caller.create()
        await caller.create()

    caller.run(body())
    assert len(openrouter.requests) == 2
    assert telemetry.total(names.REQUESTS) == len(telemetry.spans) == 1


def test_metrics_do_not_depend_on_the_sampling_of_traces(caller: Caller, measure: Measure) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    telemetry = measure(tracer_provider=TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
    caller.run(caller.create())

    assert telemetry.spans == ()
    assert telemetry.total(names.COST) == 0.03
