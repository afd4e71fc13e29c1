"""The report at a terminal: readable at any width, and no name can give the terminal orders."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest
from rich.cells import cell_len

from full_report import full_report
from known_usage import Usage
from openrouter_otel import names
from openrouter_otel.reporting.render import RENDERERS, columns
from openrouter_otel.reporting.render.paper import Paper

HOSTILE = ":smile:[bold red]x[/]\x1b]0;owned\x07\x1b[2J\u202egnp\r\n\u2028"
COLOUR = re.compile(r"\x1b\[[0-9;]*[34]\d[0-9;]*m")


@pytest.mark.parametrize("width", [80, 100, 140, 400])
def test_no_line_is_wider_than_the_paper(width: int) -> None:
    text = RENDERERS["terminal"](full_report(), Paper(width))
    assert max(map(cell_len, text.splitlines())) <= min(width, 140)
    for shown in ("EXACT", "1,234.567891", "98,766", "rate_limit_exceeded", "bob@example.org", "1,500 to 2,200"):
        assert shown in text


LONG = "nousresearch/hermes-4-405b-instruct-extended-preview:free"


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize(
    "name", ["x" * 128, "漢" * 128, "e\u0301" * 64, "🚀" * 64, "مستخدم" * 21, "a b" * 40, HOSTILE, LONG]
)
def test_no_name_makes_a_line_too_wide_or_a_row_longer_than_two_lines(name: str, width: int) -> None:
    text = RENDERERS["terminal"](full_report(name, name), Paper(width))
    assert max(map(cell_len, text.splitlines())) <= width
    users = text.partition("\nUsers\n")[2].partition("\n\n")[0].splitlines()
    assert len(users) <= 2 + 2 * 2  # a head, its rule and two users
    assert "1,234.567891" in users[2]


def test_columns_of_names_of_any_script_stand_straight() -> None:
    usage = Usage()
    for user in ("alice", "山田太郎", "🚀🚀", "ไทยน้ำ", "e\u0301clair", "\u1112\u1161\u11ab"):
        usage.call("1", user=user, process=user)
    users = RENDERERS["terminal"](usage.report(), Paper(80)).partition("\nUsers\n")[2].partition("\n\n")[0]
    assert len({columns.width(row.partition("1.000000")[0]) for row in users.splitlines()[2:]}) == 1


def test_a_name_that_is_too_long_ends_where_a_word_does() -> None:
    text = RENDERERS["terminal"](full_report(LONG), Paper(80))
    assert re.search(r"^nousresearch/hermes-4-405b-instruct- +98,765", text, re.MULTILINE)
    assert re.search(r"^extended-preview:free$", text, re.MULTILINE)


def test_a_table_that_is_cut_begins_with_what_cost_most() -> None:
    usage = Usage()
    for number in range(30):
        usage.call(str(number + 1), model=f"model-{number:02}", process=f"p{number}")
    latency = RENDERERS["terminal"](usage.report(), Paper()).partition("\nLatency")[2].splitlines()
    assert [row.split()[0] for row in latency[3:6]] == ["all", "model-29", "model-28"]


def test_a_model_of_many_providers_is_named_once() -> None:
    text = RENDERERS["terminal"](full_report(), Paper(100))
    prices = text.partition("several providers\n")[2].partition("\n\n")[0].splitlines()
    assert [row.split()[0] for row in prices[2:]] == ["openai/gpt-5", "Azure"]


def test_every_section_is_there_and_says_what_it_is_for() -> None:
    text = RENDERERS["terminal"](full_report(), Paper(140))
    for shown in (
        "Only calls with user alice, tag_team openai/gpt-5",
        "Against 2026-09-25 00:00 to 2026-10-25 00:00: cost +12.0%, requests -50.0%, errors none before.",
        "2026-11 so far 1,234.567892 USD, by its end about 1,646.09 USD.",
        "·····························█",
        "the dearest 2026-11-23 with 1,234.567892 USD",
        "By tag.team",
        "0.123456 USD (<0.1% of the period's cost) went to calls that failed or were given up",
        "cut off at the token limit     41   unknown",
        "openai/gpt-5: 12,000 tokens were written to its cache and none was ever read.",
        "Prices where a model has several providers",
        "Time to first token",
        "61.2  12.5    60.0  80.0  10.0 to 15.0",
        "! a warning about",
    ):
        assert shown in text


def test_a_narrow_terminal_goes_without_what_it_can_spare() -> None:
    wide, narrow = (RENDERERS["terminal"](full_report(), Paper(width)) for width in (100, 80))
    assert ("per call" in wide, "per call" in narrow) == (True, False)
    assert "90.0%" in narrow


def test_no_digit_is_ever_cut_off() -> None:
    usage = Usage()
    usage.call("123456789.123456", count=10**9)
    usage.add(names.ERRORS, 10**8, error_type="x")
    text = RENDERERS["terminal"](usage.report(), Paper(80))
    assert "…" not in text.partition("Users")[0]


def test_trust_comes_before_any_figure() -> None:
    lines = RENDERERS["terminal"](full_report(), Paper()).splitlines()
    assert lines[0] == "OpenRouter usage  EXACT"
    assert lines[1].startswith("Exact: every call")


def test_an_empty_report_is_short_and_calm() -> None:
    text = RENDERERS["terminal"](Usage(other={"data_since": None}).report(), Paper(80))
    assert "No usage" in text
    assert "Users" not in text


def test_a_hostile_name_is_spelled_out() -> None:
    usage = Usage()
    usage.call("1", user=HOSTILE, model=HOSTILE, provider=HOSTILE)
    usage.add(names.ERRORS, 1, error_type=HOSTILE, model=HOSTILE)
    text = RENDERERS["terminal"](usage.report(), Paper(140))
    assert not set(text) & set("\x1b\x07\r\u202e\u2028")
    assert ":smile:[bold red]x[/]\\x1b]0;owned\\x07" in text
    users = text.partition("\nUsers\n")[2].partition("\nLatency")[0]
    assert users.count("red]x[/]") == 2  # as a user and as a model that user called


def test_long_tables_say_where_the_rest_is() -> None:
    usage = Usage()
    for number in range(30):
        usage.call("1", model=f"model-{number:02}", process=f"p{number}")
    text = RENDERERS["terminal"](usage.report(), Paper())
    assert "model-19" in text
    assert "The first 20 of 30; --format json has the rest." in text
    assert "model-20" not in text


SHOW = """
from known_usage import Usage
from openrouter_otel.reporting import output
from openrouter_otel.reporting.render import RENDERERS, columns
usage = Usage()
usage.call("1")
output.write([RENDERERS["terminal"](usage.report(), output.paper(None))], None)
"""


def on_a_terminal(columns: int, **environment: str) -> str:
    """What a process writes to a real terminal of that width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    tests = str(Path(__file__).resolve().parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        env={**kept, "PYTHONPATH": tests, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:
        pass  # Linux' way to say that the other end is closed
    finally:
        os.close(ours)
    assert process.wait(timeout=30) == 0
    return b"".join(pieces).decode()


def test_a_real_terminal_has_colours_unless_no_color_is_set() -> None:
    assert COLOUR.search(on_a_terminal(90))
    assert not COLOUR.search(on_a_terminal(90, NO_COLOR="1"))


def test_colours_say_how_good_or_bad_a_thing_is_and_nothing_else_has_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = RENDERERS["terminal"](full_report(), Paper(100, terminal=True))
    coloured = re.findall(r"\x1b\[[0-9;]*3\dm([^\x1b]+)", text)
    assert [word.strip() for word in coloured] == ["EXACT", "AT RISK", "EXCEEDED", "!"]


def test_a_terminal_without_unicode_gets_its_report_too() -> None:
    shown = on_a_terminal(90, PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert "openai/gpt-5" in shown
    assert shown.isascii()


def test_without_rich_one_line_names_the_pip_command(tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ModuleNotFoundError('no rich', name='rich')\n")
    code = SHOW.replace("output.write", "print").replace("usage.report()", "usage.report()")
    tests = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{tests}"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert "MissingExtra: --format terminal needs rich: pip install 'openrouter-otel[report]'" in run.stderr
