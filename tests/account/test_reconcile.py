"""``report --reconcile``: real calls, in a journal and in a Prometheus, held against the stand-in's own books."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from account.api_standin import as_json, serving
from account.conftest import KEY
from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter, key_hash
from openrouter_otel import OpenRouterInstrumentor, report, usage_context
from openrouter_otel.report import Filters, OpenRouterError, Reconcile, usage_report

Spend = Callable[..., Any]


@pytest.fixture
def journal(tmp_path: Path, account: FakeOpenRouter) -> Iterator[Path]:
    """What every call of this test is written to."""
    path = tmp_path / "usage.db"
    OpenRouterInstrumentor().instrument(base_urls=[account.base_url], journal=str(path))
    yield path
    OpenRouterInstrumentor().uninstrument()


@pytest.fixture(autouse=True)
def keys(account: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment, as a user has them."""
    monkeypatch.setenv("OPENROUTER_BASE_URL", account.base_url)
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", MANAGEMENT_KEY)


@pytest.fixture
def reconciled(journal: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The JSON's section, and the status that came with it; all that was spent is yesterday's at OpenRouter."""

    def run(*options: str, status: int = 0) -> dict[str, Any]:
        OpenRouterInstrumentor().uninstrument()  # writes what waits
        assert report.main(["--journal", str(journal), "--reconcile", *options]) == status
        found: dict[str, Any] = json.loads(capsys.readouterr().out, parse_float=Decimal)["reconciliation"]
        return found

    return run


@pytest.mark.usefixtures("tomorrow")
def test_what_was_counted_is_what_was_booked(spend: Spend, reconciled: Callable[..., dict[str, Any]]) -> None:
    spend("good;cost=0.25")
    spend("good;cost=0.000000001", model="openai/gpt-4o-mini")
    spend("byok;fee=0.001;cost=0.02")
    found = reconciled("--tolerance", "0%")
    assert (found["total"]["difference"], found["within_tolerance"], found["explanations"]) == (0, True, [])
    assert (found["total"]["booked_cost"], found["total"]["booked_requests"]) == (Decimal("0.271000001"), 3)
    assert found["last_day"] == time.strftime("%Y-%m-%d", time.gmtime())


@pytest.mark.usefixtures("tomorrow")
def test_calls_of_programs_without_us_are_beyond_the_tolerance(
    spend: Spend, reconciled: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    spend("good;cost=0.25")
    OpenRouterInstrumentor().uninstrument()
    spend("good;cost=0.25")
    spend("good;cost=0.01", model="x/y")
    found = reconciled(status=3)
    assert [(part["kind"], part["amount"], part["requests"]) for part in found["explanations"]] == [
        ("outside", Decimal("0.26"), 2)
    ]
    assert reconciled("--tolerance", "51%")["within_tolerance"] is True


@pytest.mark.usefixtures("tomorrow")
def test_status_3_comes_with_the_report_and_one_line(
    spend: Spend, journal: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spend("good;cost=0")
    OpenRouterInstrumentor().uninstrument()
    spend("good;cost=0.25")
    for format in ("json", "markdown", "terminal", "html", "csv"):
        output = tmp_path / f"report.{format}"
        options = ["--journal", str(journal), "--reconcile", "--format", format, "--output", str(output)]
        assert report.main(options) == 3
        assert "beyond the tolerance of 2 %" in capsys.readouterr().err
        assert output.stat().st_size
        assert format == "csv" or "OpenRouter booked $0.250000 for 2 calls" in " ".join(
            output.read_text("utf-8").split()
        )


@pytest.mark.usefixtures("tomorrow")
def test_an_abandoned_stream_is_priced_by_the_books(spend: Spend, reconciled: Callable[..., dict[str, Any]]) -> None:
    stream = spend("good;cost=0.25", stream=True)
    next(stream)
    stream.close()
    (part,) = reconciled(status=3)["explanations"]
    assert (part["kind"], part["requests"]) == ("unpriced", 1)


@pytest.mark.usefixtures("tomorrow")
def test_one_key_s_books_are_compared_with_one_service_s_calls(
    account: FakeOpenRouter, spend: Spend, reconciled: Callable[..., dict[str, Any]], journal: Path
) -> None:
    spend("good;cost=1")
    OpenRouterInstrumentor().uninstrument()
    spend("good;cost=2", key="sk-or-v1-somebody-else")
    found = reconciled("--api-key-hash", key_hash(KEY))
    assert (found["total"]["booked_cost"], found["api_key_hash"]) == (1, key_hash(KEY))
    assert reconciled(status=3)["total"]["booked_cost"] == 3


@pytest.mark.usefixtures("tomorrow")
def test_filters_that_the_books_know_are_theirs_too(
    account: FakeOpenRouter, spend: Spend, reconciled: Callable[..., dict[str, Any]]
) -> None:
    account.terms.dated = {"openai/gpt-5": "openai/gpt-5-2025-08-07"}
    spend("good;cost=1")
    spend("good;cost=2;provider=Azure")
    spend("good;cost=4", model="x/y")
    for options, booked in (
        (("--model", "openai/gpt-5"), 3),
        (("--provider", "Azure"), 2),
        (("--model", "openai/gpt-5", "--provider", "Azure"), 2),
        (("--model", "x/y"), 4),
    ):
        assert reconciled(*options, "--tolerance", "0")["total"]["booked_cost"] == booked


@pytest.mark.usefixtures("tomorrow")
def test_one_user_s_calls_are_found_by_the_analytics(
    account: FakeOpenRouter, spend: Spend, reconciled: Callable[..., dict[str, Any]]
) -> None:
    account.terms.dated = {"openai/gpt-5": "openai/gpt-5-2025-08-07"}
    spend("good;cost=1", user="alice")
    spend("good;cost=4", user="bob")
    found = reconciled("--user", "alice", "--tolerance", "0%")
    assert (found["total"]["booked_cost"], found["total"]["difference"], list(found["by_model"])) == (
        1, 0, ["openai/gpt-5"],
    )  # fmt: skip


@pytest.mark.usefixtures("tomorrow")
def test_users_whom_openrouter_was_not_told_of_are_not_in_its_books(
    spend: Spend, reconciled: Callable[..., dict[str, Any]]
) -> None:
    with usage_context(user="alice"):
        spend("good;cost=2")
    (part,) = reconciled("--user", "alice", status=3)["explanations"]
    assert (part["kind"], part["amount"], part["requests"]) == ("not_booked", -2, 1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--tolerance", "lots"], "--tolerance 'lots' is no share; it takes 2% or 0.02"),
        (["--tolerance", "nan"], "--tolerance takes a share between 0% and 100%"),
        (["--tolerance", "101%"], "--tolerance takes a share between 0% and 100%"),
        (["--tolerance=-1%"], "--tolerance takes a share between 0% and 100%"),
        (["--api-key-hash", "sk-or-v1-abc"], "--api-key-hash takes the 64 hex digits"),
        (["--service", "search"], "know no services, environments and labels"),
        (["--label", "tag.team=a"], "know no services, environments and labels"),
        (["--user", "anonymous"], "cannot be asked for calls without a user"),
        (["--user", "alice", "--provider", "Azure"], "know users or providers, not both"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_status_2(
    options: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main(["--journal", str(tmp_path / "none.db"), "--reconcile", *options]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1


def test_without_a_management_key_it_says_which_is_missing(
    journal: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENROUTER_MANAGEMENT_KEY")
    assert report.main(["--journal", str(journal), "--reconcile"]) == 2
    assert capsys.readouterr().err == (
        "report: --reconcile needs OPENROUTER_MANAGEMENT_KEY: only a management key opens the books\n"
    )


def test_a_refused_key_and_books_out_of_reach_are_one_line_and_status_1(
    spend: Spend, journal: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spend()
    OpenRouterInstrumentor().uninstrument()
    output = tmp_path / "report.json"
    command = ["--journal", str(journal), "--reconcile", "--output", str(output)]
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", KEY)
    assert report.main(command) == 1
    assert "OPENROUTER_MANAGEMENT_KEY was refused" in (said := capsys.readouterr().err)
    assert (said.count("\n"), KEY in said, output.exists()) == (1, False, False)
    with serving(as_json({"data": [{"date": "2026-11-24"}]})) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        assert report.main(command) == 1
    assert "answered something unexpected" in capsys.readouterr().err
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://127.0.0.1:9/api/v1")
    assert report.main(command) == 1
    assert (capsys.readouterr().err.count("\n"), output.exists()) == (1, False)


@pytest.mark.usefixtures("tomorrow")
def test_programs_compare_too(spend: Spend, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spend("good;cost=1")
    OpenRouterInstrumentor().uninstrument()
    found = usage_report(journal=journal, reconcile=Reconcile(tolerance=Decimal(0)))
    assert found.reconciliation is not None
    assert found.reconciliation.within_tolerance is True
    with pytest.raises(ValueError, match="know no services"):
        usage_report(journal=journal, reconcile=Reconcile(), filters=Filters(service="search"))
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", KEY)
    with pytest.raises(OpenRouterError, match="was refused"):
        usage_report(journal=journal, reconcile=Reconcile())
