"""Every board, drawn by Grafana's own components: two ranges, dark and light, on what our rules made of a history.

``python tests/render/pictures.py`` draws the pictures of README the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from grafana_queries import DASHBOARDS, boards
from grafana_world import recorded_world
from render.harness import Shot, drawn, prepared
from usage_history import HOUR, OFFERS, USERS, make_history

END = 1_795_370_400
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
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Shot]]:
    """What the browser said about every shot."""
    prepared()
    history = make_history(END, step=900, offers=OFFERS[:3], users=USERS[:2])
    with recorded_world(tmp_path_factory.mktemp("prometheus"), history, END - 34 * HOUR, END) as prometheus:
        yield {named(verdict): verdict for verdict in drawn(prometheus, END, shots())}


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
def test_no_title_and_no_legend_is_cut_off(verdicts: dict[str, Shot], shot: str) -> None:
    assert verdicts[shot]["cut"] == []


@each_shot
def test_links_lead_where_they_say(verdicts: dict[str, Shot], shot: str) -> None:
    """Time and filters kept, and one value filled in."""
    links = [link for panel in verdicts[shot]["panels"] for link in panel["links"]]
    if "telemetry" not in shot:
        assert links
    for link in links:
        address = urlsplit(link)
        chosen = parse_qs(address.query)
        assert re.fullmatch(r"/d/openrouter-(models|users)", address.path)
        assert chosen["from"] == ["now-24h" if "24h" in shot else "now-7d"]
        assert {"var-environment", "var-service", "var-datasource"} <= set(chosen)
        picked = [value for name, values in chosen.items() for value in values if name.startswith("var-")]
        assert all(value and "${" not in value for value in picked)
        assert any(value not in ("$__all", "prometheus") for value in picked)


def test_missing_tools_are_an_error_and_not_a_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "chromium"))
    with pytest.raises(RuntimeError, match="the rendering test needs"):
        prepared()
