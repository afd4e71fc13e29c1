"""Adds to a journal's sums, by hour and of all time; only within the transaction that changes the rows, too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from openrouter_otel.journal import money
from openrouter_otel.journal.schema import COUNTS, EXTREMES, MONEY, SECONDS

Sums = dict[str, Any]
"""Numbers by column of `schema.COUNTS`, `MONEY` (in pairs, see `money`), `SECONDS` and `EXTREMES`; absent is none."""

_PAIRS: Final = tuple(f"{column}{part}" for column in MONEY for part in ("", "_rest"))
_SUMMED: Final = (*COUNTS, *_PAIRS, *SECONDS, *EXTREMES)


def _merging() -> str:
    added = [f"{column} = {column} + excluded.{column}" for column in (*COUNTS, *SECONDS)]
    for column in MONEY:
        rest = f"({column}_rest + excluded.{column}_rest)"
        added.append(f"{column} = {column} + excluded.{column} + {rest} / {money.PER_UNIT}")
        added.append(f"{column}_rest = {rest} % {money.PER_UNIT}")
    extremes = (("shortest", "min"), ("longest", "max"))
    added += [
        f"{column} = coalesce({pick}({column}, excluded.{column}), {column}, excluded.{column})"
        for column, pick in extremes
    ]
    return ", ".join(added)


def insert(table: str, columns: Sequence[str], rest: str = "") -> str:
    """SQL that inserts a row of these columns."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) {rest}"


_ADD_HOURLY: Final = insert(
    "hourly", ("hour", "series_id", *_SUMMED), f"ON CONFLICT (hour, series_id) DO UPDATE SET {_merging()}"
)
_ADD_TOTALS: Final = insert("totals", ("series_id", *_SUMMED), f"ON CONFLICT (series_id) DO UPDATE SET {_merging()}")


def add(connection: sqlite3.Connection, hourly: Mapping[tuple[int, int], Sums], totals: Mapping[int, Sums]) -> None:
    """Add sums by (hour, series) and by series."""
    connection.executemany(_ADD_HOURLY, ((*key, *_row(sums)) for key, sums in hourly.items()))
    connection.executemany(_ADD_TOTALS, ((series, *_row(sums)) for series, sums in totals.items()))


def _row(sums: Sums) -> Iterable[Any]:
    # Within a batch the rest may have grown beyond a unit.
    carried = dict(sums)
    for column in MONEY:
        units, rest = divmod(sums.get(f"{column}_rest", 0), money.PER_UNIT)
        carried[column], carried[f"{column}_rest"] = sums.get(column, 0) + units, rest
    return [carried.get(column, None if column in EXTREMES else 0) for column in _SUMMED]
