"""A text that is valid for the request's JSON schema, so that `.parse()` has something to parse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]


def answer(body: Mapping[str, Any]) -> str:
    """JSON for chat's `response_format` or Responses' `text.format`; empty where none was asked for."""
    text = body.get("text")
    wanted = (text.get("format") if isinstance(text, Mapping) else None) or body.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return ""  # for audio, `response_format` is a word
    schema = (wanted.get("json_schema") or wanted).get("schema")
    return json.dumps(example(schema, schema)) if schema else ""


def call(body: Mapping[str, Any]) -> dict[str, str]:
    """A call of the request's first tool: its name and JSON arguments that its schema allows."""
    tools = body.get("tools") or [{"name": "lookup"}]
    function = tools[0].get("function") or tools[0]  # chat nests it, Responses does not
    schema = function.get("parameters") or {"type": "object"}
    return {"name": function["name"], "arguments": json.dumps(example(schema, schema))}


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
