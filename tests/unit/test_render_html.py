"""What the HTML page is made of; `tests/browser` looks at the whole of it in Chromium."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

import sample_reports
from full_report import full_report
from openrouter_otel.reporting.model import Projection
from openrouter_otel.reporting.render import RENDERERS, MissingExtra
from openrouter_otel.reporting.render.html import cells, embedded, libraries, tables
from openrouter_otel.reporting.render.html.cards import cards
from openrouter_otel.reporting.render.html.charts import charts
from openrouter_otel.reporting.render.paper import Paper


@pytest.mark.parametrize("name", sample_reports.HOSTILE)
def test_inlined_data_reads_back_and_cannot_end_its_script(name: str) -> None:
    text = embedded.data({name: name})

    assert json.loads(text) == {name: name}
    assert text.isascii()
    assert not set("<>&") & set(text)


def test_a_library_with_the_words_that_end_a_script_means_the_same() -> None:
    source = """const a = "</script><!-- <script>"; const b = 1 < 2;"""

    assert embedded.script(source) == r"""const a = "\x3c/script>\x3c!-- \x3cscript>"; const b = 1 < 2;"""


def test_money_shows_cents_and_keeps_the_rest_beside_them() -> None:
    assert cells.money(Decimal("1234.567891")) == cells.Cell("1,234.56", "7891")
    assert cells.money(None).text == cells.money(Decimal(0)).text.replace("0.00", cells.NOTHING)


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0.000000"), ("0.0042", "0.004200"), ("1", "1.00"), ("1234.5", "1,234.50")]
)
def test_a_small_amount_is_not_rounded_to_nothing(amount: str, text: str) -> None:
    assert cells.about(Decimal(amount)) == text


def test_a_quantile_stands_with_its_bracket() -> None:
    assert cells.ms(2769.4, (2354.2, 3322.8)) == cells.Cell("2,769", "2,354 to 3,323")
    assert cells.ms(None).text == cells.NOTHING


def test_an_unknown_projection_is_a_dash_without_a_currency() -> None:
    report = replace(sample_reports.small(), projection=Projection("2026-11", Decimal(3), None, "too early to tell"))
    card = next(card for card in cards(report) if card.label.startswith("Projected"))

    assert (card.unit, card.value.text, card.notes) == ("", cells.NOTHING, ("$3.00 so far", "too early to tell"))


def test_models_beyond_the_palette_share_the_last_place_and_keep_their_cost() -> None:
    report = sample_reports.busy()
    spend = next(chart for chart in charts(report) if chart.key == "spend")
    rows = spend.spec["datasets"]["rows"]

    assert [entry.label for entry in spend.legend][:6] == list(report.model_breakdown)[:6]
    assert spend.legend[-1].label == "all other models"
    assert sum(row["cost"] for row in rows) == pytest.approx(float(report.summary["period"].total_cost))


def test_a_report_without_usage_has_no_chart_and_no_charting_package() -> None:
    text = RENDERERS["html"](sample_reports.empty(), Paper())

    assert list(charts(sample_reports.empty())) == []
    assert len(text) < 40_000


@pytest.mark.parametrize("name", ["busy", "small", "hostile"])
def test_every_row_is_as_long_as_its_head(name: str) -> None:
    report = getattr(sample_reports, name)()
    every = [*tables.sections(report), tables.intervals(report), tables.day_by_model(report), tables.hours(report)]

    assert {(table.key, len(row)) for table in every for row in table.rows} == {
        (table.key, len(table.columns)) for table in every
    }


def test_the_file_carries_the_licences_of_what_it_inlines() -> None:
    text = RENDERERS["html"](sample_reports.small(), Paper())

    assert [name.split()[0] for name, _ in libraries.licences()] == ["altair", "vl-convert-python"]
    assert "Vega-Altair Developers" in text
    assert "University of Washington Interactive Data Lab" in text


def test_a_missing_package_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("openrouter_otel.reporting.render.html")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delattr("openrouter_otel.reporting.render.html", raising=False)
    monkeypatch.setitem(sys.modules, "altair", None)

    with pytest.raises(MissingExtra, match=r"pip install 'openrouter-otel\[html\]'"):
        RENDERERS["html"](sample_reports.small(), Paper())


def test_an_exact_quantile_has_no_bracket_and_says_so() -> None:
    small = sample_reports.small()
    exact = {
        name: replace(row, p50_range=(row.p50, row.p50), p95_range=(row.p95, row.p95), p99_range=(row.p99, row.p99))
        for name, row in small.latency_stats.items()
    }
    overall = replace(small.latency_overall, p95_range=(small.latency_overall.p95, small.latency_overall.p95))
    notes = [
        {table.key: table.note for table in tables.sections(report)}["latency"]
        for report in (small, replace(small, latency_stats=exact))
    ]
    assert [tables.BRACKETS in note for note in notes] == [True, False]
    card = next(card for card in cards(replace(small, latency_overall=overall)) if card.label.startswith("Latency"))
    assert (card.after, card.notes) == ("ms", ("exact: a call's own",))
    gone = replace(overall, p95=None, p95_range=(None, None))
    card = next(card for card in cards(replace(small, latency_overall=gone)) if card.label.startswith("Latency"))
    assert (card.value.text, card.after, card.notes) == (cells.NOTHING, "", ("Not known of this period",))


def test_sessions_and_recent_errors_are_tables_where_the_source_knows_them() -> None:
    assert {"sessions", "recent-errors"} <= {table.key for table in tables.sections(full_report())}
    assert not {"sessions", "recent-errors"} & {table.key for table in tables.sections(sample_reports.small())}
