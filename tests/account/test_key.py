"""``openrouter-otel key``: what OpenRouter says of the key, to people and to programs, and never the key itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from account.api_standin import as_json, serving
from account.conftest import DAY, KEY
from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter
from openrouter_otel import cli

Spend = Callable[..., Any]
Keys = Callable[[str | None, str | None], None]
Capture = pytest.CaptureFixture[str]
SECRET = "sk-or-v1-" + "5ec7e7" * 10
SECRET_MANAGEMENT = "sk-or-v1-" + "a11a11" * 10
WINDOWS = ("daily", "weekly", "monthly", "total")


def next_month(account: FakeOpenRouter) -> str:
    """From now on time stands still at OpenRouter; the first day of the month after."""
    now = time.time()
    account.clock = lambda: now
    today = time.gmtime(now)
    return f"{today.tm_year + today.tm_mon // 12}-{today.tm_mon % 12 + 1:02d}-01"


def test_a_program_gets_every_figure(account: FakeOpenRouter, keys: Keys, spend: Spend, capsys: Capture) -> None:
    month = next_month(account)
    spend("good;cost=0.25")
    spend("byok;fee=0.001;cost=0.02")
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["key", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out, parse_float=Decimal) == {
        "key": {
            "label": "sk-or-v1-au7...890",
            "limit": 100,
            "limit_remaining": Decimal("99.749"),
            "limit_reset": "monthly",
            "limit_resets_at": f"{month}T00:00:00+00:00",
            "usage": dict.fromkeys(WINDOWS, Decimal("0.251")),
            "byok_usage": dict.fromkeys(WINDOWS, Decimal("0.02")),
            "free_requests_remaining": 988,
            "free_tier": False,
            "management": False,
        },
        "credits": {"bought": 100, "used": Decimal("0.251"), "remaining": Decimal("99.749")},
    }


def test_a_person_reads_it(account: FakeOpenRouter, keys: Keys, spend: Spend, capsys: Capture) -> None:
    month = next_month(account)
    spend("good;cost=0.25")
    spend("byok;fee=0.001;cost=0.02")
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["key"]) == 0
    head, _, rule, charged, billed, *lines = capsys.readouterr().out.splitlines()
    assert (head, set(rule)) == ("API key sk-or-v1-au7...890", {"─"})
    assert charged.split() == ["charged", "by", "OpenRouter", *["0.251000"] * 4]
    assert billed.split() == ["billed", "by", "providers", "(BYOK)", *["0.020000"] * 4]
    assert lines == [
        f"Limit 100.000000 USD a month, 99.749000 USD left; it starts anew at {month} 00:00 UTC.",
        "Not on the free tier. 988 calls of free models left today.",
        "As OpenRouter says now, of all that is done with the key; days, weeks from Monday and months in UTC.",
        "",
        "Credit of the account",
        "Bought 100.000000 USD, used 0.251000 USD, 99.749000 USD left.",
    ]


def test_windows_are_told_apart(account: FakeOpenRouter, keys: Keys, spend: Spend, capsys: Capture) -> None:
    spend("good;cost=0.25")
    account.clock = lambda: time.time() + 40 * DAY
    keys(KEY, None)
    assert cli.main(["key"]) == 0
    assert "charged by OpenRouter 0.000000 0.000000 0.000000 0.250000" in " ".join(capsys.readouterr().out.split())


def test_each_key_tells_what_it_may(keys: Keys, capsys: Capture) -> None:
    keys(KEY, None)
    assert cli.main(["key"]) == 0
    assert "Credit" not in capsys.readouterr().out
    keys(None, MANAGEMENT_KEY)
    assert cli.main(["key", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["key"], told["credits"]["remaining"]) == (None, 100.0)
    keys(MANAGEMENT_KEY, None)
    assert cli.main(["key"]) == 0
    assert "a management key: it sees the account, and calls no model" in capsys.readouterr().out


def test_a_key_without_a_limit(account: FakeOpenRouter, keys: Keys, capsys: Capture) -> None:
    account.terms.limit = account.terms.free_requests = None
    keys(KEY, None)
    assert cli.main(["key", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["key"]
    unknown = ("limit", "limit_remaining", "limit_reset", "limit_resets_at", "free_requests_remaining")
    assert [told[name] for name in unknown] == [None] * 5
    assert cli.main(["key"]) == 0
    out = capsys.readouterr().out
    assert "It has no limit of its own.\nNot on the free tier.\n" in out


def test_an_overdrawn_key_and_account(account: FakeOpenRouter, keys: Keys, spend: Spend, capsys: Capture) -> None:
    account.terms.bought = account.terms.limit = Decimal("0.1")
    spend("good;cost=0.25")
    keys(KEY, MANAGEMENT_KEY)
    assert cli.main(["key"]) == 0
    out = capsys.readouterr().out
    assert "Limit 0.100000 USD a month, overdrawn: -0.150000 USD left; it starts anew at" in out
    assert "Bought 0.100000 USD, used 0.250000 USD, overdrawn: -0.150000 USD left." in out
    assert cli.main(["key", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["key"]["limit_remaining"], told["credits"]["remaining"]) == (-0.15, -0.15)


def test_the_free_tier(account: FakeOpenRouter, keys: Keys, capsys: Capture) -> None:
    account.terms.free_tier, account.terms.free_requests = True, 1
    keys(KEY, None)
    assert cli.main(["key"]) == 0
    assert "On the free tier: no credit was ever bought. 1 call of free models left today." in capsys.readouterr().out


BARE = {"data": {"usage": 0.5}}
ODD = {
    "data": {
        "usage": 0.1 + 0.2,
        "limit": 5,
        "limit_reset": "[red]fortnightly",
        "effective_budget": {"scope": "member", "resets_at": "2026-11-24T00:00:00Z"},
        "budgets": [
            {"scope": "member", "resets_at": "2026-11-24T00:00:00Z"},
            {"scope": "key_limit", "resets_at": "soon"},
            {"scope": "key_limit", "resets_at": "2026-12-01T01:30:00.000+01:30"},
        ],
    }
}


def test_what_is_not_told_is_unknown(keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    keys(KEY, None)
    with serving(as_json(BARE)) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        assert cli.main(["key"]) == 0
        out = capsys.readouterr().out
        assert cli.main(["key", "--format", "json"]) == 0
    assert out.startswith("API key\n")
    assert "charged by OpenRouter unknown unknown unknown 0.500000" in " ".join(out.split())
    assert "free" not in out
    told = json.loads(capsys.readouterr().out)["key"]
    assert told["usage"] == {"daily": None, "weekly": None, "monthly": None, "total": 0.5}
    assert [told[name] for name in ("label", "free_tier")] == [None, None]


def test_only_the_key_s_own_limit_says_when_it_starts_anew(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    keys(KEY, None)
    with serving(as_json(ODD)) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        assert cli.main(["key"]) == 0
    out = capsys.readouterr().out
    anew = "; it starts anew at 2026-12-01 00:00 UTC."
    assert f"Limit 5.000000 USD [red]fortnightly, what is left of it is unknown{anew}" in " ".join(out.split())
    assert "0.300000" in out


def test_who_has_no_key_is_told_what_to_set(keys: Keys, account: FakeOpenRouter, capsys: Capture) -> None:
    keys(None, None)
    assert cli.main(["key"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(account.requests)) == ("", 0)
    said = "there is no key to ask about: set OPENROUTER_API_KEY, OPENROUTER_MANAGEMENT_KEY or both"
    assert err == f"openrouter-otel: key: {said}\n"


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--format", "html"], "invalid choice: 'html'"),
        (["sk-or-v1-on-the-command-line"], "unrecognized arguments"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_one_line(
    keys: Keys, argv: list[str], complaint: str, capsys: Capture
) -> None:
    keys(KEY, None)
    assert cli.main(["key", *argv]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), complaint in err) == ("", 1, True)


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        (
            "OPENROUTER_BASE_URL",
            "ftp://openrouter",
            "the address of OpenRouter's API, OPENROUTER_BASE_URL, must look like https://",
        ),
        ("OPENROUTER_API_KEY", "two words", "an API key of OpenRouter is one word"),
    ],
)
def test_an_environment_that_makes_no_sense_is_one_line(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str, capsys: Capture
) -> None:
    keys(KEY, None)
    monkeypatch.setenv(variable, value)
    assert cli.main(["key"]) == 2
    err = capsys.readouterr().err
    assert (err.count("\n"), complaint in err, value in err) == (1, True, False)


@pytest.mark.parametrize("argv", [["key"], ["key", "--format", "json"]])
def test_one_refused_key_of_two_is_the_answer(
    account: FakeOpenRouter, keys: Keys, argv: list[str], capsys: Capture
) -> None:
    keys(KEY, SECRET)
    assert cli.main(argv) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("openrouter-otel: key: OPENROUTER_MANAGEMENT_KEY was refused: it is a key for calls")
    assert SECRET not in err


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_one_line_that_does_not_show_it(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, status: int, capsys: Capture
) -> None:
    keys(SECRET, None)
    message = f"no user has {SECRET}\nnor {SECRET_MANAGEMENT}\x1b[31m"
    with serving(as_json({"error": {"message": message}}, status)) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        assert cli.main(["key"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), "\x1b" in err) == ("", 1, False)
    assert f"OPENROUTER_API_KEY was refused: {served.url}/key answered status {status}" in err
    assert SECRET not in err
    assert SECRET_MANAGEMENT not in err


def test_a_server_that_is_not_there_is_one_line(keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    keys(SECRET, None)
    with serving(as_json(BARE)) as served:
        pass
    monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
    assert cli.main(["key"]) == 1
    nothing = f"{served.url}/key cannot be reached: nothing listens there"
    assert capsys.readouterr() == ("", f"openrouter-otel: key: {nothing}\n")


def test_a_hiccup_is_asked_over(keys: Keys, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    keys(KEY, None)
    with serving(as_json({}, 502), as_json(BARE)) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        assert cli.main(["key"]) == 0
    assert len(served.seen) == 2


def test_a_whole_key_in_a_label_is_not_shown(account: FakeOpenRouter, keys: Keys, capsys: Capture) -> None:
    account.terms.label = f"mine: {SECRET}"
    keys(SECRET, None)
    for argv in (["key"], ["key", "--format", "json"]):
        assert cli.main(argv) == 0
        out = capsys.readouterr().out
        assert "mine: sk-or-***" in out
        assert "5ec7e7" not in out


# --- without rich ---
WITHOUT_RICH = """
import sys

sys.modules["rich"] = None
from openrouter_otel import cli

sys.exit(cli.main(sys.argv[1:]))
"""


def run(program: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *program, "key"]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, encoding="utf-8", timeout=60
    )


@pytest.mark.parametrize("program", [["-m", "openrouter_otel.cli"], ["-c", WITHOUT_RICH]])
def test_the_command_as_it_is_installed(account: FakeOpenRouter, keys: Keys, spend: Spend, program: list[str]) -> None:
    spend("good;cost=1234.5", key=SECRET)
    account.terms.label = "[red]<script>|\x1b[31m\u202eé"
    account.terms.limit = None
    keys(SECRET, MANAGEMENT_KEY)
    done = run(program, PYTHONIOENCODING="utf-8", COLUMNS="120")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("─")]
    assert lines == [
        r"API key [red]<script>|\x1b[31m\u202eé",
        "USD                                today     this week    this month        in all",
        "charged by OpenRouter       1,234.500000  1,234.500000  1,234.500000  1,234.500000",
        "billed by providers (BYOK)      0.000000      0.000000      0.000000      0.000000",
        "It has no limit of its own.",
        "Not on the free tier. 988 calls of free models left today.",
        "As OpenRouter says now, of all that is done with the key; days, weeks from Monday and months in UTC.",
        "",
        "Credit of the account",
        "Bought 100.000000 USD, used 1,234.500000 USD, overdrawn: -1,134.500000 USD left.",
    ]


def test_an_output_that_is_closed_is_one_line(keys: Keys) -> None:
    keys(KEY, None)
    command = [sys.executable, "-m", "openrouter_otel.cli", "key"]
    closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True, timeout=60)
    assert (closed.returncode, closed.stderr) == (
        1,
        "openrouter-otel: key: cannot write 'standard output': it is closed\n",
    )
