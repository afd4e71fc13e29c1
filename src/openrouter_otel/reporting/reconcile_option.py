"""``--reconcile`` -> OpenRouter's own books of the calls that the report is about."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from openrouter_otel import names, settings
from openrouter_otel.account.asking import Books
from openrouter_otel.account.readings import Booked
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.reconciliation import KEPT, TOLERANCE, TheirBooks


class ReconcileError(ValueError):
    """It cannot be asked for like that; the text is one sentence for the user."""


@dataclass(frozen=True)
class Reconcile:
    """What is asked for; ReconcileError if it makes no sense.

    Attributes:
        tolerance: the share of what OpenRouter has booked that may differ, 0 to 1.
        key_hash: the API key whose books to compare with, by its hash (64 hex digits); None for the whole account's.
    """

    tolerance: Decimal = TOLERANCE
    key_hash: str | None = None

    def __post_init__(self) -> None:
        if not self.tolerance.is_finite() or not 0 <= self.tolerance <= 1:
            raise ReconcileError("--tolerance takes a share between 0% and 100%, such as 2%")
        if self.key_hash is not None and not re.fullmatch("[0-9a-f]{64}", self.key_hash):
            raise ReconcileError("--api-key-hash takes the 64 hex digits that OpenRouter shows as a key's hash")


def add(options: argparse._ActionsContainer) -> None:
    """Declare the options of a parser or of a group of its."""
    option = options.add_argument
    option(
        "--reconcile",
        action="store_true",
        help=f"hold the figures against OpenRouter's own books, by UTC day and model; needs {settings.MANAGEMENT_KEY}",
    )
    option("--tolerance", metavar="SHARE", help="by how much they may differ; beyond it the status is 3; default 2%%")
    option("--api-key-hash", metavar="HASH", help="compare with the books of this API key, not the whole account's")


def reconcile(found: argparse.Namespace, filters: Filters) -> Reconcile | None:
    """What the options say, None without them; ReconcileError if they make no sense."""
    if not found.reconcile:
        for option in ("tolerance", "api_key_hash"):
            if getattr(found, option) is not None:
                raise ReconcileError(f"--{option.replace('_', '-')} is of use with --reconcile only")
        return None
    if found.records:
        raise ReconcileError("--records lists single calls, and OpenRouter's books have days: leave --reconcile out")
    asked = Reconcile(TOLERANCE if found.tolerance is None else _share(found.tolerance), found.api_key_hash)
    check(asked, filters)
    return asked


def check(asked: Reconcile, filters: Filters) -> None:
    """ReconcileError where OpenRouter's books cannot be asked for these calls."""
    if filters.user == names.ANONYMOUS:
        raise ReconcileError("--reconcile: OpenRouter's books cannot be asked for calls without a user")
    if filters.user is not None and filters.provider is not None:
        raise ReconcileError("--reconcile: OpenRouter's books know users or providers, not both: leave one filter out")
    if asked.key_hash is None and (filters.service or filters.environment or filters.label):
        raise ReconcileError(
            "--reconcile: OpenRouter's books know no services, environments and labels; where those calls have an API"
            " key of their own, name it by --api-key-hash"
        )
    if settings.management_key() is None:
        raise ReconcileError(f"--reconcile needs {settings.MANAGEMENT_KEY}: only a management key opens the books")


def their_books(asked: Reconcile, filters: Filters) -> TheirBooks:
    """Ask OpenRouter.

    Raises:
        ReconcileError: the address or the key cannot be one, or these calls cannot be asked for.
        OpenRouterError: the key is refused, or there is no answer.
    """
    check(asked, filters)
    try:
        books = Books(settings.openrouter_api(), None, settings.management_key())
    except ValueError as error:
        raise ReconcileError(str(error)) from None
    lines = books.activity(asked.key_hash)
    last_day = max((line.day for line in lines), default="")
    if filters.user is not None:
        lines = tuple(_of_user(books, filters.user, asked.key_hash, lines))
    return TheirBooks(tuple(_kept(lines, filters)), last_day, asked.key_hash, asked.tolerance)


def _of_user(books: Books, user: str, key_hash: str | None, activity: tuple[Booked, ...]) -> Iterator[Booked]:
    """One end user's lines.

    The analytics know models by their dated names only, and running days too: the activity tells which name is whose,
    and which days are over by OpenRouter's clock.
    """
    usual = {line.permaslug: line.model for line in activity}
    today = datetime.now(timezone.utc).date()
    after = max([today, *(date.fromisoformat(line.day) + timedelta(days=1) for line in activity)])
    first = today - timedelta(days=KEPT)
    for line in books.of_user(user, first.isoformat(), after.isoformat(), key_hash):
        yield replace(line, model=usual.get(line.permaslug, line.model))


def _kept(lines: Iterable[Booked], filters: Filters) -> Iterator[Booked]:
    for line in lines:
        if filters.model in {None, line.model, line.permaslug} and filters.provider in {None, line.provider}:
            yield line


def _share(text: str) -> Decimal:
    try:
        return Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)
    except InvalidOperation:
        raise ReconcileError(f"--tolerance {text!r} is no share; it takes 2% or 0.02") from None
