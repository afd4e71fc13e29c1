"""Reliability: are we inside the error budget, and what fails?"""

from __future__ import annotations

from openrouter_otel import names
from openrouter_otel.names import ERRORS, REQUESTS, RETRIES, label

from .frame import Board, Panel, Row
from .panels import COUNT, EVERY_ONE, SHARE, TIMES, Column, Series, bars, lines, number, scorecard
from .promql import FILTERS, STEP, counted, counted_or_zero, error_ratio, share
from .terms import (
    BY_MODEL,
    BY_PROVIDER,
    ERROR_TYPE,
    MODEL,
    OTHERS_COLOR,
    OUTCOME_COLORS,
    PROVIDER,
    WITH_A_PROVIDER,
    errors_by_type,
    followed,
    service,
    split,
)

OUTCOME = label(names.OUTCOME)
OBJECTIVE = 'openrouter:threshold{of="error_objective"}'
BURN_STEPS = ((None, "green"), (1, "dark-yellow"), (6, "orange"), (14.4, "red"))
BURN_LINES = ((None, "transparent"), (6, "orange"), (14.4, "red"))


def burn(window: str, worst_of_step: bool = False) -> str:
    """How many times too fast the error budget is used: 1 lasts exactly a month."""
    chosen = f'openrouter:error_ratio:{window}{{{FILTERS["environment"]}=~"$environment"}}'
    if worst_of_step:
        chosen = f"max_over_time({chosen}[$__interval] offset -$__interval)"
    return f"max({chosen}) / on () ({OBJECTIVE} > 0)"


def reliability() -> Board:
    """The board for those who are woken."""
    return Board(
        "reliability",
        "Reliability",
        "Are we inside the error budget, and what fails?",
        [Row("Error budget", _budget()), Row("What fails", _failures())],
    )


def _budget() -> list[Panel]:
    return [
        number(
            "Success",
            "What share of calls did not fail? One minus errors per request, over this range; abandoned and cancelled "
            "calls are no errors.",
            f"1 - {error_ratio()}",
            SHARE,
            width=4,
            steps=((None, "red"), (0.95, "orange"), (0.99, "green")),
        ),
        number(
            "Failed calls",
            "How many calls failed in this range? Each counts once, whatever its retries did.",
            counted_or_zero(ERRORS),
            EVERY_ONE,
            width=4,
        ),
        number(
            "Retries",
            "How often did the client try again inside a call? Retries in this range; a call that succeeds on its "
            "second attempt is no error, but slow.",
            counted_or_zero(RETRIES),
            EVERY_ONE,
            width=4,
        ),
        number(
            "Error budget",
            "How much of the errors that this range may have did it have? Error ratio over the objective in "
            "openrouter-thresholds.rules.yml; above 100 % is too much.",
            f"({error_ratio()}) / on () ({OBJECTIVE} > 0)",
            SHARE,
            width=4,
            steps=((None, "green"), (0.8, "orange"), (1, "red")),
        ),
        number(
            "Burn, last hour",
            "How fast is the error budget used right now? 1 lasts exactly a month, 14.4 alerts at once. The worst "
            "environment, recorded by rules; only the environment filter applies.",
            burn("1h"),
            TIMES,
            width=4,
            steps=BURN_STEPS,
        ),
        number(
            "Burn, six hours",
            "How fast was the error budget used in the last six hours? 1 lasts exactly a month, 6 alerts. The worst "
            "environment, recorded by rules; only the environment filter applies.",
            burn("6h"),
            TIMES,
            width=4,
            steps=BURN_STEPS,
        ),
        lines(
            "Burn rate",
            "When was the error budget used too fast? Error ratio over the objective, by window, the worst moment of "
            "each step and environment; an alert needs the long and the short window of its pair above the line "
            "(14.4: 1h and 5m; 6: 6h and 30m). Only the environment filter applies.",
            [Series(burn(window, worst_of_step=True), window) for window in ("5m", "30m", "1h", "6h")],
            TIMES,
            width=24,
            height=7,
            steps=BURN_LINES,
        ),
    ]


def _failures() -> list[Panel]:
    return [
        bars(
            "Errors by type",
            "What fails, and since when? Failed calls per bar, by OpenRouter's error type, else the HTTP status or the "
            "exception's name; the five most frequent and all others.",
            errors_by_type(),
            COUNT,
            width=12,
            colors=OTHERS_COLOR,
        ),
        bars(
            "Calls that did not end well",
            "Do callers lose patience? Calls per bar that failed, were abandoned by their reader or were cancelled.",
            [Series(counted(REQUESTS, (OUTCOME,), STEP, {names.OUTCOME: f"!{names.OK}"}), "{{outcome}}")],
            COUNT,
            width=12,
            colors=OUTCOME_COLORS,
        ),
        lines(
            "Error ratio by provider",
            "Which upstream provider is in trouble? Errors per call of a step, of the five most called providers; "
            "calls that failed before a provider was chosen have none, and are not in here.",
            followed(error_ratio(BY_PROVIDER, STEP, WITH_A_PROVIDER), REQUESTS, PROVIDER),
            SHARE,
            width=12,
            narrow=PROVIDER,
        ),
        bars(
            "Retries by model",
            "Where does the client try again? Attempts per bar that were repeated inside calls, of the five models "
            "with most and all others.",
            split(RETRIES, MODEL),
            COUNT,
            width=12,
            narrow=MODEL,
            colors=OTHERS_COLOR,
        ),
        scorecard(
            "Errors by model",
            "Which model fails? One row a model over this range: errors, latency of its successful calls, retries. "
            "Click a name for that model in detail.",
            MODEL,
            [
                Column("Errors", counted_or_zero(ERRORS, BY_MODEL), EVERY_ONE),
                Column("Requests", counted(REQUESTS, BY_MODEL), EVERY_ONE),
                *service(BY_MODEL),
                Column("Retries", counted_or_zero(RETRIES, BY_MODEL), EVERY_ONE),
            ],
            height=8,
        ),
        scorecard(
            "Errors by type and model",
            "What exactly fails where? One row a type of error and model over this range.",
            ERROR_TYPE,
            [
                Column("Errors", f"{counted(ERRORS, (ERROR_TYPE, MODEL))} > 0", EVERY_ONE),
                Column("Share", f"({_share_of_errors()}) > 0", SHARE),
            ],
            height=8,
            beside=(MODEL,),
        ),
    ]


def _share_of_errors() -> str:
    return share(counted(ERRORS, (ERROR_TYPE, MODEL)), counted(ERRORS))
