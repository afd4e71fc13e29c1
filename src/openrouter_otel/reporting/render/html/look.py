"""How a chart looks. Colours are the page's CSS variables, so that a theme or a printer changes both at once."""

from __future__ import annotations

from typing import Any, Final

FONT: Final = 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
SERIES: Final = tuple(f"var(--series-{number})" for number in range(1, 7))
REST: Final = "var(--series-rest)"
FILL: Final = "var(--fill)"
BAD: Final = "var(--bad-fill)"
INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
LINE: Final = "var(--line)"
SURFACE: Final = "var(--surface)"

CONFIG: Final[dict[str, Any]] = {
    "font": FONT,
    "background": "transparent",
    "padding": {"left": 2, "right": 14, "top": 6, "bottom": 0},
    "view": {"stroke": None},
    "aria": False,  # the figure has a description and a table; thousands of labelled rectangles help nobody
    "axis": {
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelPadding": 6,
        "titleColor": MUTED,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": LINE,
        "ticks": False,
        "domain": False,
    },
    "axisX": {"grid": False, "labelFlush": False},
    "text": {"color": MUTED, "fontSize": 11, "font": FONT},
}
