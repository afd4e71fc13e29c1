"""One finished report -> text. A new format is one file here and one line in `RENDERERS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import csv, json, markdown
from openrouter_otel.reporting.render.paper import Paper

Renderer = Callable[[Report, Paper], str]


class MissingExtra(Exception):
    """A format's package is not installed; the text names the pip command."""


def _terminal(report: Report, paper: Paper) -> str:
    try:
        from openrouter_otel.reporting.render import terminal  # rich comes with an extra
    except ModuleNotFoundError as error:
        raise MissingExtra("--format terminal needs rich: pip install 'openrouter-otel[report]'") from error
    return terminal.render(report, paper)


def _html(report: Report, paper: Paper) -> str:
    try:
        from openrouter_otel.reporting.render import html  # its packages come with an extra
    except ModuleNotFoundError as error:
        raise MissingExtra("--format html needs altair: pip install 'openrouter-otel[html]'") from error
    return html.render(report, paper)


RENDERERS: Final[dict[str, Renderer]] = {
    "json": json.render,
    "csv": csv.render,
    "markdown": markdown.render,
    "terminal": _terminal,
    "html": _html,
}
# Formats without a place for the verdict, whose reader must hear it some other way.
BARE: Final = frozenset({"csv"})
