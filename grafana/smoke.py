"""Whether a running stack works: ``python grafana/smoke.py``, a line for each thing it does, status 1 if one fails.

Prometheus and its rules, Grafana and its boards, and every query of every panel, asked as a browser would ask it. What
should be there is what lies beside this file. It needs Python and nothing else.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RULE = re.compile(r"\b(?:alert|record): \"?([\w:]+)")
VARIABLE = re.compile(r"\$\{?(\w+)(?::\w+)?\}?")
ANSWERS_WITHIN = 30  # seconds

Json = dict[str, Any]


class WrongError(Exception):
    """It does not work; the text says what was found."""


# The others are what reading the JSON of some other server ends in.
WRONG = (WrongError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Check:
    """One thing that should work, and what is wrong with it if it does not."""

    what: str
    found: str
    works: bool


@dataclass(frozen=True)
class Server:
    """A server's HTTP API."""

    address: str

    def get(self, path: str) -> Any:
        """The JSON of an answer; WrongError if there is none or it is an error."""
        return self._json(urllib.request.Request(self.address.rstrip("/") + path))

    def post(self, path: str, body: Json) -> Any:
        """The JSON of an answer to JSON, errors that are told in JSON included; WrongError if there is none."""
        request = urllib.request.Request(self.address.rstrip("/") + path, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        return self._json(request, errors=True)

    def _json(self, request: urllib.request.Request, errors: bool = False) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if errors and text.startswith("{"):
                return json.loads(text)
            raise WrongError(f"status {error.code}: {' '.join(text.split())[:200]}") from None
        except (OSError, http.client.HTTPException) as error:
            raise WrongError(f"{self.address} cannot be reached: {getattr(error, 'reason', error)}") from None
        except ValueError:
            raise WrongError("the answer is no JSON") from None


def checks(prometheus: Server, grafana: Server, datasource: str) -> Iterator[Check]:
    """Everything, in the order in which one thing needs another."""
    yield _checked("Prometheus answers", _version, prometheus)
    for file in sorted((HERE / "prometheus" / "rules").glob("*.rules.yml")):
        yield _checked(f"rules of {file.name}", _rules, prometheus, file)
    yield _checked("Grafana answers", _health, grafana)
    for file in sorted((HERE / "dashboards").glob("*.json")):
        yield from _board(grafana, file.stem, datasource)


def _checked(what: str, find: Callable[..., str], *about: object) -> Check:
    try:
        return Check(what, find(*about), works=True)
    except WRONG as error:
        return Check(what, _told(error), works=False)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, WrongError) else "the answer is not what such a server gives"


def _version(prometheus: Server) -> str:
    return f"version {prometheus.get('/api/v1/status/buildinfo')['data']['version']}"


def _health(grafana: Server) -> str:
    health = grafana.get("/api/health")
    if health["database"] != "ok":
        raise WrongError(f"its database is {health['database']}")
    return f"version {health.get('version', 'untold')}"


def _rules(prometheus: Server, file: Path) -> str:
    loaded = [rule for group in prometheus.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
    names = set(RULE.findall(file.read_text("utf-8")))
    if missing := sorted(names - {rule["name"] for rule in loaded}):
        raise WrongError(f"not loaded: {', '.join(missing)}")
    failing = [rule for rule in loaded if rule["name"] in names and rule.get("health") == "err"]
    if failing:
        raise WrongError(f"{failing[0]['name']} fails: {failing[0].get('lastError', 'nobody knows why')}")
    return f"{len(names)} names"


def _board(grafana: Server, uid: str, datasource: str) -> Iterator[Check]:
    try:
        board = grafana.get(f"/api/dashboards/uid/{uid}")["dashboard"]
        panels, values = _panels(board), _values(board, datasource)
    except WRONG as error:
        yield Check(f"board {uid}", _told(error), works=False)
        return
    yield Check(f"board {uid}", f"{len(panels)} panels", works=bool(panels))
    for panel in panels:
        yield _checked(f"{board['title']} / {panel['title']}", _answered, grafana, _query(board, panel, values))


def _panels(board: Json) -> list[Json]:
    """The panels of a board, also those of folded rows, that ask for something."""
    every = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", []))]
    return [panel for panel in every if panel.get("targets")]


def _values(board: Json, datasource: str) -> dict[str, str]:
    """What stands for a board's variables when it opens: our data source, and everything."""
    variables = board["templating"]["list"]
    return {one["name"]: datasource if one["type"] == "datasource" else one.get("allValue", ".*") for one in variables}


def _query(board: Json, panel: Json, values: dict[str, str]) -> Json:
    """What a browser asks: variables are put in here, ``$__range`` and its like by Grafana."""
    asked = VARIABLE.sub(lambda name: values.get(name[1], name[0]), json.dumps(panel["targets"]))
    step = {"interval": panel.get("interval") or "", "maxDataPoints": panel.get("maxDataPoints") or 500}
    queries = [{**query, **step} for query in json.loads(asked)]
    return {"from": board["time"]["from"], "to": board["time"]["to"], "queries": queries}


def _answered(grafana: Server, query: Json) -> str:
    answer = grafana.post("/api/ds/query", query)
    if "results" not in answer:
        raise WrongError(f"refused: {answer.get('message', answer)}")
    frames = 0
    for asked in query["queries"]:
        result = answer["results"].get(asked["refId"], {"error": "no answer"})
        if "error" in result:
            raise WrongError(f"query {asked['refId']}: {result['error']}")
        frames += sum(any(frame["data"]["values"]) for frame in result.get("frames", []))
    return f"{frames} series" if frames else "no data yet"


def _ready(server: Server, path: str, until: float) -> None:
    """Wait for a server that is only just starting."""
    while not _checked("", server.get, path).works and time.monotonic() < until:
        time.sleep(1)


def _server(address: str) -> Server:
    if not re.match(r"https?://\w", address):
        raise argparse.ArgumentTypeError(f"{address!r} is no http:// or https:// address")
    return Server(address)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if something does not work."""
    parser = argparse.ArgumentParser(prog="smoke.py", description=__doc__.partition(":")[0])
    parser.add_argument(
        "--prometheus", metavar="URL", type=_server, default="http://127.0.0.1:9090", help="default: %(default)s"
    )
    parser.add_argument(
        "--grafana", metavar="URL", type=_server, default="http://127.0.0.1:3000", help="default: %(default)s"
    )
    parser.add_argument("--datasource", metavar="UID", default="openrouter-prometheus", help="default: %(default)s")
    parser.add_argument(
        "--wait", metavar="S", type=float, default=60, help="seconds they may take to start: %(default)s"
    )
    asked = parser.parse_args(arguments)
    until = time.monotonic() + asked.wait
    _ready(asked.prometheus, "/api/v1/status/buildinfo", until)
    _ready(asked.grafana, "/api/health", until)
    made = passed = 0
    for check in checks(asked.prometheus, asked.grafana, asked.datasource):
        print(f"{'pass' if check.works else 'FAIL'}  {check.what}: {check.found}", flush=True)
        made, passed = made + 1, passed + check.works
    print(f"{passed} of {made} checks passed")
    return 0 if passed == made else 1


if __name__ == "__main__":
    sys.exit(main())
