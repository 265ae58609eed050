"""The largest inputs that the document allows: every field of a body and every parameter of a query at its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.contract import answers

LETTER = "é"
"""It takes six bytes where Lambda sends it."""
UNBOUNDED_TEXT, UNBOUNDED_LIST = 20_000, 100
_DEEPEST = 6
_JSON = "application/json"


def body_of(method: str, path: str, asked: Any) -> Any:
    """A body with all that a route takes: the fields of `asked` as they are, and every other at its limit."""
    content = _operation(method, path).get("requestBody", {}).get("content", {})
    if _JSON not in content or not isinstance(asked, dict):
        return asked
    made = largest(content[_JSON]["schema"])
    if not isinstance(made, dict):
        return asked
    # An organization that is made the default one cannot be deleted any more.
    return {name: value for name, value in {**made, **asked}.items() if name != "is_default"}


def query_of(method: str, path: str, asked: Mapping[str, str]) -> dict[str, str]:
    """A query that asks for as many rows as there may be, and for all that belongs to them."""
    known = {one["name"] for one in _operation(method, path)["parameters"] if one["in"] == "query"}
    more = {"limit": "5000", "count": "true", "include_all": "true", "details": "true"}
    return {**{name: value for name, value in more.items() if name in known}, **asked}


def long_query_of(method: str, path: str) -> dict[str, str]:
    """A query whose parameters are all long texts, as many as the line of a request holds."""
    names = [one["name"] for one in _operation(method, path)["parameters"] if one["in"] == "query"]
    return {name: LETTER * (1_200 // len(names)) for name in names}


def largest(schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of a schema that is as large as it may be; where there is no limit, larger than anybody needs."""
    if "$ref" in schema:
        return largest(answers.document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth)
    if depth == _DEEPEST:
        return None
    if variants := schema.get("anyOf", schema.get("oneOf")):
        return max((largest(one, depth + 1) for one in variants), key=lambda value: len(str(value)))
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[-1])
    of_type = _OF_TYPE.get(str(schema.get("type")))
    return of_type(schema, depth) if of_type else None


def _largest_object(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    made = {name: largest(inner, depth + 1) for name, inner in schema.get("properties", {}).items()}
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and values:
        value = largest(values, depth + 1)
        made |= {f"{number}{LETTER * 50}": value for number in range(schema.get("maxProperties", UNBOUNDED_LIST))}
    return made


def _largest_list(schema: Mapping[str, Any], depth: int) -> list[Any]:
    return [largest(schema.get("items", {}), depth + 1)] * schema.get("maxItems", UNBOUNDED_LIST)


def _largest_number(schema: Mapping[str, Any], _depth: int) -> Any:
    return schema.get("maximum", schema.get("exclusiveMaximum", 2**63) - 1)


def _largest_text(schema: Mapping[str, Any], _depth: int) -> str:
    if schema.get("format") == "date-time":
        return "2025-07-10T10:14:38.942776123+00:00"
    return LETTER * int(schema.get("maxLength", UNBOUNDED_TEXT))


_OF_TYPE: Mapping[str, Callable[[Mapping[str, Any], int], Any]] = {
    "object": _largest_object,
    "array": _largest_list,
    "string": _largest_text,
    "integer": _largest_number,
    "number": _largest_number,
    "boolean": lambda _schema, _depth: True,
}


def _operation(method: str, path: str) -> dict[str, Any]:
    made: dict[str, Any] = answers.document()["paths"][path][method.lower()]
    return made
