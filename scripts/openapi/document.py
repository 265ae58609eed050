"""Assembles the document: each route of the application is one operation of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.access.catalogue import ALIASES, PUBLIC
from chalicelib.api.authentication import TOKEN_HEADER, TOKEN_NAME
from chalicelib.api.views import view
from chalicelib.errors import ErrorJSON
from chalicelib.routes import ROUTES
from chalicelib.version import VERSION
from scripts.openapi.operation import JSON, TEXT, Operation
from scripts.openapi.operations import OPERATIONS, UNDECLARED, operation_id, routes, undeclared
from scripts.openapi.parameters import HEADERS, PATH, QUERY, REQUEST_HEADERS, Parameter
from scripts.openapi.responses import is_json, refusals, responses, shapes_of
from scripts.openapi.schemas import key, schemas
from scripts.openapi.tags import TAGS, tag

_SECURITY = {
    "token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The password is the token; the user may be anybody."},
    "cookie": {"type": "apiKey", "in": "cookie", "name": TOKEN_NAME},
}


def document(rights: Mapping[str, str]) -> dict[str, Any]:
    """The document as JSON.

    Args:
        rights: route -> the rights that it needs, of each route that asks for a token; see `scripts.docs.access`.

    Raises:
        LookupError: a route is not declared; the text says where to.
        Shapeless: as `scripts.openapi.schemas.schemas`.
    """
    missing = undeclared()
    if missing:
        raise LookupError(UNDECLARED.format(route=missing[0]))
    declared = [OPERATIONS[f"{method} {path}"] for method, path in routes()]
    bodies = [operation.body.shape for operation in declared if operation.body]
    shapes = [one for operation in declared for shape in operation.answers.values() for one in shapes_of(shape)]
    answers = [shape for shape in shapes if is_json(shape)]
    by_key, definitions = schemas(bodies, [*answers, ErrorJSON])
    paths: dict[str, dict[str, Any]] = {}
    for method, path in routes():
        paths.setdefault(path, {})[method.lower()] = _operation(
            method, path, by_key, _needed(rights, f"{method} {path}")
        )
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": _info(),
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _scoped(definitions),
            "responses": refusals(by_key),
            "headers": {name: _described(header) for name, header in HEADERS.items()},
            "securitySchemes": _SECURITY,
        },
    }


def _info() -> dict[str, Any]:
    return {
        "title": "Gatebook",
        "version": VERSION,
        "summary": "Scoped API tokens at the gate, and the book of who came through it.",
        "description": (
            "The API of the gate and the book. An object that the caller may not see does not exist (404)."
            " Fields may be added to answers; a field that is `required` is always there."
        ),
        "contact": {"name": "Gatebook"},
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def _needed(rights: Mapping[str, str], route: str) -> list[str] | None:
    """The rights that any request of a route needs; None for a route that takes no token."""
    of_route = [text for request, text in rights.items() if request.removesuffix(" (new)") == route]
    return sorted({right for text in of_route for right in text.split()}) if of_route else None


def _about(method: str, path: str) -> str:
    """The docstring of the view of a route."""
    route = next(route for route in ROUTES if (route.method, route.path) == (method, path))
    return " ".join((view(route).__doc__ or "").split())


def _operation(method: str, path: str, by_key: Mapping[str, Any], rights: list[str] | None) -> dict[str, Any]:
    declared = OPERATIONS[f"{method} {path}"]
    about = _about(method, path)
    made: dict[str, Any] = {
        "operationId": operation_id(f"{method} {path}"),
        "summary": about.partition(". ")[0].partition(": ")[0].rstrip("."),
        "description": about + (f" Needs {', '.join(f'`{right}`' for right in rights)}." if rights else ""),
        "tags": [tag(path)],
        "security": [{name: []} for name in _SECURITY] if rights is not None else [],
        "parameters": [*_parameters(path, declared)],
        "responses": responses(method, path, declared, by_key, gated=rights is not None),
    }
    if rights:
        made["x-required-rights"] = rights
    if declared.body:
        content: dict[str, Any] = {JSON: {"schema": by_key[key(declared.body.shape)]}}
        if declared.body.example:
            content[JSON]["example"] = dict(declared.body.example)
        if declared.body.lines:
            content[TEXT] = {"schema": {"type": "string", "description": "Lines, each an event or a line of a log."}}
        made["requestBody"] = {"required": declared.body.required, "content": content}
    return made


def _parameters(path: str, declared: Operation) -> Iterator[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            yield {"name": name, "in": "path", "required": True, **_described(PATH[name])}
    for name in declared.query:
        yield {"name": QUERY[name].name or name, "in": "query", **_described(QUERY[name])}
    for name in declared.headers:
        if name in REQUEST_HEADERS:
            yield {"name": name, "in": "header", **_described(REQUEST_HEADERS[name])}


def _described(parameter: Parameter) -> dict[str, Any]:
    return {"description": parameter.about, "schema": dict(parameter.schema)}


def _scoped(definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions, and the words that a token's scopes are of."""
    scope = {
        "type": "string",
        "description": "What a token may do; `GET /api/v2/auth/scopes?details=true` says what each stands for.",
        "enum": sorted({*PUBLIC, *ALIASES}),
    }
    definitions["CreateToken"]["properties"]["scopes"]["items"] = {"$ref": "#/components/schemas/ScopeName"}
    return dict(sorted({**definitions, "ScopeName": scope}.items()))
