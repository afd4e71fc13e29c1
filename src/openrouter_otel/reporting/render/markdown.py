"""The report as GitHub-flavoured Markdown, for issues, wikis and chats.

Names are foreign text: in a code span nothing is a link, a mention, HTML or emphasis. A name that a code span or a
table cell cannot hold (backticks, pipes, backslashes) is written in ``<code>`` with character references instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells, page, sections
from openrouter_otel.reporting.render.page import Kind
from openrouter_otel.reporting.render.paper import Paper

SPANNED: Final = re.compile(r"[^`|\\\s]+(?: [^`|\\\s]+)*")
SPECIAL: Final = re.compile(r"[\\`*_\[\]<>|&~#!$]|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
ALIGNED: Final = {Kind.NAME: ":---", Kind.FIGURE: "---:", Kind.LIST: ":---"}


def render(report: Report, _paper: Paper) -> str:
    """A document; tables have every row."""
    return "\n\n".join(_blocks(sections.page(report))) + "\n"


def _blocks(whole: page.Page) -> Iterator[str]:
    yield f"# OpenRouter usage: {cells.verdict(whole.verdict)}"
    yield _prose(whole.statement)
    yield from map(_line, whole.about)
    for section in whole.sections:
        yield f"## {_line(section.title)}"
        if section.table and section.table.rows:
            yield "\n".join(_table(section.table))
        if section.bars:
            yield f"`{section.bars}`"
        yield from map(_line, section.lines)
    if whole.warnings:
        yield "## Warnings"
        yield "\n".join(f"- {_prose(warning)}" for warning in whole.warnings)


def _table(content: page.Table) -> Iterator[str]:
    yield _row([column.heading for column in content.columns])
    yield _row([ALIGNED[column.kind] for column in content.columns])
    for number, row in enumerate(content.rows):
        written = [_cell(cell) for cell in row]
        yield _row([f"**{cell}**" for cell in written] if number == content.strong else written)


def _row(written: list[str]) -> str:
    return f"| {' | '.join(written)} |"


def _cell(cell: page.Cell) -> str:
    if isinstance(cell, tuple):
        return ", ".join(map(_word, cell))
    return _word(cell.text if isinstance(cell, page.Alarm) else cell)


def _line(line: page.Line) -> str:
    return "".join(map(_word, line))


def _word(word: str | page.Name) -> str:
    return word if isinstance(word, str) else _name(word.text)


def _name(text: str) -> str:
    shown = cells.safe(text)
    if SPANNED.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{''.join(char if char.isalnum() else f'&#{ord(char)};' for char in shown)}</code>"


def _prose(text: str) -> str:
    """A sentence of ours in which somebody's name may stand."""
    shown = SPECIAL.sub(r"\\\g<0>", cells.safe(text).strip())
    # GitHub looks for these behind the Markdown, where a backslash is gone already.
    return shown.replace("@", "@<!-- -->").replace("://", "&#58;//").replace("www.", "www&#46;")
