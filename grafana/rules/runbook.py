"""The runbook as a page of the bundled Prometheus: what an alert links to opens, at its section."""

from __future__ import annotations

import re

import cmarkgfm

PAGE = """\
<!doctype html>
<!-- Written by `python -m grafana.rules` from grafana/RUNBOOK.md: change that, not this file. -->
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenRouter runbook</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  h2 {{ margin-top: 2.5rem; scroll-margin-top: 1rem }}
  h2:target {{ border-left: 4px solid; padding-left: .5rem }}
  code {{ background: color-mix(in srgb, currentColor 10%, transparent); padding: 0 .25em; border-radius: 3px }}
</style>
{body}</html>
"""


def as_page(markdown: str) -> str:
    """The HTML page; every heading is an anchor, its words in lower case."""
    body: str = cmarkgfm.github_flavored_markdown_to_html(markdown)
    return PAGE.format(body=re.sub(r"<h2>(\w+)</h2>", lambda it: f'<h2 id="{it[1].lower()}">{it[1]}</h2>', body))
