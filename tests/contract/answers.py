"""Holds answers against the document: the status is declared, and the body is of the shape that is declared for it.

The client of `tests/api/conftest.py` has every answer checked. Here shapes are closed: a field that the document does
not declare is a mistake of the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from chalicelib.api.specification import DOCUMENT


class Undocumented(AssertionError):
    """An answer is not what the document says."""


def check(method: str, path: str, answer: Mapping[str, Any]) -> None:
    """Make sure that the answer to a request of a route is one that the document declares.

    Args:
        method: of the request.
        path: as the route has it; a path that is no route is answered with errors alone.
        answer: as Lambda sends it.
    """
    asked = "GET" if method == "HEAD" else method
    # The names of methods are in capitals: `get` is another one, which no route takes.
    operation = document()["paths"].get(path, {}).get(asked.lower()) if asked.isupper() else None
    status = str(answer["statusCode"])
    if method == "HEAD" and status == "405":
        return  # The document is of GET, and this is one that HEAD is refused for.
    if operation is None:
        _check_schema(f"{method} {path} {status}", "#/components/schemas/Error", answer["body"])
        return
    where = f"{method} {path} {status}"
    declared = operation["responses"].get(status)
    if declared is None:
        raise Undocumented(f"{where}: the status is not in the document; see scripts/openapi. {answer['body'][:300]}")
    if "$ref" in declared:
        declared = document()["components"]["responses"][status]
    if method == "HEAD":
        return
    content = declared.get("content")
    if content is None:
        if answer["body"]:
            raise Undocumented(f"{where}: the document declares no body. {answer['body'][:300]}")
        return
    media_type = answer["headers"].get("Content-Type", "").partition(";")[0]
    if "*/*" not in content and media_type not in content:
        raise Undocumented(f"{where}: {media_type} is not in the document")
    schema = content.get(media_type, content.get("*/*"))["schema"]
    if media_type == "application/json":
        _check_schema(where, json.dumps(schema), answer["body"])


@cache
def document() -> dict[str, Any]:
    """The document that the service answers."""
    made: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return made


def closed(schema: Any) -> Any:
    """A schema by which an object has no field but those that it declares."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(inner) for name, inner in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    wanted = {"$ref": schema} if schema.startswith("#") else json.loads(schema)
    whole = {**closed(wanted), "components": {"schemas": closed(document()["components"]["schemas"])}}
    return jsonschema_rs.validator_for(whole)


def _check_schema(where: str, schema: str, body: str) -> None:
    for error in _validator(schema).iter_errors(json.loads(body)):
        place = "/".join(map(str, error.instance_path))
        raise Undocumented(f"{where}: {place}: {error.message[:500]}")
