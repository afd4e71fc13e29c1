"""Our ledger and OpenRouter's own books -> how they differ, and why. Pure.

Both are added up by UTC day and model, for whole days that both know: OpenRouter's books have the last 30 that are
over. A call is ours on the day it ended and OpenRouter's on the day it began, and a scrape may come after midnight; so
single days may differ where their sum does not, and the difference is explained by model over all days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from openrouter_otel import names
from openrouter_otel.account.readings import Booked
from openrouter_otel.reporting import books
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import ratio, rounded
from openrouter_otel.reporting.period import UTC, Interval, days, iso, local, midnight
from openrouter_otel.reporting.reconciled import Compared, ComparedDay, Explanation, Reconciliation
from openrouter_otel.reporting.tally import Tally
from openrouter_otel.wording import counted

KEPT: Final = 30  # days that OpenRouter's books go back
TOLERANCE: Final = Decimal("0.02")

OUTSIDE, UNPRICED, ESTIMATED, BYOK = "outside", "unpriced", "estimated", "byok"
NOT_BOOKED, UNEXPLAINED = "not_booked", "unexplained"
TEXTS: Final = {
    OUTSIDE: "charged for calls that no instrumented program made, or that were not seen",
    UNPRICED: "charged for calls that were counted, but whose price was not told",
    ESTIMATED: "charged for calls whose price is estimated here, less that estimate",
    BYOK: "providers' own bills (BYOK): booked less counted",
    NOT_BOOKED: "counted for calls that are not in these books",
    UNEXPLAINED: "a difference between the same calls: ended after midnight, or priced otherwise",
}
# What of our ledger is needed: a metric, and the labels of what is meant of it.
COLUMNS: Final[Mapping[str, tuple[names.Metric, Mapping[str, str]]]] = {
    "requests": (names.REQUESTS, {}),
    "failed": (names.REQUESTS, {names.COST_SOURCE: names.FREE_FAILURE}),
    "unknown": (names.REQUESTS, {names.COST_SOURCE: names.UNPRICED}),
    "guessed": (names.REQUESTS, {names.COST_SOURCE: names.ESTIMATED}),
    "resolved": (names.RESOLVED, {}),
    "reported": (names.COST, {names.PAYEE: names.OPENROUTER, names.COST_SOURCE: names.REPORTED}),
    "estimated": (names.COST, {names.PAYEE: names.OPENROUTER, names.COST_SOURCE: names.ESTIMATED}),
    "bills": (names.COST, {names.PAYEE: names.PROVIDER}),
}

Place = tuple[str, str]  # UTC day and model
K = TypeVar("K", str, Place)
Part = tuple[str, Decimal, "int | None"]  # kind, USD, calls


@dataclass(frozen=True)
class TheirBooks:
    """OpenRouter's side.

    Attributes:
        lines: what it has booked, already for the calls that the report is about.
        last_day: the last day it has anything of, whatever it is about; such as ``2026-11-24``.
        key_hash: the key they are about; None for all of the account's.
        tolerance: the share of what is booked that may differ.
    """

    lines: tuple[Booked, ...]
    last_day: str = ""
    key_hash: str | None = None
    tolerance: Decimal = TOLERANCE


@dataclass(frozen=True)
class _Sums:
    """What both sides have of a model, on a day or in all."""

    priced: int = 0
    unpriced: int = 0
    guessed: int = 0
    reported: Decimal = ZERO
    estimated: Decimal = ZERO
    bills: Decimal = ZERO
    booked: int = 0
    charged: Decimal = ZERO
    byok: Decimal = ZERO

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(**{name: mine + getattr(other, name) for name, mine in vars(self).items()})

    def compared(self) -> Compared:
        ours, theirs = self.reported + self.estimated + self.bills, self.charged + self.byok
        return Compared(
            counted_requests=self.priced + self.unpriced,
            booked_requests=self.booked,
            counted_cost=rounded(ours),
            booked_cost=rounded(theirs),
            difference=rounded(theirs - ours),
        )


_NOTHING: Final = _Sums()


def reconciliation(tally: Tally, theirs: TheirBooks) -> Reconciliation:
    """Everything; the evidence's edges must hold each midnight of UTC in its period."""
    whole = compared_days(tally.evidence, theirs.last_day)
    sums = _sums(tally, theirs.lines, whole)
    by_model: dict[str, _Sums] = defaultdict(_Sums)
    for (_, model), one in sums.items():
        by_model[model] += one
    total = sum(by_model.values(), _Sums()).compared()
    share = ratio(total.difference, total.booked_cost)
    within = abs(total.difference) <= theirs.tolerance * total.booked_cost if whole else None
    return Reconciliation(
        first_day=whole[0].isoformat() if whole else None,
        last_day=whole[-1].isoformat() if whole else None,
        api_key_hash=theirs.key_hash,
        tolerance=theirs.tolerance,
        within_tolerance=within,
        statement=_statement(total, share, theirs.tolerance, whole),
        total=total,
        difference_share=share,
        explanations=tuple(_explanations(by_model.values())),
        by_model=_ranked({model: one.compared() for model, one in by_model.items()}),
        by_day=tuple(
            ComparedDay(**vars(one), date=day, model=model)
            for (day, model), one in _ranked({place: one.compared() for place, one in sums.items()}).items()
        ),
        notes=tuple(_notes(tally.evidence, by_model.values(), whole)),
    )


def compared_days(evidence: Evidence, last_booked: str) -> list[date]:
    """The whole UTC days of the period that are over, that the source knows of, and that may be in OpenRouter's books.

    What OpenRouter has booked is over by its clock, whatever the source's says.
    """
    period, now = evidence.period, evidence.now
    if evidence.data_since is not None:
        period = Interval(max(period.since, midnight(local(evidence.data_since, UTC).date(), UTC)), period.until)
    today = local(now - 1, UTC).date()

    def comparable(day: date) -> bool:
        begins, ends = midnight(day, UTC), midnight(day + timedelta(days=1), UTC)
        is_over = ends <= now or day.isoformat() <= last_booked
        is_whole = period.since <= begins and min(ends, now) <= period.until
        return is_whole and is_over and day >= today - timedelta(days=KEPT)

    return [day for day in days(period, UTC) if comparable(day)]


def _sums(tally: Tally, lines: Iterable[Booked], whole: list[date]) -> dict[Place, _Sums]:
    if not whole:
        return {}
    known = {day.isoformat() for day in whole}
    dated = {line.permaslug: line.model for line in lines}
    found: dict[Place, _Sums] = defaultdict(_Sums)
    for line in lines:
        if line.day in known:
            found[line.day, line.model] += _Sums(booked=line.requests, charged=line.charged, byok=line.byok)
    ours = _counted(tally, Interval(midnight(whole[0], UTC), _end(tally.evidence, whole[-1])), dated)
    for place in {place for column in ours.values() for place in column}:
        amounts = {name: column.get(place, ZERO) for name, column in ours.items()}
        unpriced = max(amounts["unknown"] - amounts["resolved"], ZERO)
        found[place] += _Sums(
            priced=int(amounts["requests"] - amounts["failed"] - unpriced),
            unpriced=int(unpriced),
            guessed=int(amounts["guessed"]),
            reported=amounts["reported"],
            estimated=amounts["estimated"],
            bills=amounts["bills"],
        )
    return {place: one for place, one in found.items() if one != _NOTHING}  # of a model that only failed there is none


def _end(evidence: Evidence, last: date) -> int:
    return min(midnight(last + timedelta(days=1), UTC), evidence.now)


def _counted(tally: Tally, interval: Interval, dated: Mapping[str, str]) -> dict[str, dict[Place, Decimal]]:
    """Our amounts by column, day and model; a model goes by the name that OpenRouter's books have for it."""
    columns: dict[str, dict[Place, Decimal]] = {name: defaultdict(Decimal) for name in COLUMNS}
    for name, (metric, labels) in COLUMNS.items():
        for day, totals in tally.book(metric).by_day(interval, UTC).items():
            for model, amount in totals.of(**labels).by(books.model).items():
                columns[name][day.isoformat(), dated.get(model, model)] += amount
    return columns


def _explanations(models: Iterable[_Sums]) -> Iterator[Explanation]:
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    calls: dict[str, int | None] = {}
    for one in models:
        for kind, amount, requests in _parts(one):
            amounts[kind] += amount
            calls[kind] = None if requests is None else (calls.get(kind) or 0) + requests
    for kind in sorted(amounts, key=lambda kind: -abs(amounts[kind])):
        if amounts[kind] or calls[kind]:
            yield Explanation(kind, rounded(amounts[kind]), calls[kind], TEXTS[kind])


def _parts(one: _Sums) -> Iterator[Part]:
    """What the difference of one model is made of, exactly; calls of two kinds share an amount by their number."""
    told = one.charged - one.reported  # what OpenRouter charged and has not told us with an answer
    outside, unpriced = _outside(one), _unpriced(one)
    if one.guessed or one.estimated:
        settled = min(max(told, ZERO), one.estimated) if outside or unpriced else told
        yield ESTIMATED, settled - one.estimated, one.guessed
        told -= settled
    if told >= 0 and (outside or unpriced):
        share = rounded(told * outside / (outside + unpriced)) if unpriced else told
        yield OUTSIDE, share, outside
        yield UNPRICED, told - share, unpriced
    elif told < 0 and one.priced > one.booked:
        yield NOT_BOOKED, told, one.priced - one.booked
    elif told:
        yield UNEXPLAINED, told, None
    if one.byok != one.bills:
        yield BYOK, one.byok - one.bills, None


def _outside(one: _Sums) -> int:
    return max(one.booked - one.priced - one.unpriced, 0)


def _unpriced(one: _Sums) -> int:
    """Those of unknown price that are in OpenRouter's books; a call that never arrived is not."""
    return min(one.unpriced, max(one.booked - one.priced, 0))


def _statement(total: Compared, share: Decimal | None, tolerance: Decimal, whole: list[date]) -> str:
    if not whole:
        return "Nothing to compare yet: OpenRouter's books have whole UTC days that are over, and this period has none."
    ours, theirs = f"${total.counted_cost:,.6f}", f"${total.booked_cost:,.6f}"
    calls = counted(total.booked_requests, "call")
    lead = f"OpenRouter booked {theirs} for {calls} on {counted(len(whole), 'day')}; counted here"
    if not total.difference:
        return f"{lead} is the same."
    amount = f"${abs(total.difference):,.6f}"
    by = "" if share is None else f" ({abs(share):.2%})"
    less = "less" if total.difference > 0 else "more"
    verdict = "within" if abs(total.difference) <= tolerance * total.booked_cost else "beyond"
    return f"{lead} is {ours}, {amount}{by} {less}: {verdict} the tolerance of {_percent(tolerance)}."


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _notes(evidence: Evidence, models: Iterable[_Sums], whole: list[date]) -> Iterator[str]:
    since, asked = evidence.data_since, evidence.period.since
    if since is not None and since > asked:
        yield f"The source knows nothing before {iso(since // 1000 * 1000, UTC)}: earlier days are not compared."
    if whole and any(_outside(one) and _unpriced(one) for one in models):
        yield (
            "Where a model had both calls from outside and calls of unknown price, what was charged for them is"
            " divided by their number."
        )


def _ranked(compared: Mapping[K, Compared]) -> dict[K, Compared]:
    return dict(sorted(compared.items(), key=lambda item: (-abs(item[1].difference), item[0])))
