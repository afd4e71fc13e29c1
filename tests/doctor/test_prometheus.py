"""What a Prometheus does to our metrics, each time for real, and what the doctor says of it."""

from __future__ import annotations

import http.server
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doctor.conftest import CALLS, Diagnose, Run, Scraping, Started, await_value, calls_in_history
from openrouter_otel.doctoring.arguments import parse
from openrouter_otel.doctoring.server import clocks
from openrouter_otel.doctoring.setup import Setup
from real_victoria_metrics import RealVictoriaMetrics

RULES = Path(__file__).parents[2] / "grafana" / "prometheus" / "rules"
DAY = 86_400
ANYTHING = 'count({__name__=~".*openrouter.*"})'


@contextmanager
def acme(host: str, port: int, body: bytes = b"up_and_well 1\n") -> Iterator[None]:
    """Somebody else's /metrics."""

    class Handler(http.server.BaseHTTPRequestHandler):
        server_version = "Acme/1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Be quiet."""

    with http.server.ThreadingHTTPServer((host, port), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield
        server.shutdown()


def test_a_healthy_setup_has_no_problem_and_says_what_is_well(
    scraping: Scraping, diagnose: Diagnose, host: str
) -> None:
    prometheus = scraping()
    await_value(prometheus, "count_over_time(openrouter_otel_build_info[1m]) >= 3")
    found = diagnose("--prometheus", prometheus.url)

    assert (found.status, found.verdict) == (0, "no problem found")
    assert found.told("problem", "warning") == []
    for well in (
        "supported versions are installed: openrouter-otel",
        f"{host}:9464 serves the metrics of a program (openrouter-otel ",
        "answers",
        "Prometheus sees our metrics: 1 process within 10 minutes, the last sample ",
        f"Prometheus scrapes the program at {host}:9464",
        "Prometheus scrapes our programs every 1 s",
        "Prometheus keeps samples for 20y",
    ):
        found.find("ok", well)


def test_a_prometheus_that_is_not_there_is_a_problem_unless_a_journal_does_without(diagnose: Diagnose) -> None:
    named = diagnose("--prometheus", "http://user:secret-word@127.0.0.1:1")
    found = named.find("problem", "http://127.0.0.1:1 cannot be reached: nothing listens there")

    assert (named.status, named.verdict) == (1, "1 problem")
    assert "--prometheus" in found["advice"]
    assert "secret-word" not in str(named)


def test_no_target_at_our_ports_is_said(started: Started, diagnose: Diagnose) -> None:
    found = diagnose("--prometheus", started().url)

    assert "9464" in found.find("problem", "never seen a metric of ours, and no target")["advice"]
    assert found.status == 1


def test_a_target_that_does_not_answer_is_named_with_the_reason(
    started: Started, diagnose: Diagnose, host: str
) -> None:
    prometheus = started(
        "scrape_configs: [{job_name: app, scrape_interval: 1s, scrape_timeout: 1s,"
        f" static_configs: [{{targets: ['{host}:9464']}}]}}]"
    )
    await_value(prometheus, "up == 0")

    assert (
        f"http://{host}:9464/metrics: " in diagnose("--prometheus", prometheus.url).find("problem", "refused")["what"]
    )


def test_a_target_that_is_somebody_elses_is_named(started: Started, diagnose: Diagnose, host: str) -> None:
    with acme(host, 9464):
        prometheus = started(
            "scrape_configs: [{job_name: app, scrape_interval: 1s, scrape_timeout: 1s,"
            f" static_configs: [{{targets: ['{host}:9464']}}]}}]"
        )
        await_value(prometheus, "up == 1")
        found = diagnose("--prometheus", prometheus.url)

    found.find("problem", f"though it scrapes http://{host}:9464/metrics without an error")
    found.find("warning", f"{host}:9464 is taken by another server (Acme/1 ")


def test_metrics_that_stopped_to_come_are_dated(started: Started, diagnose: Diagnose) -> None:
    found = diagnose("--prometheus", started(history=calls_in_history(3 * DAY, 2 * DAY, step=60)).url)

    found.find("warning", "none of our programs for the last 10 minutes, only within the last 30 days")
    assert found.status == 0


def test_a_program_here_that_is_not_scraped_is_a_problem_once_it_is_old_enough(
    started: Started, diagnose: Diagnose, run: Run, host: str
) -> None:
    run(CALLS).hear()
    prometheus = started(history=calls_in_history(300, 0))  # another program is seen
    young, old = (diagnose("--prometheus", prometheus.url, ahead=ahead) for ahead in (0, 300))

    young.find("warning", f"has not scraped the program at {host}:9464, which began")
    old.find("problem", f"does not scrape the program at {host}:9464")


# What loses the label (relabelling, labels of the target) and what is said and advised.
LOST: list[tuple[str, str, str, str]] = [
    ("{regex: process, action: labeldrop}", "", "the label process of job app is missing", "labeldrop"),
    ("", "process: web", "the label process of job app arrives as exported_process", "honor_labels"),
    (
        "{source_labels: [process], target_label: who}, {regex: process, action: labeldrop}",
        "",
        "the label process of job app arrives as who",
        "replace",
    ),
    ("{target_label: process, replacement: web}", "", "is overwritten with 'web'", "leave the label alone"),
]


def test_a_lost_process_label_is_found_and_told_once_by_its_cause(scraping: Scraping, diagnose: Diagnose) -> None:
    servers = [scraping(relabelling, labels=labels) for relabelling, labels, *_ in LOST]
    for server, (*_, says, advice) in zip(servers, LOST, strict=True):
        await_value(server, ANYTHING)
        found = diagnose("--prometheus", server.url)

        wrong = found.find("problem", says)
        assert found.told("problem") == [wrong["what"]]
        assert advice in wrong["advice"]


# What renames metrics, and what is said and advised.
MISSPELT: list[tuple[str, str, str, str]] = [
    ("openrouter_(.+)_total", "openrouter_$1", "stores openrouter_cost_usd where", "add_metric_suffixes"),
    ("openrouter_(.+)", "acme_openrouter_$1", "stores acme_openrouter_cost_usd_total where", "prefix"),
]


def test_names_that_reports_do_not_know_are_found(scraping: Scraping, diagnose: Diagnose) -> None:
    rename = "{{source_labels: [__name__], regex: '{}', target_label: __name__, replacement: '{}'}}"
    servers = [scraping(rename.format(regex, stored)) for regex, stored, *_ in MISSPELT]
    for server, (*_, says, advice) in zip(servers, MISSPELT, strict=True):
        await_value(server, ANYTHING)
        wrong = diagnose("--prometheus", server.url).find("problem", says)

        assert "reports and boards ask for openrouter_cost_usd_total" in wrong["what"]
        assert advice in wrong["advice"]


def test_names_with_dots_are_found(tmp_path: Path, diagnose: Diagnose) -> None:
    history = calls_in_history(300, 0).replace("openrouter_requests_total", "openrouter.requests")
    with RealVictoriaMetrics(tmp_path / "vm") as victoria:
        victoria.backfill(history)
        found = diagnose("--prometheus", victoria.url)

    wrong = found.find(
        "problem", "stores openrouter.requests where reports and boards ask for openrouter_requests_total"
    )
    assert "UnderscoreEscapingWithSuffixes" in wrong["advice"]
    found.find("note", "does not tell how long it keeps samples")


def test_two_jobs_at_one_program_are_noted(scraping: Scraping, diagnose: Diagnose, host: str) -> None:
    prometheus = scraping(jobs=("first", "second"))
    await_value(prometheus, "count(openrouter_otel_build_info) == 2")
    found = diagnose("--prometheus", prometheus.url)

    found.find("note", f"seen more than once, such as by first at {host}:9464, second at {host}:9464")
    assert found.status == 0


def test_scrapes_further_apart_than_a_minute_are_too_few(started: Started, diagnose: Diagnose) -> None:
    found = diagnose("--prometheus", started(history=calls_in_history(1200, 0, step=120)).url)

    assert "scrape_interval" in found.find("warning", "every 120 s")["advice"]


def test_a_gap_of_the_last_day_is_dated_and_measured(started: Started, diagnose: Diagnose) -> None:
    found = diagnose("--prometheus", started(history=calls_in_history(7200, 5400, 3600, 0, since=9000)).url)

    found.find("warning", "process 00000000000000aa was out of sight for some 30 min from ")
    found.find("ok", "Prometheus sees our metrics: 1 process within ")


@pytest.mark.parametrize(
    ("retention", "status", "says"),
    [
        ("time=7d", "warning", "Prometheus keeps samples for 1w, and reports look back 30 days"),
        ("size=1GB", "note", "Prometheus keeps 1GiB of samples"),
        ("time=31d", "ok", "Prometheus keeps samples for 31d"),
    ],
)
def test_a_retention_below_thirty_days_is_too_short(
    retention: str, status: str, says: str, started: Started, diagnose: Diagnose
) -> None:
    diagnose("--prometheus", started(retention=retention).url).find(status, says)


def test_clocks_that_disagree_are_found(started: Started, diagnose: Diagnose) -> None:
    prometheus = started(history=calls_in_history(300, 0, since=-600))
    found = diagnose("--prometheus", prometheus.url, ahead=120)

    found.find("warning", "Prometheus' clock is 120 s behind this host's")
    found.find("warning", " s ahead of Prometheus'")


def test_checks_that_take_long_put_no_clock_wrong(started: Started) -> None:
    tells = itertools.chain([0.0, 0.0], itertools.repeat(60.0))  # seconds by which this host has gone on
    setup = Setup(parse(["--prometheus", started().url]), clock=lambda: time.time() + next(tells))

    assert setup.away is None
    assert setup.clock() - setup.now / 1000 > 30
    assert list(clocks(setup)) == []


def test_rules_and_alerts_are_told_where_they_are_loaded(started: Started, diagnose: Diagnose) -> None:
    without = diagnose("--prometheus", started().url)
    loaded = diagnose("--prometheus", started(f"rule_files: ['{RULES}/*.rules.yml']\nscrape_configs: []\n").url)

    without.find("note", "our recording rules and alerts are not loaded")
    loaded.find("ok", "recording rules and 17 alerts of ours")
