"""`report.schema.json` says what the JSON is, key by key, and cannot drift from the model or from what is written."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from full_report import full_report
from known_usage import Usage
from openrouter_otel.reporting import model
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import RENDERERS
from openrouter_otel.reporting.render.json import OTHER_FORMATS
from openrouter_otel.reporting.render.paper import Paper

SCHEMA = json.loads((files("openrouter_otel") / "report.schema.json").read_text("utf-8"))
SIMPLE = {int: "integer", float: "number", Decimal: "number", str: "string", bool: "boolean", types.NoneType: "null"}
# Where the JSON is not as the model has it: rows in a list, and objects whose keys are known.
RESHAPED = {
    "daily_trend",
    "weekly_trend",
    "monthly_trend",
    "top_users",
    "source",
    "filters",
    "summary",
    "gaps",
    "period",
}


def closed(schema: Any) -> Any:
    """The same without room for keys it does not describe: readers must bear new keys, our tests must not."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {key: closed(one) for key, one in schema.items()}
    return {**tight, "additionalProperties": False} if isinstance(schema.get("required"), list) else tight


STRICT = Draft202012Validator(closed(SCHEMA), format_checker=FormatChecker())


def made(report: Report) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(RENDERERS["json"](report, Paper()))
    return shape


def some_usage() -> Usage:
    usage = Usage()
    usage.call("0.5")
    return usage


REPORTS = {
    "everything": full_report(),
    "some usage": some_usage().report(),
    "no usage at all": Usage(other={"data_since": None}).report(),
    "filtered": some_usage().report(Wanted(filters=Filters(user="alice", label={"tag.team": "search"}))),
}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("which", REPORTS)
def test_a_report_is_valid_and_has_no_key_that_is_not_described(which: str) -> None:
    assert [error.message for error in STRICT.iter_errors(made(REPORTS[which]))] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("verdict",), "perhaps"),
        (("summary", "period", "total_cost"), "0.5"),
        (("summary", "period", "total_requests"), 1.5),
        (("summary", "period", "unheard_of"), 1),
        (("errors", "error_rate"), None),
        (("period", "since"), 1_795_435_200),
    ],
)
def test_what_is_no_report_is_refused(path: tuple[str, ...], wrong: object) -> None:
    report = made(full_report())
    place: Any = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    assert list(STRICT.iter_errors(report))


def described(schema: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a value, with where it is."""
    if isinstance(schema, dict):
        if {"type", "$ref", "anyOf"} & set(schema):
            yield path, schema
        for key, one in schema.items():
            yield from described(one, f"{path}.{key}")


def test_every_key_has_a_description_and_every_number_a_unit() -> None:
    silent = [path for path, one in described(SCHEMA) if is_key(path) and "description" not in one]
    assert [path for path in silent if "$ref" not in lookup(path)] == []
    bare = [path for path, one in described(SCHEMA) if {"integer", "number"} & types_of(one) and "unit" not in one]
    assert bare == []


def is_key(path: str) -> bool:
    return path.split(".")[-2:-1] == ["properties"]


def lookup(path: str) -> dict[str, Any]:
    place: Any = SCHEMA
    for step in path.split(".")[1:]:
        place = place[step]
    assert isinstance(place, dict)
    return place


def types_of(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def expected(hint: Any) -> Any:
    """What the schema must say of a value of this Python type."""
    if hint in SIMPLE:
        return {"type": {SIMPLE[hint]}}
    if is_dataclass(hint):
        return {"$ref": f"#/$defs/{typing.cast(type, hint).__name__}"}
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        shapes = [expected(part) for part in parts]
        if all(set(shape) == {"type"} for shape in shapes):
            return {"type": set().union(*(shape["type"] for shape in shapes))}
        return {"anyOf": shapes}
    if origin is Mapping:
        return {"type": {"object"}, "additionalProperties": expected(parts[1])}
    assert origin is tuple, hint
    return {"type": {"array"}, "items": expected(parts[0])}


def bones(schema: Mapping[str, Any]) -> Any:
    """What a schema says about types, without the words."""
    found: dict[str, Any] = {key: schema[key] for key in ("$ref",) if key in schema}
    if "type" in schema:
        found["type"] = types_of(schema)
    found |= {key: bones(schema[key]) for key in ("items", "additionalProperties") if key in schema}
    if "anyOf" in schema:
        found["anyOf"] = [bones(one) for one in schema["anyOf"]]
    return found


def within(hint: Any) -> Iterator[type]:
    """The dataclasses that a type is made of, itself included."""
    if is_dataclass(hint):
        yield typing.cast(type, hint)
        for part in typing.get_type_hints(hint).values():
            yield from within(part)
    for part in typing.get_args(hint):
        yield from within(part)


# Not those that the JSON has no room for, nor what it writes as a day, week or month.
MODEL = {kind.__name__: kind for kind in within(Report) if kind not in (model.Usage, model.Row)}


@pytest.mark.parametrize("name", MODEL)
def test_the_schema_has_the_models_fields_in_their_order_and_types(name: str) -> None:
    schema = SCHEMA if name == "Report" else SCHEMA["$defs"][name]
    hints = typing.get_type_hints(MODEL[name])
    keys = [field.name for field in fields(MODEL[name]) if name != "Report" or field.name not in OTHER_FORMATS]
    assert list(schema["properties"]) == schema["required"] == keys
    alike = [key for key in keys if key not in RESHAPED]
    assert {key: bones(schema["properties"][key]) for key in alike} == {key: expected(hints[key]) for key in alike}
