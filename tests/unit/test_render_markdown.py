"""The Markdown stays the document it is, whatever a model is called: read back by GitHub's own parser."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from full_report import full_report
from known_usage import Usage
from openrouter_otel import names
from openrouter_otel.reporting.render import RENDERERS, cells
from openrouter_otel.reporting.render.paper import Paper

OURS = {"h1", "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "strong"}
HOSTILE = [
    "a|b",
    "\\|",
    "a\\",
    "`",
    "``x`` `",
    "x\n\n# owned\n",
    "<script>alert(1)</script>",
    "<!--",
    "</code>@octocat",
    "@octocat and #1",
    "[link](http://evil.example) ![](http://evil.example/x.png)",
    "http://evil.example www.evil.example me@evil.example",
    "**bold** ~~struck~~ $x$ &amp;",
    " spaced ",
    "a  b",
    "\u202egnp",
    "-",
]


class Read(HTMLParser):
    """What a browser would make of it: tables as rows of cells, and which tags there are."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.tables: list[list[list[str]]] = []
        self.headings: list[str] = []
        self.items: list[str] = []
        self.open: list[str] = []
        self.loose = ""  # text outside code, where GitHub looks for mentions
        self.feed(github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("h1", "h2"):
            self.headings.append("")
        elif tag == "li":
            self.items.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
        elif {"h1", "h2"} & set(self.open):
            self.headings[-1] += data
        elif "li" in self.open:
            self.items[-1] += data
        if "code" not in self.open:
            self.loose += f"{data}\0"  # a comment ends a mention


def read(name: str = "openai/gpt-5") -> Read:
    return Read(RENDERERS["markdown"](full_report(name), Paper()))


def test_trust_comes_first_and_every_section_follows() -> None:
    text = RENDERERS["markdown"](full_report(), Paper())
    assert text.startswith("# OpenRouter usage: EXACT\n\nExact: every call")
    assert Read(text).headings[1:] == [
        "Summary",
        "Budgets",
        "API key openai/gpt-5",
        "Credit of the account",
        "Against OpenRouter's own books",
        "What the difference is made of",
        "Days that differ, in UTC",
        "Cost per day",
        "By week",
        "Models",
        "Tokens by model",
        "Prices where a model has several providers",
        "Providers",
        "By tag.team",
        "Users",
        "The dearest sessions",
        "Spend that bought nothing",
        "Latency in ms, calls that went well",
        "The same by provider",
        "Time to first token in ms",
        "Output tokens per second, streams",
        "Errors by type",
        "Errors by model asked for",
        "The last errors",
        "Warnings",
    ]
    for sentence in (
        "Only calls with user `alice`, tag_team `openai/gpt-5`",
        "Against 2026-09-25 00:00 to 2026-10-25 00:00: cost +12.0%, requests -50.0%, errors none before.",
        "Limit 100.000000 USD a month, overdrawn: -0.150000 USD left; it starts anew at 2026-12-01 00:00 UTC.",
        "Bought 1,500.000000 USD, used 1,325.500000 USD, 174.500000 USD left.",
        "2026-11 so far 1,234.567892 USD, by its end about 1,646.09 USD. The last seven days",
        "0.123456 USD (<0.1% of the period's cost) went to calls that failed or were given up",
        "`openai/gpt-5`: 12,000 tokens were written to its cache and none was ever read.",
    ):
        assert f"\n{sentence}" in text


def test_what_is_not_known_is_not_zero() -> None:
    rows = {row[0]: row for table in read().tables for row in table}
    assert rows["cut off at the token limit"] == ["cut off at the token limit", "41", "unknown", "0"]
    assert rows["abandoned"] == ["abandoned", "3", "0.023456", "1"]
    assert "cancelled" not in rows


def test_an_empty_report_says_so_and_stops() -> None:
    text = RENDERERS["markdown"](Usage(other={"data_since": None}).report(), Paper())
    assert "No usage: this source has never seen a call" in text
    assert Read(text).headings == ["OpenRouter usage: EXACT", "Summary"]


def test_every_row_is_there() -> None:
    usage = Usage()
    for number in range(30):
        usage.call("1", model=f"model-{number:02}", process=f"p{number}")
    (models,) = (
        table
        for table in Read(RENDERERS["markdown"](usage.report(), Paper())).tables
        if table[0][:3] == ["model", "requests", "cost USD"]
    )
    assert len(models) == 31


def shapes(document: Read) -> list[list[int]]:
    return [[len(row) for row in table] for table in document.tables]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_nothing_else(name: str) -> None:
    check(name)


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(min_size=1).filter(lambda text: text not in {names.OTHER, names.OVERFLOW}))  # words of the report's own
@example("`|")
def test_any_name_leaves_every_table_as_it_was(name: str) -> None:
    check(name)


def check(name: str) -> None:
    document = read(name)
    plain = read()
    assert shapes(document) == shapes(plain)
    assert document.tags <= OURS
    assert document.headings == [text.replace("openai/gpt-5", cells.safe(name)) for text in plain.headings]
    shown = {cell for table in document.tables for row in table for cell in row}
    assert cells.safe(name) in shown
    assert "@octocat" not in document.loose


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(min_size=1).filter(lambda text: cells.safe(text).strip() != ""))
@example("1. one\n2. two")
@example("me@evil.example http://evil.example www.evil.example")
@example("- [x] done")
@example("# heading")
def test_any_warning_stays_one_item_of_a_list(warning: str) -> None:
    report = full_report()
    report = replace(report, accounting=replace(report.accounting, warnings=(warning, "another")))
    document = Read(RENDERERS["markdown"](report, Paper()))
    assert [item.strip() for item in document.items] == [cells.safe(warning).strip(), "another"]
    assert document.tags <= OURS
