"""One Chromium for all tests of a worker, and pages of the sample reports opened in it from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import sample_reports
from browser.chromium_page import chromium, wait_for_charts
from openrouter_otel.reporting.render import RENDERERS
from openrouter_otel.reporting.render.paper import Paper

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The HTML files, by the name of their sample."""
    folder = tmp_path_factory.mktemp("pages")
    files = {name: folder / f"{name}.html" for name in ("busy", "small", "empty", "hostile")}
    for name, file in files.items():
        file.write_text(RENDERERS["html"](getattr(sample_reports, name)(), Paper()), "utf-8")
    return files


@pytest.fixture
def opened(browser: Browser, written: dict[str, Path]) -> Iterator[Open]:
    """Open a sample; what the page complains of or asks for is a failure at the test's end."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(name: str, width: int = 1400, **settings: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page, here = context.new_page(), written[name].as_uri()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url != here else None)
        page.goto(here)
        wait_for_charts(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
