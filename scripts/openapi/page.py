"""The reference page of the API, made of the document: docs/api.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.markdown import markdown

_HEAD = """# The API

This page lists every request that the service answers. It is made of the OpenAPI document,
[openapi.json](openapi.json), which a service answers at `/api/v2/openapi.json` too: generate clients from it, and check
what you send against it.

A token is sent in the header `Coder-Session-Token`, as a `Bearer` token, as the password of `Basic`, or in the cookie
`coder_session_token`. Every request may also be answered with {always}, each in the one shape of errors; a request
that takes a token with 401 and 403, a path with a name in it with 404, and a request with a body with 413 and 415.
Fields may be added to answers; a field that the document calls `required` is always there.
"""
_COMMON = frozenset({"400", "401", "403", "404", "413", "415", "429", "500", "502", "503", "504"})
_ALWAYS = "400, 429, 500, 502, 503 or 504"


def page(document: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(always=_ALWAYS)]
    for tag in document["tags"]:
        rows = [
            _row(method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag["name"] in operation["tags"]
        ]
        parts.append(f"## {tag['name'].title()}\n\n{tag['description']}\n")
        parts.append(markdown(("request", "what it does", "takes", "answers", "needs"), rows) + "\n")
    return "\n".join(parts)


def _row(method: str, path: str, operation: Mapping[str, Any]) -> list[str]:
    rights = ", ".join(f"`{right}`" for right in operation.get("x-required-rights", ()))
    answers = [_answer(status, answer) for status, answer in operation["responses"].items() if status not in _COMMON]
    return [
        f"`{method} {path}`",
        operation["description"].partition(" Needs `")[0],
        ", ".join(_taken(operation)),
        ", ".join(answers),
        rights or ("a token" if operation["security"] else ""),
    ]


def _taken(operation: Mapping[str, Any]) -> Iterator[str]:
    for parameter in operation["parameters"]:
        if parameter["in"] != "path":
            yield f"`{parameter['name']}`"
    body = operation.get("requestBody")
    if body:
        yield from dict.fromkeys(map(_shape, body["content"].values()))


def _answer(status: str, answer: Mapping[str, Any]) -> str:
    content = answer.get("content")
    return " ".join([status, *map(_shape, content.values())]) if content else status


def _shape(media: Mapping[str, Any]) -> str:
    return _name(media["schema"])


def _name(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return f"{schema['$ref'].rpartition('/')[2]}"
    if "anyOf" in schema:
        return " or ".join(map(_name, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_name(schema['items'])}"
    return "text" if schema.get("type") == "string" else "object"
