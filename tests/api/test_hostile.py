"""Bodies that no client should send and events that the gateway never makes are answered in the one shape of errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from chalice.local import LambdaContext

from app import app
from scripts.gateway.events import proxy_event
from scripts.gateway.limits import MAX_ANSWER_BYTES, answer_bytes
from scripts.openapi.operations import OPERATIONS

if TYPE_CHECKING:
    from tests.api.conftest import Client

BODIES: dict[str, str | bytes] = {
    "not a number": '{"lifetime": NaN, "time": NaN, "roles": [Infinity], "limit": -Infinity}',
    "keys twice": '{"username": "a", "username": {"b": []}, "time": 1, "time": "x", "name": [], "name": null}',
    "10,000 deep": "[" * 10_000 + "]" * 10_000,
    "an object 10,000 deep": '{"events":' * 10_000 + "1" + "}" * 10_000,
    "half a pair": '{"username": "\\ud800", "name": "\\udfff", "resource_target": "\\ud83d"}',
    "a huge integer": json.dumps({"lifetime": 10**4_000, "status_code": 10**400, "code": -(10**300), "ttl_ms": 10**99}),
    "a megabyte of text": json.dumps({"username": "u" * 1_000_000, "name": "é" * 400_000, "reason": "r" * 9}),
    "many keys": json.dumps({f"k{number}": number for number in range(20_000)}),
    "UTF-16": '{"username": "ann"}'.encode("utf-16"),
    "Latin-1": '{"username": "ä"}'.encode("latin-1"),
    "a mark of UTF-8": b'\xef\xbb\xbf{"username": "ann"}',
    "zeros": b"\x00" * 1_000,
    "an overlong form": b'{"username": "\xc0\xaf"}',
    "control characters": '{"username": "a\tb\x01"}',
}
PATHS = (
    "%2F",
    "%2e%2e%2f",
    "..",
    "%00",
    "%",
    "%zz",
    "%c0%af",
    "a%2Fb",
    "%F0%9F%A6%80",
    "x" * 2_000,
    "\u202e",
    "%25%32%66",
)
WITH_BODY = [route for route, operation in OPERATIONS.items() if operation.body]
ROUTES = [*OPERATIONS]


def concrete(path: str, text: str = "me") -> str:
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, text)
    return path


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("route", WITH_BODY)
def test_no_body_is_a_failure_of_the_service(owner: Client, route: str, body: str | bytes) -> None:
    method, _, path = route.partition(" ")
    reply = owner.send(method, concrete(path), body)
    assert reply.status < 500 or reply.status == 501, reply
    assert len(reply.text) < 1_100_000


@pytest.mark.parametrize("text", PATHS)
def test_no_name_in_a_path_is_a_failure_of_the_service(owner: Client, text: str) -> None:
    for route in ROUTES:
        method, _, path = route.partition(" ")
        # Nothing is ended here that the other requests need.
        if "{" in path and method == "GET":
            reply = owner.send(method, concrete(path, text))
            assert reply.status < 500 or reply.status == 501, (route, reply)


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda event: event.__setitem__(name, None)


def missing(name: str) -> Callable[[dict[str, Any]], None]:
    def change(event: dict[str, Any]) -> None:
        event.pop(name, None)

    return change


def body_of(text: str, *, is_base64: bool) -> Callable[[dict[str, Any]], None]:
    return lambda event: event.update(body=text, isBase64Encoded=is_base64)


EVENTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "null headers": without("headers"),
    "no headers": missing("headers"),
    "null headers of several values": without("multiValueHeaders"),
    "null query": without("multiValueQueryStringParameters"),
    "no query": missing("multiValueQueryStringParameters"),
    "null path parameters": without("pathParameters"),
    "null body": without("body"),
    "no body": missing("body"),
    "bad base64": body_of("%%%", is_base64=True),
    "short base64": body_of("YWJ", is_base64=True),
    "base64 of no text": body_of(base64.b64encode(b"\xff\xfe").decode(), is_base64=True),
    "half a pair in the body": body_of('{"username": "\ud800"}', is_base64=False),
    "half a pair in the query": lambda event: event.update(
        multiValueQueryStringParameters={"q": ["\ud800"], "\udfff": ["1"]}
    ),
    "half a pair in a header": lambda event: event["multiValueHeaders"].update(Accept=["\ud800"], Cookie=["\udc00"]),
    "a query without values": lambda event: event.update(multiValueQueryStringParameters={"q": [], "limit": []}),
    "no identity": lambda event: event["requestContext"].pop("identity", None),
    "a null identity": lambda event: event["requestContext"].update(identity=None),
    "a null address": lambda event: event["requestContext"].update(identity={"sourceIp": None}),
    "a null path": lambda event: event["requestContext"].update(path=None),
    "no id": lambda event: event["requestContext"].pop("requestId", None),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
@pytest.mark.parametrize("route", ["POST /api/v2/connectionlog", "GET /api/v2/audit", "GET /api/v2/users/{user}"])
@pytest.mark.parametrize("seconds", [60, None], ids=["a context", "none"])
def test_no_event_is_a_failure_of_the_service(
    owner: Client, route: str, event: Callable[[dict[str, Any]], None], seconds: int | None
) -> None:
    # Made here: its time runs from when it is made.
    context = LambdaContext("gatebook", 1024, seconds * 1_000) if seconds else None
    method, _, path = route.partition(" ")
    made = proxy_event(
        method,
        concrete(path),
        "{}" if method == "POST" else None,
        route=path,
        parameters={"user": "me"} if "{user}" in path else {},
        query={"q": "type:ssh"},
        headers={"Coder-Session-Token": owner.token, "Host": "gatebook.example.com"},
    )
    event(made)
    answer = app(made, context)
    assert answer["statusCode"] < 500, answer
    assert answer_bytes(answer) < MAX_ANSWER_BYTES
    if answer["statusCode"] >= 400:
        body = json.loads(answer["body"])
        assert {"message"} <= {*body} <= {"message", "detail", "validations"}


def test_an_event_of_nothing_is_no_route() -> None:
    for event in ({}, {"requestContext": None}, {"requestContext": {"httpMethod": None, "resourcePath": None}}):
        assert app(event, None)["statusCode"] == 404
