"""Lines that Gatebook prints of an event are read by `service_log` to the same event, JSON and human."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.logs import connection
from chalicelib.logs.connection import ConnectionEvent
from chalicelib.logs.service_line import event_of as event_of_row
from chalicelib.logs.service_line import human_line, json_line
from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG, FIELDS, read_human, read_object
from chalicelib.models.connection_events import parse_row

NOW = datetime(2025, 7, 3, 6, 57, 16, 157_900, tzinfo=UTC)
CONNECTION = {
    "id": "f0249951-d454-48f6-9504-e73340fa07b7",
    "organization_id": "1a2bb67e-0117-4168-92e0-58138989a7f5",
    "workspace_owner_id": "fe8f4bab-3128-41f1-8fec-1cc0755affe5",
    "workspace_id": "05567e23-31e2-4c00-bd05-4d499d437347",
    "workspace_name": "dev",
    "agent_name": "main",
    "type": "ssh",
    "time": datetime(2025, 7, 3, 6, 57, 16, 144_719, tzinfo=UTC),
    "connection_status": "connected",
}
AUDIT = {
    "id": "01000000-0000-0000-0000-000000000000",
    "time": datetime(2009, 11, 10, 23, tzinfo=UTC),
    "user_id": "02000000-0000-0000-0000-000000000000",
    "organization_id": "03000000-0000-0000-0000-000000000000",
    "ip": "127.0.0.1",
    "user_agent": "Mozilla/5.0 (X11)",
    "resource_type": "organization",
    "resource_id": "04000000-0000-0000-0000-000000000000",
    "resource_target": "colin's organization",
    "action": "delete",
    "diff": {"1": 2},
    "status_code": 204,
    "additional_fields": {"name": "doug", "species": "cat"},
    "request_id": "05000000-0000-0000-0000-000000000000",
    "resource_icon": "photo.png",
}


def test_a_json_line_has_the_fields_in_coders_order_and_absent_values_as_coder_writes_them() -> None:
    line = json.loads(json_line(CONNECTION_LOG, CONNECTION, NOW, "de3f6004-6cc1-4880-a296-d7c6ca1abf75"))
    fields = line.pop("fields")
    assert line == {
        "ts": "2025-07-03T06:57:16.1579Z",
        "level": "INFO",
        "msg": "connection_log",
        "logger_names": ["coderd"],
    }
    assert list(fields) == [
        *(
            "request_id",
            "ID",
            "OrganizationID",
            "WorkspaceOwnerID",
            "WorkspaceID",
            "WorkspaceName",
            "AgentName",
            "Type",
        ),
        *("Code", "IP", "UserAgent", "UserID", "SlugOrPort", "ConnectionID", "DisconnectReason", "Time"),
        "ConnectionStatus",
    ]
    absent = {name: fields[name] for name in ("Code", "IP", "UserAgent", "UserID", "SlugOrPort", "ConnectionID")}
    assert absent == {
        "Code": None,
        "IP": "<nil>",
        "UserAgent": "",
        "UserID": None,
        "SlugOrPort": "",
        "ConnectionID": None,
    }
    assert fields["Time"] == "2025-07-03T06:57:16.144719Z"


def test_a_human_line_quotes_what_is_not_one_word() -> None:
    event = {**CONNECTION, "type": "workspace_app", "code": 200, "user_agent": 'Mozilla/5.0 (X11; "odd")'}
    assert human_line(CONNECTION_LOG, event, NOW) == (
        "2025-07-03 06:57:16.157 [info]  coderd: connection_log  ID=f0249951-d454-48f6-9504-e73340fa07b7"
        "  OrganizationID=1a2bb67e-0117-4168-92e0-58138989a7f5  WorkspaceOwnerID=fe8f4bab-3128-41f1-8fec-1cc0755affe5"
        "  WorkspaceID=05567e23-31e2-4c00-bd05-4d499d437347  WorkspaceName=dev  AgentName=main  Type=workspace_app"
        '  Code=200  IP=<nil>  UserAgent="Mozilla/5.0 (X11; \\"odd\\")"  UserID=<nil>  SlugOrPort=""'
        '  ConnectionID=<nil>  DisconnectReason=""  Time="2025-07-03T06:57:16.144719Z"  ConnectionStatus=connected'
    )


def test_an_audit_line_is_coders_own_example() -> None:
    fields = json.loads(json_line(AUDIT_LOG, AUDIT, NOW))["fields"]
    assert fields == {
        "ID": "01000000-0000-0000-0000-000000000000",
        "Time": "2009-11-10T23:00:00Z",
        "UserID": "02000000-0000-0000-0000-000000000000",
        "OrganizationID": "03000000-0000-0000-0000-000000000000",
        "Ip": "127.0.0.1",
        "UserAgent": "Mozilla/5.0 (X11)",
        "ResourceType": "organization",
        "ResourceID": "04000000-0000-0000-0000-000000000000",
        "ResourceTarget": "colin's organization",
        "Action": "delete",
        "Diff": {"1": 2},
        "StatusCode": 204,
        "AdditionalFields": {"name": "doug", "species": "cat"},
        "RequestID": "05000000-0000-0000-0000-000000000000",
        "ResourceIcon": "photo.png",
    }
    assert list(fields) == list(FIELDS[AUDIT_LOG])


def of_json(line: str, message: str) -> dict[str, Any] | None:
    reported = read_object(json.loads(line))
    return reported.event if reported and reported.message == message else None


def of_human(line: str, message: str) -> dict[str, Any] | None:
    reported = read_human(line)
    return reported.event if reported and reported.message == message else None


FORMS = pytest.mark.parametrize(("written", "read"), [(json_line, of_json), (human_line, of_human)])
Written = Callable[..., str]
Read = Callable[[str, str], Any]

# What stands for nothing is read as nothing, in Coder's lines as in these.
texts = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: text not in ("", "<nil>"))
codes = st.integers(-(2**31), 2**31 - 1)
moments = st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
json_objects = st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | codes | texts, max_size=3)


def wired(event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib import times  # noqa: PLC0415 - only to write what is expected

    return {name: times.wire(value) if isinstance(value, datetime) else value for name, value in event.items()}


@FORMS
@given(
    event=st.fixed_dictionaries(
        {**{name: st.just(value) for name, value in CONNECTION.items()}, "time": moments, "workspace_name": st.text()},
        optional={
            "code": codes,
            "ip": st.sampled_from(["10.1.2.3", "2001:db8::1"]),
            **dict.fromkeys(("user_agent", "slug_or_port", "disconnect_reason", "user_id", "connection_id"), texts),
        },
    ),
    request_id=st.uuids().map(str),
)
def test_a_connection_event_comes_back_as_it_was(
    written: Written, read: Read, event: dict[str, Any], request_id: str
) -> None:
    line = written(CONNECTION_LOG, event, NOW, request_id)
    assert "\n" not in line
    assert read(line, CONNECTION_LOG) == wired(event)
    assert read(line, AUDIT_LOG) is None


@FORMS
@given(
    event=st.fixed_dictionaries(
        {
            **{name: st.just(value) for name, value in AUDIT.items()},
            "time": moments,
            "resource_target": st.text(),
            "diff": json_objects,
            "additional_fields": json_objects,
            "status_code": codes,
        }
    )
)
def test_an_audit_event_comes_back_as_it_was(written: Written, read: Read, event: dict[str, Any]) -> None:
    line = written(AUDIT_LOG, event, NOW)
    assert "\n" not in line
    assert read(line, AUDIT_LOG) == wired(event)


def session(**changes: Any) -> ConnectionEvent:
    """An event with all that a session may have; `changes` replace fields."""
    known = {**CONNECTION, "connection_id": "3e2d1c0b-9a8f-4e7d-8c6b-5a4f3e2d1c0b", "ip": "10.1.2.3", **changes}
    fields = ConnectionEvent.__slots__
    return ConnectionEvent(**{name: known.get(name) for name in fields})  # type: ignore[arg-type]


EVENTS = [
    session(),
    session(connection_status="disconnected"),
    session(connection_status="disconnected", code=0, disconnect_reason="client left"),
    session(connection_id=None),
    session(type="workspace_app", connection_id=None, code=200, slug_or_port="terminal", user_agent="Mozilla/5.0"),
    session(type="port_forwarding", connection_id=None, code=404, slug_or_port="3000", user_id=AUDIT["user_id"]),
]


@FORMS
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event.type} {event.connection_status}")
def test_what_is_printed_of_a_stored_event_makes_the_same_row_again(
    written: Written, read: Read, event: ConnectionEvent
) -> None:
    made = connection.row(event)
    assert parse_row(read(written(CONNECTION_LOG, event_of_row(made), NOW), CONNECTION_LOG)) == made
