"""One history, one report: whatever keeps it, the figures are what was spent."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from openrouter_otel import report
from real_prometheus import RealPrometheus, backfill
from real_victoria_metrics import RealVictoriaMetrics
from usage_history import OFFERS, USERS, Call, History, make_history

ZONE = ZoneInfo("Asia/Kolkata")  # hours that are not those of the epoch

PATIENCE = 300  # seconds that a first scrape may come after a process' start


@contextmanager
def prometheus(folder: Path, openmetrics: str) -> Iterator[str]:
    backfill(folder, openmetrics)
    with RealPrometheus(folder) as server:
        yield server.url


@contextmanager
def prometheus_behind_a_prefix(folder: Path, openmetrics: str) -> Iterator[str]:
    backfill(folder, openmetrics)
    with RealPrometheus(folder, flags=("--web.route-prefix=/a/b",)) as server:
        yield f"{server.url}/a/b/"


@contextmanager
def victoria_metrics(folder: Path, openmetrics: str) -> Iterator[str]:
    with RealVictoriaMetrics(folder) as server:
        server.backfill(openmetrics)
        yield server.url


BACKENDS: list[Callable[[Path, str], AbstractContextManager[str]]] = [
    prometheus,
    prometheus_behind_a_prefix,
    victoria_metrics,
]


@pytest.fixture(scope="module")
def history() -> History:
    """Restarts, a gap of hours, scripts scraped once and a process that two jobs scrape; it ended two minutes ago."""
    return make_history(int(time.time()) - 120, step=1200, offers=OFFERS[:2], users=USERS[:2])


@pytest.mark.parametrize("backend", BACKENDS, ids=[backend.__name__ for backend in BACKENDS])
def test_every_backend_gives_what_was_spent(
    backend: Callable[[Path, str], AbstractContextManager[str]], history: History, tmp_path: Path
) -> None:
    output = tmp_path / "report.json"
    with backend(tmp_path, history.openmetrics()) as url:
        assert report.main(["--prometheus", url, "--tz", str(ZONE), "--output", str(output)]) == 0
    made = json.loads(output.read_text(), parse_float=Decimal)
    assert made["summary"]["all_time"]["total_requests"] == len(history.seen) > 100
    assert figures(made) == truth(history)


def figures(made: dict[str, Any]) -> dict[str, Any]:
    summary = made["summary"]["period"]
    return {
        "requests": summary["total_requests"],
        "cost": summary["total_cost"],
        "tokens": (summary["input_tokens"], summary["output_tokens"]),
        "errors": made["errors"]["by_type"],
        "models": {model: row["cost"] for model, row in made["model_breakdown"].items()},
        "users": {user: row["requests"] for user, row in made["user_stats"].items()},
        "days": {row["date"]: row["cost"] for row in made["daily_trend"] if row["requests"]},
        "hours": {hour: count for hour, count in made["hourly_distribution"].items() if count},
        "latencies": {model: row["count"] for model, row in made["latency_stats"].items()},
    }


def truth(history: History) -> dict[str, Any]:
    calls = [call for _, call in history.seen]
    seen = [(datetime.fromtimestamp(at, ZONE) - timedelta(milliseconds=1), call) for at, call in booked(history)]
    return {
        "requests": len(calls),
        "cost": sum(call.cost for call in calls),
        "tokens": tuple(
            sum(getattr(call, kind) for call in calls if call.cost_source == "reported")
            for kind in ("input_tokens", "output_tokens")
        ),
        "errors": dict(Counter(call.error_type for call in calls if call.error_type)),
        "models": spent((call.offer.model, call) for call in calls),
        "users": dict(Counter(call.user for call in calls)),
        "days": spent((f"{at:%Y-%m-%d}", call) for at, call in seen),
        "hours": dict(Counter(f"{at:%H}" for at, _ in seen)),
        "latencies": dict(Counter(call.offer.model for call in calls if call.outcome == "ok")),
    }


def booked(history: History) -> Iterator[tuple[float, Call]]:
    """Every call at its scrape; what a process had counted before the source's memory begins, at the process' start."""
    memory = min(process.scrapes[0] for process in history.processes)
    for process in history.processes:
        start = min([process.scrapes[0], *(call.at for call in process.calls)])
        older = start + PATIENCE < memory and process.scrapes[0] <= memory + PATIENCE
        for call in process.calls:
            at = process.seen_at(call)
            yield (start if older and at == process.scrapes[0] else at), call


def spent(calls: Iterator[tuple[str, Call]]) -> dict[str, Decimal]:
    by_name: dict[str, Decimal] = {}
    for name, call in calls:
        by_name[name] = by_name.get(name, Decimal(0)) + call.cost
    return by_name
