"""From what a subject told about a row to the words of a table's cell: nothing but its faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.scenarios import COST, TOKENS, Row

_NEVER: Final = {"never": "**leak**", "at exit": "open until exit"}
NO_COST: Final = "no cost"


def faults(row: Row, told: Mapping[str, Any]) -> list[str]:
    """What is wrong; empty where all is right."""
    return [*_application(told["bare"], told["seen"]), *_telemetry(row, told)]


def _application(bare: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[str]:
    """What the program notices of being instrumented."""
    if seen["value"] != bare["value"]:
        yield "**reads ahead**" if "read ahead: True" in str(seen["value"]) else "**app breaks**"
    if [_family(kind) for kind in seen["kinds"]] != [_family(kind) for kind in bare["kinds"]]:
        yield "**not a Stream**"
    elif seen["kinds"] != bare["kinds"]:
        yield "type"
    if seen["warned"] != bare["warned"]:
        yield "warns"


def _family(kind: str) -> str:
    return kind.partition("/")[2]


def _telemetry(row: Row, told: Mapping[str, Any]) -> Iterator[str]:
    spans = told["spans"]
    if len(spans) != 1:
        yield f"**{len(spans)} spans**" if spans else "**no span**"
        if not spans:
            return
    for ended in sorted({span["ended"] for span in spans} & set(_NEVER)):
        yield _NEVER[ended]
    if all(span["ended"] == "never" for span in spans):
        return
    yield from _tokens(row, tuple(spans[0]["tokens"]))
    yield from _cost(row, [*told["money"].values(), *(cost for span in spans for cost in span["costs"])])
    error = any(span["error"] for span in spans)
    if row.error is not None and row.error != error:
        yield "**error missed**" if row.error else "called an error"


def _tokens(row: Row, tokens: tuple[object, ...]) -> Iterator[str]:
    known = any(count not in {None, 0} for count in tokens)
    if row.told and tokens[: _counted(row)] != TOKENS[: _counted(row)]:
        yield "**wrong tokens**" if known else "no tokens"
    elif not row.told and known:
        yield "**invents tokens**"


def _counted(row: Row) -> int:
    return 1 if row.path == "/embeddings" else 2  # which answers with nothing but vectors


def _cost(row: Row, costs: list[float]) -> Iterator[str]:
    known = [cost for cost in costs if cost]
    if row.told and not any(abs(cost - COST) < 1e-9 for cost in known):
        yield "another cost" if known else NO_COST
    elif not row.told and known:
        yield "**invents cost**"
