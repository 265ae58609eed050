from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG, message_by_fields, read_human, read_object


def event_of(line: dict[str, Any], message: str) -> dict[str, Any] | None:
    """The event of an object of this message."""
    reported = read_object(line)
    return reported.event if reported and reported.message == message else None


def event_of_human(line: str, message: str) -> dict[str, Any] | None:
    """The event of a human line of this message."""
    reported = read_human(line)
    return reported.event if reported and reported.message == message else None


HUMAN = (
    "2025-07-03 06:57:16.157 [info]  coderd: connection_log  request_id=de3f6004-6cc1-4880-a296-d7c6ca1abf75"
    '  ID=f0249951-d454-48f6-9504-e73340fa07b7  Time="2025-07-03T06:57:16.144719Z"  WorkspaceName=dev  AgentName=main'
    '  Type=workspace_app  Code=200  Ip=127.0.0.1  UserAgent="Mozilla/5.0 (X11; \\"odd\\")"  UserID=<nil>'
    '  SlugOrPort=code-server  ConnectionID=<nil>  DisconnectReason=""  ConnectionStatus=connected'
)


def line(**fields: Any) -> dict[str, Any]:
    return {"ts": "2025-07-03T05:09:41.929840747Z", "level": "INFO", "msg": "connection_log", "fields": fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Ip": "127.0.0.1"}, {"ip": "127.0.0.1"}),
        ({"IP": "127.0.0.1"}, {"ip": "127.0.0.1"}),
        ({"Ip": "<nil>", "UserAgent": "", "UserID": None, "Code": None}, {}),
        ({"Code": 0}, {"code": 0}),
        ({"WorkspaceName": "", "AgentName": ""}, {"workspace_name": "", "agent_name": ""}),
        ({"request_id": "x", "Unknown": 1}, {}),
        (
            {"WorkspaceOwnerID": "o", "SlugOrPort": "terminal", "ConnectionStatus": "connected"},
            {"workspace_owner_id": "o", "slug_or_port": "terminal", "connection_status": "connected"},
        ),
    ],
)
def test_fields_take_the_names_of_an_event_and_what_is_absent_stays_out(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert event_of(line(**fields), CONNECTION_LOG) == expected


def test_lines_of_other_messages_are_not_events() -> None:
    assert event_of({"msg": "audit_log", "fields": {"ID": "x"}}, CONNECTION_LOG) is None
    assert event_of_human("2025-07-03 06:57:16.157 [info]  coderd: started  port=3000", CONNECTION_LOG) is None
    assert event_of_human("2025-07-03 06:57:16.157 [warn] low on disk", CONNECTION_LOG) is None


@pytest.mark.parametrize("fields", [None, [], "text"])
def test_a_line_without_fields_is_an_event_that_lacks_everything(fields: Any) -> None:
    assert event_of({"msg": "connection_log", "fields": fields}, CONNECTION_LOG) == {}


def test_a_human_line_reads_like_a_json_line() -> None:
    assert event_of_human(HUMAN, CONNECTION_LOG) == {
        "id": "f0249951-d454-48f6-9504-e73340fa07b7",
        "time": "2025-07-03T06:57:16.144719Z",
        "workspace_name": "dev",
        "agent_name": "main",
        "type": "workspace_app",
        "code": 200,
        "ip": "127.0.0.1",
        "user_agent": 'Mozilla/5.0 (X11; "odd")',
        "slug_or_port": "code-server",
        "connection_status": "connected",
    }


@pytest.mark.parametrize("text", ["", "hello", "{broken", "goroutine 1 [running]:", "x connection_log  ID=1"])
def test_a_text_that_no_service_log_prints_is_no_event(text: str) -> None:
    assert read_human(text) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"connection_status": "connected", "workspace_id": "x", "msg": "any"}, CONNECTION_LOG),
        ({"resource_type": "user", "action": "create"}, AUDIT_LOG),
        ({"time": "2025-07-03T05:09:41Z"}, None),
        ({}, None),
    ],
)
def test_an_event_shows_by_its_fields_which_log_it_belongs_to(value: dict[str, Any], message: str | None) -> None:
    assert message_by_fields(value) == message


FLAT = {"ID": "x", "OrganizationID": "o", "Type": "ssh", "Code": None}


@pytest.mark.parametrize(
    "line",
    [
        {"level": "INFO", "msg": "connection_log", "fields": FLAT},
        {"level": "info", "message": "connection_log", **FLAT},
        {"severity": "INFO", "message": "connection_log", "timestampSeconds": 1, **FLAT},
        {"level": "info", "message": "connection_log", "extra": {"id": "x", "organization_id": "o", "type": "ssh"}},
        {"level": 30, "msg": "connection_log", "meta": FLAT},
        {"msg": "connection_log", "id": "x", "organization_id": "o", "type": "ssh", "workspace_id": "w"},
    ],
)
def test_fields_are_found_where_a_logging_library_puts_them(line: dict[str, Any]) -> None:
    event = event_of(line, CONNECTION_LOG)
    assert event is not None
    assert {"id": "x", "organization_id": "o", "type": "ssh"}.items() <= event.items()


AUDIT_FIELDS = {
    "ID": "01000000-0000-0000-0000-000000000000",
    "Time": "2009-11-10T23:00:00Z",
    "UserID": "02000000-0000-0000-0000-000000000000",
    "OrganizationID": "03000000-0000-0000-0000-000000000000",
    "Ip": "127.0.0.1",
    "UserAgent": (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.4896.127 Safari/537.36"
    ),
    "ResourceType": "organization",
    "ResourceID": "04000000-0000-0000-0000-000000000000",
    "ResourceTarget": "colin's organization",
    "Action": "delete",
    "Diff": {"1": 2},
    "StatusCode": 204,
    "AdditionalFields": {"name": "doug", "species": "cat"},
    "RequestID": "05000000-0000-0000-0000-000000000000",
    "ResourceIcon": "photo.png",
    "actor": {"id": "02000000-0000-0000-0000-000000000000", "email": "doug@coder.com", "username": "coadler"},
}
AUDIT_EVENT = {
    "id": "01000000-0000-0000-0000-000000000000",
    "time": "2009-11-10T23:00:00Z",
    "user_id": "02000000-0000-0000-0000-000000000000",
    "organization_id": "03000000-0000-0000-0000-000000000000",
    "ip": "127.0.0.1",
    "user_agent": AUDIT_FIELDS["UserAgent"],
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
AUDIT_HUMAN = (
    "2023-06-13 03:43:29.233 [info]  coderd: audit_log  ID=95f7c392-da3e-480c-a579-8909f145fbe2"
    '  Time="2023-06-13T03:43:29.230422Z"  UserID=6c405053-27e3-484a-9ad7-bcb64e7bfde6'
    "  OrganizationID=00000000-0000-0000-0000-000000000000  Ip=<nil>  UserAgent=<nil>  ResourceType=workspace_build"
    '  ResourceID=988ae133-5b73-41e3-a55e-e1e9d3ef0b66  ResourceTarget=""  Action=start  Diff={}  StatusCode=200'
    '  AdditionalFields="{\\"workspace_name\\": \\"a dev\\", \\"build_number\\": \\"7\\"}"'
    '  RequestID=9682b1b5-7b9f-4bf2-9a39-9463f8e41cd6  ResourceIcon=""'
)


def audit_line(fields: str) -> str:
    return f"2025-07-03 06:57:16.157 [info] coderd: audit_log {fields}"


def test_an_audit_line_takes_the_names_of_an_event() -> None:
    line_sent = {"ts": "2009-11-10T23:00:00Z", "level": "INFO", "msg": "audit_log", "fields": AUDIT_FIELDS}
    assert event_of(line_sent, AUDIT_LOG) == AUDIT_EVENT
    assert event_of(line_sent, CONNECTION_LOG) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"IP": "127.0.0.1"}, {"ip": "127.0.0.1"}),
        ({"ResourceTarget": "", "ResourceIcon": ""}, {"resource_target": ""}),
        ({"Ip": "<nil>", "UserAgent": "", "Diff": None, "AdditionalFields": None}, {}),
        ({"Diff": {}, "AdditionalFields": {}}, {"diff": {}, "additional_fields": {}}),
        ({"WorkspaceID": "x", "actor": {"id": "x"}}, {}),
    ],
)
def test_what_is_absent_from_an_audit_line_stays_out(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert event_of({"msg": "audit_log", "fields": fields}, AUDIT_LOG) == expected


def test_fields_of_the_audit_log_are_none_of_a_connection() -> None:
    assert event_of(line(Diff={}, ResourceType="user"), CONNECTION_LOG) == {}


def test_a_human_audit_line_reads_like_a_json_line() -> None:
    assert event_of_human(AUDIT_HUMAN, AUDIT_LOG) == {
        "id": "95f7c392-da3e-480c-a579-8909f145fbe2",
        "time": "2023-06-13T03:43:29.230422Z",
        "user_id": "6c405053-27e3-484a-9ad7-bcb64e7bfde6",
        "organization_id": "00000000-0000-0000-0000-000000000000",
        "resource_type": "workspace_build",
        "resource_id": "988ae133-5b73-41e3-a55e-e1e9d3ef0b66",
        "resource_target": "",
        "action": "start",
        "diff": {},
        "status_code": 200,
        "additional_fields": {"workspace_name": "a dev", "build_number": "7"},
        "request_id": "9682b1b5-7b9f-4bf2-9a39-9463f8e41cd6",
    }
    assert event_of_human(AUDIT_HUMAN, CONNECTION_LOG) is None


def test_a_quoted_diff_of_a_human_line_comes_out_equal() -> None:
    diff = {"name": {"Old": 'a "b" \\ = c', "New": "d  e", "Secret": False}}
    text = audit_line(f"Diff={json.dumps(json.dumps(diff))} Action=write")
    assert event_of_human(text, AUDIT_LOG) == {"diff": diff, "action": "write"}


@pytest.mark.parametrize(
    "text",
    ["{broken", "NaN", "1e999", '"\\ud800"', "[" * 300 + "]" * 300, "[" * 100_000],
    ids=["broken", "NaN", "infinity", "lone surrogate", "deep", "too deep to read"],
)
def test_an_object_that_could_not_be_stored_stays_a_text(text: str) -> None:
    assert event_of_human(audit_line(f"Diff={json.dumps(text)}"), AUDIT_LOG) == {"diff": text}


def test_a_number_too_long_to_be_one_stays_a_text() -> None:
    assert event_of_human(audit_line(f"StatusCode={'9' * 5_000}"), AUDIT_LOG) == {"status_code": "9" * 5_000}


LONG = 400_000


@pytest.mark.parametrize(
    "line",
    [
        audit_line("x" * LONG),
        audit_line('a="' + "\\x" * (LONG // 2)),
        audit_line('a="' * (LONG // 3)),
        audit_line('a="\\' * (LONG // 4) + "\n"),
        audit_line(" " * LONG),
        "[info] " + " " * LONG,
        "[info] " + "x." * (LONG // 2),
        "[info] " * (LONG // 7),
        "[info]" * (LONG // 6),
        audit_line('a={"b":[' * (LONG // 8)),
        audit_line("a={" * (LONG // 3)),
        audit_line('a={"' * (LONG // 4)),
        audit_line("a={" + "[" * LONG),
        "[a] " * (LONG // 4),
        "2025-07-03T06:57:16Z " * (LONG // 21),
        "<1>1 " + "a " * (LONG // 2),
        "<1>1 a a a a a " + '["' * (LONG // 2),
        "a-" * (LONG // 2) + " | x",
        " " * LONG + "| x",
    ],
    ids=lambda line: f"{line[:20]} {line[-6:]}",
)
def test_a_line_is_read_in_one_walk_over_it(line: str) -> None:
    """In a process of its own: a reader that walks from each letter would not end before the hour does."""
    program = (
        "import sys\n"
        "from chalicelib.logs.line_prefixes import bare\n"
        "from chalicelib.logs.service_log import read_human\n"
        "read_human(bare(sys.stdin.read()).text)"
    )
    subprocess.run([sys.executable, "-c", program], input=line, text=True, check=True, timeout=60)  # noqa: S603 - ours
