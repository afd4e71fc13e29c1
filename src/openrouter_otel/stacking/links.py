"""Where an alert sends people: its section of the runbook, and the panel that shows its figure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Of docker-compose.yml: open on the machine that runs it, and nowhere else.
RUNBOOK: Final = "http://127.0.0.1:9090/user/runbook.html"
GRAFANA: Final = "http://127.0.0.1:3000"
_ANNOTATION: Final = re.compile(
    rf"^ +(?:(?P<runbook>runbook_url: ){re.escape(RUNBOOK)}|(?P<grafana>dashboard_url: ){re.escape(GRAFANA)}).*\n",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Links:
    """Addresses that the alerts' own take the place of; None leaves that link out.

    Attributes:
        runbook: of the page; ``#`` and the alert's name in lower case follow.
        grafana: of the server; the path of the board and its panel follow.
    """

    runbook: str | None = RUNBOOK
    grafana: str | None = GRAFANA


def relinked(rules: str, links: Links) -> str:
    """The text of a rule file whose alerts lead there."""

    def line(found: re.Match[str]) -> str:
        bundled, wanted = (RUNBOOK, links.runbook) if found["runbook"] else (GRAFANA, links.grafana)
        return "" if wanted is None else found[0].replace(bundled, wanted.rstrip("/"), 1)

    return _ANNOTATION.sub(line, rules)
