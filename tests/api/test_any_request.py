from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import app
from chalicelib.models.audit_events import AuditEventIn, GenerateIn
from chalicelib.models.base import Model
from chalicelib.models.connection_events import ConnectionEventIn
from chalicelib.models.directory_bodies import MirroredOrganization, PutUser
from chalicelib.models.tokens import CreateToken
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

NOT_OFFERED = 501
EVERY_ROUTE = sorted((method, path) for path, methods in app.routes.items() for method in methods)
SHAPES: dict[str, type[Model]] = {
    "/api/v2/users/{user}": PutUser,
    "/api/v2/organizations/{organization}": MirroredOrganization,
    "/api/v2/users/{user}/keys/tokens": CreateToken,
    "/api/v2/connectionlog": ConnectionEventIn,
    "/api/v2/audit": AuditEventIn,
    "/api/v2/audit/testgenerate": GenerateIn,
}
CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
MESSAGES = {CONNECTIONS: "connection_log", AUDIT: "audit_log"}
ANN = "fe8f4bab-3128-41f1-8fec-1cc0755affe5"
ACME = "1a2bb67e-0117-4168-92e0-58138989a7f5"

# Half a character cannot be sent in UTF-8, but can be written as an escape in JSON.
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
WORDS = st.sampled_from(
    [
        ANN,
        ACME,
        "00000000-0000-0000-0000-000000000000",
        "ann",
        "acme",
        "me",
        "",
        "ann@example.com",
        "2025-07-10T10:14:38.942776145Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z",
        "ssh",
        "workspace_app",
        "connected",
        "disconnected",
        "active",
        "owner",
        "auditor",
        "organization-admin",
        "coder:all",
        "user:read",
        "*:*",
        f"user:{ANN}",
        "<nil>",
        "10.0.0.1",
    ]
)
NUMBERS = st.sampled_from([0, 1, -1, 200, 2**31, 2**63 - 1, 2**63, 10**400, 0.5, 1e308]) | st.integers()
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS | ANY_TEXT
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
SEGMENTS = st.sampled_from(["me", "ann", "acme", "nobody", ANN, ACME, "%00", "%ff%fe", "%2F", "%F0%9F%A6%80", "a%20b"])
KEYS = st.sampled_from(
    [*(known.key for known in CONNECTION_FILTERS.keys), *(known.key for known in AUDIT_FILTERS.keys), "foo"]
)
TERMS = st.tuples(KEYS, WORDS | ONE_LINE).map(lambda pair: f'{pair[0]}:"{pair[1]}"')
QUERIES = ONE_LINE | st.lists(TERMS | ONE_LINE, max_size=4).map(" ".join)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "q": QUERIES | st.lists(QUERIES, min_size=1, max_size=2),
        "limit": st.integers(-1, 30).map(str) | ONE_LINE,
        "offset": st.integers(-1, 30).map(str) | ONE_LINE,
        "after_id": WORDS | ONE_LINE,
        "details": WORDS | ONE_LINE,
        "access_token": ONE_LINE,
    },
)
HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "Content-Type", "Origin", "Cookie", "Host", "User-Agent", "Authorization", "X-Other"]),
    ONE_LINE | st.sampled_from(["application/json", "*/*", "application/octet-stream", "image/png", "null"]),
    max_size=3,
)


def bodies(path: str) -> st.SearchStrategy[Any]:
    """Bodies that get past the first look: objects of the route's shape with anything in any field."""
    anything = st.binary(max_size=60) | ONE_LINE | JSON.map(json.dumps)
    if path not in SHAPES:
        return st.none() | anything
    names = sorted(SHAPES[path].model_fields)
    shaped = st.fixed_dictionaries({}, optional=dict.fromkeys(names, LEAVES | JSON))
    if path not in MESSAGES:
        return anything | shaped.map(json.dumps)
    message, valid = MESSAGES[path], valid_events() if path == CONNECTIONS else valid_audit_events()
    names = ["ID", "Time", "Type", "Ip", "IP", "Code", "UserID", "Diff", "AdditionalFields", "StatusCode"]
    fields = st.dictionaries(st.sampled_from(names), LEAVES | JSON)
    line = st.fixed_dictionaries({"msg": st.sampled_from([message, "x"]), "fields": fields | JSON})
    human = st.tuples(st.sampled_from([*names, "WorkspaceName"]), (LEAVES | JSON).map(json.dumps)).map(
        lambda pair: f"[info]  coderd: {message}  {pair[0]}={pair[1]}"
    )
    events = st.lists(valid | shaped | line | JSON, max_size=4)
    return st.one_of(
        anything,
        events.map(json.dumps),
        events.map(lambda given: json.dumps({"events": given})),
        st.lists((valid | shaped | line).map(json.dumps) | human | ONE_LINE, max_size=4).map("\n".join),
    )


def valid_audit_events() -> st.SearchStrategy[dict[str, Any]]:
    """Events that are stored, a few of them under the same id, if their diff and their fields can be."""
    change = st.dictionaries(st.sampled_from(["old", "New", "secret"]), JSON, max_size=3)
    return st.fixed_dictionaries(
        {
            "id": st.sampled_from([None, str(UUID(int=1)), str(UUID(int=2))]),
            "time": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
            "user_id": st.just(ANN),
            "resource_type": st.sampled_from(["user", "template", "workspace_build", "api_key", "chat"]),
            "resource_id": st.just(ANN) | st.uuids().map(str),
            "resource_target": ONE_LINE,
            "action": st.sampled_from(["create", "write", "delete", "login", "connect"]),
            "status_code": st.sampled_from([200, 303, 404]),
        },
        optional={
            "organization_id": st.just(ACME),
            "diff": st.dictionaries(WORDS | ANY_TEXT, change, max_size=3) | JSON,
            "additional_fields": st.dictionaries(
                st.sampled_from(["build_reason", "workspace_id", "workspace_owner", "x"]), JSON, max_size=3
            ),
            "old": JSON,
            "new": JSON,
        },
    )


def valid_events() -> st.SearchStrategy[dict[str, Any]]:
    """Events that are stored, a few of them in the same row."""
    return st.fixed_dictionaries(
        {
            "time": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
            "type": st.sampled_from(["ssh", "vscode", "workspace_app"]),
            "connection_status": st.sampled_from(["connected", "disconnected"]),
            "organization_id": st.just(ACME),
            "workspace_owner_id": st.just(ANN),
            "workspace_id": st.uuids().map(str),
            "workspace_name": ONE_LINE,
            "agent_name": ONE_LINE,
            "connection_id": st.sampled_from([None, str(UUID(int=1)), str(UUID(int=2))]),
        },
        optional={
            "code": st.integers(-(2**31), 2**31 - 1),
            "ip": JSON,
            "user_agent": ONE_LINE,
            "disconnect_reason": ONE_LINE,
            "user_id": st.uuids().map(str),
        },
    )


@pytest.fixture
def caller(owner: Client, house: House) -> Client:
    """An owner, in a house with one organization and one other user."""
    house.organization("acme", id=ACME)
    house.user("ann", "auditor", id=ANN, organizations={ACME: ("organization-admin",)})
    return owner


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
@given(data=st.data())
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_request_is_a_failure_of_the_service(
    caller: Client, assert_error: CheckError, *, data: st.DataObject, method: str, path: str
) -> None:
    segment = data.draw(SEGMENTS)
    named = path.replace("{user}", segment).replace("{organization}", segment)
    reply = caller.send(
        method,
        named,
        data.draw(bodies(path) if method in ("PUT", "POST") else st.none() | st.binary(max_size=20)),
        query=data.draw(PARAMETERS),
        headers=data.draw(HEADERS),
    )
    # What is not offered (501) is an answer, and no failure.
    assert reply.status < 500 or reply.status == NOT_OFFERED
    if reply.status >= 400 and "results" not in reply.json:
        assert_error(reply)


@given(token=ONE_LINE | st.from_regex(r"[0-9A-Za-z]{10}-[0-9A-Za-z]{22}", fullmatch=True) | st.text("-ab", max_size=40))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_a_token_by_chance(client: Client, assert_error: CheckError, token: str) -> None:
    for headers in (
        {"Coder-Session-Token": token},
        {"Cookie": f"coder_session_token={token}"},
        {"Authorization": f"Bearer {token}"},
    ):
        reply = client.get("/api/v2/users/me", headers=headers)
        assert reply.status == 401
        assert_error(reply)
