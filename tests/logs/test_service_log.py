from __future__ import annotations

from typing import Any

import pytest

from chalicelib.logs.service_log import CONNECTION_LOG, event_of, event_of_human, is_service_log

HUMAN = (
    "[API] 2025-07-03 06:57:16.157 [info]  coderd: connection_log  request_id=de3f6004-6cc1-4880-a296-d7c6ca1abf75"
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


@pytest.mark.parametrize("text", ["", "hello", "{broken", "goroutine 1 [running]:"])
def test_a_text_that_no_service_log_prints_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="service log"):
        event_of_human(text, CONNECTION_LOG)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (line(), True),
        ({"msg": "other", "level": "INFO"}, True),
        ({"msg": "an event may not have this", "time": "2025-07-03T05:09:41Z"}, False),
        ({"time": "2025-07-03T05:09:41Z"}, False),
        ({"msg": 1, "fields": {}}, False),
    ],
)
def test_a_service_log_line_is_told_from_an_event(value: dict[str, Any], expected: bool) -> None:
    assert is_service_log(value) is expected
