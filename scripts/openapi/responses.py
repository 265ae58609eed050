"""The answers of operations: statuses, headers and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.api.authentication import EXPIRY_HEADER
from chalicelib.errors import ErrorJSON
from scripts.openapi.operation import JSON, NOTHING, Operation, Text
from scripts.openapi.operations import operation_id
from scripts.openapi.parameters import HEADERS
from scripts.openapi.schemas import key

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


def responses(method: str, path: str, declared: Operation, by_key: Mapping[str, Any], *, gated: bool) -> dict[str, Any]:
    """The answers of an operation by status.

    Args:
        method: of its route.
        path: of its route.
        declared: the operation.
        by_key: the schema of each shape.
        gated: it takes a token.
    """
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


def refusals(by_key: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that operations share: each status of an error."""
    return {str(status): _response(status, ErrorJSON, (), by_key) for status in _STATUSES if status >= _FIRST_ERROR}


def _response(status: int, shape: object, names: Iterable[str], by_key: Mapping[str, Any]) -> dict[str, Any]:
    every = (*_EVERYWHERE, *_HEADERS_OF.get(status, ()), *(name for name in names if name in HEADERS))
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys(every)}
    return {"description": _STATUSES[status], "headers": headers, **_content(shape, by_key)}


def _content(shape: object, by_key: Mapping[str, Any]) -> dict[str, Any]:
    content = {
        one.media_type if isinstance(one, Text) else JSON: {
            "schema": {"type": "string"} if isinstance(one, Text) else by_key[key(one)]
        }
        for one in shapes_of(shape)
        if one is not NOTHING
    }
    return {"content": content} if content else {}


def shapes_of(shape: object) -> tuple[object, ...]:
    """The shapes that there are, where an answer has one of several."""
    return shape if type(shape) is tuple else (shape,)


def is_json(shape: object) -> bool:
    """Whether an answer of a shape is JSON."""
    return shape is not NOTHING and not isinstance(shape, Text)
