"""The main job, on real parts: real openai clients, instrumented by one line, call a local stand-in of OpenRouter;
a real Prometheus scrapes them; the report from that Prometheus is held against what the stand-in charged.

``DEMO_KEEP=1`` leaves everything running until Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from decimal import Decimal
from typing import Final

from fake_openrouter import FakeOpenRouter
from openrouter_otel import names
from real_prometheus import RealPrometheus

from . import REPOSITORY
from .packages import PROMETHEUS, MissingProgramError, ensure
from .processes import App
from .tally import Counted, counted
from .verdict import Figure, figures, table

FOLDER: Final = REPOSITORY / ".cache" / "demo"
REPORT: Final = REPOSITORY / "report.json"
EQUAL: Final = "report total == charged total"
UNEQUAL: Final = "report total != charged total"

_KEEP: Final = os.environ.get("DEMO_KEEP") == "1"
_SETTINGS: Final = ("OTEL_", "OPENROUTER_")
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE: Final = 20.0  # seconds for one scrape to show up
_CONFIG: Final = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: openrouter-otel
    static_configs: [{{targets: [{targets}]}}]
"""


class Demo:
    """The parts, and the time since they were started."""

    def __init__(self, openrouter: FakeOpenRouter, prometheus: RealPrometheus, apps: list[App]) -> None:
        self.openrouter = openrouter
        self.prometheus = prometheus
        self.apps = apps
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"[{time.monotonic() - self._started:3.0f} s] {text}", flush=True)

    def counted(self) -> Counted:
        """What all applications have counted so far."""
        return counted(*(app.tally for app in self.apps))

    def start(self, app: App, style: str, *, seed: int, calls: int, seconds: float) -> None:
        """Start an application."""
        numbers = ("--seed", str(seed), "--calls", str(calls), "--seconds", str(seconds))
        app.start(style, "--base-url", self.openrouter.base_url, *numbers)
        self.say(f"{app.name} is starting: {calls} calls with {style}; its metrics: {app.metrics_url}")

    def wait_for(self, *apps: App) -> None:
        """Show progress until these applications are done and their last calls have been scraped."""
        self._watch(lambda: all(app.is_done() for app in apps))
        for app in apps:
            self.say(f"{app.name} has made its last call and waits for one scrape ...")
            self._wait_for_scrape(app)

    def _watch(self, is_over: Callable[[], bool]) -> None:
        shown = time.monotonic()
        while not is_over():
            time.sleep(0.2)
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                so_far, told = self.counted(), self.openrouter.book.totals().told
                self.say(
                    f"{so_far.calls} calls, {so_far.errors} errors, "
                    f"{told.input + told.output} tokens, {told.charge + told.bill:.4f} USD"
                )

    def _wait_for_scrape(self, app: App) -> None:
        wanted = Decimal(app.counted().calls)
        until = time.monotonic() + _PATIENCE
        while (seen := self.ask(f'sum({names.REQUESTS.prometheus}{{instance="{app.target}"}})')) != wanted:
            if time.monotonic() > until:
                self.say(f"{app.name}: Prometheus shows {seen} of {wanted} calls after {_PATIENCE:.0f} s; going on")
                return
            time.sleep(0.2)
        self.say(f"{app.name}: scraped, Prometheus shows all its {wanted} calls")

    def ask(self, promql: str) -> Decimal:
        """The value of an instant query; 0 where there is no series."""
        url = f"{self.prometheus.url}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return Decimal(result[0]["value"][1]) if result else Decimal(0)


def main() -> int:
    """Run the demo; 0 when every figure is equal, 1 when one is not or something failed."""
    for number in _ENDINGS:
        signal.signal(number, signal.default_int_handler)
    try:
        ensure(PROMETHEUS)
        _isolate()
        return _run()
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
        return 130
    except MissingProgramError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    except (RuntimeError, OSError) as error:
        print(f"the demo could not be finished: {error}", file=sys.stderr, flush=True)
        print(UNEQUAL, flush=True)
        return 1


def _isolate() -> None:
    """Forget what this shell is set up for: the parts talk to one another on loopback, with settings of their own."""
    for name in [name for name in os.environ if name.startswith(_SETTINGS) or name.lower().endswith("_proxy")]:
        del os.environ[name]


def _close_in_peace() -> None:
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of the processes behind


def _run() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with ExitStack() as parts:
        apps = [App(*life, FOLDER) for life in (("search", 1), ("support", 1), ("support", 2))]
        targets = ", ".join(f'"{app.target}"' for app in apps)
        openrouter = parts.enter_context(FakeOpenRouter())
        prometheus = RealPrometheus(FOLDER / "prometheus", _CONFIG.format(targets=targets))
        parts.callback(prometheus.stop)  # before its start, which can be interrupted as well
        prometheus.start()
        for app in apps:
            parts.callback(app.stop)
        demo = Demo(openrouter, prometheus, apps)
        demo.say(f"a stand-in of OpenRouter answers at {openrouter.base_url}, its book: {openrouter.book_url}")
        demo.say(f"Prometheus scrapes every second, look at it: {prometheus.url}")
        parts.callback(_close_in_peace)
        _drive(demo)
        status = _hold_against(demo)
        with suppress(KeyboardInterrupt):
            while _KEEP:
                time.sleep(1)
        return status


def _drive(demo: Demo) -> None:
    search, support, support_again = demo.apps
    demo.start(search, "threads", seed=1, calls=300, seconds=48)
    demo.start(support, "asyncio", seed=2, calls=120, seconds=20)
    demo.wait_for(support)
    support.stop()
    demo.say("support is stopped: its counts are gone from it, and stay in Prometheus")
    demo.start(support_again, "asyncio", seed=3, calls=120, seconds=20)
    demo.wait_for(support_again, search)


def _hold_against(demo: Demo) -> int:
    """Print the report and the comparison; the verdict is the last line."""
    demo.openrouter.book.settle()
    _report(demo, "--format", "terminal")
    _report(demo, "--format", "json", "--output", str(REPORT))
    report = json.loads(REPORT.read_text(encoding="utf-8"), parse_float=Decimal)
    book = demo.openrouter.book.totals()
    retries = demo.ask(f"sum(max_over_time({names.RETRIES.prometheus}[1d]))")  # one series per process, never reset
    rows = figures(report, retries, book, demo.counted())
    print(f"\n{report['statement']}")
    print(
        f"Besides, OpenRouter charged {book.untold.charge:f} USD for {book.untold_generations} calls without saying so "
        "(left, lost, timed out): unpriced requests"
    )
    print(f"\n{table(rows)}\n")
    print(f"the report as JSON: {REPORT}")
    if _KEEP:
        places = ", ".join([demo.prometheus.url, demo.apps[0].metrics_url, demo.apps[2].metrics_url])
        print(f"everything stays until Ctrl-C, look at it: {places}")
    return _verdict(rows)


def _verdict(rows: list[Figure]) -> int:
    total = next(row for row in rows if row.name.startswith("total"))
    print(f"report {total.reported:f} USD, charged {total.true:f} USD")
    equal = all(row.equal for row in rows)
    print(EQUAL if equal else UNEQUAL, flush=True)
    return 0 if equal else 1


def _report(demo: Demo, *options: str) -> None:
    command = [
        sys.executable,
        "-m",
        "openrouter_otel.report",
        "--no-cache",
        "--prometheus",
        demo.prometheus.url,
        *options,
    ]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"the report ended with status {done.returncode}")
