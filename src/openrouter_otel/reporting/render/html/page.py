"""Puts the page together: one template, one style sheet, one script, the charting package's script."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.html import embedded, libraries, tables
from openrouter_otel.reporting.render.html.account import panel
from openrouter_otel.reporting.render.html.cards import cards
from openrouter_otel.reporting.render.html.charts import charts
from openrouter_otel.reporting.render.paper import Paper

PACKAGE: Final = "openrouter_otel.reporting.render.html"
ASSETS: Final = "assets"
VERDICTS: Final = {"exact": "Exact", "lower_bound": "A lower bound", "incomplete": "Incomplete"}
# Tables that the line at the top leads to.
MENU: Final = {
    "budgets": "Budgets",
    "reconciliation": "Reconciliation",
    "models": "Models",
    "providers": "Providers",
    "users": "Users",
    "sessions": "Sessions",
    "showback": "Showback",
    "latency": "Latency",
    "errors": "Errors",
    "fruitless": "Fruitless spend",
    "prices": "Prices",
    "days": "Days",
}


def render(report: Report, _paper: Paper) -> str:
    """One HTML document, self-contained: its content security policy forbids every request."""
    figures = list(charts(report))
    style = embedded.style(_asset("page.css"))
    # The charting package is the greater part of the file: a page without charts does without it.
    scripts = [embedded.script(libraries.javascript())] if figures else []
    scripts.append(embedded.script(_asset("page.js")))
    return _environment().get_template("page.html").render(
        report=report,
        verdict=_verdict(report),
        menu=MENU,
        period=report.summary["period"],
        cards=list(cards(report)),
        intervals=tables.intervals(report),
        charts={chart.key: chart for chart in figures},
        specs=embedded.data({chart.key: chart.spec for chart in figures}),
        tables=list(tables.sections(report)),
        gaps=tables.gaps(report),
        account=panel(report.account),
        licences=libraries.licences() if figures else (),
        notices=_asset("notices.txt") if figures else "",
        style=style,
        scripts=scripts,
        allowed_styles=embedded.allowed(style),
        allowed_scripts=" ".join(map(embedded.allowed, scripts)),
    )  # fmt: skip


def _verdict(report: Report) -> tuple[str, str]:
    """The verdict in a word or two, and the statement without those words at its head."""
    word = VERDICTS[report.verdict]
    said = report.statement.removeprefix(f"{word}: ")
    return word, f"{said[:1].upper()}{said[1:]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE, ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(safe_name=cells.safe, moment=cells.moment, money=cells.money, grouped=cells.count)
    return environment


@cache
def _asset(name: str) -> str:
    return files(PACKAGE).joinpath(ASSETS).joinpath(name).read_text("utf-8")
