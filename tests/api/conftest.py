"""A client that calls the application as API Gateway does, and a house full of people to be that client."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from chalice.local import LambdaContext, RouteMatcher

from app import app
from chalicelib import times
from chalicelib.access import secret
from chalicelib.lanes.catalogue import POSITION
from chalicelib.records import APIKey, AuditLog, Organization, User
from chalicelib.retention import holds
from chalicelib.store.directory import api_keys, people
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.logs import audit_rows
from scripts.gateway.events import Origin, Values, proxy_event
from scripts.local.engine import EmbeddedEngine
from tests.contract import answers as contract

Query = Values
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
_MATCHER = RouteMatcher(list(app.routes))


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer as a client gets it; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests, with one token in Coder's header or with none, from one address."""

    token: str = ""
    source_ip: str = "192.0.2.1"

    def get(self, path: str, **more: Any) -> Reply:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.send("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.send("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.send("DELETE", path, **more)

    def logs(self, query: str = "", **more: str) -> Reply:
        return self.get("/api/v2/connectionlog", query={"q": query, **more} if query or more else None)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        event = _event(method, path, body, query, self._headers(body, headers or {}), self.source_ip)
        answer = app(event, LambdaContext(app.app_name, memory_size=1024, max_runtime_ms=60_000))
        # What Lambda would send must be JSON in UTF-8, and its body text.
        sent = json.loads(json.dumps(answer, ensure_ascii=False).encode())
        assert not sent.get("isBase64Encoded")
        assert not sent["multiValueHeaders"]
        contract.check(method, event["requestContext"]["resourcePath"], sent)
        return Reply(sent["statusCode"], {name.lower(): value for name, value in sent["headers"].items()}, sent["body"])

    def _headers(self, body: object, given: Mapping[str, str]) -> dict[str, str]:
        headers = {"Host": "gatebook.example.com", **given}
        if self.token:
            headers.setdefault("Coder-Session-Token", self.token)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers


class House:
    """Who is known to the service: people, organizations and tokens, put straight into the store."""

    def organization(self, name: str = "acme", **changes: Any) -> Organization:
        now = times.now()
        made = Organization(
            id=str(uuid4()),
            name=name,
            display_name=name.title(),
            description="",
            icon="",
            is_default=False,
            created_at=now,
            updated_at=now,
        )
        made = replace(made, **changes)
        people.save_organization(made, None)
        return made

    def user(
        self,
        username: str,
        *roles: str,
        organizations: Mapping[str, tuple[str, ...]] | None = None,
        **changes: Any,
    ) -> User:
        now = times.now()
        made = User(
            id=str(uuid4()),
            username=username,
            email=f"{username}@example.com",
            name="",
            avatar_url="",
            status="active",
            login_type="none",
            roles=roles,
            organization_roles=organizations or {},
            created_at=now,
            updated_at=now,
        )
        made = replace(made, **changes)
        people.save_user(made, None)
        return made

    def token(
        self,
        user: User,
        *,
        scopes: tuple[str, ...] = ("coder:all",),
        allow_list: tuple[str, ...] = ("*:*",),
        expires_at: datetime = FOREVER,
        **changes: Any,
    ) -> str:
        made = secret.generate()
        now = times.now()
        key = APIKey(
            id=made.id,
            hashed_secret=made.hashed,
            user_id=user.id,
            login_type="token",
            token_name=f"test-{made.id}",
            scopes=scopes,
            allow_list=allow_list,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
            last_used=times.EPOCH,
            lifetime_seconds=max(1, int((expires_at - now) / timedelta(seconds=1))),
        )
        api_keys.add(replace(key, **changes))
        return made.text

    def client(self, user: User, **token: Any) -> Client:
        return Client(self.token(user, **token))


@pytest.fixture(autouse=True)
def _the_state_of_retention_is_kept_in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else a test that counts calls would depend on how long ago a process has read it.
    monkeypatch.setattr(holds, "CACHE_SECONDS", float("inf"))


@pytest.fixture
def house(tables: EmbeddedEngine) -> House:
    assert tables
    return House()


@pytest.fixture
def client(tables: EmbeddedEngine) -> Client:
    """Somebody without a token."""
    assert tables
    return Client()


@pytest.fixture
def root(house: House) -> User:
    """The user behind `owner`."""
    return house.user("root", "owner")


@pytest.fixture
def owner(house: House, root: User) -> Client:
    return house.client(root)


@pytest.fixture
def ann(house: House) -> User:
    """A member, whose tokens may live long."""
    return house.user("ann")


@pytest.fixture
def as_ann(house: House, ann: User) -> Client:
    return house.client(ann)


class Clock:
    """The service's clock, standing still until it is moved."""

    def __init__(self) -> None:
        self.moment = times.now()

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, by: timedelta) -> None:
        self.moment += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(times, "now", stopped)
    return stopped


@pytest.fixture
def trail(tables: EmbeddedEngine) -> Callable[[], list[AuditLog]]:
    """Reads every audit row there is, oldest first."""
    assert tables

    def rows() -> list[AuditLog]:
        items = store_engine.call("Scan", {"TableName": AuditLogItem.Meta.table_name})["Items"]
        rows = (audit_rows.from_item(item) for item in items if POSITION in item)
        return sorted(rows, key=lambda row: (row.time, row.id))

    return rows


@pytest.fixture
def make_event() -> Callable[..., dict[str, Any]]:
    """Makes a valid event; what is given replaces fields, and None leaves them out."""

    def make(**changes: Any) -> dict[str, Any]:
        event = {
            "time": "2025-07-10T10:14:38.942776Z",
            "connection_status": "connected",
            "organization_id": "1a2bb67e-0117-4168-92e0-58138989a7f5",
            "workspace_owner_id": "fe8f4bab-3128-41f1-8fec-1cc0755affe5",
            "workspace_id": "05567e23-31e2-4c00-bd05-4d499d437347",
            "workspace_name": "dev",
            "agent_name": "main",
            "type": "ssh",
            "ip": "10.1.2.3",
            "connection_id": str(uuid4()),
            **changes,
        }
        return {name: value for name, value in event.items() if value is not None}

    return make


@pytest.fixture
def assert_error() -> Callable[[Reply], dict[str, Any]]:
    """Checks that a reply is an error in the one shape, and gives its body."""

    def check(reply: Reply) -> dict[str, Any]:
        assert reply.status >= 400
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert reply.text.endswith("}\n")
        body: dict[str, Any] = reply.json
        if "code" in body:
            # Splunk's collector says it in its own words too.
            assert isinstance(body.pop("code"), int)
            assert body.pop("text")
        assert set(body) <= {"message", "detail", "validations"}
        assert isinstance(body["message"], str)
        assert body["message"]
        assert body.get("detail", "present") != ""
        assert isinstance(body.get("detail", ""), str)
        assert body.get("validations", "present") != []
        for validation in body.get("validations", []):
            assert set(validation) == {"field", "detail"}
            assert all(isinstance(text, str) and text for text in validation.values())
        return body

    return check


@pytest.fixture
def store_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations sent to the store by the directory and the tokens, in order."""
    sent: list[str] = []
    for module in (api_keys, people):
        original = module.call

        def counted(
            operation: str, request: Mapping[str, Any], original: Callable[..., dict[str, Any]] = original
        ) -> dict[str, Any]:
            sent.append(operation)
            return original(operation, request)

        monkeypatch.setattr(module, "call", counted)
    return sent


def _event(
    method: str, path: str, body: Any, query: Query | None, headers: Mapping[str, str], source_ip: str
) -> dict[str, Any]:
    try:
        matched = _MATCHER.match_route(path)
        route, captured = matched.route, matched.captured
    except ValueError:
        route, captured = path, {}
    # RouteMatcher also leaves in what it captured on routes that did not match in the end.
    parameters = {name: value for name, value in captured.items() if f"{{{name}}}" in route}
    return proxy_event(
        method,
        path,
        _body(body),
        route=route,
        parameters=parameters,
        query=query,
        headers=headers,
        origin=Origin(source_ip=source_ip),
    )


def _body(body: Any) -> str | bytes | None:
    if isinstance(body, bytes):
        try:
            return body.decode()
        except UnicodeDecodeError:
            return body
    return body if body is None or isinstance(body, str) else json.dumps(body)
