"""Rows become OCSF events of the class that they are, which the published schema takes, whatever a sender wrote."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chalicelib.export.formats import OCSF
from chalicelib.logs.vocabulary import AUDIT_ACTIONS, AUDITED_TYPES, CONNECTION_TYPES, SESSION_TYPES

SCHEMA = json.loads((Path(__file__).parent / "ocsf-1.8.0.json").read_text())
ID = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
ORGANIZATION = {"id": ID, "name": "acme", "display_name": "", "icon": ""}
USER = {"id": ID, "username": "ann", "email": "ann@example.com", "roles": []}


@cache
def validators() -> dict[int, Any]:
    by_class = {}
    for schema in SCHEMA["classes"].values():
        own = {**schema, "$defs": SCHEMA["$defs"]}
        by_class[schema["properties"]["class_uid"]["const"]] = Draft202012Validator(own)
    return by_class


def event_of(log: str, row: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(OCSF.line(log, row))
    validators()[event["class_uid"]].validate(event)
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["category_uid"] == event["class_uid"] // 1000
    assert list(OCSF.places(log, [json.dumps(event)])) == [f"2025-07-10T10:14:38.942776#{ID}"]
    assert event["time"] == 1_752_142_478_942
    return event


def audit(**changes: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "request_id": ID,
        "time": "2025-07-10T10:14:38.942776Z",
        "ip": "192.0.2.7",
        "user_agent": "curl",
        "resource_type": "workspace",
        "resource_id": ID,
        "resource_target": "dev",
        "resource_icon": "",
        "action": "write",
        "diff": {},
        "status_code": 200,
        "additional_fields": {"workspace_name": "dev"},
        "description": "{user} updated workspace {target}",
        "resource_link": "",
        "is_deleted": False,
        "organization_id": ID,
        "organization": ORGANIZATION,
        "user": USER,
        **changes,
    }


def connection(type_: str = "ssh", info: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    session = type_ in SESSION_TYPES
    return {
        "id": ID,
        "connect_time": "2025-07-10T10:14:38.942776Z",
        "organization": ORGANIZATION,
        "workspace_owner_id": ID,
        "workspace_owner_username": "ann",
        "workspace_id": ID,
        "workspace_name": "dev",
        "agent_name": "main",
        "ip": "2001:db8::1",
        "type": type_,
        "app_name": "",
        **(
            {"ssh_info": {"connection_id": ID, **(info or {})}}
            if session
            else {
                "web_info": {
                    "user_agent": "x",
                    "user": USER,
                    "slug_or_port": "8080",
                    "status_code": 200,
                    **(info or {}),
                }
            }
        ),
        **changes,
    }


ROLES = {"roles": {"old": ["a"], "new": ["a", "b"], "secret": False}}
LOST = {"rbac_roles": {"old": [{"name": "owner"}], "new": [], "secret": False}}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"action": "login", "resource_type": "api_key"}, 300201),
        ({"action": "login", "resource_type": "user", "user": None, "status_code": 401}, 300201),
        ({"action": "logout", "resource_type": "api_key"}, 300202),
        ({"action": "create", "resource_type": "user"}, 300101),
        ({"action": "delete", "resource_type": "user"}, 300106),
        ({"action": "register", "resource_type": "user"}, 300101),
        ({"resource_type": "user", "diff": {"status": {"old": "active", "new": "suspended"}}}, 300105),
        ({"resource_type": "user", "diff": {"status": {"old": "suspended", "new": "active"}}}, 300102),
        ({"resource_type": "user", "diff": LOST}, 300502),
        ({"resource_type": "organization_member", "diff": ROLES}, 300501),
        ({"resource_type": "organization_member", "action": "create"}, 300501),
        ({"resource_type": "organization_member", "action": "delete"}, 300502),
        ({"resource_type": "api_key", "action": "create"}, 300401),
        ({"resource_type": "template", "action": "write"}, 300403),
        ({"resource_type": "organization", "action": "delete"}, 300404),
        ({"resource_type": "user", "diff": {"name": {"old": "a", "new": "b"}}}, 600303),
        ({"resource_type": "workspace_build", "action": "start"}, 600399),
        ({"resource_type": "retention_hold", "action": "create", "user": None}, 600301),
    ],
)
def test_a_change_is_of_its_class(changes: dict[str, Any], kind: int) -> None:
    event = event_of("audit", audit(**changes))
    assert event["type_uid"] == kind
    assert event["status_id"] == (2 if changes.get("status_code") == 401 else 1)


@pytest.mark.parametrize(
    ("type_", "info", "kind"),
    [
        ("ssh", {}, 400701),
        ("vscode", {"disconnect_time": "2025-07-10T11:14:38.942776Z", "exit_code": 0}, 400702),
        ("jetbrains", {"disconnect_time": "2025-07-10T10:14:38.942776Z", "exit_code": 255}, 400704),
        ("reconnecting_pty", {"disconnect_time": "2025-07-10T11:14:38.942776Z", "disconnect_reason": "bye"}, 400702),
        ("workspace_app", {}, 400299),
        ("port_forwarding", {"status_code": 403, "user": None}, 400299),
        ("tunnel", {}, 401401),
    ],
)
def test_a_connection_is_of_its_class(type_: str, info: dict[str, Any], kind: int) -> None:
    event = event_of("connection", connection(type_, info))
    assert event["type_uid"] == kind
    if "disconnect_time" in info and kind == 400702:
        assert event["duration"] == 3_600_000


def test_what_the_schema_has_no_place_for_is_kept() -> None:
    diff = {"ttl": {"old": 1, "new": 2, "secret": False}}
    unmapped = event_of("audit", audit(diff=diff))["unmapped"]
    assert unmapped["diff"] == diff
    assert unmapped["additional_fields"] == {"workspace_name": "dev"}
    assert event_of("connection", connection("tunnel"))["unmapped"]["web_info"]["slug_or_port"] == "8080"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda of: st.lists(of, max_size=3)
)
SIDE = JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=2) | st.lists(st.dictionaries(st.just("name"), JSON))
DIFF = st.dictionaries(
    st.sampled_from(["roles", "rbac_roles", "status", "name"]),
    st.fixed_dictionaries({"secret": st.booleans()}, optional={"old": SIDE, "new": SIDE}),
)


@given(
    st.fixed_dictionaries(
        {
            "resource_type": st.sampled_from([*AUDITED_TYPES, "newer"]),
            "action": st.sampled_from([*AUDIT_ACTIONS, "newer"]),
            "diff": DIFF,
            "resource_target": st.text(max_size=5),
            "status_code": st.integers(0, 600),
            "user": st.sampled_from([None, USER]),
            "ip": st.sampled_from(["", "192.0.2.7", "2001:db8::1"]),
            "user_agent": st.text(max_size=5),
        }
    )
)
def test_every_audit_row_is_an_event_that_the_schema_takes(changes: dict[str, Any]) -> None:
    event_of("audit", audit(**changes))


@given(
    st.sampled_from([*CONNECTION_TYPES, "newer"]),
    st.fixed_dictionaries(
        {},
        optional={
            "disconnect_time": st.just("2025-07-10T10:15:00Z"),
            "disconnect_reason": st.text(max_size=5),
            "exit_code": st.integers(-5, 256),
            "user": st.sampled_from([None, USER]),
            "status_code": st.integers(0, 600),
            "slug_or_port": st.text(max_size=5),
        },
    ),
)
def test_every_connection_is_an_event_that_the_schema_takes(type_: str, info: dict[str, Any]) -> None:
    event_of("connection", connection(type_, info))
    without = connection(type_, info)
    del without["ip"]
    event_of("connection", without)
