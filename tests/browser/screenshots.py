"""Pictures of the HTML report for README: wide, dark, on a phone, and printed.

``make screenshots``; the data is `sample_reports.busy`, so that a picture changes only when the page does.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

import sample_reports
from browser.chromium_page import chromium, wait_for_charts
from openrouter_otel.reporting.render import RENDERERS
from openrouter_otel.reporting.render.paper import Paper

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
SHOTS: Final = {
    "report-wide": (1400, 1560, "light"),
    "report-dark": (1400, 1560, "dark"),
    "report-phone": (390, 1300, "light"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "report.html"
        page.write_text(RENDERERS["html"](sample_reports.busy(), Paper()), "utf-8")
        for name, (width, height, scheme) in SHOTS.items():
            _picture(browser, page, IMAGES / f"{name}.png", width, height, scheme)
        _print(browser, page, IMAGES / "report-print")


def _picture(browser: Browser, page: Path, image: Path, width: int, height: int, scheme: str) -> None:
    dark = scheme == "dark"
    with browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light") as tab:
        tab.goto(page.as_uri())
        wait_for_charts(tab)
        tab.screenshot(path=image)
    print(image)


def _print(browser: Browser, page: Path, image: Path) -> None:
    """The first page of the PDF, by poppler's pdftoppm."""
    pdf = page.with_suffix(".pdf")
    with browser.new_page(color_scheme="dark") as tab:
        tab.goto(page.as_uri())
        wait_for_charts(tab)
        tab.pdf(path=pdf, prefer_css_page_size=True)
    program = shutil.which("pdftoppm") or "pdftoppm"
    subprocess.run([program, "-png", "-r", "90", "-f", "1", "-l", "1", "-singlefile", pdf, image], check=True)
    print(f"{image}.png")


if __name__ == "__main__":
    main()
