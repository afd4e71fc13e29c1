"""What only single calls tell: sessions, and the errors that came last."""

from __future__ import annotations

from collections.abc import Iterable

from openrouter_otel.reporting.model import RecentError, SessionUsage
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Column, Kind, Name, Section, Table, headed


def sessions(dearest: Iterable[SessionUsage]) -> Section:
    """One row a session, the dearest first."""
    figures = headed("session", "requests", "tokens", "cost USD", "errors", "last call")
    columns = (*figures, Column("users", Kind.LIST, spare=True))
    rows = tuple(
        (
            Name(one.session_id),
            cells.count(one.requests),
            cells.count(one.tokens),
            cells.money_if_known(one.cost),
            cells.count(one.errors),
            cells.moment(one.last),
            tuple(map(Name, one.users)),
        )
        for one in dearest
    )
    return Section(("The dearest sessions",), Table(columns, rows))


def recent_errors(newest: Iterable[RecentError]) -> Section:
    """One row a call, the newest first."""
    columns = (
        Column("when", Kind.NAME),
        Column("type", Kind.NAME),
        Column("model asked for", Kind.NAME, spare=True),
        Column("message", Kind.LIST),
    )
    rows = tuple(
        (
            cells.second(one.time),
            Name(one.type),
            Name(one.model),
            () if one.message is None else (Name(one.message),),
        )
        for one in newest
    )
    return Section(("The last errors",), Table(columns, rows))
