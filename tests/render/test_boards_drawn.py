"""Every board, drawn by Grafana's own components: two ranges, dark and light, on telemetry that this package exported.

Nothing on them is invented but the time and OpenRouter's answers: see `lived_history`. The pictures of README are drawn
the same way, ``python tests/render/pictures.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from grafana_queries import DASHBOARDS, Json, View, boards, panel_named
from grafana_world import recorded_world
from lived_history import USERS, Lived, a_week, lived
from openrouter_otel import names
from render.harness import Shot, drawn, prepared
from usage_history import DAY, HOUR

END = 1_795_370_400
OUTAGE_ALERT = "OpenRouterErrorBudgetFastBurn"
MINUTES = {"interval": "1m", "maxDataPoints": 1440}  # as the annotation's step
RANGES = ("now-24h", "now-7d")
LOOKS = (("dark", 1600), ("light", 1100))


def shots() -> list[Shot]:
    """Each board in each range and look."""
    return [
        {
            "board": str(DASHBOARDS / f"{board['uid']}.json"),
            "uid": board["uid"],
            "from": since,
            "to": "now",
            "theme": theme,
            "width": width,
        }
        for board in boards()
        for since in RANGES
        for theme, width in LOOKS
    ]


def named(shot: Shot) -> str:
    return f"{shot['uid']}-{shot['from']}-{shot['theme']}"


@pytest.fixture(scope="module")
def _harness() -> Iterator[Future[None]]:
    """The harness while it is being made: npm takes as long as eight days of calls."""
    with ThreadPoolExecutor(1) as builder:
        yield builder.submit(prepared)


@pytest.fixture(scope="module")
def week(_harness: Future[None]) -> Lived:
    """Eight days of calls."""
    return lived(a_week(END))


@pytest.fixture(scope="module")
def prometheus(week: Lived, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped them."""
    folder = tmp_path_factory.mktemp("prometheus")
    with recorded_world(folder, week.openmetrics, END - 34 * HOUR, END, alerts=[OUTAGE_ALERT]) as url:
        yield url


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """A board whose names have no room beside their bars."""
    (board,) = [board for board in boards() if board["uid"] == "openrouter-overview"]
    panel_named(board, "Top users by spend")["options"]["namePlacement"] = "left"
    file = tmp_path_factory.mktemp("boards") / "spoiled.json"
    file.write_text(json.dumps(board), "utf-8")
    return {"board": str(file), "uid": "spoiled", "from": "now-24h", "to": "now", "theme": "light", "width": 1100}


@pytest.fixture(scope="module")
def verdicts(_harness: Future[None], prometheus: str, spoiled: Shot) -> dict[str, Shot]:
    """What the browser said about every shot."""
    _harness.result()
    return {named(verdict): verdict for verdict in drawn(prometheus, END, [*shots(), spoiled])}


def test_the_boards_show_what_openrouter_charged(week: Lived, prometheus: str) -> None:
    """So it is the package's own telemetry that is drawn, and all of it."""
    (board,) = [board for board in boards() if board["uid"] == "openrouter-cost"]
    panel = panel_named(board, "Who charged it")
    paid = {
        (one["metric"][names.PAYEE], one["metric"][names.label(names.COST_SOURCE)]): sum(
            float(day) for _, day in one["values"]
        )
        for one in View(prometheus, END - 8 * DAY, END).ask(panel, panel["targets"][0])
    }
    told = week.book.totals().told
    assert paid[names.OPENROUTER, names.REPORTED] == pytest.approx(float(told.charge), rel=1e-9)
    assert paid[names.PROVIDER, names.ESTIMATED] == pytest.approx(float(told.bill), rel=1e-9)
    assert paid[names.OPENROUTER, names.ESTIMATED] > 0


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_an_alert_that_fires_is_marked_on_every_board(prometheus: str, board: Json) -> None:
    """Its query answers where our own rule fires, in the outage; the harness draws no annotations."""
    (annotation,) = [one for one in board["annotations"]["list"] if one["enable"]]
    ((marked,),) = [View(prometheus, END - DAY, END).ask(MINUTES, annotation)]
    assert marked["metric"]["alertname"] == OUTAGE_ALERT
    fired = [at for at, _ in marked["values"]]
    assert min(fired) >= END - 9 * HOUR
    assert max(fired) < END - 7 * HOUR


each_shot = pytest.mark.parametrize("shot", [pytest.param(named(shot), id=named(shot)) for shot in shots()])


@each_shot
def test_every_panel_is_done_and_none_is_empty(verdicts: dict[str, Shot], shot: str) -> None:
    verdict = verdicts[shot]
    assert len(verdict["panels"]) > 5
    for panel in verdict["panels"]:
        assert (panel["state"], panel.get("error")) == ("Done", None), panel["title"]
        assert panel["series"], panel["title"]


@each_shot
def test_the_browser_has_nothing_to_complain_about(verdicts: dict[str, Shot], shot: str) -> None:
    assert verdicts[shot]["complaints"] == []


@each_shot
def test_no_name_is_cut_off(verdicts: dict[str, Shot], shot: str) -> None:
    assert verdicts[shot]["cut"] == []


def test_a_name_that_grafana_shortens_beside_its_bar_is_seen(verdicts: dict[str, Shot], spoiled: Shot) -> None:
    (longest,) = [user for user in USERS if len(user) > 30]
    assert verdicts[named(spoiled)]["cut"] == [longest]


@each_shot
def test_links_lead_where_they_say(verdicts: dict[str, Shot], shot: str) -> None:
    """Time and filters kept, and one value filled in."""
    links = [link for panel in verdicts[shot]["panels"] for link in panel["links"]]
    if "telemetry" not in shot:
        assert links
    for link in links:
        address = urlsplit(link)
        chosen = parse_qs(address.query, keep_blank_values=True)  # as where a provider is not told
        assert re.fullmatch(r"/d/openrouter-(models|users)", address.path)
        assert chosen["from"] == ["now-24h" if "24h" in shot else "now-7d"]
        assert {"var-environment", "var-service", "var-datasource"} <= set(chosen)
        assert "${" not in link
        narrowed = [name for name, value in chosen.items() if name.startswith("var-") and value != ["$__all"]]
        assert len(narrowed) == 2, link  # one filter, and the data source


def test_missing_tools_are_an_error_and_not_a_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "chromium"))
    with pytest.raises(RuntimeError, match="the rendering test needs"):
        prepared()
