from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from chalicelib.logs.connection import session_id
from chalicelib.search.filters import CONNECTION_FILTERS

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

ORGANIZATION = "1a2bb67e-0117-4168-92e0-58138989a7f5"
OWNER = "fe8f4bab-3128-41f1-8fec-1cc0755affe5"
WORKSPACE = "05567e23-31e2-4c00-bd05-4d499d437347"
CONNECTION = "7a6fafdc-e3d0-43cb-a1b7-1f19802d7908"
LINE = {
    "ts": "2025-07-10T10:14:38.957205Z",
    "level": "INFO",
    "msg": "connection_log",
    "caller": "connectionlog/slog.go:38",
    "func": "export",
    "logger_names": ["coderd"],
    "fields": {
        "request_id": "916ad077-e120-4861-8640-f449d56d2bae",
        "ID": "ca5dfc63-dc43-463a-bb3e-38526866fd4b",
        "OrganizationID": ORGANIZATION,
        "WorkspaceOwnerID": OWNER,
        "WorkspaceID": WORKSPACE,
        "WorkspaceName": "dev",
        "AgentName": "main",
        "Type": "ssh",
        "Code": None,
        "Ip": "fd7a:115c:a1e0:4b86:9046:80e:6c70:33b7",
        "UserAgent": "",
        "UserID": None,
        "SlugOrPort": "",
        "ConnectionID": CONNECTION,
        "DisconnectReason": "",
        "Time": "2025-07-10T10:14:38.942776145Z",
        "ConnectionStatus": "connected",
    },
}
MOMENT = "2025-07-10T10:14:38.942776Z"
FINDING = [
    "",
    f"organization:{ORGANIZATION}",
    "organization:acme",
    "workspace_owner:ann",
    "workspace_owner:me",
    "workspace_owner_email:ann@example.com",
    "type:ssh",
    f'connected_after:"{MOMENT}"',
    f'connected_before:"{MOMENT}"',
    f"workspace_id:{WORKSPACE}",
    f"connection_id:{CONNECTION}",
    "status:ongoing",
    "status:connected",
]
MISSING = [
    f"organization:{UUID(int=7)}",
    "workspace_owner:root",
    "workspace_owner_email:root@example.com",
    "type:vscode",
    "username:ann",
    "username:me",
    "user_email:ann@example.com",
    'connected_after:"2025-07-10T10:14:38.942777Z"',
    'connected_before:"2025-07-10T10:14:38.942775Z"',
    f"workspace_id:{UUID(int=7)}",
    f"connection_id:{UUID(int=7)}",
    "status:completed",
    "status:disconnected",
    "method:tunnel",
    "app:cursor",
    "after:2025-07-11",
    "before:2025-07-09",
    "workspace:prod",
    "agent:other",
    "ip:192.0.2.0/24",
]


@pytest.fixture
def ann(owner: Client, house: House) -> Client:
    """The owner of the workspace, after the one line of the example has come in."""
    house.organization("acme", id=ORGANIZATION)
    known = house.user("ann", "auditor", id=OWNER)
    as_lines = {"Content-Type": "application/x-ndjson"}
    reply = owner.post("/api/v2/connectionlog", json.dumps(LINE) + "\n", headers=as_lines)
    assert (reply.status, reply.json["created"], reply.json["skipped"]) == (200, 1, 0)
    return house.client(known)


def test_the_line_becomes_this_row(ann: Client) -> None:
    body = ann.logs().json
    for name in ("written_by", "received_at"):
        assert body["connection_logs"][0].pop(name)
    assert body == {
        "connection_logs": [
            {
                "id": session_id(ORGANIZATION, CONNECTION, WORKSPACE, "main"),
                "connect_time": MOMENT,
                "organization": {"id": ORGANIZATION, "name": "acme", "display_name": "Acme", "icon": ""},
                "workspace_owner_id": OWNER,
                "workspace_owner_username": "ann",
                "workspace_id": WORKSPACE,
                "workspace_name": "dev",
                "agent_name": "main",
                "ip": "fd7a:115c:a1e0:4b86:9046:80e:6c70:33b7",
                "type": "ssh",
                "type_display_name": "SSH",
                "connection_method": "ssh",
                "app_name": "",
                "app_display_name": "",
                "ssh_info": {"connection_id": CONNECTION},
            }
        ],
        "count": 1,
        "count_cap": 2000,
    }


@pytest.mark.parametrize("query", [*FINDING, " ".join(query for query in FINDING[4:12])])
def test_every_filter_that_applies_finds_it(ann: Client, query: str) -> None:
    body = ann.logs(query).json
    assert (body["count"], len(body["connection_logs"])) == (1, 1)


@pytest.mark.parametrize("query", MISSING)
def test_every_filter_that_does_not_apply_passes_it_over(ann: Client, query: str) -> None:
    assert ann.logs(query).json == {"connection_logs": [], "count": 0, "count_cap": 2000}


def test_the_filters_of_the_table_are_all_tried() -> None:
    tried = {query.partition(":")[0] for query in (*FINDING, *MISSING)}
    assert tried - {""} == {key.key for key in CONNECTION_FILTERS.keys}
