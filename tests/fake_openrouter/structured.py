"""A text that is valid for the request's JSON schema, so that `.parse()` has something to parse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]


def answer(body: Mapping[str, Any]) -> str:
    """JSON for `response_format`; empty where none was asked for."""
    wanted = body.get("response_format") or {}
    schema = (wanted.get("json_schema") or {}).get("schema") if wanted.get("type") == "json_schema" else None
    return json.dumps(example(schema, schema)) if schema else ""


def arguments(tool: Mapping[str, Any]) -> str:
    """JSON for the call of one of the request's tools."""
    schema = (tool.get("function") or {}).get("parameters") or {"type": "object"}
    return json.dumps(example(schema, schema))


def example(schema: Schema, root: Schema) -> Any:
    """The smallest instance of a schema."""
    if "$ref" in schema:
        return example(_resolve(str(schema["$ref"]), root), root)
    if "enum" in schema or "const" in schema:
        return schema.get("const", next(iter(schema.get("enum") or [None])))
    if "anyOf" in schema:
        return example(schema["anyOf"][0], root)
    return _EXAMPLES[schema.get("type", "object")](schema, root)


def _resolve(reference: str, root: Schema) -> Schema:
    node: Any = root
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node if isinstance(node, Mapping) else {}


def _object(schema: Schema, root: Schema) -> dict[str, Any]:
    return {name: example(inner, root) for name, inner in (schema.get("properties") or {}).items()}


_EXAMPLES: Final[Mapping[str, Callable[[Schema, Schema], Any]]] = {
    "object": _object,
    "array": lambda schema, root: [example(schema["items"], root)] if schema.get("items") else [],
    "string": lambda schema, root: "text",
    "integer": lambda schema, root: 1,
    "number": lambda schema, root: 1.5,
    "boolean": lambda schema, root: True,
    "null": lambda schema, root: None,
}
