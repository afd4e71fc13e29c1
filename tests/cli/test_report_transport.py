"""How a source is asked: again where that helps, from many threads, and with what it was too much for told apart."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.evidence import SourceError
from openrouter_otel.reporting.prometheus import Prometheus, TooMuch
from prometheus_standin import CLOCK, Answer, Reply, always, as_json, served

SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("1795400000.5")
KEYS = st.sampled_from(["metric", "value", "values", "histograms", "__name__"])
PART = st.recursive(SCALAR, lambda part: st.lists(part, max_size=2) | st.dictionaries(KEYS, part, max_size=3))
ANSWER = st.fixed_dictionaries(
    {"status": st.sampled_from(["success", "error", 7])},
    optional={
        "data": PART | st.fixed_dictionaries({"result": st.lists(PART, max_size=2) | PART}),
        "warnings": PART,
        "error": PART,
        "isPartial": PART,
    },
)
NOW = 1_795_400_000_500
RESET: Answer = (200, {"Content-Length": "9999"}, b'{"status":"success"')  # and then the connection is closed
BUSY: Answer = (503, {}, b"Service Unavailable")


def source(host: str, timeout: float = 20.0) -> Prometheus:
    return Prometheus(f"http://{host}", Access(), timeout)


def at_first(failures: list[Answer], answer: Answer) -> tuple[Reply, list[float]]:
    """Gives the failures one after another, then the answer; and when it was asked."""
    waiting, asked = iter(failures), list[float]()

    def reply(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        asked.append(time.monotonic())
        return next(waiting, answer)

    return reply, asked


@pytest.mark.parametrize("failure", [BUSY, RESET, (429, {}, b""), (502, {}, b"<html>"), (504, {}, b"")])
def test_a_passing_failure_is_asked_again(failure: Answer) -> None:
    reply, asked = at_first([failure, failure], as_json(CLOCK))
    with served(reply) as host:
        assert source(host).now() == NOW
    assert len(asked) == 3


def test_a_server_that_asks_for_patience_gets_it() -> None:
    reply, asked = at_first([(429, {"Retry-After": "1"}, b"")], as_json(CLOCK))
    with served(reply) as host:
        assert source(host).now() == NOW
    assert asked[1] - asked[0] >= 1


def error(status: int, text: str) -> Answer:
    return as_json({"status": "error", "errorType": "execution", "error": text}, status)


TOO_MUCH = {
    "too many samples": (error(422, "query processing would load too many samples into memory"), 1),
    "busy": (BUSY, 4),
    "a query that timed out": (error(503, "query timed out in expression evaluation"), 4),
    "a gateway": ((504, {}, b"<html>504</html>"), 4),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_what_half_a_question_may_avoid_is_too_much(case: str) -> None:
    answer, times = TOO_MUCH[case]
    reply, asked = at_first([], answer)
    with served(reply) as host, pytest.raises(TooMuch, match=host):
        source(host).range("m", NOW, NOW, 1000)
    assert len(asked) == times


def test_an_answer_that_does_not_come_in_time_is_too_much_and_not_waited_for_again() -> None:
    asked = []

    def sleepy(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        asked.append(path)
        time.sleep(0.5)
        return as_json(CLOCK)

    with served(sleepy) as host, pytest.raises(TooMuch, match=r"within 0\.1 s"):
        source(host, timeout=0.1).now()
    assert len(asked) == 1


FINAL = {
    "a wrong query": (error(400, "parse error"), 1),
    "no access": ((401, {}, b""), 1),
    "no rest": ((429, {}, b""), 4),
    "a gateway to nowhere": ((502, {}, b""), 4),
    "a broken connection": (RESET, 4),
}


@pytest.mark.parametrize("case", FINAL)
def test_what_half_a_question_cannot_avoid_is_final(case: str) -> None:
    answer, times = FINAL[case]
    reply, asked = at_first([], answer)
    with served(reply) as host, pytest.raises(SourceError) as failed:
        source(host).instant("m", NOW)
    assert type(failed.value) is SourceError
    assert len(asked) == times


def test_many_threads_get_each_their_own_answer_and_lose_no_warning() -> None:
    def echo(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        found = {"metric": {"query": form["query"]}, "values": [[1795400000.5, form["query"]]]}
        return as_json({"status": "success", "data": {"result": [found]}, "warnings": [f"w{int(form['query']) % 9}"]})

    with served(echo) as host:
        prometheus = source(host)

        def ask(number: int) -> str:
            (reading,) = prometheus.range(str(number), NOW, NOW, 1000)
            assert reading.labels == {"query": str(number)}
            return reading.points[0][1]

        with ThreadPoolExecutor(16) as pool:
            answers = Counter(pool.map(ask, range(200)))
    assert answers == Counter(map(str, range(200)))
    assert sorted(prometheus.warnings) == [f"w{number}" for number in range(9)]


def test_connections_are_kept_and_used_again() -> None:
    ports: set[Any] = set()

    def keeping(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        status, sent, body = as_json(CLOCK)
        return status, {**sent, "Connection": "keep-alive", "X-Asked": "1"}, body

    with served(keeping, seen=ports.add) as host:
        prometheus = source(host)
        for _ in range(5):
            prometheus.now()
    assert len(ports) == 1


@pytest.mark.parametrize("location", ["ftp://elsewhere/", "http://[", "http://elsewhere:99999/"])
def test_a_redirect_astray_is_one_sentence(location: str) -> None:
    redirect = always((307, {"Location": location}, b""))
    with served(redirect) as host, pytest.raises(SourceError, match="nobody can follow"):
        source(host).now()


def test_a_source_that_moves_what_it_is_asked_for_is_not_believed() -> None:
    """A query cache that aligns instants with the step would book what was spent in other hours."""
    moved = {"metric": {"model": "m"}, "values": [[1795399200, "1"]]}
    answer = as_json({"status": "success", "data": {"result": [moved]}})
    with served(always(answer)) as host, pytest.raises(SourceError, match="other instants"):
        source(host).range("m", NOW, NOW + 7_200_000, 3_600_000)


def test_a_cluster_that_leaves_a_part_out_without_a_warning_is_noticed() -> None:
    with served(always(as_json({**CLOCK, "isPartial": True}))) as host:
        prometheus = source(host)
        prometheus.now()
    assert list(prometheus.warnings) == ["a part of the source was away, and its answers are partial"]


def refusal(ask: Callable[[], object]) -> str:
    """Why it was refused; nothing if it was not."""
    try:
        ask()
    except SourceError as error:
        return str(error)
    return ""


def test_an_answer_of_any_shape_is_readings_or_one_sentence() -> None:
    answers: list[Any] = [None]
    with served(lambda path, headers, form: as_json(answers[0])) as host:
        prometheus = source(host)

        @settings(deadline=None, max_examples=150)
        @given(ANSWER | PART)
        def check(answer: Any) -> None:
            answers[0] = answer
            assert "\n" not in refusal(prometheus.now)
            assert "\n" not in refusal(lambda: prometheus.instant("m", NOW))

        check()
