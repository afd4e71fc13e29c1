"""Books a price that was found out later, as the schema says it is done."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from openrouter_otel.journal import money
from openrouter_otel.journal.schema import HOUR_MS


def resolve(connection: sqlite3.Connection, call: int, charged: Decimal, now: int) -> None:
    """The row and its sums."""
    query = "UPDATE calls SET charged = ?, cost = ?, resolved_at = ?, pending = NULL WHERE id = ?"
    connection.execute(query, (f"{charged:f}", f"{charged:f}", now, call))
    series, ended_at = connection.execute("SELECT series_id, ended_at FROM calls WHERE id = ?", (call,)).fetchone()
    units, rest = money.split(charged)
    whole = f"charged + ? + (charged_rest + ?) / {money.PER_UNIT}"
    for table, where in (("hourly", f"hour = {ended_at // HOUR_MS} AND"), ("totals", "")):
        connection.execute(
            f"""UPDATE {table} SET resolved = resolved + 1, charged = {whole},
                charged_rest = (charged_rest + ?) % {money.PER_UNIT} WHERE {where} series_id = ?""",
            (units, rest, rest, series),
        )
