"""Debian's Chromium, driven by Playwright, which brings no browser of its own here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; RuntimeError where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("there is no chromium on the path: install the distribution's package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", "--force-color-profile=srgb"],
        )
        try:
            yield browser
        finally:
            browser.close()


def wait_for_charts(page: Page) -> None:
    """Until every chart of the page stands."""
    page.wait_for_function("() => document.documentElement.dataset.drawn !== undefined")
