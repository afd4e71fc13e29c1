"""Prices that nobody told when a call ended, found out later: each once, in the rows and in all sums."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from endpoint.programs import Program
from exporter.conftest import KEY, Stage
from fake_openrouter import Book, FakeOpenRouter
from journal.reading import ask, assert_sums_are_those_of_the_rows, records, spent, sums
from openrouter_otel import resolve
from openrouter_otel.journal.resolving import WaitingCalls
from openrouter_otel.openrouter_api import OpenRouter
from openrouter_otel.resolver import Resolver, price

Run = Callable[..., Program]
Resolve = Callable[..., int]

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"
LEFT_EARLY = "stream = ask('endless;chunk_delay=0.001', stream=True, user='ada'); next(stream); stream.close()\n"
DAY = 86_400.0


@pytest.fixture(autouse=True)
def _account(openrouter: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whose books are asked, and a clock that makes every call old enough to be asked about at once."""
    monkeypatch.setenv("OPENROUTER_BASE_URL", openrouter.base_url)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setattr("openrouter_otel.resolver.FIRST_AFTER", 0.05)
    yield
    openrouter.ingestion = 0.0


@pytest.fixture(scope="module")
def written(_server: FakeOpenRouter, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Book]:
    """A journal with two priced calls, two streams left early, and one whose provider's bill was not told; and
    what they came to."""
    _server.book = book = Book()
    folder = tmp_path_factory.mktemp("written")
    code = INSTRUMENT + "ask(); ask('byok;fee=0.00001')\n" + 2 * LEFT_EARLY + "ask('byok-silent;fee=0.00005')\n"
    settings = {"OPENROUTER_OTEL_JOURNAL": str(folder / "usage.db"), "OPENROUTER_OTEL_BASE_URLS": _server.base_url}
    with Program(folder, code, settings) as program:
        assert program.end() == 0, program.log
    book.settle()
    return folder / "usage.db", book


@pytest.fixture
def calls(written: tuple[Path, Book], openrouter: FakeOpenRouter, journal: Path) -> Path:
    """The journal of these calls, which OpenRouter remembers."""
    file, openrouter.book = written
    return Path(shutil.copy(file, journal))


def charged(openrouter: FakeOpenRouter) -> Decimal:
    """All that calls came to, told or not."""
    book = openrouter.book.totals()
    return sum((amounts.charge + amounts.bill for amounts in (book.told, book.untold)), Decimal(0))


def test_what_was_not_told_is_booked_once_in_the_row_and_in_every_sum(
    calls: Path, openrouter: FakeOpenRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    before = spent(calls)

    assert resolve.main(["--journal", str(calls)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 calls priced, $0.")
    assert said.endswith("; 0 still wait for a price; 0 given up.\n")
    assert before < spent(calls) == charged(openrouter)
    assert_sums_are_those_of_the_rows(calls)
    assert sums(calls, "totals")["resolved"] == sums(calls, "hourly")["resolved"] == 3
    assert {row["cost_source"] for row in records(calls)} == {"reported"}
    book = openrouter.book.totals()
    assert sum(row["completion_tokens"] for row in records(calls)) == book.told.output + book.untold.output

    assert resolve.main(["--journal", str(calls)]) == 0
    assert capsys.readouterr().out == "No call waits for a price.\n"
    assert_sums_are_those_of_the_rows(calls)


def test_what_was_told_under_byok_stays_and_only_the_bill_is_added(calls: Path, openrouter: FakeOpenRouter) -> None:
    resolve.main(["--journal", str(calls)])

    row = records(calls)[-1]
    [entry] = [entry for entry in openrouter.book.entries if entry.id == row["generation_id"]]
    assert (row["byok"], row["charged"], Decimal(row["provider_cost"])) == (1, "0.00005", entry.spent.bill)
    assert Decimal(row["cost"]) == entry.spent.charge + entry.spent.bill


def test_what_openrouter_does_not_know_yet_is_asked_for_again_and_waited_for(
    calls: Path, openrouter: FakeOpenRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    openrouter.ingestion = 3600.0
    assert resolve.main(["--journal", str(calls), "--wait", "0"]) == 0
    assert capsys.readouterr().out == "0 calls priced, $0; 3 still wait for a price; 0 given up.\n"

    newest = max(entry.time for entry in openrouter.book.entries)
    openrouter.ingestion = openrouter.clock() - newest + 0.3
    assert resolve.main(["--journal", str(calls), "--wait", "30"]) == 0
    assert capsys.readouterr().out.startswith("3 calls priced")


def test_between_two_questions_about_a_call_its_age_doubles(calls: Path, openrouter: FakeOpenRouter) -> None:
    """For an hour: a dozen questions, not thousands."""
    openrouter.ingestion = 2 * DAY
    now = openrouter.clock()
    end = now + 3600
    moments = [now]
    resolver = Resolver(OpenRouter(openrouter.base_url, KEY), clock=lambda: moments[-1], sleep=lambda _: None)
    openrouter.requests.clear()
    with closing(WaitingCalls(str(calls))) as waiting:
        while moments[-1] < end:
            due = resolver.work(waiting)
            assert due is not None
            assert due > moments[-1]
            moments.append(due)

    asked = [request for request in openrouter.requests if request.path == "/generation"]
    assert 3 * 8 <= len(asked) <= 3 * 20


def test_after_a_day_a_last_no_is_taken_for_an_answer(calls: Path, openrouter: FakeOpenRouter) -> None:
    openrouter.ingestion = 3 * DAY
    clock = [openrouter.clock() + DAY + 60]
    resolver = Resolver(OpenRouter(openrouter.base_url, KEY), clock=lambda: clock[0], sleep=lambda _: None)
    with closing(WaitingCalls(str(calls))) as waiting:
        assert resolver.work(waiting) is None
        assert waiting.all() == []

    assert (resolver.given_up, resolver.priced) == (3, 0)
    assert sums(calls, "totals")["resolved"] == 0
    assert [row["cost_source"] for row in records(calls)].count("unknown") == 3
    assert_sums_are_those_of_the_rows(calls)


def test_two_at_once_price_every_call_once(run: Run, openrouter: FakeOpenRouter, journal: Path) -> None:
    program = run(INSTRUMENT + 15 * LEFT_EARLY, OPENROUTER_OTEL_JOURNAL=str(journal))
    assert program.end() == 0, program.log
    openrouter.book.settle()
    ready = threading.Barrier(2)
    resolvers = [Resolver(OpenRouter(openrouter.base_url, KEY), sleep=lambda _: None) for _ in range(2)]

    def work(resolver: Resolver) -> None:
        with closing(WaitingCalls(str(journal))) as waiting:
            ready.wait(10)
            resolver.work(waiting)

    threads = [threading.Thread(target=work, args=(resolver,)) for resolver in resolvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(resolver.priced for resolver in resolvers) == sums(journal, "totals")["resolved"] == 15
    assert sum(resolver.cost for resolver in resolvers) == spent(journal) == charged(openrouter)
    assert_sums_are_those_of_the_rows(journal)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"total_cost": Decimal("0.5"), "is_byok": False, "upstream_inference_cost": Decimal("0.5")}, ("0.5", None)),
        ({"total_cost": 0, "is_byok": False}, ("0", None)),
        ({"total_cost": Decimal("0.1"), "is_byok": True, "upstream_inference_cost": 2}, ("0.1", "2")),
        ({"total_cost": Decimal("0.1"), "is_byok": True, "upstream_inference_cost": None}, None),
        ({"total_cost": None}, None),
        ({"total_cost": Decimal("-1")}, None),
        ({"total_cost": 10**9}, None),
        ({}, None),
        (None, None),
        ("nonsense", None),
    ],
)
def test_half_a_price_is_none(answer: object, expected: tuple[str, str | None] | None) -> None:
    found = price({"data": answer})

    shown = found and (str(found.charged), None if found.provider_cost is None else str(found.provider_cost))
    assert shown == expected


def test_without_a_key_it_says_which_to_set(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY")

    assert resolve.main(["--journal", str(calls)]) == 2
    assert "OPENROUTER_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["--journal", ""], ["--journal", "a", "--wait", "soon"], ["--nonsense"]])
def test_arguments_that_make_no_sense_are_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert resolve.main(argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("openrouter-otel: resolve: ")


def test_a_journal_that_is_not_there_is_not_made(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert resolve.main(["--journal", str(journal)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "no such file" in line
    assert not journal.exists()


def test_an_openrouter_that_does_not_answer_is_one_line_and_changes_nothing(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://127.0.0.1:9/api/v1")
    before = ask(calls, "SELECT * FROM calls")

    assert resolve.main(["--journal", str(calls)]) == 1
    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert "nothing listens there" in line
    assert said.out == "0 calls priced, $0; 3 still wait for a price; 0 given up.\n"
    assert ask(calls, "SELECT * FROM calls") == before


@pytest.mark.parametrize("by", ["the command", "the exporter"])
def test_the_report_from_prometheus_equals_all_charges_once_they_are_found_out(by: str, stage: Stage, run: Run) -> None:
    code = INSTRUMENT + "ask()\n" + LEFT_EARLY + "ask('byok-silent;fee=0.00005')\n"
    with stage.exporter(*["--resolve"][: by == "the exporter"]) as exporter:
        program = run(code, OPENROUTER_OTEL_JOURNAL=str(stage.journal))
        assert program.end() == 0, program.log
        stage.await_scrape(3)
        if by == "the command":
            stage.report()
            assert resolve.main(["--journal", str(stage.journal)]) == 0
        stage.await_scrape(2, "openrouter_resolved_total")
        assert exporter.scrape().total("openrouter_resolved_total", user="ada") == 1
    report = stage.report(resolved=True)

    assert report["summary"]["all_time"]["abandoned_requests"] == 1
    assert report["fruitless_spend"]["by_outcome"]["abandoned"]["unpriced_requests"] == 0
    assert report["user_stats"]["ada"]["cost"] > 0
