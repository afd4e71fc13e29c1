"""``report --reconcile`` on a real Prometheus: days of UTC, whatever the report's own zone."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from account.api_standin import as_json, serving
from fake_openrouter import MANAGEMENT_KEY
from histories import UNIQUE, Call, history
from openrouter_otel import report
from real_prometheus import RealPrometheus, backfill
from truth import money


def test_each_utc_day_and_model_is_the_sum_of_what_was_scraped_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = history(1, int(time.time() * 1000), UNIQUE, days=4, gaps=False)
    calls: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    for at, call in told.seen():
        place = f"{datetime.fromtimestamp((at - 1) / 1000, timezone.utc):%Y-%m-%d}", call.model
        if place[0] < today:
            calls[place].append(call)
    lines = [
        {
            "date": day,
            "model": model,
            "requests": len(made),
            "usage": float(money(made)),
            "byok_usage_inference": 0,
        }
        for (day, model), made in calls.items()
    ]
    backfill(tmp_path, told.openmetrics())
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", MANAGEMENT_KEY)
    with RealPrometheus(tmp_path) as server, serving(as_json({"data": lines})) as served:
        monkeypatch.setenv("OPENROUTER_BASE_URL", served.url)
        for zone in ("UTC", "Europe/Berlin", "UTC", "Asia/Kolkata"):  # cold, and twice from the cache
            cache = tmp_path / f"{zone.replace('/', '-')}.sqlite"
            options = ["--prometheus", server.url, "--tz", zone, "--cache", str(cache)]
            assert report.main(["--reconcile", "--tolerance", "0%", *options]) == 0
            found = json.loads(capsys.readouterr().out, parse_float=Decimal)["reconciliation"]
            assert [one for one in found["by_day"] if one["difference"]] == []
            assert {(one["date"], one["model"]) for one in found["by_day"]} == set(calls)
            assert found["total"]["counted_cost"] == sum(map(money, calls.values()))
