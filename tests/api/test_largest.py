"""The largest request that a route allows, and the bytes and calls that it may take at most.

Function calls are counted and not seconds: they are the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import pytest

from chalicelib.api.views import view
from chalicelib.models.sent import MAX_EVENTS
from chalicelib.routes import ROUTES
from scripts.docs import figures
from scripts.gateway.limits import MAX_ANSWER_BYTES, answer_bytes

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport, Send

CONNECTIONS, AUDIT, USERS = "/api/v2/connectionlog", "/api/v2/audit", "/api/v2/users"
ACME = "1a2bb67e-0117-4168-92e0-58138989a7f5"
ROWS, WIDE_ROWS, PEOPLE = 400, 60, 60


class Budget(NamedTuple):
    """The most that a request may take."""

    bytes: int
    calls: int
    functions: int


@dataclass(frozen=True)
class Asked:
    """A request as large as its route lets it be, and its budget."""

    budget: Budget
    method: str
    path: str
    body: Any = None
    query: dict[str, str] | None = None


CHECK = {"object": {"resource_type": "user", "owner_id": "me", "any_org": True}, "action": "read"}
ALL_FACETS = "type,status,workspace_owner,username,organization,workspace,agent,ip"
REQUESTS = {
    "list connections": Asked(
        Budget(367_000, 12, 22_000), "GET", CONNECTIONS, query={"limit": "5000", "explain": "true"}
    ),
    "list audit rows": Asked(Budget(6_169_000, 7, 6_000), "GET", AUDIT, query={"limit": "5000"}),
    "sum up connections": Asked(
        Budget(19_000, 13, 85_000),
        "GET",
        f"{CONNECTIONS}/summary",
        query={"facets": ALL_FACETS, "buckets": "120", "from": "2026-01-01"},
    ),
    "list users": Asked(Budget(108_000, 4, 5_000), "GET", USERS, query={"limit": "0"}),
    "list members": Asked(Budget(117_000, 5, 6_000), "GET", f"/api/v2/organizations/{ACME}/members"),
    "list tokens": Asked(
        Budget(34_000, 5, 34_000), "GET", f"{USERS}/me/keys/tokens", query={"include_all": "true", "limit": "5000"}
    ),
    "send wrong events": Asked(
        Budget(1_402_000, 5, 1_795_000), "POST", CONNECTIONS, [{"time": "x" * 60, "agent_name": "é" * 15}] * MAX_EVENTS
    ),
    "send new events": Asked(Budget(110_000, 47, 237_000), "POST", CONNECTIONS, None),
    "ask what one may do": Asked(
        Budget(267_000, 3, 217_000),
        "POST",
        "/api/v2/authcheck",
        {"checks": {f"{number}{'k' * 200}": CHECK for number in range(1_000)}},
    ),
    "read the document": Asked(Budget(500_000, 1, 1_000), "GET", "/api/v2/openapi.json"),
}


def connection(number: int) -> dict[str, Any]:
    return {
        "time": f"2026-07-10T10:{number // 60 % 60:02}:{number % 60:02}Z",
        "connection_status": "connected",
        "organization_id": ACME,
        "workspace_owner_id": str(UUID(int=number % 7 + 1)),
        "workspace_id": str(UUID(int=number % 50 + 1)),
        "workspace_name": f"workspace-{number % 50}",
        "agent_name": "main",
        "type": "ssh",
        "ip": f"10.0.{number % 250}.1",
        "connection_id": str(UUID(int=number + 1)),
    }


def audited(number: int) -> dict[str, Any]:
    return {
        "id": str(UUID(int=number + 1)),
        "time": f"2026-07-10T10:00:{number % 60:02}Z",
        "user_id": str(UUID(int=1)),
        "organization_id": ACME,
        "resource_type": "template",
        "resource_id": str(UUID(int=2)),
        "resource_target": "rust",
        "action": "write",
        "status_code": 200,
        # Each of these takes six bytes as Lambda sends it.
        "diff": {"readme": {"old": "é" * 12_000, "new": "ü" * 12_000, "secret": False}},
    }


@pytest.fixture
def full(house: House, owner: Client) -> Client:
    """The owner of a house in which there is much of everything."""
    house.organization("globex", id=ACME)
    for number in range(PEOPLE):
        user = house.user(f"user-{number}", organizations={ACME: ()}, name="n" * 500, avatar_url="a" * 500)
        house.token(user)
    assert owner.post(CONNECTIONS, [connection(number) for number in range(ROWS)]).status == 200
    for first in range(0, WIDE_ROWS, 20):
        assert owner.post(AUDIT, [audited(number) for number in range(first, first + 20)]).status == 200
    return owner


@dataclass
class Counts:
    """The calls of Python's functions in the thread of a request, without those of the engine, and the rows read."""

    functions: int = 0
    rows: int = 0


@contextmanager
def counted(transport: ObservedTransport) -> Iterator[Counts]:
    """Count what a request takes."""
    counts = Counts()

    def called(_frame: object, event: str, _argument: object) -> None:
        counts.functions += event == "call"

    def noted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        profile = sys.getprofile()
        sys.setprofile(None)
        try:
            answer = send(operation, request)
        finally:
            sys.setprofile(profile)
        responses = answer.get("Responses", ())
        counts.rows += len(answer.get("Items", ())) + ("Item" in answer)
        counts.rows += sum(map(len, responses.values())) if isinstance(responses, dict) else 0
        return answer

    transport.intercept(noted)
    transport.requests.clear()
    sys.setprofile(called)
    try:
        yield counts
    finally:
        sys.setprofile(None)
        transport.restore()


@pytest.mark.needs("transactions")
def test_no_request_costs_more_than_its_budget(
    full: Client, transport: ObservedTransport, request: pytest.FixtureRequest
) -> None:
    over = []
    for route in ROUTES:
        view(route)
    for name, asked in REQUESTS.items():
        bodies = [asked.body] * 2
        if name == "send new events":
            bodies = [[connection(one) for one in range(begin, begin + 1_000)] for begin in (9_000, 10_000)]
        # The first of its kind also imports, and makes the validators of its body.
        first, body = bodies
        assert full.send(asked.method, asked.path, first, query=asked.query).status < 300
        with counted(transport) as counts:
            reply = full.send(asked.method, asked.path, body, query=asked.query)
        assert reply.status < 300, (name, reply.text[:300])
        taken = Budget(sent(reply), len(transport.operations), counts.functions)
        if request.config.option.write_figures:
            figures.write("answers", name, taken._asdict())
        if any(used > most for used, most in zip(taken, asked.budget, strict=True)):
            over.append(f"{name}: {taken}, and may {asked.budget}")
        assert taken.bytes < MAX_ANSWER_BYTES, name
    assert over == []


def sent(reply: Reply) -> int:
    return answer_bytes({"statusCode": reply.status, "headers": dict(reply.headers), "body": reply.text})
