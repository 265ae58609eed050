"""The document says what the service is: each route is an operation, and tools for such documents take it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NotRequired

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from typing_extensions import TypedDict

from chalicelib.access.catalogue import PUBLIC
from chalicelib.api.specification import DOCUMENT
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from scripts.docs.access import RIGHTS
from scripts.openapi.files import PUBLISHED, contents
from scripts.openapi.operations import OPERATIONS, UNDECLARED, routes, undeclared
from scripts.openapi.schemas import Shapeless, schemas
from tests.contract import answers

ROUTES = sorted(routes())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return made


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_is_declared() -> None:
    missing = undeclared()
    assert not missing, UNDECLARED.format(route=missing[0])


def test_nothing_is_declared_that_is_no_route() -> None:
    assert {*OPERATIONS} - {f"{method} {path}" for method, path in ROUTES} == set()


def test_the_files_are_up_to_date() -> None:
    for path, text in contents(RIGHTS).items():
        assert path.read_text() == text, f"{path.name} is out of date; run: python -m scripts.docs.reference"


def test_what_is_served_is_what_is_published() -> None:
    assert json.loads(DOCUMENT.read_text()) == json.loads(PUBLISHED.read_text())


def test_each_route_is_one_operation(document: dict[str, Any]) -> None:
    assert sorted(route for route, _ in operations(document)) == sorted(f"{method} {path}" for method, path in ROUTES)
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len({*names}) == len(names)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert [*OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_operation_says_what_it_does_and_answers(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in document["tags"]}
    for route, operation in operations(document):
        assert operation["summary"], route
        assert {*operation["tags"]} <= known, route
        answers = any(status < "400" for status in operation["responses"]) or {"403", "501"} & {*operation["responses"]}
        assert answers or route == "POST /services/collector/ack", route
        assert any(status >= "400" for status in operation["responses"]), route


def test_every_route_that_takes_a_token_says_so_and_what_it_needs(document: dict[str, Any]) -> None:
    for route, operation in operations(document):
        needed = [text for request, text in RIGHTS.items() if request.removesuffix(" (new)") == route]
        assert {*operation.get("x-required-rights", ())} == {right for text in needed for right in text.split()}
        assert bool(operation["security"]) == bool(needed)


@pytest.mark.parametrize("table", [CONNECTION_FILTERS, AUDIT_FILTERS], ids=lambda table: table.log)
def test_the_keys_of_queries_are_in_the_document(document: dict[str, Any], table: FilterTable) -> None:
    path = {"connection": "/api/v2/connectionlog", "audit": "/api/v2/audit"}[table.log]
    about = next(one for one in document["paths"][path]["get"]["parameters"] if one["name"] == "q")["description"]
    assert [key.key for key in table.keys if f"- `{key.key}:`" not in about] == []


def test_the_scopes_are_in_the_document(document: dict[str, Any]) -> None:
    assert {*PUBLIC} <= {*document["components"]["schemas"]["ScopeName"]["enum"]}


OPEN = {
    "Agent.apps": "it is always empty: apps are not mirrored",
    "Agent.log_sources": "it is always empty",
    "Agent.scripts": "it is always empty",
    "AuditLog.additional_fields": "whatever the platform adds to a row",
    "ExternalAuth.installations": "it is always empty: installations are not mirrored",
    "GET /api/v2/openapi.json": "the document itself, whose shape OpenAPI declares",
}
"""Where an answer has an object whose fields are not declared -> why they cannot be."""


def test_no_answer_has_an_object_whose_fields_are_not_declared_without_a_reason(document: dict[str, Any]) -> None:
    schemas_of = document["components"]["schemas"]
    waiting = [
        (name, content["schema"])
        for name, operation in operations(document)
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
    ]
    seen: set[str] = set()
    undeclared_at: set[str] = set()
    while waiting:
        where, schema = waiting.pop()
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                waiting += [(f"{name}.{field}", inner) for field, inner in schemas_of[name]["properties"].items()]
            continue
        if schema.get("type") == "object" and "properties" not in schema:
            values = schema.get("additionalProperties", True)
            waiting += [(where, values)] if isinstance(values, dict) else []
            undeclared_at |= {where} if values is True else set()
        waiting += [(where, schema["items"])] if isinstance(schema.get("items"), dict) else []
        waiting += [(where, inner) for one in ("anyOf", "oneOf", "allOf") for inner in schema.get(one, ())]
        waiting += [(where, inner) for inner in schema.get("properties", {}).values()]
    assert undeclared_at == {*OPEN}


class Part(TypedDict):
    there: str
    maybe: NotRequired[int]


class Whole(Part):
    parts: list[Part]


def test_what_is_always_there_is_required_and_what_is_not_is_not() -> None:
    by_key, definitions = schemas((), (Whole,))
    assert by_key[repr(Whole)] in ({"$ref": "#/components/schemas/Whole"}, {**by_key[repr(Whole)], "type": "object"})
    whole = definitions.get("Whole", by_key[repr(Whole)])
    assert whole["required"] == ["there", "parts"]
    assert definitions["Part"]["required"] == ["there"]


def test_a_shape_of_another_kind_is_refused_with_what_to_do() -> None:
    with pytest.raises(Shapeless, match="TypedDict from typing_extensions"):
        schemas((), (type("Other", (), {}),))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"statusCode": 418, "headers": {}, "body": "{}"}, "not in the document"),
        ({"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "OK"}, "text/plain"),
        ({"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}, "required"),
        (
            {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": '{"message": "", "more": 1}'},
            "more",
        ),
    ],
)
def test_an_answer_that_is_not_as_declared_is_noticed(answer: dict[str, Any], problem: str) -> None:
    with pytest.raises(answers.Undocumented, match=problem):
        answers.check("GET", "/api/v2/users/first", answer)
