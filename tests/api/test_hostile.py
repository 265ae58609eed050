"""Whatever is sent to whatever route is answered: never as a failure of the service, errors in the one shape.

The client checks of each answer that the document declares it. A request that is refused has changed nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from chalice.local import LambdaContext

from app import app
from chalicelib.routes import ROUTES, Route
from scripts.gateway.events import proxy_event
from scripts.gateway.limits import MAX_ANSWER_BYTES, answer_bytes
from scripts.openapi.operations import OPERATIONS
from tests.api.conftest import Client, Reply
from tests.api.hostile_inputs import (
    BODIES,
    CONTENT_TYPES,
    EVENTS,
    HEADERS,
    HEADERS_BESIDE,
    PATH_TEXTS,
    QUERY_VALUES,
    VALUES,
    WHOLE_EVENTS,
    Change,
)
from tests.api.largest_inputs import body_of
from tests.api.matrix import CASES, EXPORT, Case, Stage, filled
from tests.contract import answers as contract

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import House
    from tests.transport import ObservedTransport, Send

Headers = Mapping[str, str | list[str]]
CheckError = Callable[[Reply], dict[str, Any]]
WRITES = frozenset(
    {"BatchExecuteStatement", "BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
)
pytestmark = pytest.mark.needs("transactions")
TOKEN = "Coder-Session-Token"
NOT_OFFERED = 501
"""A part of the API that is left to the platform: an answer, and no failure."""
OWN_TRAIL = ("refused_at", "API key secret is invalid.")
"""Parts of the rows that a refusal may write: the trail has a row of it, one an hour for each token."""
OTHERS = {"user": "me", "organization": "default"}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


class Hostile:
    """Sends requests, and looks at what becomes of each."""

    def __init__(self, house: House, root: User, transport: ObservedTransport, check_error: CheckError) -> None:
        self._house, self._root, self._check_error = house, root, check_error
        self._written: list[str] = []
        self.sent = 0
        self.wrong: list[str] = []
        self.renew()
        transport.intercept(self._note)

    def renew(self) -> None:
        """Bring another token, as the last request may have ended the one before."""
        self.client: Client = self._house.client(self._root)
        # Noting that a token is in use is no part of a request.
        assert self.client.get("/api/v2/users/me").status == 200

    def send(self, what: str, method: str, path: str, body: Any, **more: Any) -> None:
        """Send one request as a client does."""
        self._ask(what, lambda: self.client.send(method, path, body, **more))

    def give(
        self, what: str, route: Route, headers: Headers, change: Change = lambda _: None, seconds: int = 0
    ) -> None:
        """Give Lambda one event, changed, with these headers beside the token that opens."""
        self._ask(what, lambda: given(route, {TOKEN: self.client.token, **headers}, change, seconds))

    def _ask(self, what: str, send: Callable[[], Reply]) -> None:
        self._written.clear()
        self.sent += 1
        try:
            reply = send()
            self._check(reply)
            if reply.status == 401:
                self.renew()
        except (AssertionError, UnicodeError, ValueError) as error:
            self.wrong.append(f"{what[:200]}: {type(error).__name__} {str(error)[:500]}")

    def _check(self, reply: Reply) -> None:
        assert reply.status < 500 or reply.status == NOT_OFFERED, reply
        assert len(reply.text) < MAX_ANSWER_BYTES
        if reply.status < 400 or '"results"' in reply.text:
            return
        self._check_error(reply)
        written = [write for write in self._written if not any(known in write for known in OWN_TRAIL)]
        assert written == [], f"{reply.status} and written"

    def _note(self, send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation in WRITES:
            self._written.append(f"{operation} {str(request)[:2_000]}")
        return answer


@pytest.fixture
def hostile(house: House, root: User, transport: ObservedTransport, assert_error: CheckError) -> Iterator[Hostile]:
    made = Hostile(house, root, transport, assert_error)
    yield made
    assert made.wrong == []
    assert made.sent


def concrete(path: str, text: str = "", name: str = "") -> str:
    """A path with a text in the place of one parameter, or of all where none is named."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if part.startswith("{"):
            parts[index] = text if name in ("", part[1:-1]) else OTHERS.get(part[1:-1], "me")
    return "/".join(parts)


def parameters(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_no_path_query_or_header_is_a_failure_of_the_service(hostile: Hostile, route: Route) -> None:
    path, body = concrete(route.path, "me"), "{}" if OPERATIONS[name_of(route)].body else None
    for name in parameters(route.path):
        for text in PATH_TEXTS:
            asked = concrete(route.path, text, name)
            hostile.send(f"path {asked}", route.method, asked, body)
    for name in (*OPERATIONS[name_of(route)].query, "unknown"):
        for kind, value in QUERY_VALUES.items():
            hostile.send(f"{name} {kind}", route.method, path, body, query={name: value})
    for kind, headers in HEADERS_BESIDE.items():
        hostile.give(kind, route, headers)
    for kind, headers in HEADERS.items():
        hostile.give(kind, route, {TOKEN: "", **headers})


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_no_event_is_a_failure_of_the_service(hostile: Hostile, route: Route) -> None:
    for kind, change in EVENTS.items():
        hostile.give(kind, route, {}, change, seconds=60)
    hostile.give("no context", route, {})


@pytest.mark.parametrize("event", WHOLE_EVENTS.values(), ids=WHOLE_EVENTS)
def test_an_event_of_nothing_is_an_error_in_the_one_shape(event: dict[str, Any]) -> None:
    answer = app(event, None)
    assert answer["statusCode"] in (401, 404)
    assert {*json.loads(answer["body"])} <= {"message", "detail"}


def given(route: Route, headers: Headers, change: Change, seconds: int) -> Reply:
    """The answer to an event as Lambda is given it."""
    event = proxy_event(
        route.method,
        concrete(route.path, "me"),
        None if route.method in ("GET", "DELETE") else "{}",
        route=route.path,
        parameters=dict.fromkeys(parameters(route.path), "me"),
        query={"q": "type:ssh"},
        headers={"Host": "gatebook.example.com", **headers},
    )
    change(event)
    # Made here: its time runs from when it is made.
    answer = app(event, LambdaContext("gatebook", 1024, seconds * 1_000) if seconds else None)
    made = json.loads(json.dumps(answer, ensure_ascii=False).encode())
    contract.check(route.method, route.path, made)
    assert answer_bytes(answer) < MAX_ANSWER_BYTES
    return Reply(made["statusCode"], {name.lower(): text for name, text in made["headers"].items()}, made["body"])


BODIED = [case for case in CASES if OPERATIONS[f"{case.method} {case.path}"].body]
MODULE = {(route.method, route.path): route.module for route in ROUTES}
MODULES = sorted({MODULE[case.method, case.path] for case in BODIED})


def room_of(path: str) -> str:
    """The first word of a path, behind what all have."""
    return path.removeprefix("/api/v2").split("/")[1]


@pytest.mark.parametrize("module", MODULES)
def test_no_body_is_a_failure_of_the_service(
    owner: Client,
    hostile: Hostile,
    root: User,
    house: House,
    keeps_secrets: None,
    keeps_exports: list[str],
    module: str,
) -> None:
    assert keeps_secrets is None
    assert keeps_exports == []
    stage = Stage(house, owner, root)
    for case in BODIED:
        if MODULE[case.method, case.path] == module:
            for kind, body, headers in bodies(stage, case, owner):
                named = case.path.format_map(stage.names(case, hostile.client))
                hostile.send(f"{case}: {kind}", case.method, named, body, headers=headers)
    # Whatever of that was taken in can be read.
    rooms = {room_of(case.path) for case in BODIED if MODULE[case.method, case.path] == module}
    for case in CASES:
        if case.method == "GET" and case.path != EXPORT and room_of(case.path) in rooms:
            named = case.path.format_map(stage.names(case, hostile.client))
            hostile.send(f"{case} afterwards", "GET", named, None)


def bodies(stage: Stage, case: Case, client: Client) -> Iterator[tuple[str, str | bytes, Mapping[str, str]]]:
    """Every body that none should send, and the right one with each of its fields, in turn, as none should be."""
    for kind, body in BODIES.items():
        yield kind, body, {}
    right = filled(case.body, stage.names(case, client))
    text = json.dumps(right)
    for content_type in CONTENT_TYPES:
        yield f"as {content_type}", text, {"Content-Type": content_type}
    # By the document a body has these fields, whichever of them the right one has.
    known = body_of(case.method, case.path, right)
    for field in known if isinstance(known, dict) else ():
        others = "".join(f"{json.dumps(name)}: {json.dumps(given)}, " for name, given in right.items() if name != field)
        for kind, value in VALUES.items():
            yield f"{field} is {kind}", f'{{{others}"{field}": {value}}}', {}
