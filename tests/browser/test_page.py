"""The HTML report in a real Chromium: it stands, it works by keyboard, it asks nobody, it cannot be taken over."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

import sample_reports
from browser.conftest import Open

LIMIT = 2_500_000
SAMPLES = ("busy", "small", "empty", "hostile")


def first_column(page: Page, table: str) -> list[str]:
    return page.locator(f"#{table} tbody th:visible").all_inner_texts()


def test_fifty_models_and_five_hundred_users_fit_the_limit(written: dict[str, Path]) -> None:
    assert written["busy"].stat().st_size < LIMIT


@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_stands_without_a_complaint_or_a_request(opened: Open, name: str) -> None:
    page = opened(name)

    charts = page.locator("[data-chart]")
    assert page.locator("[data-chart] svg").count() == charts.count()
    assert charts.count() == {"busy": 6, "small": 4, "empty": 0, "hostile": 6}[name]


def test_a_request_is_forbidden_even_to_a_script_that_got_in(opened: Open) -> None:
    page = opened("small")
    page.goto("about:blank")  # from here on the page's own complaints are what is wanted
    page = page.context.new_page()
    page.set_content(policy_of(sample := opened("small")) + "<p>here</p>")
    sample.close()

    refused = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'asked', error => error.name)")
    pictures = page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));"
        " document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'})) })"
    )

    assert refused == "TypeError"
    assert pictures == "img-src"


def policy_of(page: Page) -> str:
    return str(page.locator("meta[http-equiv]").evaluate("meta => meta.outerHTML"))


def test_no_name_gets_out_of_its_place(opened: Open) -> None:
    page = opened("hostile")

    page.locator(".plot svg").first.hover()
    page.locator("#hours .figures, #spend summary").first.click()

    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3
    assert sample_reports.HOSTILE[0] in first_column(page, "models")
    assert "\\u202e gnp.exe \\x00\\x1b[31m" in page.locator("#models").inner_text()


def test_a_tooltip_shows_a_name_as_text(opened: Open) -> None:
    page = opened("hostile")

    page.locator("#spend .mark-rect path").first.hover()
    tooltip = page.locator("#vg-tooltip-element")
    tooltip.wait_for(state="visible")

    assert sample_reports.HOSTILE[0] in [text.strip() for text in tooltip.locator(".value").all_inner_texts()]
    assert page.evaluate("window.owned") is None


def test_a_table_is_sorted_by_keyboard_and_says_so(opened: Open) -> None:
    page = opened("busy")
    head = page.locator("#models th", has_text="Requests")

    head.locator("button").focus()
    page.keyboard.press("Enter")
    busiest = [row.cells[1] for row in rows(page, "models")]
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Enter")

    assert head.get_attribute("aria-sort") == "ascending"
    assert page.locator("#models [aria-sort]").count() == 1
    assert busiest == sorted(busiest, key=number, reverse=True)
    idlest = [row.cells[1] for row in rows(page, "models")]
    assert idlest == sorted(idlest, key=number)
    assert "Sorted by Requests, ascending." in page.locator("#models [role=status]").inner_text()


def test_money_is_sorted_by_all_its_digits(opened: Open) -> None:
    page = opened("busy")

    page.locator("#models th button", has_text="USD per M").click()
    prices = [number(row.cells[6]) for row in rows(page, "models")]

    assert prices == sorted(prices, reverse=True)
    assert prices[0] < 1000


class Row:
    """One row as text."""

    def __init__(self, cells: list[str]) -> None:
        self.cells = cells


def rows(page: Page, table: str) -> list[Row]:
    found = page.locator(f"#{table} tbody tr:visible").all()
    return [Row(row.locator("th, td").all_inner_texts()) for row in found]


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def test_a_filter_keeps_what_matches_and_counts_it(opened: Open) -> None:
    page = opened("busy")

    page.get_by_label("Filter users").fill("LENA.")
    kept = first_column(page, "users")

    assert kept
    assert all(user.startswith("lena.") for user in kept)
    assert page.locator("#users .tally").inner_text() == "38 of 500"
    page.get_by_label("Filter users").fill("nobody")
    assert first_column(page, "users") == []


def test_a_long_table_unfolds(opened: Open) -> None:
    page = opened("busy")
    assert len(first_column(page, "users")) == 25

    page.get_by_role("button", name="Show all 500").click()

    assert len(first_column(page, "users")) == 500


def test_one_series_is_shown_alone_by_keyboard(opened: Open) -> None:
    page = opened("busy")
    faint = "() => document.querySelectorAll('#spend .mark-rect path[opacity=\"0.12\"]').length"
    assert page.evaluate(faint) == 0

    page.locator("#spend .legend button").first.focus()
    page.keyboard.press("Space")
    page.wait_for_function(faint)

    assert page.locator("#spend .legend [aria-pressed=true]").count() == 1


def test_every_chart_has_its_figures_in_a_table(opened: Open) -> None:
    page = opened("busy")

    for chart in page.locator("figure.chart").all():
        link = chart.locator(".figures a")
        target = link.get_attribute("href") if link.count() else f"#{chart.get_attribute('id')} details"
        assert page.locator(f"{target} table tbody tr").count() > 0


def test_the_theme_is_the_systems_until_the_button_is_used(opened: Open) -> None:
    page = opened("small", color_scheme="dark")
    colour = "() => getComputedStyle(document.body).backgroundColor"
    bars = "() => getComputedStyle(document.querySelector('#spend .mark-rect path')).fill"
    dark = page.evaluate(colour), page.evaluate(bars)

    page.get_by_role("button", name="Dark").click()

    assert dark == ("rgb(12, 14, 19)", "rgb(66, 168, 255)")
    assert (page.evaluate(colour), page.evaluate(bars)) == ("rgb(245, 246, 249)", "rgb(33, 51, 196)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["busy", "empty", "hostile"])
def test_axe_finds_no_barrier_contrast_included(opened: Open, name: str, scheme: str) -> None:
    page = opened(name, color_scheme=scheme)

    found = Axe().run(page, options={"resultTypes": ["violations"]})

    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_phone_never_scrolls_the_page_sideways(opened: Open, name: str) -> None:
    page = opened(name, width=390, is_mobile=True, has_touch=True)

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("Math.max(...[...document.querySelectorAll('.plot svg')].map(s => s.clientWidth), 0)") <= 390


def test_without_scripts_all_rows_are_there_and_no_idle_control(opened: Open, written: dict[str, Path]) -> None:
    context = opened("small").context.browser
    assert context is not None
    page = context.new_page(java_script_enabled=False)
    page.goto(written["busy"].as_uri())

    assert page.locator("#users tbody tr").count() == 500
    assert page.locator("#users tbody tr >> nth=499").is_visible()
    assert not page.locator(".control").first.is_visible()
    page.close()


def test_a_print_is_light_and_whole(opened: Open, tmp_path: Path) -> None:
    page = opened("busy", color_scheme="dark")
    pdf = tmp_path / "report.pdf"

    page.pdf(path=pdf, prefer_css_page_size=True)
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    page.emulate_media(media="print")

    users = sample_reports.busy().user_stats
    assert set(re.findall(r"[a-z]+\.[a-z]+\d{3}@example\.com", text)) == set(users)
    assert text.count("Filter") == text.count("Show all") == 0
    heads = len(re.findall(r"^\s*User +Requests +Tokens", text, re.MULTILINE))
    assert heads >= 8, "the head of a long table stands on each of its pages"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_an_empty_report_says_what_to_do(opened: Open) -> None:
    page = opened("empty")

    assert page.get_by_role("heading", name="No call has been measured yet").is_visible()
    assert page.locator("#overview .value").first.inner_text() == "$0.000000"


def test_the_first_key_leads_to_the_report(opened: Open) -> None:
    page = opened("small")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
