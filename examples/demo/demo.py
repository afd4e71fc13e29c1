"""The main job, on real parts: real openai clients, instrumented by one line, call a local stand-in of OpenRouter; a
real Prometheus scrapes them, or they write a journal; the report is held against what the stand-in charged.

``DEMO_KEEP=1`` leaves everything running until Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from decimal import Decimal
from typing import Final

from fake_openrouter import FakeOpenRouter

from . import REPOSITORY
from .packages import PROMETHEUS, MissingProgramError, ensure
from .processes import App
from .stores import Journal, Prometheus, Store
from .tally import Counted, counted
from .verdict import Figure, figures, table

FOLDER: Final = REPOSITORY / ".cache" / "demo"
REPORT: Final = REPOSITORY / "report.json"
EQUAL: Final = "report total == charged total"
UNEQUAL: Final = "report total != charged total"

_KEEP: Final = os.environ.get("DEMO_KEEP") == "1"
_SETTINGS: Final = ("OTEL_", "OPENROUTER_")
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE: Final = 20.0  # seconds for the last calls to show up
_SECONDS: Final = 48.0  # of calls
_LIFE: Final = 20 / 48  # of one process of support, beside all of the time
_SEARCH_RATE: Final = 6.25  # calls a second
_SUPPORT_RATE: Final = 6.0
_FEWEST: Final = 30  # calls, among them all the trouble there is
_STORES: Final = ("prometheus", "journal")


class Demo:
    """The parts, and the time since they were started.

    Args:
        openrouter: whom the applications call.
        store: where their calls are kept.
        apps: the applications, one for each of their lives.
        seconds: how long the calls take in all.
    """

    def __init__(self, openrouter: FakeOpenRouter, store: Store, apps: list[App], seconds: float) -> None:
        self.openrouter = openrouter
        self.store = store
        self.apps = apps
        self.seconds = seconds
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"[{time.monotonic() - self._started:3.0f} s] {text}", flush=True)

    def counted(self) -> Counted:
        """What all applications have counted so far."""
        return counted(*(app.tally for app in self.apps))

    def start(self, app: App, style: str, *, seed: int, rate: float, seconds: float) -> None:
        """Start an application."""
        calls = max(_FEWEST, round(rate * seconds))
        numbers = ("--seed", str(seed), "--calls", str(calls), "--seconds", str(seconds))
        app.start(self.store.settings(app), style, "--base-url", self.openrouter.base_url, *numbers)
        self.say(f"{app.name} is starting: {calls} calls with {style}{self.store.shown_by(app)}")

    def wait_for(self, *apps: App) -> None:
        """Show progress until these applications are done and their last calls have arrived in the store."""
        self._watch(lambda: all(app.is_done() for app in apps))
        for app in apps:
            self.say(f"{app.name} has made its last call")
            self._wait_until_kept(app)

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

    def _wait_until_kept(self, app: App) -> None:
        wanted = app.counted().calls
        until = time.monotonic() + _PATIENCE
        while (seen := self.store.calls_of(app)) != wanted:
            if time.monotonic() > until:
                self.say(f"{app.name}: {self.store.name} has {seen} of {wanted} calls so far; going on")
                return
            time.sleep(0.2)
        self.say(f"{app.name}: {self.store.name} has all its {wanted} calls")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when every figure is equal, 1 when one is not or something failed."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    kept = "where calls are kept; default a Prometheus if there is one to be had, else a journal"
    parser.add_argument("--store", choices=_STORES, help=kept)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="how long calls are made; default %(default)s")
    given = parser.parse_args(argv)
    for number in _ENDINGS:
        signal.signal(number, signal.default_int_handler)
    try:
        store = given.store or _to_be_had()
        if store == "prometheus":
            ensure(PROMETHEUS)
        _isolate()
        return _run(store, given.seconds)
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


def _to_be_had() -> str:
    try:
        ensure(PROMETHEUS)
    except MissingProgramError as error:
        print(f"{error}.\nWithout it the demo keeps its calls in a local journal.", flush=True)
        return "journal"
    return "prometheus"


def _isolate() -> None:
    """Forget what this shell is set up for: the parts talk to one another on loopback, with settings of their own."""
    for name in [name for name in os.environ if name.startswith(_SETTINGS) or name.lower().endswith("_proxy")]:
        del os.environ[name]


def _close_in_peace() -> None:
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of the processes behind


def _run(kind: str, seconds: float) -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with ExitStack() as parts:
        apps = [App(*life, FOLDER) for life in (("search", 1), ("support", 1), ("support", 2))]
        openrouter = parts.enter_context(FakeOpenRouter())
        store: Store = Prometheus(FOLDER, apps) if kind == "prometheus" else Journal(FOLDER)
        parts.callback(store.stop)  # before its start, which can be interrupted as well
        store.start()
        for app in apps:
            parts.callback(app.stop)
        demo = Demo(openrouter, store, apps, seconds)
        demo.say(f"a stand-in of OpenRouter answers at {openrouter.base_url}, its book: {openrouter.book_url}")
        demo.say(store.introduction)
        parts.callback(_close_in_peace)
        _drive(demo)
        status = _hold_against(demo)
        with suppress(KeyboardInterrupt):
            while _KEEP:
                time.sleep(1)
        return status


def _drive(demo: Demo) -> None:
    search, support, support_again = demo.apps
    demo.start(search, "threads", seed=1, rate=_SEARCH_RATE, seconds=demo.seconds)
    demo.start(support, "asyncio", seed=2, rate=_SUPPORT_RATE, seconds=demo.seconds * _LIFE)
    demo.wait_for(support)
    support.stop()
    demo.say(f"support is stopped: what it has counted stays in {demo.store.name}")
    demo.start(support_again, "asyncio", seed=3, rate=_SUPPORT_RATE, seconds=demo.seconds * _LIFE)
    demo.wait_for(support_again, search)


def _hold_against(demo: Demo) -> int:
    """Print the report and the comparison; the verdict is the last line."""
    demo.openrouter.book.settle()
    _report(demo, "--format", "terminal")
    _report(demo, "--format", "json", "--output", str(REPORT))
    report = json.loads(REPORT.read_text(encoding="utf-8"), parse_float=Decimal)
    book = demo.openrouter.book.totals()
    rows = figures(report, demo.store.retries(), book, demo.counted())
    print(f"\n{report['statement']}")
    print(
        f"Besides, OpenRouter charged {book.untold.charge:f} USD for {book.untold_generations} calls without saying so "
        "(left, lost, timed out): unpriced requests"
    )
    print(f"\n{table(rows)}\n")
    print(f"the report as JSON: {REPORT}")
    if _KEEP:
        print("everything stays as it is until Ctrl-C: look around")
    return conclude(rows)


def conclude(rows: list[Figure]) -> int:
    """Print the amounts and the verdict; returns the exit status."""
    total = next(row for row in rows if row.name.startswith("total"))
    print(f"report {total.reported:f} USD, charged {total.true:f} USD")
    equal = all(row.equal for row in rows)
    print(EQUAL if equal else UNEQUAL, flush=True)
    return 0 if equal else 1


def _report(demo: Demo, *options: str) -> None:
    command = [sys.executable, "-m", "openrouter_otel.report", *demo.store.report, *options]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"the report ended with status {done.returncode}")
