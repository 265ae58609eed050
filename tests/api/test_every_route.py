"""Each route by the largest requests that the document allows, of a house that has much of everything.

Each is held to a budget of bytes, rows, calls of the store, and calls of functions: the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from app import app
from chalicelib.api.views import view
from chalicelib.models.sent import MAX_BYTES
from chalicelib.routes import ROUTES
from chalicelib.ui import assets
from scripts.docs import figures
from scripts.gateway.limits import MAX_ANSWER_BYTES, answer_bytes
from tests.api.largest_inputs import body_of, long_query_of, query_of
from tests.api.matrix import CASES, UNGATED, Case, Stage
from tests.api.test_largest import counted, full

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

__all__ = ["full"]


class Spent(NamedTuple):
    """The cost of one request."""

    bytes: int
    rows: int
    calls: int
    functions: int


USUAL = Spent(bytes=165_000, rows=210, calls=17, functions=12_000)
"""The budget of a route that is not named below."""
_ANSWER = MAX_ANSWER_BYTES
BUDGETS: Mapping[str, Spent] = {
    "GET /api/v2/users/{user}/keys/tokens": Spent(bytes=165_000, rows=400, calls=10, functions=120_000),
    "GET /api/v2/connectionlog": Spent(bytes=380_000, rows=1_000, calls=12, functions=17_000),
    "GET /api/v2/audit": Spent(bytes=_ANSWER, rows=200, calls=10, functions=12_000),
    "GET /api/v2/organizations/{organization}/provisionerjobs": Spent(950_000, rows=60, calls=12, functions=12_000),
    "GET /api/v2/organizations/{organization}/provisionerdaemons": Spent(125_000, rows=60, calls=28, functions=12_000),
    "GET /api/v2/templates": Spent(bytes=3_100_000, rows=70, calls=10, functions=17_000),
    "GET /api/v2/organizations/{organization}/templates": Spent(950_000, rows=60, calls=10, functions=12_000),
    "GET /api/v2/templates/{template}/versions": Spent(bytes=_ANSWER, rows=60, calls=10, functions=12_000),
    "GET /api/v2/workspaces": Spent(bytes=2_200_000, rows=100, calls=13, functions=21_000),
    "GET /api/v2/workspaces/{workspace}": Spent(bytes=700_000, rows=60, calls=10, functions=12_000),
    "GET /api/v2/workspaces/{workspace}/builds": Spent(bytes=_ANSWER, rows=60, calls=32, functions=21_000),
    "GET /api/v2/workspacebuilds/{workspacebuild}/logs": Spent(_ANSWER, rows=60, calls=10, functions=12_000),
    "GET /api/v2/users/{user}/workspace/{workspacename}": Spent(700_000, rows=60, calls=12, functions=12_000),
    "POST /api/v2/users/logout": Spent(bytes=1_000, rows=500, calls=10, functions=27_000),
    "GET /api/v2/openapi.json": Spent(bytes=520_000, rows=0, calls=0, functions=1_000),
}
"""Method and path of a route -> the most that a request of it may cost, where that is more than usual."""


OF_NOBODY = {"{os}": "linux", "{arch}": "amd64", "{version}": assets.version(), "{asset}": "app.js"}
"""The parameters of paths that take no token."""


@pytest.fixture
def stage(full: Client, house: House, root: User, keeps_secrets: None, keeps_exports: list[str]) -> Stage:
    assert keeps_secrets is None
    assert keeps_exports == []
    made = Stage(house, full, root)
    fill(made)
    return made


def fill(stage: Stage) -> None:
    """Mirror much of every kind in, of the organization, the template and the workspace of the stage."""
    names = stage.mirrored
    of = {"organization_id": stage.acme.id}
    for _ in range(60):
        organizations: dict[str, tuple[str, ...]] = {stage.acme.id: ()}
        stage.house.user(f"m{uuid4().hex[:12]}", organizations=organizations, name="n" * 500, avatar_url="a" * 500)
    long, version = "é" * 8_000, {"template_id": names["template"], "readme": "é" * 99_000}
    build = {"workspace_id": names["workspace"], "template_version_id": names["templateversion"], "transition": "start"}
    for number in range(15):
        name = f"w{number}"
        put(stage, "template_version", {**of, **version, "name": name})
        put(stage, "template", {**of, "name": f"template-{number}", "description": long})
        put(stage, "workspace", {**of, "owner_id": stage.bob.id, "template_id": names["template"], "name": name})
        put(stage, "provisioner_daemon", {**of, "name": name, "version": "é" * 1_000})
        put(stage, "provisioner_job", {**of, "initiator_id": stage.root.id, "type": "workspace_build", "error": long})
        resources = [{"id": str(uuid4()), "type": "é" * 200, "name": "é" * 200} for _ in range(200)]
        more = {"build_number": number + 2, "resources": resources, "job_id": names["job"]}
        put(stage, "workspace_build", {**build, **more})
    lines = [{"id": number, "created_at": "2025-07-10T10:14:38Z", "output": "\x01" * 900} for number in range(1_100)]
    for first in range(0, len(lines), 550):
        path = f"/api/v2/provisionerjobs/{names['job']}/logs"
        assert stage.owner.put(path, {"logs": lines[first : first + 550]}).status == 200


def restore(stage: Stage, case: Case) -> None:
    """Make anew what a request has changed."""
    before = stage.acme.id
    stage.set_up_after(case)
    if stage.acme.id != before:
        fill(stage)


def put(stage: Stage, kind: str, fields: dict[str, Any]) -> None:
    line = json.dumps({"kind": kind, "id": str(uuid4()), **fields}, ensure_ascii=False)
    reply = stage.owner.put("/api/v2/directory", json.loads(line))
    assert reply.status == 200, reply.text[:300]
    assert not reply.json["rejected"], reply.text[:300]


def requests_of(case: Case) -> Iterator[tuple[str, Case]]:
    """The largest requests of a case: of rows, of the body, and of the query."""
    path = case.path
    for name, text in OF_NOBODY.items():
        path = path.replace(name, text)
    query = query_of(case.method, case.path, case.query or {})
    yield "rows", Case(case.method, path, case.body, case.opened, case.named, query or None)
    body = body_of(case.method, case.path, case.body)
    if body != case.body and len(json.dumps(body, ensure_ascii=False).encode()) <= MAX_BYTES:
        yield "body", Case(case.method, path, body, case.opened, case.named, case.query)
    if texts := long_query_of(case.method, case.path) if case.method == "GET" else {}:
        yield "query", Case(case.method, path, case.body, case.opened, case.named, texts)


def cost(stage: Stage, case: Case, client: Client, transport: ObservedTransport) -> tuple[Reply, Spent]:
    with counted(transport) as counts:
        reply = stage.call(case, client)
    sent = answer_bytes({"statusCode": reply.status, "headers": dict(reply.headers), "body": reply.text})
    return reply, Spent(sent, counts.rows, len(transport.operations), counts.functions)


ASKED = (*CASES, *(Case(method, path) for method, path in sorted(UNGATED)))


def test_every_route_is_asked() -> None:
    every = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert {(case.method, case.path) for case in ASKED} == every


@pytest.mark.needs("transactions")
def test_no_request_of_any_route_costs_more_than_its_budget(
    stage: Stage, transport: ObservedTransport, request: pytest.FixtureRequest
) -> None:
    for route in ROUTES:
        view(route)
    over: list[str] = []
    worst: dict[str, Spent] = {}
    for case in ASKED:
        reader = stage.house.client(stage.root)
        for kind, asked in requests_of(case):
            # A request that changes anything may be that its token ends, and a user has 500 at the most.
            clients = [reader if case.method == "GET" else stage.house.client(stage.root) for _ in range(2)]
            # The first of its kind also imports, and makes the validators of its body.
            stage.call(asked, clients[0])
            restore(stage, case)
            reply, spent = cost(stage, asked, clients[1], transport)
            restore(stage, case)
            name = f"{case.method} {case.path}"
            most = BUDGETS.get(name, USUAL)
            before = worst.get(name, spent)
            worst[name] = Spent(*map(max, before, spent))
            assert reply.status < 500 or reply.status == 501, (name, kind, reply.text[:300])
            assert spent.bytes < MAX_ANSWER_BYTES, (name, kind)
            if any(used > allowed for used, allowed in zip(spent, most, strict=True)):
                over.append(f"{name} ({kind}, {reply.status}): {spent}, and may {most}")
    if request.config.option.write_figures:
        for name, spent in worst.items():
            figures.write("routes", name, spent._asdict())
    assert not over, "\n".join(over)
