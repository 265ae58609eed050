"""Assembles the document: each route of the application is one operation of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app import app
from chalicelib.access.catalogue import ALIASES, PUBLIC
from chalicelib.api.authentication import EXPIRY_HEADER, TOKEN_HEADER, TOKEN_NAME
from chalicelib.api.views import view
from chalicelib.errors import ErrorJSON
from chalicelib.routes import ROUTES
from chalicelib.version import VERSION
from scripts.openapi import (
    directory_operations,
    log_operations,
    notification_operations,
    platform_operations,
    service_operations,
    workspace_operations,
)
from scripts.openapi.operation import JSON, NOTHING, TEXT, Operation, Text
from scripts.openapi.parameters import HEADERS, PATH, QUERY, REQUEST_HEADERS, Parameter
from scripts.openapi.schemas import key, schemas

OPERATIONS: Mapping[str, Operation] = {
    **service_operations.OPERATIONS,
    **directory_operations.OPERATIONS,
    **log_operations.OPERATIONS,
    **platform_operations.OPERATIONS,
    **notification_operations.OPERATIONS,
    **workspace_operations.OPERATIONS,
}
"""Method and path of each route -> what it takes and answers."""

UNDECLARED = """{route} is not in the OpenAPI document.
Add to OPERATIONS in scripts/openapi/{{log,directory,platform,notification,workspace,service}}_operations.py:

    "{route}": Operation({{200: <Shape>JSON}}, body=Body(<Model>), query=("limit",)),

<Shape>JSON is a TypedDict of chalicelib/models (TypedDict from typing_extensions) with every field of the answer, those
that are not always there as NotRequired. Parameters have their names in scripts/openapi/parameters.py.
Then: python -m scripts.docs.reference"""

_STATUSES = {
    200: "It is done, or here is what was asked for.",
    201: "It is made.",
    202: "It is in the queue and not yet stored.",
    204: "It is done; there is nothing to say.",
    303: "It is somewhere else.",
    304: "It is so already.",
    400: "The request cannot be understood, or values in it are wrong.",
    401: "There is no token, or it opens nothing.",
    403: "The caller may not do this.",
    404: "There is nothing, or nothing that the caller may see.",
    409: "A value that must be unique is in use, or the same is under way.",
    410: "It is gone.",
    413: "The request has more bytes than one may have.",
    415: "The body is compressed in a way that is not known.",
    422: "The key of a retry came with another request.",
    429: "There are more requests than are let through; send it again after `Retry-After`.",
    500: "The fault is the service's, or its deployment's.",
    501: "The platform does this, and Gatebook mirrors it.",
    502: "The function failed.",
    503: "The store did not answer. Send the request again, after `Retry-After`.",
    504: "It took too long; it may have been carried out or not.",
}
_FIRST_ERROR = 400
_OF_THE_GATEWAY = (400, 429, 500, 502, 503, 504)
_OF_TOKENS = (401, 403)
_OF_BODIES = (413, 415)
_HEADERS_OF = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
_DONE = (200, 201)
_EVERYWHERE = ("X-Coder-Build-Version",)
_SECURITY = {
    "token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The password is the token; the user may be anybody."},
    "cookie": {"type": "apiKey", "in": "cookie", "name": TOKEN_NAME},
}
_TAGS = {
    "users": "Users, their roles and their organizations.",
    "organizations": "Organizations and their members.",
    "tokens": "Tokens: minted, narrowed, rotated and ended.",
    "connectionlog": "The connection log: events in, rows out.",
    "platform": "What the platform mirrors in, and what is answered from it.",
    "notifications": "Notifications, and the inbox of each user.",
    "secrets": "Secrets of users, for their workspaces.",
    "collectors": "Events of both logs by the protocols of collectors: Splunk's HEC, and OTLP.",
    "audit": "The audit log: events in, rows out.",
    "retention": "Retention: policy, runs and legal holds.",
    "page": "The auditors' page and its session.",
    "service": "What the service says of itself, and what a caller may do.",
}
_PLATFORM = frozenset(
    {
        "directory",
        "entitlements",
        "external-auth",
        "init-script",
        "licenses",
        "prebuilds",
        "provisionerdaemons",
        "provisionerjobs",
        "templates",
        "templateversions",
        "usage",
        "workspace",
        "workspaceagents",
        "workspacebuilds",
        "workspaces",
    }
)
_TAG_OF = {"ui": "page", "services": "collectors", "v1": "collectors", "cli-auth": "page", "": "page", "keys": "tokens"}


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of each route, in the order of the paths."""
    for path, methods in sorted(app.routes.items()):
        for method in sorted(methods):
            yield method, path


def undeclared() -> list[str]:
    """The routes that no operation is declared for."""
    return [route for method, path in routes() if (route := f"{method} {path}") not in OPERATIONS]


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
    shapes = [one for operation in declared for shape in operation.answers.values() for one in _shapes(shape)]
    answers = [shape for shape in shapes if _is_json(shape)]
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
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _scoped(definitions),
            "responses": {
                str(status): _response(status, ErrorJSON, (), by_key) for status in _STATUSES if status >= _FIRST_ERROR
            },
            "headers": {name: _header(header) for name, header in HEADERS.items()},
            "securitySchemes": _SECURITY,
        },
    }


def operation_id(route: str) -> str:
    """The name of an operation, made of its method and path alone: what the code calls it may change."""
    return "_".join(re.findall(r"[a-z0-9]+", route.lower().replace("/api/v2", "")))


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
        "tags": [_tag(path)],
        "security": [{name: []} for name in _SECURITY] if rights is not None else [],
        "parameters": [*_parameters(path, declared)],
        "responses": _responses(method, path, declared, by_key, gated=rights is not None),
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


def _tag(path: str) -> str:
    parts = path.strip("/").split("/")
    names = parts[2:] if parts[:2] == ["api", "v2"] else parts
    if "keys" in names:
        return "tokens"
    if "notifications" in names:
        return "notifications"
    if "secrets" in names:
        return "secrets"
    if _PLATFORM & {*names}:
        return "platform"
    name = _TAG_OF.get(names[0], names[0])
    return name if name in _TAGS else "service"


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


def _responses(
    method: str, path: str, declared: Operation, by_key: Mapping[str, Any], *, gated: bool
) -> dict[str, Any]:
    errors = {*_OF_THE_GATEWAY, *declared.refusals}
    errors |= {*_OF_TOKENS} if gated else set()
    errors |= {404} if "{" in path else set()
    errors |= {*_OF_BODIES} if method in ("PATCH", "POST", "PUT") else set()
    shapes: dict[int, object] = dict.fromkeys(errors, ErrorJSON) | dict(declared.answers)
    links = {
        f"{link.route.partition(' ')[0].lower()}{number}": {
            "operationId": operation_id(link.route),
            "parameters": dict(link.parameters),
        }
        for number, link in enumerate(declared.links)
    }
    expiry = (EXPIRY_HEADER,) if gated else ()
    made: dict[str, Any] = {}
    for status, shape in sorted(shapes.items()):
        if status not in declared.answers:
            made[str(status)] = {"$ref": f"#/components/responses/{status}"}
            continue
        made[str(status)] = _response(status, shape, (*declared.headers, *expiry), by_key)
        if links and status in _DONE:
            made[str(status)]["links"] = links
    return made


def _response(status: int, shape: object, names: Iterable[str], by_key: Mapping[str, Any]) -> dict[str, Any]:
    every = (*_EVERYWHERE, *_HEADERS_OF.get(status, ()), *(name for name in names if name in HEADERS))
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys(every)}
    return {"description": _STATUSES[status], "headers": headers, **_content(shape, by_key)}


def _content(shape: object, by_key: Mapping[str, Any]) -> dict[str, Any]:
    content = {
        one.media_type if isinstance(one, Text) else JSON: {
            "schema": {"type": "string"} if isinstance(one, Text) else by_key[key(one)]
        }
        for one in _shapes(shape)
        if one is not NOTHING
    }
    return {"content": content} if content else {}


def _header(header: Parameter) -> dict[str, Any]:
    return {"description": header.about, "schema": dict(header.schema)}


def _shapes(shape: object) -> tuple[object, ...]:
    """The shapes that there are, where an answer has one of several."""
    return shape if type(shape) is tuple else (shape,)


def _is_json(shape: object) -> bool:
    return shape is not NOTHING and not isinstance(shape, Text)


def _scoped(definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions, and the words that a token's scopes are of."""
    scope = {
        "type": "string",
        "description": "What a token may do; `GET /api/v2/auth/scopes?details=true` says what each stands for.",
        "enum": sorted({*PUBLIC, *ALIASES}),
    }
    definitions["CreateToken"]["properties"]["scopes"]["items"] = {"$ref": "#/components/schemas/ScopeName"}
    return dict(sorted({**definitions, "ScopeName": scope}.items()))
