"""Whatever lanes a deployment keeps, the API may read them, and does: the function's policy is the same for all."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chalicelib.settings import load
from chalicelib.store.logs import tables as log_tables
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS
from scripts.deployment.bootstrap import bootstrap
from scripts.local.engine import EmbeddedEngine
from tests.api.conftest import Client, House

ROW_ID = "05567e23-31e2-4c00-bd05-4d499d437347"
EVERY_LANE = load(
    {
        f"GATEBOOK_{log.name.upper()}_LANES": ",".join(["*", *(lane.name for lane in log.lanes if lane.optional)])
        for log in (CONNECTION_LOGS, AUDIT_LOGS)
    }
)
CONNECTIONS = {
    "connection": f"connection_id:{ROW_ID}",
    "workspace": f"workspace_id:{ROW_ID}",
    "user": "username:root",
    "owner": "workspace_owner:root",
    "address": "ip:192.0.2.1",
    "status": "status:ongoing",
    "status_type": "status:ongoing type:ssh",
    "completed": "status:completed",
    "organization_type": "organization:acme type:ssh",
    "organization": "organization:acme",
    "type": "type:workspace_app",
    "all": "",
}
AUDITS = {
    "request": f"request_id:{ROW_ID}",
    "resource": f"resource_id:{ROW_ID}",
    "target": "resource_target:dev",
    "user": "username:root",
    "address": "ip:192.0.2.1",
    "build_reason_action": "build_reason:autostart action:start resource_type:workspace_build",
    "build_reason": "build_reason:autostart",
    "resource_type_action": "resource_type:workspace action:start",
    "organization_resource_type": "organization:acme resource_type:workspace",
    "organization": "organization:acme",
    "resource_type": "resource_type:workspace",
    "action": "action:start",
    "all": "",
}
CASES = [
    *(("/api/v2/connectionlog", lane, q) for lane, q in CONNECTIONS.items()),
    *(("/api/v2/audit", lane, q) for lane, q in AUDITS.items()),
]


def test_every_lane_that_answers_a_filter_has_a_case() -> None:
    assert set(CONNECTIONS) == {lane.name for lane in CONNECTION_LOGS.lanes} - {"arrival"}
    assert set(AUDITS) == {lane.name for lane in AUDIT_LOGS.lanes} - {"arrival", "connection_event"}


@pytest.mark.parametrize(("path", "lane", "q"), CASES)
def test_a_lane_may_be_read(
    tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, path: str, lane: str, q: str
) -> None:
    assert tables.running
    monkeypatch.setattr(log_tables, "current", lambda: EVERY_LANE)
    root = Client(bootstrap("root", "root@example.com", again=False))
    House().organization("acme")
    reply = root.get(path, query={"q": q, "explain": "true"})
    assert (reply.status, reply.json["explain"]["lane"]) == (200, lane)


@pytest.mark.parametrize("path", ["/api/v2/connectionlog", "/api/v2/audit"])
def test_the_order_of_arrival_may_be_read(tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    assert tables.running
    monkeypatch.setattr(log_tables, "current", lambda: EVERY_LANE)
    root = Client(bootstrap("root", "root@example.com", again=False))
    assert root.get(path, query={"order": "arrival"}).status == 200


@pytest.mark.parametrize("path", ["/api/v2/connectionlog", "/api/v2/audit"])
def test_the_row_that_after_id_names_may_be_read(tables: EmbeddedEngine, path: str) -> None:
    assert tables.running
    root = Client(bootstrap("root", "root@example.com", again=False))
    reply = root.get(path, query={"after_id": str(uuid4())})
    assert (reply.status, reply.json["validations"][0]["field"]) == (400, "after_id")
