"""The answers and requests of the last release are valid still: `.ci/contract` has oasdiff say more.

What was always there stays always there, and of the same kind; no route, status or parameter is gone; nothing more is
demanded of a request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalicelib.version import VERSION
from tests.contract import answers

RELEASED = Path(__file__).with_name("released.json")
RELEASES = Path(__file__).with_name("releases.json")
"""Version -> SHA-256 of its document, in the order of the releases."""
Document = dict[str, Any]


def breaks(before: Document, after: Document) -> Iterator[str]:
    """The parts of the document before that are missing in the one after."""
    for path, methods in before["paths"].items():
        for method, operation in methods.items():
            now = after["paths"].get(path, {}).get(method)
            where = f"{method.upper()} {path}"
            if now is None:
                yield f"{where} is gone"
                continue
            yield from (f"{where}: {status} is gone" for status in operation["responses"].keys() - now["responses"])
            yield from _parameter_breaks(where, operation, now)
    for name, schema in before["components"]["schemas"].items():
        yield from _schema_breaks(name, schema, after["components"]["schemas"].get(name))


def _parameter_breaks(where: str, before: Document, after: Document) -> Iterator[str]:
    known = {(one["in"], one["name"]) for one in before["parameters"]}
    now = {(one["in"], one["name"]): one for one in after["parameters"]}
    yield from (f"{where}: {name} of the {place} is gone" for place, name in known - now.keys())
    for (place, name), parameter in now.items():
        if parameter.get("required") and (place, name) not in known:
            yield f"{where}: {name} of the {place} is demanded"


def _schema_breaks(name: str, before: Document, after: Document | None) -> Iterator[str]:
    if after is None:
        yield f"{name} is gone"
        return
    yield from (
        f"{name}.{field} is gone" for field in before.get("properties", {}).keys() - after.get("properties", {})
    )
    for field in {*before.get("required", ())} - {*after.get("required", ())}:
        yield f"{name}.{field} is not always there any more"
    for field, schema in before.get("properties", {}).items():
        now = after.get("properties", {}).get(field, schema)
        if schema.get("type") != now.get("type"):
            yield f"{name}.{field} is of another kind"


def test_nothing_that_was_released_is_missing() -> None:
    assert [*breaks(json.loads(RELEASED.read_text()), answers.document())] == []


def test_the_baseline_is_the_document_of_a_release_and_changes_with_its_version_alone() -> None:
    """Each release has the digest of its document in `releases.json`: see "A release" in CONTRIBUTING.md."""
    body = RELEASED.read_bytes()
    released = json.loads(body)["info"]["version"]
    digests = json.loads(RELEASES.read_text())
    assert released == [*digests][-1]
    assert digests[released] == hashlib.sha256(body).hexdigest(), "released.json changes with a release alone"
    assert numbers(released) <= numbers(VERSION)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_what_a_client_would_miss_is_noticed() -> None:
    before: Document = json.loads(RELEASED.read_text())
    after: Document = json.loads(RELEASED.read_text())
    del after["paths"]["/api/v2/audit"]["get"]
    del after["paths"]["/healthz"]["get"]["responses"]["200"]
    after["components"]["schemas"]["APIKey"]["required"].remove("id")
    after["components"]["schemas"]["User"]["properties"]["email"]["type"] = "integer"
    del after["components"]["schemas"]["User"]["properties"]["name"]
    after["paths"]["/api/v2/users"]["get"]["parameters"].append({"in": "query", "name": "why", "required": True})
    assert {*breaks(before, after)} == {
        "GET /api/v2/audit is gone",
        "GET /healthz: 200 is gone",
        "APIKey.id is not always there any more",
        "User.email is of another kind",
        "User.name is gone",
        "GET /api/v2/users: why of the query is demanded",
    }
