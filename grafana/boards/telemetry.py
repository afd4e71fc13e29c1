"""Telemetry health: can the figures be trusted?"""

from __future__ import annotations

from openrouter_otel import names
from openrouter_otel.names import BUILD_INFO, COST, PROCESS_START, REQUESTS, RESOLVED, label

from .frame import Board, Panel, Row
from .panels import (
    EVERY_ONE,
    NONE_IS_GOOD,
    SECONDS,
    SHARE,
    USD,
    Column,
    Series,
    lines,
    number,
    ranking,
    scorecard,
)
from .promql import FILTERS, LAST_STEP, counted, counted_or_zero, ratio, selected
from .terms import UNPRICED

SERVICE = label(names.SERVICE_NAME)
BEYOND_CAP = {names.USER: names.OTHER}
ESTIMATED = {names.COST_SOURCE: names.ESTIMATED}
SHORT_NAME = "openrouter_(.+?)(?:_seconds)?(_bucket|_count|_sum|_total)?"
OURS = '{__name__=~"openrouter_.+"}'


def telemetry() -> Board:
    """The board for those who doubt the others."""
    return Board(
        "telemetry",
        "Telemetry health",
        "Can the figures on the other boards be trusted?",
        [
            Row("What is known", _known()),
            Row("How it is counted", _counting()),
            Row("Who reports", _reporters()),
            Row("OpenRouter's own books (needs `openrouter-otel exporter --account`)", _books(), folded=True),
        ],
    )


def _known() -> list[Panel]:
    return [
        number(
            "Unpriced",
            "How many calls of this range have no known price, though a charge may exist? Abandoned streams, timeouts, "
            "answers without usage: spend is too low by whatever they cost.",
            counted_or_zero(REQUESTS, where=UNPRICED),
            EVERY_ONE,
            width=4,
            steps=NONE_IS_GOOD,
        ),
        number(
            "Priced later",
            "How many prices were found out afterwards? Calls of this range that `openrouter-otel resolve` asked "
            "OpenRouter about; take them off Unpriced.",
            counted_or_zero(RESOLVED),
            EVERY_ONE,
            width=4,
        ),
        number(
            "Estimated",
            "What share of spend is an estimate, and not what OpenRouter reported? List prices where an answer named "
            "none, and providers' own bills under BYOK.",
            ratio(f"({counted(COST, where=ESTIMATED)} or 0 * {counted(COST)})", counted(COST)),
            SHARE,
            width=4,
            steps=((None, "green"), (0.05, "orange")),
        ),
        number(
            "Beyond the cap",
            "What share of calls lost its user's name? Those of users beyond `max_users`, counted as (other): totals "
            "stay right, users do not.",
            ratio(f"({counted(REQUESTS, where=BEYOND_CAP)} or 0 * {counted(REQUESTS)})", counted(REQUESTS)),
            SHARE,
            width=4,
            steps=((None, "green"), (0.000001, "orange")),
        ),
        number(
            "Counter resets",
            "Do two processes write one series? Falls of counters that never fall, in this range; one is too many, for "
            "spend is then overstated.",
            f"sum(resets({selected(REQUESTS)}[$__range]))",
            EVERY_ONE,
            width=4,
            steps=((None, "green"), (1, "red")),
        ),
        number(
            "Last sample",
            "Is anything reported right now? Age of the newest sample at the end of this range.",
            f"time() - max(timestamp(last_over_time({selected(PROCESS_START)}[$__range])))",
            SECONDS,
            width=4,
            steps=((None, "green"), (300, "orange")),
        ),
    ]


def _counting() -> list[Panel]:
    chosen = ",".join(f'{name}=~"${variable}"' for variable, name in FILTERS.items())
    plain = f"sum(increase({selected(COST)}[$__interval]))"
    return [
        lines(
            "Counted exactly, and by increase()",
            "What would a usual dashboard have shown? USD per step: ours, and Prometheus' increase(), which loses the "
            "first sample of every series and guesses at the edges of each window.",
            [Series(counted(COST, (), LAST_STEP), "exact"), Series(plain, "increase()")],
            USD,
            width=12,
            colors={"exact": "blue", "increase()": "orange"},
        ),
        lines(
            "Counted by boards, and by rules",
            "Do alerts and budgets see the same spend as the boards? USD per step from the counters, and from what our "
            "rules recorded within the next minute; they part while rules were not loaded, or Prometheus was down.",
            [
                Series(counted(COST, (), LAST_STEP), "boards"),
                Series(
                    f"sum(sum_over_time(openrouter:cost_usd:increase1m{{{chosen}}}[$__interval] offset -1m))",
                    "rules",
                ),
            ],
            USD,
            width=12,
            colors={"boards": "blue", "rules": "green"},
        ),
    ]


def _reporters() -> list[Panel]:
    alive = (
        f"count by ({SERVICE}) (max by (process, {SERVICE}) (last_over_time({selected(PROCESS_START)}[$__interval])))"
    )
    versions = ("version", label("openai_version"))
    return [
        lines(
            "Processes",
            "How many instrumented processes report? Different `process` labels per step, by service; scripts that "
            "live shorter than a scrape interval are not seen (use the journal).",
            [Series(alive, "{{service_name}}")],
            EVERY_ONE,
            width=12,
        ),
        ranking(
            "Series by metric",
            "How much does Prometheus keep for us? Series at the end of this range, by metric; histograms of many "
            "users and models weigh most. The filters above do not apply.",
            f"sort_desc(topk(10, {_by_short_name()}))",
            "{{metric}}",
            EVERY_ONE,
            width=12,
        ),
        scorecard(
            "Versions",
            "Which versions count? Processes in this range by the versions of this package and of openai at work in "
            "them.",
            "version",
            [
                Column(
                    "Processes",
                    f"count by ({', '.join(versions)}) (max by (process, {', '.join(versions)}) "
                    f"(last_over_time({selected(BUILD_INFO)}[$__range])))",
                    EVERY_ONE,
                ),
            ],
            height=6,
            width=12,
            beside=(versions[1],),
        ),
        scorecard(
            "Services",
            "Who reports, since when? One row a service over this range: its processes, and the age of its oldest and "
            "youngest process at the range's end.",
            SERVICE,
            [
                Column("Processes", f"count by ({SERVICE}) ({_started()})", EVERY_ONE),
                Column("Oldest", f"time() - min by ({SERVICE}) ({_started()})", SECONDS),
                Column("Youngest", f"time() - max by ({SERVICE}) ({_started()})", SECONDS),
            ],
            height=6,
            width=12,
        ),
    ]


def _by_short_name() -> str:
    return f'label_replace(count by (__name__) ({OURS}), "metric", "$1$2", "__name__", "{SHORT_NAME}")'


def _started() -> str:
    return f"max by (process, {SERVICE}) (last_over_time({selected(PROCESS_START)}[$__range]))"


def _books() -> list[Panel]:
    total = f'max({names.KEY_USAGE.prometheus}{{period="total"}})'
    before = f'max({names.KEY_USAGE.prometheus}{{period="total"}} offset $__range)'
    charged = f"{total} - ({before} or 0 * {total})"
    counted_here = counted_or_zero(COST, where={names.PAYEE: names.OPENROUTER})
    return [
        number(
            "Counted against charged",
            "Do OpenRouter's own books say the same? What our counters say OpenRouter charged in this range, over "
            "what it charged the key, minus one: below zero are calls that we did not see.",
            f"{ratio(counted_here, f'({charged})')} - 1",
            SHARE,
            width=12,
            steps=((None, "orange"), (-0.05, "green"), (0.05, "orange")),
        ),
        number(
            "Charged to the key",
            "What did OpenRouter charge in this range, in its own books? Growth of the key's total usage; programs "
            "without our instrumentation are in here too.",
            charged,
            USD,
            width=12,
        ),
    ]
