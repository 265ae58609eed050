"""Accepted fields stay: a conflict changes nothing, is kept beside the row, and auditors can read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.api import retention
from chalicelib.retention import holds, purge
from chalicelib.settings import Settings
from tests.api.test_connection_ingest import statuses

if TYPE_CHECKING:
    from tests.api.conftest import Client, Clock, House, Reply
    from tests.transport import ObservedTransport, Send

PATH = "/api/v2/connectionlog"
HOLDS = "/api/v2/retention/holds"
RUNS = "/api/v2/retention/runs"
VICTIM = str(uuid4())
OTHER = str(uuid4())
SAID = "It contradicts what is stored of its session. That stays, and what this event says is kept beside it."

AUDIT = {
    "user_id": OTHER,
    "resource_type": "workspace",
    "resource_id": OTHER,
    "resource_target": "dev",
    "action": "write",
    "status_code": 200,
}

Event = Callable[..., dict[str, Any]]


def session_of(client: Client) -> dict[str, Any]:
    (row,) = client.get(PATH, query={"conflicts": "true"}).json["connection_logs"]
    return dict(row)


def without_conflicts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "conflicts"}


def key_id(client: Client) -> str:
    return str(client.token).partition("-")[0]


def test_a_stored_session_is_not_rewritten_by_a_connect_a_microsecond_earlier(
    owner: Client, house: House, make_event: Event
) -> None:
    stored = make_event(ip="203.0.113.66", workspace_owner_id=VICTIM, time="2026-05-10T10:00:00.000002Z")
    assert statuses(owner.post(PATH, stored)) == ["created"]
    before = without_conflicts(session_of(owner))
    forger = house.client(house.user("mallory", "owner"))
    otherwise = {"ip": "198.51.100.9", "workspace_owner_id": OTHER, "workspace_name": "other", "type": "vscode"}
    forged = {**stored, **otherwise, "time": "2026-05-10T10:00:00.000001Z"}
    for _ in range(2):
        reply = forger.post(PATH, forged)
        assert statuses(reply) == ["unchanged"]
        assert reply.json["results"][0]["message"] == SAID
        row = session_of(owner)
        assert without_conflicts(row) == before
        assert row["conflicts"]["count"] == 1
    (conflict,) = row["conflicts"]["newest"]
    assert conflict.pop("received_at") >= row["received_at"]
    assert conflict == {
        "connection_status": "connected",
        "time": "2026-05-10T10:00:00.000001Z",
        "said": {**otherwise, "connect_time": "2026-05-10T10:00:00.000001Z"},
        "written_by": key_id(forger),
    }
    assert row["written_by"] == key_id(owner)


def test_the_first_disconnect_is_shown_and_the_other_is_kept(owner: Client, house: House, make_event: Event) -> None:
    forger = house.client(house.user("mallory", "owner"))
    opened = make_event(time="2026-05-10T10:00:00Z")
    ends = {"connection_status": "disconnected"}
    owner.post(PATH, opened)
    assert statuses(forger.post(PATH, {**opened, **ends, "time": "2026-05-10T10:00:00.000001Z", "code": 0})) == [
        "updated"
    ]
    true = {**opened, **ends, "time": "2026-05-10T11:00:00Z", "code": 137, "disconnect_reason": "killed"}
    reply = owner.post(PATH, true)
    # The reason is the first that is heard; the rest contradicts.
    assert statuses(reply) == ["updated"]
    assert reply.json["results"][0]["message"] == SAID
    row = session_of(owner)
    assert row["ssh_info"] == {
        "connection_id": opened["connection_id"],
        "disconnect_time": "2026-05-10T10:00:00.000001Z",
        "disconnect_reason": "killed",
        "exit_code": 0,
    }
    assert (row["written_by"], row["disconnect_written_by"]) == (key_id(owner), key_id(forger))
    (conflict,) = row["conflicts"]["newest"]
    assert conflict["said"] == {"code": 137, "disconnect_time": "2026-05-10T11:00:00Z"}
    assert conflict["written_by"] == key_id(owner)


def test_events_of_one_batch_are_taken_in_the_order_of_time(owner: Client, make_event: Event) -> None:
    first = make_event(time="2026-05-10T10:00:00Z")
    late = {**first, "time": "2026-05-10T10:00:01Z", "ip": "198.51.100.9"}
    reply = owner.post(PATH, [late, first])
    assert statuses(reply) == ["unchanged", "created"]
    assert session_of(owner)["ip"] == first["ip"]


def test_web_events_have_no_conflicts_and_show_who_wrote_them(owner: Client, make_event: Event) -> None:
    owner.post(PATH, make_event(type="workspace_app", connection_id=None))
    row = session_of(owner)
    assert row["conflicts"] == {"count": 0, "newest": []}
    assert row["written_by"] == key_id(owner)
    assert row["received_at"].endswith("Z")


@pytest.mark.parametrize(
    ("site", "inside", "status"),
    [
        (("auditor",), (), 200),
        (("owner",), (), 200),
        ((), ("organization-admin",), 403),
        ((), ("organization-auditor",), 403),
        ((), (), 403),
    ],
)
def test_who_wrote_a_row_and_what_contradicts_it_is_for_owners_and_auditors(
    owner: Client, house: House, make_event: Event, site: tuple[str, ...], inside: tuple[str, ...], status: int
) -> None:
    acme = house.organization("acme")
    event = make_event(organization_id=acme.id)
    owner.post(PATH, [event, {**event, "ip": "198.51.100.9"}])
    reader = house.client(house.user("bob", *site, organizations={acme.id: inside}))
    reply = reader.get(PATH, query={"conflicts": "true"})
    assert reply.status == status
    secret = ("written_by", "received_at", "conflicts")
    for row in reader.logs().json["connection_logs"]:
        assert {name for name in secret if name in row} == (set(secret[:2]) if site else set())
    if status == 200:
        assert reply.json["connection_logs"][0]["conflicts"]["count"] == 1


@pytest.mark.parametrize("query", ["", "status:ongoing", "status:completed", "type:ssh"])
def test_conflicts_are_shown_whatever_is_asked_for(owner: Client, make_event: Event, query: str) -> None:
    event = make_event()
    owner.post(PATH, event)
    owner.post(PATH, {**event, "ip": "198.51.100.9"})
    if query == "status:completed":
        owner.post(PATH, {**event, "connection_status": "disconnected"})
    (row,) = owner.get(PATH, query={"q": query, "conflicts": "true"}).json["connection_logs"]
    assert row["conflicts"]["count"] == 1
    assert ("disconnect_time" in row["ssh_info"]) == (query == "status:completed")


def hold(owner: Client, query: str) -> Reply:
    return owner.put(f"{HOLDS}/a-case", {"log": "connection", "q": query, "reason": "a case"})


def test_a_connect_that_would_take_a_row_out_of_a_hold_is_kept_beside_it(owner: Client, make_event: Event) -> None:
    ended = make_event(time="2026-05-10T11:00:00Z", connection_status="disconnected")
    owner.post(PATH, ended)
    assert hold(owner, 'connected_after:"2026-05-10T10:30:00Z"').status == 201
    connect = {**ended, "connection_status": "connected", "time": "2026-05-10T10:00:00Z"}
    assert statuses(owner.post(PATH, connect)) == ["unchanged"]
    row = session_of(owner)
    assert row["connect_time"] == "2026-05-10T11:00:00Z"
    assert row["conflicts"]["newest"][0]["said"] == {"connect_time": "2026-05-10T10:00:00Z"}
    # Another hold, which holds the row as well where it would stand, is no reason.
    assert hold(owner, 'connected_after:"2026-05-10T09:00:00Z"').status == 200
    assert statuses(owner.post(PATH, connect)) == ["updated"]
    assert session_of(owner)["connect_time"] == "2026-05-10T10:00:00Z"


def test_a_row_leaves_no_hold_that_is_placed_while_an_event_is_under_way(
    owner: Client,
    make_event: Event,
    clock: Clock,
    transport: ObservedTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    month = Settings(connection_logs_retention=30 * 86_400 * 10**9)
    for module in (holds, purge, retention):
        monkeypatch.setattr(module, "current", lambda: month)
    moment = clock.moment

    def sent(day: int, before_call: int) -> tuple[str, int]:
        """A session whose end comes first, and the calls of its beginning; the hold is placed before one of them."""
        end = make_event(time=times.wire(moment - timedelta(days=day)), connection_status="disconnected")
        row_id: str = owner.post(PATH, end).json["results"][0]["id"]
        calls = 0

        def placing(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal calls
            calls += 1
            if calls == before_call:
                transport.restore()
                query = f'connected_after:"{times.wire(moment - timedelta(days=22))}"'
                assert hold(owner, query).status in (200, 201)
                transport.intercept(placing)
            return send(operation, request)

        transport.intercept(placing)
        began = {**end, "connection_status": "connected", "time": times.wire(moment - timedelta(days=25))}
        assert owner.post(PATH, {**began, "ip": "198.51.100.7"}).status == 200
        transport.restore()
        return row_id, calls

    _, calls = sent(23, 0)
    held: set[str] = set()
    for before_call in range(1, calls + 1):
        owner.delete(f"{HOLDS}/a-case")
        held.add(sent(20, before_call)[0])
    began = [row["connect_time"] for row in owner.get(PATH).json["connection_logs"] if row["id"] in held]
    # Before some of the calls, the writer hears of the hold, and the row keeps its place; before others it does not.
    assert {*began} == {times.wire(moment - timedelta(days=day)) for day in (20, 25)}
    clock.forward(timedelta(days=15))
    holds.forget()
    for _ in range(2):
        listed = owner.get(PATH).json
        assert {row["id"] for row in listed["connection_logs"]} == held
        assert listed["count"] == len(held)
        assert {owner.get(f"{PATH}/{row_id}").status for row_id in held} == {200}
        assert owner.post(RUNS).status == 200
    assert owner.get("/api/v2/retention").json["held"]["connection_logs"] == len(held)


@pytest.mark.parametrize("query", ["status:ongoing", "type:ssh status:completed", "status:connected"])
def test_a_hold_may_not_ask_about_what_changes_by_itself(owner: Client, query: str) -> None:
    reply = hold(owner, query)
    assert reply.status == 400
    (problem,) = reply.json["validations"]
    assert problem["field"] == "q"
    assert "connected_after" in problem["detail"]
    assert owner.get(HOLDS).json == {"holds": []}


@pytest.mark.parametrize("path", [PATH, "/api/v2/audit"])
def test_an_event_that_has_not_happened_is_rejected(owner: Client, make_event: Event, path: str) -> None:
    now = times.now()
    made: list[dict[str, Any]] = [
        {"time": "9999-12-31T23:59:59Z"},
        {"time": times.wire(now + timedelta(days=1, minutes=5))},
        {"time": times.wire(now + timedelta(hours=23))},
    ]
    common = make_event() if path == PATH else AUDIT
    reply = owner.post(path, [{**common, **changes} for changes in made])
    assert [result["status"] for result in reply.json["results"]] == ["rejected", "rejected", "created"]
    assert reply.json["results"][0]["validations"] == [{"field": "time", "detail": "must not be more than a day ahead"}]


def test_a_secret_in_the_diff_of_a_resource_without_a_table_is_not_stored(owner: Client) -> None:
    event = {
        **AUDIT,
        "time": times.wire(times.now()),
        "resource_type": "workspace_agent",
        "action": "connect",
        "diff": {"auth_token": {"old": "hunter1", "new": "hunter2"}, "AUTH-TОKEN": {"new": "hunter3"}},
    }
    assert owner.post("/api/v2/audit", event).json["created"] == 1
    text = owner.get("/api/v2/audit").text
    assert "hunter" not in text
    assert '"auth_token":{"old":"","new":"","secret":true}' in text
