"""The report's account section: insisted on, offered or not asked for, and harmless in every format."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from account.api_standin import as_json, dripping, serving, silent
from account.conftest import KEY
from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter
from openrouter_otel import cli, report
from openrouter_otel.account.asking import Books
from openrouter_otel.openrouter_api import OpenRouterError
from openrouter_otel.report import usage_report
from openrouter_otel.reporting.account import AccountCredits
from openrouter_otel.reporting.account_option import PATIENCE, Question
from openrouter_otel.reporting.filters import Filters

Spend = Callable[..., Any]
Keys = Callable[[str | None, str | None], None]
Capture = pytest.CaptureFixture[str]
SECRET = "sk-or-v1-" + "5ec7e7" * 10
SETS = "set OPENROUTER_API_KEY, OPENROUTER_MANAGEMENT_KEY or both"
FORMATS = ("json", "markdown", "terminal", "html")
PROGRAM = """
import sys
from openrouter_otel import OpenRouterInstrumentor, record

OpenRouterInstrumentor().instrument(journal=sys.argv[1])
answer = {"choices": [{}], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.125}}
record(answer, latency_ms=1, model="openai/gpt-5-mini", user="alice")
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("journal") / "usage.db")
    subprocess.run([sys.executable, "-c", PROGRAM, path], check=True, timeout=60)
    return path


@pytest.fixture
def paths(account: FakeOpenRouter) -> Callable[[], list[str]]:
    """What the stand-in was asked."""
    return lambda: sorted(request.path for request in account.requests)


@pytest.fixture
def nobody(account: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, keys: Keys) -> str:
    """An address where nothing listens is OpenRouter's."""
    with serving(as_json({})) as served:
        pass
    keys(SECRET, None)
    monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
    return served.url


def test_the_section_is_what_key_tells(journal: str, keys: Keys, spend: Spend, capsys: Capture) -> None:
    spend("good;cost=0.25")
    spend("byok;fee=0.001;cost=0.02")
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["key", "--format", "json"]) == 0
    alone = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert cli.main(["report", "--journal", journal, "--account"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out, parse_float=Decimal)
    assert (found["account"], err) == (alone, "")
    assert (alone["key"]["limit_remaining"], alone["credits"]["used"]) == (Decimal("99.749"), Decimal("0.251"))
    assert found["summary"]["all_time"]["total_cost"] == Decimal("0.125")


@pytest.mark.parametrize("option", [[], ["--account"]])
def test_where_a_key_is_set_openrouter_is_asked_once(
    journal: str, keys: Keys, paths: Callable[[], list[str]], option: list[str], capsys: Capture
) -> None:
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["report", "--journal", journal, *option]) == 0
    assert paths() == ["/credits", "/key", "/key"]
    out, err = capsys.readouterr()
    assert (json.loads(out)["account"]["key"]["limit"], err) == (100.0, "")


def test_each_key_tells_what_it_may(journal: str, keys: Keys, capsys: Capture) -> None:
    for chosen, known in (((KEY, None), "key"), ((None, MANAGEMENT_KEY), "credits")):
        keys(*chosen)
        assert cli.main(["report", "--journal", journal]) == 0
        told = json.loads(capsys.readouterr().out)["account"]
        assert [name for name in ("key", "credits") if told[name] is not None] == [known]


@pytest.mark.parametrize(
    "options",
    [["--no-account"], ["--format", "csv"], ["--records", "--format", "csv"], ["--records"]],
)
def test_nobody_is_asked_who_has_no_say(
    journal: str, keys: Keys, paths: Callable[[], list[str]], options: list[str], capsys: Capture
) -> None:
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["report", "--journal", journal, *options]) == 0
    out, err = capsys.readouterr()
    assert (paths(), "account" in err) == ([], False)
    assert options != ["--no-account"] or json.loads(out)["account"] is None


def test_without_a_key_there_is_no_section_and_no_word(journal: str, keys: Keys, capsys: Capture) -> None:
    keys(None, None)
    assert cli.main(["report", "--journal", journal]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["account"], err) == (None, "")


# --- insisting ---
def complaint(capsys: Capture, *argv: str) -> tuple[int, str]:
    """Exit status and the one line on standard error; nothing may be on standard output."""
    status = report.main(argv)
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), SECRET in err) == ("", 1, False)
    return status, err


def test_insisting_takes_a_key(journal: str, keys: Keys, capsys: Capture) -> None:
    keys(None, None)
    said = f"report: the account takes a key to ask with: {SETS}\n"
    assert complaint(capsys, "--journal", journal, "--account") == (2, said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "csv"], "--account has no place in what --format csv gives"),
        (["--records"], "--account has no place in what --records gives"),
        (["--no-account"], "not allowed with argument"),
    ],
)
def test_insisting_takes_a_place_for_the_section(
    journal: str, keys: Keys, paths: Callable[[], list[str]], options: list[str], said: str, capsys: Capture
) -> None:
    keys(KEY, None)
    status, line = complaint(capsys, "--journal", journal, "--account", *options)
    assert (status, said in line, paths()) == (2, True, [])


def test_insisting_on_a_refused_key_is_told_before_a_source_is_read(keys: Keys, capsys: Capture) -> None:
    keys(KEY, SECRET)
    status, line = complaint(capsys, "--prometheus", "http://127.0.0.1:9", "--account")
    assert status == 1
    assert line.startswith("report: OPENROUTER_MANAGEMENT_KEY was refused: it is a key for calls")


def test_insisting_where_nobody_answers_writes_nothing(
    journal: str, nobody: str, tmp_path: Path, capsys: Capture
) -> None:
    output = tmp_path / "report.json"
    status, line = complaint(capsys, "--journal", journal, "--account", "--output", str(output))
    assert (status, line) == (1, f"report: {nobody}/key cannot be reached: nothing listens there\n")
    assert not output.exists()


# --- not insisting ---
def without(capsys: Capture, *argv: str) -> str:
    """The one line on standard error of a report that is made, without the section."""
    assert report.main(argv) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["account"], found["summary"]["all_time"]["total_requests"]) == (None, 1)
    assert (err.count("\n"), SECRET in err, SECRET in out) == (1, False, False)
    assert err.startswith("report: made without OpenRouter's account: ")
    return err


def test_one_refused_key_of_two_leaves_the_section_out(journal: str, keys: Keys, capsys: Capture) -> None:
    keys(KEY, SECRET)
    assert "OPENROUTER_MANAGEMENT_KEY was refused" in without(capsys, "--journal", journal)


def test_a_refusal_that_quotes_the_key_does_not_show_it(
    journal: str, keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    keys(SECRET, None)
    with serving(as_json({"error": {"message": f"who is {SECRET}?\n\x1b[31m"}}, 401)) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        line = without(capsys, "--journal", journal)
    assert ("OPENROUTER_API_KEY was refused" in line, "who is ***?" in line, "\x1b" in line) == (True, True, False)
    assert len(served.seen) == 1


def test_a_hiccup_is_not_asked_over(journal: str, keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    keys(KEY, None)
    with serving(as_json({}, 502)) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        assert "answered status 502" in without(capsys, "--journal", journal)
    assert len(served.seen) == 1


def test_where_nobody_answers_the_report_is_made(journal: str, nobody: str, capsys: Capture) -> None:
    assert f"{nobody}/key cannot be reached" in without(capsys, "--journal", journal)


@pytest.mark.parametrize(
    ("variable", "value"), [("OPENROUTER_BASE_URL", "ftp://openrouter"), ("OPENROUTER_API_KEY", f"{SECRET} {SECRET}")]
)
def test_an_environment_that_makes_no_sense_is_no_one_s_report_s_end(
    journal: str, keys: Keys, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, capsys: Capture
) -> None:
    keys(KEY, None)
    monkeypatch.setenv(variable, value)
    line = without(capsys, "--journal", journal)
    assert value not in line
    assert complaint(capsys, "--journal", journal, "--account")[0] == 2


def test_a_source_that_fails_is_the_only_complaint(keys: Keys, capsys: Capture) -> None:
    keys(KEY, None)
    assert complaint(capsys, "--prometheus", "http://127.0.0.1:9")[0] == 1


def test_openrouter_is_waited_for_five_seconds_and_the_report_is_made(
    journal: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys(KEY, MANAGEMENT_KEY)
    with silent() as url:
        monkeypatch.setenv("OPENROUTER_BASE_URL", url)
        begun = time.monotonic()
        command = [sys.executable, "-m", "openrouter_otel.cli", "report", "--journal", journal]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        took = time.monotonic() - begun
    assert (done.returncode, json.loads(done.stdout)["account"]) == (0, None)
    assert done.stderr.startswith("report: made without OpenRouter's account: ")
    assert done.stderr.count("\n") == 1
    assert 5.0 == PATIENCE <= took < 15


@pytest.mark.parametrize("server", [silent, dripping])
def test_patience_is_for_the_whole_of_an_answer(server: Callable[[], AbstractContextManager[str]]) -> None:
    with server() as url:
        answer = Question(Books(url, KEY, None, timeout=2.0, waits=()).account, insisted=False, patience=0.3).begin()
        begun = time.monotonic()
        with pytest.raises(OpenRouterError, match=r"^OpenRouter has not answered within 0\.3 s$"):
            answer()
        assert time.monotonic() - begun < 1.5


def test_openrouter_is_asked_while_the_source_is_read(account: FakeOpenRouter) -> None:
    answer = Question(Books(account.base_url, KEY, None).account, insisted=False, patience=0.5).begin()
    time.sleep(1.0)  # a source that takes longer than OpenRouter is given
    assert answer().key is not None


# --- what people see ---
HOSTILE = "[red]x[/red] <script>alert(1)</script> | `y` \x1b[31m\u202e"


@pytest.mark.parametrize("form", FORMATS)
def test_a_hostile_label_is_harmless(
    journal: str, account: FakeOpenRouter, keys: Keys, form: str, capsys: Capture
) -> None:
    account.terms.label = HOSTILE
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["report", "--journal", journal, "--account", "--format", form]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert form in ("json", "terminal") or "<script>alert" not in out
    if form == "json":
        assert json.loads(out)["account"]["key"]["label"] == HOSTILE
    if form == "terminal":
        assert r"API key [red]x[/red] <script>alert(1)</script> | `y` \x1b[31m\u202e" in out
    if form == "markdown":
        (heading,) = (line for line in out.splitlines() if line.startswith("## API key"))
        assert not set("|`[") & set(heading)
        assert "&#91;red&#93;x" in heading
    if form == "html":
        assert r"[red]x[/red] &lt;script&gt;alert(1)&lt;/script&gt; | `y` \x1b[31m\u202e" in out


def panel(html: str) -> dict[str, str]:
    """The facts of the account's panel, without their tags."""
    _, _, rest = html.partition('<section id="account"')
    lines = [line for line in rest.partition("</section>")[0].splitlines() if line.startswith("<div><dt>")]
    facts = (line.removeprefix("<div><dt>").removesuffix("</dd></div>").split("</dt><dd>") for line in lines)
    return {label: value.replace("<small>", "").replace("</small>", "") for label, value in facts}


@pytest.mark.parametrize("form", ["markdown", "terminal", "html"])
def test_every_format_for_people_has_it(
    journal: str, account: FakeOpenRouter, keys: Keys, spend: Spend, form: str, capsys: Capture
) -> None:
    account.terms.bought = account.terms.limit = Decimal("0.1")
    account.terms.free_tier = True
    spend("good;cost=0.25")
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["report", "--journal", journal, "--format", form]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    if form == "html":
        facts = panel(out)
        assert facts["API key"] == "sk-or-v1-au7...890"
        assert [facts[f"{name}, USD"] for name in ("Limit", "Left of it", "Credit left")] == [
            "0.100000",
            *2 * ["-0.150000"],
        ]
        assert facts["The limit holds for"] == "a month"
        assert facts["It starts anew at"].endswith("-01 00:00 UTC")
        _, _, spend_table = out.partition('<table id="account-spend-table">')
        rows = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</th>(.*?)</tr>", spend_table.partition("</table>")[0], re.S)
        assert [(who, re.findall(r"<td>(.*?)<small>(.*?)</small></td>", amounts)) for who, amounts in rows] == [
            ("Charged by OpenRouter", [("0.25", "0000")] * 4),
            ("Billed by providers (BYOK)", [("0.00", "0000")] * 4),
        ]
        assert facts["Free tier"] == "yes: no credit was ever bought"
    else:
        assert "Limit 0.100000 USD a month, overdrawn: -0.150000 USD left; it starts anew at" in out
        assert "On the free tier: no credit was ever bought. 988 calls of free models left today." in out
        assert "Bought 0.100000 USD, used 0.250000 USD, overdrawn: -0.150000 USD left." in out


@pytest.mark.parametrize("form", ["markdown", "terminal", "html"])
def test_a_key_without_a_limit(journal: str, account: FakeOpenRouter, keys: Keys, form: str, capsys: Capture) -> None:
    account.terms.limit = None
    keys(KEY, None)
    assert cli.main(["report", "--journal", journal, "--format", form]) == 0
    out = capsys.readouterr().out
    if form == "html":
        facts = panel(out)
        assert facts["Limit"] == "none"
        assert "Left of it, USD" not in facts
        assert "Credit left, USD" not in facts
    else:
        assert "It has no limit of its own." in out
        assert "Credit" not in out


def test_a_page_without_the_section_has_no_place_for_it(journal: str, keys: Keys, capsys: Capture) -> None:
    keys(KEY, None)
    assert cli.main(["report", "--journal", journal, "--format", "html", "--no-account"]) == 0
    assert '"#account"' not in capsys.readouterr().out
    assert cli.main(["report", "--journal", journal, "--format", "html"]) == 0
    assert '<a href="#account">Account</a>' in capsys.readouterr().out


# --- programs ---
def test_a_program_is_given_it_where_it_asks(
    journal: str, keys: Keys, spend: Spend, paths: Callable[[], list[str]]
) -> None:
    keys(KEY, MANAGEMENT_KEY)
    assert usage_report(journal=journal).account is None
    assert paths() == []
    spend("good;cost=0.25")
    told = usage_report(journal=journal, filters=Filters(user="nobody"), account=True).account
    assert told is not None
    assert told.key is not None
    assert (told.key.usage.daily, told.key.usage.total) == (Decimal("0.25"), Decimal("0.25"))
    assert told.credits == AccountCredits(Decimal(100), Decimal("0.25"), Decimal("99.75"))


def test_amounts_are_exact_whatever_a_program_s_decimals_are(
    journal: str, account: FakeOpenRouter, keys: Keys, spend: Spend
) -> None:
    account.terms.bought = account.terms.limit = Decimal("1.5")
    spend("good;cost=1234.567891")
    keys(KEY, MANAGEMENT_KEY)
    with localcontext(Context(prec=3)):
        told = usage_report(journal=journal, account=True).account
    assert told is not None
    assert told.key is not None
    assert told.credits is not None
    assert told.key.limit_remaining == told.credits.remaining == Decimal("-1233.067891")


def test_a_program_that_asks_hears_why_not(journal: str, keys: Keys) -> None:
    keys(None, None)
    with pytest.raises(ValueError, match=SETS):
        usage_report(journal=journal, account=True)
    keys(None, SECRET)
    with pytest.raises(OpenRouterError, match="OPENROUTER_MANAGEMENT_KEY was refused"):
        usage_report(journal=journal, account=True)
