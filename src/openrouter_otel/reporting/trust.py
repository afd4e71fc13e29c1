"""How far the figures can be trusted: one verdict, one plain sentence, and the warnings behind them. Pure.

The worst wins: a gap makes a report incomplete even where every amount is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.period import local
from openrouter_otel.wording import counted

EXACT: Final = "exact"
LOWER_BOUND: Final = "lower_bound"
INCOMPLETE: Final = "incomplete"
UNIQUE: Final = "unique"  # a process label tells processes apart
RESTART: Final = "restart"  # start times do
VALUES: Final = "values"  # nothing does but falling values
MIXED: Final = "mixed"
JOURNAL: Final = "journal"  # every call is a row
RANK: Final = (EXACT, LOWER_BOUND, INCOMPLETE)
LEADS: Final = {
    EXACT: "Exact: every call that was {seen} is counted once, at what it cost",
    LOWER_BOUND: "A lower bound: the true figures are these or more",
    INCOMPLETE: "Incomplete: something was not seen, or not in time",
}


@dataclass(frozen=True)
class Trust:
    """A verdict with its reasons.

    Attributes:
        verdict: ``exact``, ``lower_bound`` or ``incomplete``.
        statement: one sentence for a reader who knows nothing of Prometheus.
        identity: ``unique``, ``restart``, ``values``, ``journal`` or ``mixed``.
        warnings: everything that took something away from exactness, one sentence each.
    """

    verdict: str
    statement: str
    identity: str
    warnings: tuple[str, ...]


def judge(evidence: Evidence, notes: Iterable[str] = ()) -> Trust:
    """Weigh what is known about the evidence; `notes` are further warnings that doubt no figure."""
    doubts = list(_doubts(evidence))
    verdict = max((verdict for verdict, _, _ in doubts), key=RANK.index, default=EXACT)
    reasons = [reason for _, reason, _ in doubts]
    return Trust(
        verdict=verdict,
        statement=_statement(verdict, reasons, evidence),
        identity=evidence.identity
        or _identity(_mode(series, evidence) for book in evidence.books.values() for series in book),
        warnings=(*(warning for _, _, warning in doubts if warning), *evidence.warnings, *evidence.notes, *notes),
    )


def _mode(series: Series, evidence: Evidence) -> str:
    """How its restarts are known."""
    if series.process is not None:
        return UNIQUE
    return RESTART if evidence.restarts.tells(dict(series.labels)) else VALUES


def _identity(modes: Iterable[str]) -> str:
    found = set(modes)
    return found.pop() if len(found) == 1 else MIXED if found else UNIQUE


def _statement(verdict: str, reasons: list[str], evidence: Evidence) -> str:
    if evidence.data_since is None:
        return "No usage: this source has never seen a call of openrouter-otel."
    young = ""
    if not evidence.explicit and evidence.data_since > evidence.period.since:
        young = f"; nothing is known before {_minute(evidence.data_since, evidence)}, so earlier days show as zero"
    because = f", because {' and '.join(reasons)}" if reasons else ""
    seen = "written to the journal" if evidence.identity == JOURNAL else "scraped"
    return f"{LEADS[verdict].format(seen=seen)}{because}{young}."


_Doubt = tuple[str, str, str]  # verdict, reason (for the statement), warning (with the details; "" for none)


def _doubts(evidence: Evidence) -> Iterator[_Doubt]:
    yield from _unknown_past(evidence)
    yield from _unseen(evidence)
    yield from _unlabelled(evidence)
    yield from _uncertain(evidence)
    if evidence.warnings:
        yield INCOMPLETE, "the source itself warned that its answers may be partial", ""


def _unknown_past(evidence: Evidence) -> Iterator[_Doubt]:
    since = evidence.data_since
    if evidence.explicit and (since is None or since > evidence.period.since):
        known = "nothing at all" if since is None else f"nothing before {_minute(since, evidence)}"
        yield INCOMPLETE, f"the source knows {known}", f"the source knows {known}, which is later than asked for"


def _unseen(evidence: Evidence) -> Iterator[_Doubt]:
    seen = evidence.coverage
    if seen.gaps:
        count = counted(len({gap.process for gap in seen.gaps}), "process")
        yield (
            INCOMPLETE,
            f"{count} went unseen for an hour or more",
            f"{count} went unseen for an hour or more: totals include what was counted meanwhile, at a later hour",
        )
    if seen.late:
        count = counted(len(seen.late), "process")
        yield (
            INCOMPLETE,
            f"{count} had been running for more than five minutes before the first scrape",
            f"{count} (first: {seen.late[0]}) had counted calls before a late first scrape:"
            " their totals are right, their time is that of the scrape",
        )
    if seen.lost:
        count = counted(len(seen.lost), "process")
        yield (
            INCOMPLETE,
            f"{count} ended while the source was down",
            f"{count} (first: {seen.lost[0]}) ended while the source scraped nothing:"
            " what was counted after its last scrape is lost",
        )
    if seen.unwritten:
        count = counted(sum(seen.unwritten.values()), "call")
        of = counted(len(seen.unwritten), "process")
        yield (
            INCOMPLETE,
            f"{count} could not be written to the journal",
            f"{count} of {of} (first: {min(seen.unwritten)}) could not be written to the journal and are missing from"
            " every figure",
        )
    if seen.blurred:
        reason = "the period begins or ends within an hour whose calls were pruned"
        yield INCOMPLETE, reason, f"{reason}: only that hour's sums are known, so it counts from its beginning"
    since = evidence.data_since
    if seen.older and since is not None and since > evidence.period.since:
        count = counted(len(seen.older), "process")
        yield (
            INCOMPLETE,
            f"{count} had counted before the source's memory begins",
            f"{count} (first: {seen.older[0]}) had been counting before the source's memory begins:"
            " what was counted by then is booked at the start of the process",
        )


def _unlabelled(evidence: Evidence) -> Iterator[_Doubt]:
    overflow = evidence.books[names.REQUESTS.prometheus].within(evidence.period).by(books.model).get(names.OVERFLOW)
    if overflow:
        calls = counted(int(overflow), "call")
        yield (
            INCOMPLETE,
            f"{calls} lost their labels to a cardinality limit",
            f"{calls} lost their labels to OpenTelemetry's cardinality limit: use openrouter_otel.metrics_reader()",
        )


def _uncertain(evidence: Evidence) -> Iterator[_Doubt]:
    nameless = {series for book in evidence.books.values() for series in book if series.process is None}
    blind = {series for series in nameless if _mode(series, evidence) == VALUES}
    if blind:
        reason = f"{len(blind)} series carry no `process` label, so a restart can hide calls"
        yield LOWER_BOUND, reason, reason
    if nameless - blind:
        reason = f"{len(nameless - blind)} series carry no `process` label and are told apart by start times"
        yield LOWER_BOUND, reason, f"{reason}: right as long as one process at a time answers at a target"
    sank = {series for book in evidence.books.values() for series in book.resets} & (nameless - blind)
    if sank:
        reason = f"{len(sank)} series fell though no restart was seen"
        yield LOWER_BOUND, reason, f"{reason}: each fall was counted as a restart from zero"
    fallen = {
        series.process for book in evidence.books.values() for series in book.resets if series.process is not None
    }
    if fallen:
        count = counted(len(fallen), "process")
        reason = f"counters of {count} fell, which the `process` label should rule out"
        yield LOWER_BOUND, reason, f"{reason} (first: {min(fallen)}): each fall was counted as a restart from zero"
    if any(series.get(names.USER) == names.OTHER for series in evidence.books[names.REQUESTS.prometheus]):
        reason = f"users beyond the cap share {names.OTHER}"
        yield LOWER_BOUND, reason, f"{reason}: their totals by model are right, by user they are not; raise max_users"


def _minute(instant: int, evidence: Evidence) -> str:
    return f"{local(instant, evidence.tz):%Y-%m-%d %H:%M}"
