from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError

from chalicelib.api import answer_limits
from chalicelib.errors import Unavailable
from chalicelib.store.logs import connection_requests

if TYPE_CHECKING:
    from chalicelib.records import ConnectionLog, Organization
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]
Event = Callable[..., dict[str, Any]]

PATH = "/api/v2/connectionlog"
NIL = "00000000-0000-0000-0000-000000000000"
COUNTED = ("created", "updated", "unchanged", "rejected", "failed")
HUMAN = (
    "2025-07-03 06:57:16.157 [info]  coderd: connection_log  request_id=916ad077  ID={id}"
    '  Time="2025-07-03T06:57:16.144719Z"  OrganizationID=1a2bb67e-0117-4168-92e0-58138989a7f5'
    "  WorkspaceOwnerID=fe8f4bab-3128-41f1-8fec-1cc0755affe5  WorkspaceID=05567e23-31e2-4c00-bd05-4d499d437347"
    "  WorkspaceName=dev  AgentName=main  Type={type}  Code={code}  Ip={ip}"
    '  UserAgent="Mozilla/5.0 (X11)"  UserID={user}  SlugOrPort=code-server  ConnectionID=<nil>'
    '  DisconnectReason=""  ConnectionStatus=connected'
)


def statuses(reply: Reply) -> list[str]:
    """The result of each event, after a check that the answer agrees with itself."""
    body = reply.json
    assert set(body) - {"message", "unlisted"} == {"results", "skipped", *COUNTED}
    assert ("message" in body) == (reply.status != 200)
    results = body["results"]
    assert [result["index"] for result in results] == sorted({result["index"] for result in results})
    for result in results:
        assert {"index", "id", "status"} <= set(result) <= {"index", "id", "status", "message", "validations"}
    listed = [str(result["status"]) for result in results]
    assert {name: body[name] for name in COUNTED} == {name: listed.count(name) for name in COUNTED}
    return listed


def service_line(event: Mapping[str, Any], *, ip_name: str = "IP", msg: str = "connection_log") -> dict[str, Any]:
    """The event as a Coder server prints it."""
    fields = {
        "request_id": str(uuid4()),
        "ID": event.get("id", str(uuid4())),
        "OrganizationID": event["organization_id"],
        "WorkspaceOwnerID": event["workspace_owner_id"],
        "WorkspaceID": event["workspace_id"],
        "WorkspaceName": event["workspace_name"],
        "AgentName": event["agent_name"],
        "Type": event["type"],
        "Code": event.get("code"),
        ip_name: event.get("ip", "<nil>"),
        "UserAgent": event.get("user_agent", ""),
        "UserID": event.get("user_id"),
        "SlugOrPort": event.get("slug_or_port", ""),
        "ConnectionID": event.get("connection_id"),
        "DisconnectReason": event.get("disconnect_reason", ""),
        "Time": event["time"],
        "ConnectionStatus": event["connection_status"],
    }
    return {
        "ts": "2025-07-10T10:14:38.942776145Z",
        "level": "INFO",
        "msg": msg,
        "caller": "connectionlog/slog.go:38",
        "func": "export",
        "logger_names": ["coderd"],
        "fields": fields,
    }


def ndjson(*lines: object) -> str:
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)


@pytest.mark.parametrize(
    "form",
    [
        lambda event: json.dumps({"events": [event]}),
        json.dumps,
        lambda event: json.dumps([event]),
        lambda event: json.dumps(event, indent=2),
        lambda event: json.dumps(event) + "\n",
        lambda event: "\n\n" + json.dumps(event) + "\r\n\r\n",
        lambda event: json.dumps(service_line(event)),
        lambda event: json.dumps(service_line(event, ip_name="Ip")),
        lambda event: json.dumps({"events": [service_line(event)]}),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream", ""])
def test_every_form_is_the_same_event(
    owner: Client, make_event: Event, form: Callable[[object], str], content_type: str
) -> None:
    event = make_event(id=str(uuid4()), type="workspace_app", code=200, user_agent="UA", slug_or_port="app")
    reply = owner.post(PATH, form(event), headers={"Content-Type": content_type})
    assert reply.status == 200
    assert statuses(reply) == ["created"]
    assert reply.json["results"] == [{"index": 0, "id": event["id"], "status": "created"}]
    (row,) = owner.logs().json["connection_logs"]
    assert (row["id"], row["connect_time"], row["ip"]) == (event["id"], event["time"], "10.1.2.3")
    assert row["web_info"] == {"user_agent": "UA", "user": None, "slug_or_port": "app", "status_code": 200}


def test_a_body_in_base64_is_read_as_well(owner: Client, make_event: Event) -> None:
    # A latin-1 byte makes the body something that the gateway can hand on as base64 alone.
    line = json.dumps(make_event()).encode()
    reply = owner.post(PATH, line + b"\n" + b'{"workspace_name": "\xe9"}')
    assert reply.status == 200
    assert statuses(reply) == ["created", "rejected"]


@pytest.mark.parametrize(
    ("values", "web_info"),
    [
        (
            {"type": "workspace_app", "code": "200", "ip": "127.0.0.1", "user": NIL},
            {"user_agent": "Mozilla/5.0 (X11)", "user": None, "slug_or_port": "code-server", "status_code": 200},
        ),
        (
            {"type": "workspace_app", "code": "<nil>", "ip": "<nil>", "user": "<nil>"},
            {"user_agent": "Mozilla/5.0 (X11)", "user": None, "slug_or_port": "code-server", "status_code": 0},
        ),
    ],
)
@pytest.mark.parametrize("gap", ["  ", " "])
def test_a_human_line(owner: Client, values: dict[str, str], web_info: dict[str, Any], gap: str) -> None:
    row_id = str(uuid4())
    reply = owner.post(PATH, HUMAN.format(id=row_id, **values).replace("  ", gap))
    assert (reply.status, reply.json["results"]) == (200, [{"index": 0, "id": row_id, "status": "created"}])
    (row,) = owner.logs().json["connection_logs"]
    assert row["connect_time"] == "2025-07-03T06:57:16.144719Z"
    assert row.get("ip") == (None if values["ip"] == "<nil>" else values["ip"])
    assert row["web_info"] == web_info


def test_lines_of_other_messages_are_skipped_and_counted(owner: Client, make_event: Event) -> None:
    body = ndjson(
        service_line(make_event(), msg="audit_log"),
        service_line(make_event()),
        {"ts": "2025-07-10T10:14:38Z", "level": "INFO", "msg": "started HTTP listener", "fields": {"port": 3000}},
        "2025-07-03 06:57:16.157 [info]  coderd: GET  host=127.0.0.1  status_code=200",
        HUMAN.format(id=uuid4(), type="workspace_app", code="200", ip="::1", user="<nil>"),
    )
    reply = owner.post(PATH, body)
    assert reply.status == 200
    assert statuses(reply) == ["created", "created"]
    assert [result["index"] for result in reply.json["results"]] == [1, 4]
    assert reply.json["skipped"] == 3


def test_lines_of_every_kind_together(owner: Client, make_event: Event) -> None:
    lines = [
        "a banner",
        '{"msg":"connection_log"',
        {"no": "event"},
        {"workspace_id": "wrong"},
        [],
        7,
        make_event(),
        "",
        service_line(make_event()),
    ]
    reply = owner.post(PATH, ndjson(*lines))
    assert reply.status == 200
    assert statuses(reply) == ["rejected", "rejected", "created", "created"]
    assert [result["index"] for result in reply.json["results"]] == [1, 3, 6, 7]
    assert reply.json["skipped"] == 4
    broken, wrong = reply.json["results"][:2]
    assert broken["message"].startswith("It is not JSON: ")
    assert wrong["message"] == "Validation failed."


BANNER = "Coder v2.31.0 - Your Self-Hosted Remote Development Platform"


@pytest.mark.parametrize(
    "line",
    [
        *(BANNER, "", " \n", "goroutine 1 [running]:", "    error= EOF", "7", "null", '"text"', "{", "{}", "[7]"),
        *('[{"a":1},', "[[[[", '{"a":', '{"a": NaN}', '{"events": [', '{"events": [NaN]}', '{"events": {}}', "}"),
        *('{"error":"x"}', '{"level":"info","msg":"x"}', '{"kind":"Event","auditID":"x","verb":"get","user":{}}'),
    ],
)
def test_a_line_that_is_no_event_stops_no_shipper(owner: Client, line: str) -> None:
    reply = owner.post(PATH, line)
    assert reply.status == 200
    assert statuses(reply) == []
    assert reply.json["skipped"] == (1 if line.strip() else 0)


def test_an_error_with_its_stack_trace_costs_no_event_beside_it(owner: Client, make_event: Event) -> None:
    trace = "2026-10-07 11:34:37.428 [erro]  coderd: failed ...\n    error= execute:\n               main.go:17"
    reply = owner.post(PATH, ndjson(service_line(make_event()), trace, service_line(make_event())))
    assert reply.status == 200
    assert statuses(reply) == ["created", "created"]
    assert reply.json["skipped"] == 3


def test_an_empty_batch_stores_nothing(owner: Client) -> None:
    for body in ('{"events": []}', "[]"):
        reply = owner.post(PATH, body)
        assert reply.status == 200
        assert statuses(reply) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le"])
def test_a_body_that_cannot_be_read(owner: Client, assert_error: CheckError, make_event: Event, encoding: str) -> None:
    body = json.dumps(make_event()).encode(encoding)
    reply = owner.post(PATH, body)
    assert reply.status == 400
    assert assert_error(reply)["message"] == "Request body must be valid JSON."


@pytest.mark.parametrize(
    "body", ['{"workspace_id": }', '{\n"workspace_id":', '{"events": [{"agent_name": "x"', '{"agent_name": "x"}']
)
def test_what_should_be_an_event_and_is_none_is_rejected_for_good(owner: Client, body: str) -> None:
    reply = owner.post(PATH, body)
    assert reply.status == 200
    assert set(statuses(reply)) == {"rejected"}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("cut", [10, 60, 300])
def test_of_a_batch_that_breaks_off_the_whole_events_are_stored(
    owner: Client, make_event: Event, indent: int | None, cut: int
) -> None:
    body = json.dumps({"events": [make_event() for _ in range(4)]}, indent=indent)[:-cut]
    reply = owner.post(PATH, body)
    assert (reply.status, statuses(reply)) == (200, ["created"] * 3 + ["rejected"])
    assert reply.json["results"][-1]["message"].startswith("It is not JSON: ")
    assert owner.logs().json["count"] == 3


REQUIRED = (
    "time",
    "connection_status",
    "organization_id",
    "workspace_owner_id",
    "workspace_id",
    "workspace_name",
    "agent_name",
    "type",
)


@pytest.mark.parametrize("name", REQUIRED)
def test_what_an_event_must_have(owner: Client, make_event: Event, name: str) -> None:
    for event in (make_event(**{name: None}), make_event() | {name: None}):
        reply = owner.post(PATH, event)
        assert reply.status == 200
        (result,) = reply.json["results"]
        assert (result["index"], result["id"], result["status"]) == (0, None, "rejected")
        assert [validation["field"] for validation in result["validations"]] == [name]


OPTIONAL = ("id", "code", "ip", "user_agent", "user_id", "slug_or_port", "connection_id", "disconnect_reason")


@pytest.mark.parametrize("absent", [None, "", NIL])
def test_what_an_event_may_lack(owner: Client, make_event: Event, absent: str | None) -> None:
    given = dict.fromkeys(set(OPTIONAL) - {"code"}, absent) | {"code": None}
    reply = owner.post(PATH, make_event() | given)
    assert reply.status == 200
    (row,) = owner.logs().json["connection_logs"]
    assert UUID(row["id"])
    assert row["ssh_info"] == {"connection_id": NIL}
    assert "ip" not in row


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "x"}, "id"),
        ({"id": 7}, "id"),
        ({"time": "yesterday"}, "time"),
        ({"time": 1_752_142_478}, "time"),
        ({"time": "2025-07-10"}, "time"),
        ({"time": "2025-02-30T00:00:00Z"}, "time"),
        ({"type": ["ssh"]}, "type"),
        ({"connection_status": "ongoing"}, "connection_status"),
        ({"type": "workspace_app", "connection_status": "disconnected"}, "connection_status"),
        ({"type": "port_forwarding", "connection_status": "disconnected"}, "connection_status"),
        ({"organization_id": "acme"}, "organization_id"),
        ({"workspace_name": 7}, "workspace_name"),
        ({"code": "200"}, "code"),
        ({"code": 1.5}, "code"),
        ({"code": True}, "code"),
        ({"code": 2**31}, "code"),
        ({"user_agent": 7}, "user_agent"),
        ({"user_id": "me"}, "user_id"),
        ({"connection_id": "x"}, "connection_id"),
        ({"disconnect_reason": {}}, "disconnect_reason"),
    ],
)
def test_a_wrong_value_is_named_and_costs_its_event_alone(
    owner: Client, make_event: Event, changes: dict[str, Any], field: str
) -> None:
    good = make_event()
    reply = owner.post(PATH, {"events": [good, make_event(**changes), make_event()]})
    assert reply.status == 200
    assert statuses(reply) == ["created", "rejected", "created"]
    wrong = reply.json["results"][1]
    assert wrong["message"] == "Validation failed."
    assert [validation["field"] for validation in wrong["validations"]] == [field]
    assert all(validation["detail"] for validation in wrong["validations"])
    assert wrong["id"] == (changes["id"] if isinstance(changes.get("id"), str) else None)
    assert owner.logs().json["count"] == 2


def test_a_request_of_wrong_events_is_not_to_be_sent_again(owner: Client, make_event: Event) -> None:
    reply = owner.post(PATH, [make_event(time="x"), make_event(code="x")])
    assert reply.status == 200
    assert statuses(reply) == ["rejected", "rejected"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("10.0.0.7/32", "10.0.0.7"),
        ("10.0.0.7:1234", "10.0.0.7"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("localhost", "127.0.0.1"),
        ("", None),
        ("<nil>", None),
        ("nonsense", None),
        ("999.1.1.1", None),
        (7, None),
        ([], None),
        ({"ip": "10.0.0.7"}, None),
        ("x" * 100_000, None),
        ("10.0.0.\u00b2", None),
    ],
)
def test_an_odd_address_never_costs_an_event(
    owner: Client, make_event: Event, given: object, expected: str | None
) -> None:
    assert owner.post(PATH, make_event(ip=given)).status == 200
    (row,) = owner.logs().json["connection_logs"]
    assert row.get("ip") == expected
    assert ("ip" in row) == (expected is not None)


# What agents report, and what of it is kept.
@pytest.mark.parametrize(
    ("changes", "ssh_info", "ip"),
    [
        ({"type": "ssh", "code": 200}, {}, "10.1.2.3"),
        ({"type": "vscode", "ip": "8.8.8.8"}, {}, "8.8.8.8"),
        ({"type": "jetbrains", "ip": "localhost"}, {}, "127.0.0.1"),
        ({"type": "reconnecting_pty", "ip": ""}, {}, None),
        ({"connection_status": "disconnected", "code": 0}, {"exit_code": 0}, "10.1.2.3"),
        (
            {"connection_status": "disconnected", "code": 500, "disconnect_reason": "because error says so"},
            {"exit_code": 500, "disconnect_reason": "because error says so"},
            "10.1.2.3",
        ),
        ({"disconnect_reason": "too early", "code": 1}, {}, "10.1.2.3"),
    ],
)
def test_what_agents_report(
    owner: Client, make_event: Event, changes: dict[str, Any], ssh_info: dict[str, Any], ip: str | None
) -> None:
    event = make_event(**changes)
    assert owner.post(PATH, event).status == 200
    (row,) = owner.logs().json["connection_logs"]
    end = {"disconnect_time": event["time"]} if event["connection_status"] == "disconnected" else {}
    assert row["ssh_info"] == {"connection_id": event["connection_id"], **end, **ssh_info}
    assert "web_info" not in row
    assert row.get("ip") == ip


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_a_session_is_one_row_in_any_order(
    owner: Client, make_event: Event, order: tuple[int, int, int], *, together: bool
) -> None:
    connection_id = str(uuid4())
    events = [
        make_event(connection_id=connection_id, time="2025-07-10T10:00:00Z"),
        make_event(
            connection_id=connection_id,
            time="2025-07-10T10:30:00Z",
            connection_status="disconnected",
            disconnect_reason="first",
            ip=None,
        ),
        make_event(
            connection_id=connection_id,
            time="2025-07-10T10:30:00Z",
            connection_status="disconnected",
            code=1,
        ),
    ]
    arriving = [events[index] for index in order]
    replies = [owner.post(PATH, arriving)] if together else [owner.post(PATH, event) for event in arriving]
    assert {reply.status for reply in replies} == {200}
    outcomes = [status for reply in replies for status in statuses(reply)]
    assert outcomes.count("created") == 1
    assert set(outcomes) <= {"created", "updated", "unchanged"}
    assert len({result["id"] for reply in replies for result in reply.json["results"]}) == 1
    body = owner.logs().json
    assert body["count"] == 1
    (row,) = body["connection_logs"]
    assert row["connect_time"] == "2025-07-10T10:00:00Z"
    assert row["ip"] == "10.1.2.3"
    assert row["ssh_info"] == {
        "connection_id": connection_id,
        "disconnect_time": "2025-07-10T10:30:00Z",
        "disconnect_reason": "first",
        "exit_code": 1,
    }


def test_what_each_event_did(owner: Client, make_event: Event) -> None:
    opened = make_event(time="2025-07-10T10:00:00Z")
    closed = opened | {"time": "2025-07-10T11:00:00Z", "connection_status": "disconnected", "code": 0}
    web = make_event(id=str(uuid4()), type="workspace_app", connection_id=None)
    reply = owner.post(PATH, {"events": [opened, web, closed, opened, web]})
    assert statuses(reply) == ["created", "created", "updated", "unchanged", "unchanged"]
    again = owner.post(PATH, {"events": [opened, web, closed]})
    assert (again.status, statuses(again)) == (200, ["unchanged"] * 3)
    assert [result["id"] for result in again.json["results"]] == [result["id"] for result in reply.json["results"][:3]]
    assert owner.logs().json["count"] == 2


def test_another_event_under_a_used_id_is_kept_beside_it(owner: Client, make_event: Event) -> None:
    first = make_event(id=str(uuid4()), type="workspace_app", connection_id=None, slug_or_port="one")
    assert owner.post(PATH, first).status == 200
    reply = owner.post(PATH, first | {"slug_or_port": "two"})
    assert statuses(reply) == ["created"]
    (result,) = reply.json["results"]
    assert result["id"] != first["id"]
    assert result["message"] == f"The id {first['id']} is taken by another event."
    rows = owner.logs().json["connection_logs"]
    assert {row["web_info"]["slug_or_port"] for row in rows} == {"one", "two"}
    assert statuses(owner.post(PATH, first | {"slug_or_port": "two"})) == ["unchanged"]


def test_web_events_without_ids_are_rows_of_their_own_and_a_batch_sent_twice_is_stored_once(
    owner: Client, make_event: Event
) -> None:
    events = [
        make_event(type="workspace_app", connection_id=None, slug_or_port=slug, time=time)
        for slug in ("one", "two")
        for time in ("2025-07-10T10:00:00Z", "2025-07-10T10:00:00.000001Z")
    ]
    assert statuses(owner.post(PATH, events)) == ["created"] * 4
    assert statuses(owner.post(PATH, events)) == ["unchanged"] * 4
    assert owner.logs().json["count"] == 4


def test_five_megabytes_are_taken_and_one_byte_more_is_not(
    owner: Client, make_event: Event, assert_error: CheckError
) -> None:
    line = json.dumps(make_event())
    assert owner.post(PATH, line.ljust(5_000_000)).status == 200
    refused = owner.post(PATH, line.ljust(5_000_001))
    assert refused.status == 413
    assert assert_error(refused)["detail"].startswith("A request may have 5000000 bytes; this one has 5000001.")
    assert owner.post(PATH, "é".encode() * 2_500_001).status == 413


def test_of_more_than_one_request_may_have_the_first_lines_are_stored(owner: Client, make_event: Event) -> None:
    reply = owner.post(PATH, ndjson(make_event(), *["x" * 999_999] * 5, make_event()))
    assert (reply.status, reply.headers["gatebook-accepted-lines"]) == (503, "5")
    assert (reply.json["created"], reply.json["skipped"]) == (1, 4)


def test_thousands_of_lines_are_stored_and_problems_alone_are_listed_where_that_is_asked(
    owner: Client, make_event: Event
) -> None:
    web = make_event(type="workspace_app", connection_id=None)
    body = ndjson(*[web] * 3_300, make_event(code="x"))
    reply = owner.post(PATH, body, query={"results": "problems"})
    assert reply.status == 200
    assert (reply.json["created"], reply.json["unchanged"], reply.json["rejected"]) == (1, 3_299, 1)
    assert [result["index"] for result in reply.json["results"]] == [3_300]
    assert reply.json["unlisted"] == 3_300


def _store_that_takes(monkeypatch: pytest.MonkeyPatch, takes: Callable[[ConnectionLog], bool]) -> None:
    """The store refuses some rows; they are of sessions, so the first write of each is a call of its own."""
    original = connection_requests.close

    def close(row: ConnectionLog) -> connection_requests.Closed | connection_requests.State:
        if not takes(row):
            raise Unavailable("The store is on fire.")
        return original(row)

    monkeypatch.setattr(connection_requests, "close", close)


def test_a_store_that_takes_nothing(owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    _store_that_takes(monkeypatch, lambda _row: False)
    ends = {"connection_status": "disconnected"}
    reply = owner.post(PATH, [make_event(**ends), make_event(time="x"), make_event(**ends)])
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert statuses(reply) == ["failed", "rejected", "failed"]
    assert {result.get("message") for result in reply.json["results"]} == {
        "The store is on fire.",
        "Validation failed.",
    }
    assert owner.logs().json["count"] == 0


def test_a_store_that_takes_some(owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    _store_that_takes(monkeypatch, lambda row: row.type != "vscode")
    ends = {"connection_status": "disconnected"}
    events = [make_event(**ends), make_event(type="vscode", **ends), make_event(**ends)]
    reply = owner.post(PATH, events)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert statuses(reply) == ["created", "failed", "created"]
    monkeypatch.undo()
    assert statuses(owner.post(PATH, events)) == ["unchanged", "created", "unchanged"]


def test_who_sends_again_knows_where_to_begin(
    owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    _store_that_takes(monkeypatch, lambda row: row.type != "vscode")
    kinds = ("ssh", "", "vscode", "ssh", "vscode")
    events = [make_event(type=kind, connection_status="disconnected") if kind else "a banner" for kind in kinds]
    reply = owner.post(PATH, ndjson(*events))
    assert (reply.status, reply.headers["gatebook-accepted-lines"]) == (503, "2")


def _refusing(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The store takes ends of type ssh, throttles those of jetbrains, and refuses those of vscode for ever."""
    original = connection_requests.close
    refusal: Any = {"Error": {"Code": code, "Message": "no"}}

    def close(row: ConnectionLog) -> connection_requests.Closed | connection_requests.State:
        if row.type == "vscode":
            raise ClientError(refusal, "UpdateItem")  # type: ignore[no-untyped-call]
        if row.type == "jetbrains":
            raise Unavailable
        return original(row)

    monkeypatch.setattr(connection_requests, "close", close)


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"])
def test_an_event_that_the_store_refuses_for_ever_is_our_fault(
    owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    _refusing(monkeypatch, code)
    reply = owner.post(PATH, [make_event(), make_event(type="vscode", connection_status="disconnected")])
    assert reply.status == 500
    assert "retry-after" not in reply.headers
    assert statuses(reply) == ["created", "failed"]
    assert reply.json["results"][1]["message"] == f"The store refused this event: {code}."


def test_an_event_that_may_be_stored_later_is_sent_again_whatever_else_the_store_refuses(
    owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refusing(monkeypatch, "ValidationException")
    ends = {"connection_status": "disconnected"}
    reply = owner.post(PATH, [make_event(type="vscode", **ends), make_event(type="jetbrains", **ends), make_event()])
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert statuses(reply) == ["failed", "failed", "created"]


def test_events_for_which_no_time_is_left_are_to_be_sent_again(
    owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_limits, "ANSWERING_SECONDS", 3_600)
    reply = owner.post(PATH, [make_event(), make_event()])
    assert reply.status == 503
    assert statuses(reply) == ["failed", "failed"]


@pytest.fixture
def acme(house: House) -> Organization:
    return house.organization("acme")


@pytest.mark.parametrize(
    ("site", "inside"),
    [
        ((), ()),
        ((), ("organization-admin",)),
        ((), ("organization-auditor",)),
        ((), ("organization-user-admin",)),
        (("auditor",), ()),
        (("user-admin",), ()),
        (("template-admin",), ()),
    ],
)
@pytest.mark.parametrize("body", [{"events": []}, "not json", ""])
def test_others_write_nothing(
    house: House,
    acme: Organization,
    assert_error: CheckError,
    *,
    site: Sequence[str],
    inside: tuple[str, ...],
    body: object,
) -> None:
    caller = house.client(house.user("bob", *site, organizations={acme.id: inside}))
    reply = caller.post(PATH, body)
    assert reply.status == 403
    assert assert_error(reply)["message"] == "Forbidden."


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({"scopes": ("connection_log:update",)}, 200),
        ({"scopes": ("connection_log:*",)}, 200),
        ({"scopes": ("coder:logs.ingest",)}, 200),
        ({"scopes": ("coder:logs.read",)}, 403),
        ({"scopes": ("connection_log:read",)}, 403),
        ({"scopes": ("audit_log:create",)}, 403),
        ({"allow_list": ("connection_log:*",)}, 200),
        ({"allow_list": ("workspace:*",)}, 403),
    ],
)
def test_scopes_and_allow_lists_narrow_a_writer(
    house: House, make_event: Event, held: dict[str, Any], status: int
) -> None:
    assert house.client(house.user("bob", "owner"), **held).post(PATH, make_event()).status == status


def test_a_sender_may_be_bound_to_organizations(
    owner: Client, house: House, acme: Organization, make_event: Event
) -> None:
    bound = ("connection_log:*", f"organization:{acme.id}")
    sender = house.client(house.user("bob", "owner"), allow_list=bound)
    reply = sender.post(PATH, [make_event(organization_id=acme.id), make_event()])
    assert statuses(reply) == ["created", "rejected"]
    assert reply.json["results"][1]["message"].startswith("You may not write connection logs of organization ")
    owner.post(PATH, make_event())
    assert owner.logs().json["count"] == 2
    assert sender.logs().json["count"] == 1


@pytest.mark.parametrize("text", ['ID="\\ud800"', 'ID="\\ud800" Type=ssh', 'Type="\\udfff"'])
def test_half_a_character_is_refused_and_can_be_answered(owner: Client, text: str) -> None:
    reply = owner.post(PATH, f"2025-07-03 06:57:16.157 [info] coderd: connection_log {text}")
    assert reply.status == 200
    assert statuses(reply) == ["rejected"]


def test_nobody_hides_a_connection_behind_a_long_text(owner: Client, make_event: Event) -> None:
    web = make_event(type="workspace_app", user_agent="é" * 9_000)
    end = make_event(connection_status="disconnected", disconnect_reason="x" * 9_000)
    assert statuses(owner.post(PATH, ndjson(web, end))) == ["created", "created"]
    assert statuses(owner.post(PATH, ndjson(web, end))) == ["unchanged", "unchanged"]
    rows = owner.logs().json["connection_logs"]
    (agent,) = [row["web_info"]["user_agent"] for row in rows if row["type"] == "workspace_app"]
    (reason,) = [row["ssh_info"]["disconnect_reason"] for row in rows if row["type"] != "workspace_app"]
    mark = "… [cut: 9000 characters]"
    room = 8_192 - len(mark)
    assert (agent, reason) == ("é" * room + mark, "x" * room + mark)


@pytest.mark.parametrize("text", ["Ä" * 100_000, "\ud800", "x\udfff" * 9_000])
@pytest.mark.parametrize(
    "name",
    [
        *("workspace_name", "agent_name", "type", "connection_method", "app_name", "slug_or_port"),
        *("app_name_or_port", "user_agent", "disconnect_reason"),
    ],
)
def test_no_name_costs_a_session_or_its_end(owner: Client, make_event: Event, name: str, text: str) -> None:
    begun = make_event(**{name: text})
    ended = {**begun, "time": "2025-07-10T11:00:00Z", "connection_status": "disconnected"}
    assert statuses(owner.post(PATH, begun)) == ["created"]
    assert statuses(owner.post(PATH, ended)) == ["updated"]
    assert statuses(owner.post(PATH, [begun, ended])) == ["unchanged", "unchanged"]
    assert owner.logs("status:completed").json["count"] == 1
