"""What the charting packages bring: their JavaScript and their licences, from where they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from typing import Final

import vl_convert

PACKAGES: Final = ("altair", "vl-convert-python")


@cache
def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script; building it takes a few seconds."""
    # Only what the page calls; the package's own ending would leave three names on `window`.
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


@cache
def licences() -> tuple[tuple[str, str], ...]:
    """Package and version with the text of each of its licence files."""
    return tuple(_licences())


def _licences() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        package = distribution(name)
        for file in package.files or ():
            if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE")):
                yield f"{name} {package.version}", file.read_text("utf-8")
