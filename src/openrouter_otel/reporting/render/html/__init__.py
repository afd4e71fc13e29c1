"""The report as one HTML file that asks nobody for anything: to read, to mail, to print.

    report -> cards, charts, tables (what is said) -> page (how it is put together) -> one text

Every number is text here before the template sees it; positions in a chart are the charting package's business.
"""

from __future__ import annotations

from openrouter_otel.reporting.render.html.page import render

__all__ = ["render"]
