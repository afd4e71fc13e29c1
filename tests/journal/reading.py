"""A journal as any SQLite client sees it, its sums held against its rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from openrouter_otel.journal import money
from openrouter_otel.journal.schema import COUNTS, MONEY


def ask(path: Path, query: str) -> list[dict[str, Any]]:
    """Rows by column."""
    with closing(sqlite3.connect(path, timeout=20)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def records(path: Path) -> list[dict[str, Any]]:
    """The rows, in the order of their writing."""
    return ask(path, "SELECT * FROM records ORDER BY id")


def spent(path: Path) -> Decimal:
    """The money of all rows."""
    return sum((Decimal(row["cost"]) for row in records(path) if row["cost"] is not None), Decimal(0))


def sums(path: Path, table: str) -> dict[str, Decimal | int]:
    """The sums of a table, over all series and hours."""
    columns = ", ".join([f"coalesce(sum({column}), 0) AS {column}" for column in COUNTS])
    [found] = ask(path, f"SELECT {columns} FROM {table}")
    for column in MONEY:
        [parts] = ask(path, f"SELECT {money.summing(column)} FROM {table}")
        found[column] = money.joined(*parts.values())
    return found


def assert_sums_are_those_of_the_rows(path: Path) -> None:
    """Hour by hour and over all time."""
    rows = records(path)
    for table in ("hourly", "totals"):
        found = sums(path, table)
        assert found["requests"] == len(rows)
        assert found["timed"] == sum(row["duration"] is not None for row in rows)
        assert found["input_tokens"] == sum(row["prompt_tokens"] or 0 for row in rows)
        assert found["output_tokens"] == sum(row["completion_tokens"] or 0 for row in rows)
        assert sum(found[column] for column in MONEY) == spent(path)


def by(path: Path, column: str) -> dict[object, int]:
    """How many rows have each value of a column."""
    found = ask(path, f"SELECT {column} AS key, count(*) AS number FROM records GROUP BY 1")
    return {row["key"]: row["number"] for row in found}
