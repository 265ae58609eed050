"""Names that only newer servers have are stored, answered to clients of every shape, and searched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import log_summary
from chalicelib.casing import lowered
from tests.api.test_audit_list import event as audit_event
from tests.api.test_connection_ingest import service_line, statuses

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply

CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
Event = Callable[..., dict[str, Any]]
CheckError = Callable[["Reply"], dict[str, Any]]

SESSIONS = [
    ("ssh", ""),
    ("ssh", "cursor"),
    ("ssh", "vscode"),
    ("ssh", "goland"),
    ("ssh", "an_unregistered_ide"),
    ("reconnecting_pty", ""),
    ("reconnecting_pty", "cursor"),
]
SINGLE = [("workspace_app", "cursor"), ("port_forwarding", "8080"), ("tunnel", "")]


@pytest.fixture
def connections(owner: Client, make_event: Event) -> None:
    events = []
    for method, app in SESSIONS:
        events.append(make_event(connection_method=method, app_name=app) | {"type": None})
    for method, name in SINGLE:
        web = {"connection_id": None, "code": 101}
        events.append(make_event(connection_method=method, app_name_or_port=name, **web) | {"type": None})
    reply = owner.post(CONNECTIONS, events)
    assert statuses(reply) == ["created"] * len(events)


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("type:vscode", 2),
        ("type:jetbrains", 1),
        ("type:ssh", 2),
        ("type:reconnecting_pty", 2),
        ("type:workspace_app", 1),
        ("method:ssh", 5),
        ("method:port_forwarding", 1),
        ("app:cursor", 2),
        ("app:Cursor", 2),
        ("app:an-unregistered-ide", 1),
        ("app:vscode", 1),
        ("app:8080", 0),
        ("app:nobody", 0),
        ("app:cursor app:vscode", 3),
        ("app:cursor app:vscode,nobody app:cursor", 3),
        ("method:workspace_app app:cursor", 0),
        ("method:ssh app:cursor", 1),
        ("status:ongoing", 7),
        ("status:ongoing method:ssh", 5),
        ("status:completed", 0),
    ],
)
def test_methods_applications_and_families_find_their_rows(owner: Client, query: str, number: int) -> None:
    body = owner.logs(query).json
    assert (len(body["connection_logs"]), body["count"]) == (number, number)


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        ("type:cursor", "type", 'Query param "type" has invalid value: "cursor" is not a valid value'),
        ("method:vscode", "method", 'Query param "method" has invalid value: "vscode" is not a valid value'),
        ("type:ssh method:ssh", "type", "type cannot be combined with method or app"),
        ("type:ssh app:cursor", "type", "type cannot be combined with method or app"),
    ],
)
def test_a_query_that_the_newest_server_refuses_is_refused(
    owner: Client, assert_error: CheckError, query: str, field: str, detail: str
) -> None:
    body = assert_error(owner.logs(query))
    assert body["message"] == "Invalid connection search query."
    assert body["validations"] == [{"field": field, "detail": detail}]


FIVE = ("type", "type_display_name", "connection_method", "app_name", "app_display_name")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"type": "ssh"}, ("ssh", "SSH", "ssh", "", "")),
        ({"type": "vscode"}, ("vscode", "VS Code", "ssh", "vscode", "VS Code")),
        ({"type": "cursor"}, ("vscode", "Cursor", "ssh", "cursor", "Cursor")),
        ({"type": "sftp"}, ("ssh", "SFTP", "ssh", "sftp", "SFTP")),
        (
            {"connection_method": "ssh", "app_name": "my-ide"},
            ("ssh", "my_ide", "ssh", "my_ide", "my_ide"),
        ),
        ({"type": "reconnecting_pty"}, ("reconnecting_pty", "Web Terminal", "reconnecting_pty", "", "")),
    ],
)
def test_answers_have_the_keys_of_every_shape(
    owner: Client, make_event: Event, names: dict[str, Any], expected: tuple[str, ...]
) -> None:
    made = make_event() | names
    assert statuses(owner.post(CONNECTIONS, made)) == ["created"]
    (row,) = owner.logs().json["connection_logs"]
    assert tuple(row[key] for key in FIVE) == expected
    assert "ssh_info" in row
    end = made | {"connection_status": "disconnected", "time": "2027-01-01T00:00:00Z", "code": 0}
    assert statuses(owner.post(CONNECTIONS, made)) == ["unchanged"]
    assert len(statuses(owner.post(CONNECTIONS, end))) == 1
    assert owner.logs().json["count"] == 1


def test_lines_with_the_keys_of_older_and_of_newer_servers_are_one_session(owner: Client, make_event: Event) -> None:
    made = make_event(type="vscode")
    older, newer = service_line(made), service_line(made)
    del newer["fields"]["Type"], newer["fields"]["SlugOrPort"]
    newer["fields"] |= {"ConnectionMethod": "ssh", "AppNameOrPort": "vscode", "ClientSessionID": ""}
    assert statuses(owner.post(CONNECTIONS, [older, newer])) == ["created", "unchanged"]


@pytest.mark.parametrize("ip", ["10.1.2.3, 192.0.2.1", ["10.1.2.3", "192.0.2.1"], "10.1.2.3,", " 10.1.2.3:80 , x"])
def test_of_a_list_of_addresses_the_first_counts(owner: Client, make_event: Event, ip: object) -> None:
    assert statuses(owner.post(CONNECTIONS, make_event(ip=ip))) == ["created"]
    assert owner.logs().json["connection_logs"][0]["ip"] == "10.1.2.3"


@pytest.mark.parametrize(
    ("changes", "query"),
    [
        ({"resource_type": "chat_project"}, "resource_type:chat_project"),
        ({"resource_type": "castle"}, "resource_type:castle"),
        ({"resource_type": "castle"}, "castle"),
        ({"action": "frobnicate"}, "action:frobnicate"),
        ({"resource_type": "castle", "action": "frobnicate"}, "resource_type:castle action:frobnicate"),
        (
            {"resource_type": "workspace_build", "action": "start", "additional_fields": {"build_reason": "magic"}},
            "build_reason:magic",
        ),
        ({"resource_type": "x" * 1_000}, "resource_type:" + "x" * 1_000),
        ({"resource_target": "x" * 5_000}, "resource_target:" + "x" * 5_000),
    ],
)
def test_an_event_of_a_name_that_is_not_known_is_stored_and_found(
    owner: Client, changes: dict[str, Any], query: str
) -> None:
    made = audit_event(**changes)
    assert statuses(owner.post(AUDIT, [made, audit_event(resource_type="user", action="create")])) == ["created"] * 2
    body = owner.get(AUDIT, query={"q": query}).json
    assert [row["id"] for row in body["audit_logs"]] == [made["id"]]
    assert body["count"] == 1


@pytest.mark.parametrize("query", ["{}", "{upper}", "{lower}"])
@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("resource_type", {"resource_type": "Chat_Castle"}),
        ("action", {"action": "Frobnicate"}),
        ("build_reason", {"resource_type": "workspace_build", "additional_fields": {"build_reason": "Magic"}}),
        ("build_reason", {"resource_type": "Workspace_Build", "additional_fields": {"build_reason": "CLI"}}),
        ("resource_type", {"resource_type": "Stra\u00dfe\u0130"}),
    ],
)
def test_a_word_is_answered_as_it_was_sent_and_found_whatever_its_case(
    owner: Client, key: str, changes: dict[str, Any], query: str
) -> None:
    word = changes.get("additional_fields", changes)[key]
    made = audit_event(**changes)
    assert statuses(owner.post(AUDIT, [made, audit_event(), made])) == ["created", "created", "unchanged"]
    text = query.format(word, upper=word.upper() if word.isascii() else word, lower=lowered(word))
    body = owner.get(AUDIT, query={"q": f"{key}:{text}"}).json
    assert [row["id"] for row in body["audit_logs"]] == [made["id"]]
    (row,) = body["audit_logs"]
    assert {name: row[name] for name in changes} == changes
    assert owner.get(AUDIT, query={"q": f"-{key}:{text}"}).json["count"] == 1
    facets = owner.get(f"{AUDIT}/summary", query={"facets": key, "from": "2020-01-01"}).json["facets"][key]
    assert lowered(word) in [one["value"] for one in facets], "a value that the query takes"


def test_a_known_word_in_capitals_is_that_word(owner: Client) -> None:
    made = audit_event(resource_type="User", action="WRITE", diff={"hashed_password": {"old": "1", "new": "2"}})
    assert statuses(owner.post(AUDIT, made)) == ["created"]
    (row,) = owner.get(AUDIT, query={"q": "resource_type:user action:write"}).json["audit_logs"]
    assert row["diff"]["hashed_password"] == {"old": "", "new": "", "secret": True}
    assert (row["resource_type"], row["action"]) == ("User", "WRITE")
    assert "updated user" in row["description"]


@pytest.mark.parametrize("word", ["Retention_Run", "EXPORT"])
def test_a_type_of_gatebooks_own_rows_is_refused_in_capitals_too(owner: Client, word: str) -> None:
    assert statuses(owner.post(AUDIT, audit_event(resource_type=word))) == ["rejected"]


@pytest.mark.parametrize("query", ["type:{}", "method:{}"])
def test_a_single_event_of_a_type_that_is_not_known_is_found_by_it(
    owner: Client, make_event: Event, query: str
) -> None:
    made = make_event(type="File_Share", connection_id=None, user_agent="curl", code=200)
    assert statuses(owner.post(CONNECTIONS, [made, make_event()])) == ["created"] * 2
    for word in ("File_Share", "file_share"):
        (row,) = owner.logs(query.format(word)).json["connection_logs"]
        assert tuple(row[key] for key in FIVE) == ("File_Share", "File_Share", "File_Share", "", "")
    assert owner.logs("type:ssh").json["count"] == 1


@pytest.mark.parametrize("text", ["\x00", ":", "é" * 1_000, "#0", "\U0001f3f4"])
def test_a_text_that_no_lane_can_hold_costs_no_event(owner: Client, text: str) -> None:
    made = audit_event(resource_type=text, action=text, resource_target=text)
    assert statuses(owner.post(AUDIT, made)) == ["created"]
    (row,) = owner.get(AUDIT).json["audit_logs"]
    assert (row["resource_type"], row["action"], row["resource_target"]) == (text, text, text)


@pytest.mark.parametrize("query", ["invalid", "resource_type:invalid", "action:invalid", "build_reason:invalid"])
def test_a_word_that_no_row_has_is_wrong(owner: Client, assert_error: CheckError, query: str) -> None:
    owner.post(AUDIT, audit_event())
    body = assert_error(owner.get(AUDIT, query={"q": query}))
    field = query.partition(":")[0] if ":" in query else "resource_type"
    detail = f'Query param "{field}" has invalid value: "invalid" is not a valid value'
    assert body["validations"] == [{"field": field, "detail": detail}]


def test_a_word_that_only_rows_of_others_have_is_wrong(owner: Client, house: House, assert_error: CheckError) -> None:
    acme, other = house.organization("acme"), house.organization("other")
    owner.post(AUDIT, audit_event(resource_type="castle", organization_id=other.id))
    auditor = house.client(house.user("bob", organizations={acme.id: ("organization-auditor",)}))
    assert assert_error(auditor.get(AUDIT, query={"q": "resource_type:castle"}))
    assert owner.get(AUDIT, query={"q": "resource_type:castle"}).json["count"] == 1


def test_a_generated_row_is_found_by_its_build_reason(owner: Client) -> None:
    made = {"resource_type": "workspace_build", "action": "start", "build_reason": "autostart"}
    assert owner.post(f"{AUDIT}/testgenerate", made).status == 204
    assert owner.get(AUDIT, query={"q": "build_reason:autostart"}).json["count"] == 1


def test_a_summary_of_more_rows_than_are_read_counts_words_that_are_not_known(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_summary, "SAMPLE_ROWS", 3)
    events = [audit_event(action=action) for action in ["frobnicate"] * 4 + ["write"] * 4]
    times = [f"2025-07-10T10:{minute:02}:00Z" for minute in (1, 2, 3, 9, 4, 5, 6, 8)]
    assert owner.post(AUDIT, [one | {"time": time} for one, time in zip(events, times, strict=True)]).status == 200
    span = {"from": "2025-07-10", "to": "2025-07-11"}
    answer = owner.get(f"{AUDIT}/summary", query={"facets": "action", **span}).json
    assert answer["facets"]["action"] == [{"value": "write", "count": 4}, {"value": "frobnicate", "count": 4}]


def test_known_names_are_offered_for_completion(owner: Client) -> None:
    offered = {key["key"]: key["values"] for key in owner.get(f"{CONNECTIONS}/filters").json["filters"]}
    assert {"cursor", "goland", "zed", "sftp"} <= {*offered["app"]}
    assert offered["method"] == ["ssh", "reconnecting_pty", "workspace_app", "port_forwarding", "tunnel"]
