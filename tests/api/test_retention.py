"""Retention over HTTP: what is past its time is hidden everywhere; runs and holds are the owner's, and audited."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from chalice.local import LambdaContext

import app as application
from chalicelib import times
from chalicelib.api import answer_limits, log_pages, retention
from chalicelib.api.http import Call
from chalicelib.lanes.criteria import Criteria
from chalicelib.records import AuditLog
from chalicelib.retention import holds, placing, purge
from chalicelib.retention.holds import Hold
from chalicelib.retention.lease import LEASE
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import APIKeyItem, AuditLogItem, ConnectionLogItem
from chalicelib.store.retention import runs as retention_runs
from chalicelib.store.retention import state as retention_state
from tests.transport import UNANSWERED

if TYPE_CHECKING:
    from chalicelib.records import User
    from scripts.local.engine import EmbeddedEngine
    from tests.api.conftest import Client, Clock, House, Reply
    from tests.transport import ObservedTransport, Send

CheckError = Callable[["Reply"], dict[str, Any]]
Event = Callable[..., dict[str, Any]]
Run = Callable[[], dict[str, Any]]

CONNECTIONS = "/api/v2/connectionlog"
AUDIT = "/api/v2/audit"
RETENTION = "/api/v2/retention"
RUNS = f"{RETENTION}/runs"
HOLDS = f"{RETENTION}/holds"
DAY = timedelta(days=1)
NIL = "00000000-0000-0000-0000-000000000000"
NONE = {"api_keys": 0, "audit_connection_events": 0, "connection_logs": 0, "audit_logs": 0}
PAST = "It is older than the retention, or ends a session that is: it is not kept."
HOLD = {"log": "connection", "q": "type:vscode", "reason": "a case"}
OVERFLOWING = {"name": {side: token_urlsafe(220_000) for side in ("old", "new")}}
"""A diff that takes several items."""


@pytest.fixture(autouse=True)
def _holds_are_read_anew() -> Iterator[None]:
    holds.forget()
    yield
    holds.forget()


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(**settings: Any) -> None:
        named = {f"{name}_retention": value // timedelta(microseconds=1) * 1_000 for name, value in settings.items()}
        for module in (holds, purge, api_keys, retention):
            monkeypatch.setattr(module, "current", lambda: Settings(**named))

    return use


@pytest.fixture
def connect(owner: Client, make_event: Event, clock: Clock) -> Callable[..., str]:
    """Sends an event of an age and answers the id of its row."""

    def send(age: timedelta, **changes: Any) -> str:
        reply = owner.post(CONNECTIONS, make_event(time=times.wire(clock.moment - age), **changes))
        assert reply.status == 200
        row_id: str = reply.json["results"][0]["id"]
        return row_id

    return send


@pytest.fixture
def note(owner: Client, clock: Clock) -> Callable[..., str]:
    """Writes a row of the audit log of an age."""

    def send(age: timedelta, action: str = "write", **changes: Any) -> str:
        event = {
            "id": str(uuid4()),
            "time": times.wire(clock.moment - age),
            "user_id": NIL,
            "resource_type": "template",
            "resource_id": str(uuid4()),
            "resource_target": "rust",
            "action": action,
            "status_code": 200,
            **changes,
        }
        assert owner.post(AUDIT, event).status == 200
        return str(event["id"])

    return send


@pytest.fixture(params=["schedule", "owner"])
def run(request: pytest.FixtureRequest, owner: Client) -> Run:
    """Purges, in the handler of the schedule and in that of the API."""

    def asked() -> dict[str, Any]:
        reply = owner.post(RUNS)
        assert reply.status == 200
        record: dict[str, Any] = reply.json
        return record

    return asked if request.param == "owner" else by_schedule


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    (rows,) = (reply.json[name] for name in ("connection_logs", "audit_logs") if name in reply.json)
    return [row["id"] for row in rows]


def walk(client: Client, path: str, **query: str) -> Iterator[Reply]:
    while True:
        reply = client.get(path, query=query)
        yield reply
        if "next_cursor" not in reply.json:
            return
        query = {**query, "cursor": reply.json["next_cursor"]}


def by_schedule() -> dict[str, Any]:
    """A run as the schedule starts it."""
    event = dict.fromkeys(("version", "account", "region", "detail-type", "source", "time", "id"), "")
    context = LambdaContext("purge", memory_size=1024, max_runtime_ms=900_000)
    answer: dict[str, Any] = application.purge({**event, "detail": {}, "resources": []}, context)
    return answer


# Hidden, whatever has been deleted.


def test_every_read_shows_what_is_kept_and_held_and_nothing_else(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None]
) -> None:
    made = [connect(age * DAY, type="vscode" if age % 3 == 0 else "ssh") for age in range(40)]
    rules(connection_logs=20 * DAY)
    kept = made[:21]
    assert owner.put(f"{HOLDS}/a-case", HOLD).status == 201
    visible = kept + [row for age, row in enumerate(made) if age > 20 and age % 3 == 0]
    whole = owner.get(CONNECTIONS)
    assert (ids(whole), whole.json["count"]) == (visible, len(visible))
    for limit in ("1", "4", "21", "22", str(len(visible))):
        pages = list(walk(owner, CONNECTIONS, limit=limit))
        assert [row for page in pages for row in ids(page)] == visible
        assert {page.json["count"] for page in pages} == {len(visible)}
        assert len(pages) == -(-len(visible) // int(limit))
    for offset in (0, 5, 20, 21, 24, 99):
        reply = owner.get(CONNECTIONS, query={"offset": str(offset), "limit": "3"})
        assert ids(reply) == visible[offset : offset + 3]
        assert reply.json["count"] == len(visible)
    for index in (0, 20, 22):
        assert (
            ids(owner.get(CONNECTIONS, query={"after_id": visible[index], "limit": "2"}))
            == visible[index + 1 : index + 3]
        )
    assert owner.get(CONNECTIONS, query={"after_id": made[22]}).status == 400
    assert ids(owner.logs("type:ssh")) == [row for age, row in enumerate(made) if age <= 20 and age % 3]
    assert owner.logs("type:ssh", count="false").json.keys() == {"connection_logs"}
    explained = owner.logs("", explain="true", limit="100").json["explain"]
    uncounted = owner.logs("", explain="true", limit="100", count="false").json["explain"]
    assert uncounted["rows_read"] == len(visible), "the older rows are read from the lane of what is held"
    assert [plan["lane"] for plan in explained["older"]] == ["type"]
    owner.delete(f"{HOLDS}/a-case")
    assert ids(owner.get(CONNECTIONS)) == kept


def test_connection_events_are_shown_for_ninety_days_and_other_audit_rows_by_the_policy(
    owner: Client, house: House, root: User, note: Callable[..., str], rules: Callable[..., None], clock: Clock
) -> None:
    events = {age: note(age * DAY, "open") for age in (5, 50, 89)}
    others = {age: note(age * DAY) for age in (5, 50, 89, 95, 200)}
    clock.forward(2 * DAY)
    query = {"q": "resource_type:template"}

    def visible() -> set[str]:
        reply = owner.get(AUDIT, query=query)
        assert reply.json["count"] == len(ids(reply))
        paged = [row for page in walk(owner, AUDIT, limit="2", **query) for row in ids(page)]
        assert paged == ids(reply)
        return set(ids(reply))

    assert visible() == {events[5], events[50], *others.values()}
    named = [f"audit_log:{row}" for row in (events[50], events[89], others[200])]
    narrow = house.client(root, scopes=("audit_log:read", "user:read"), allow_list=(*named, "user:*"))
    assert ids(narrow.get(AUDIT)) == [events[50], others[200]]
    rules(audit_logs=100 * DAY)
    assert visible() == {events[5], events[50], others[5], others[50], others[89], others[95]}
    rules(audit_logs=30 * DAY)
    assert visible() == {events[5], events[50], others[5]}
    assert set(ids(owner.get(AUDIT, query={"q": "action:open"}))) == {events[5], events[50]}
    assert owner.put(f"{HOLDS}/x", {"log": "audit", "q": "action:open", "reason": "a case"}).status == 201
    assert visible() == {*events.values(), others[5]}
    rules(audit_logs=0 * DAY)
    assert visible() == {*events.values(), *others.values()}
    rules(audit_logs=30 * DAY)
    assert owner.post(RUNS).json["purged"] == {**NONE, "audit_logs": 4}
    assert visible() == {*events.values(), others[5]}


@pytest.fixture
def around(note: Callable[..., str], clock: Clock) -> tuple[list[str], list[str]]:
    """Rows that are kept, newest first, on both sides of many connection events that are past their time."""
    before = [note(20 * DAY - index * DAY) for index in range(5)]
    for index in range(300):
        note(9 * DAY - index * timedelta(seconds=1), "open")
    after = [note(7 * DAY - index * DAY) for index in range(5)]
    clock.forward(90 * DAY)
    return after[::-1], before[::-1]


@pytest.mark.parametrize(
    ("query", "first", "most"),
    [
        ({"limit": "20"}, 0, 9),
        ({"limit": "1", "offset": "4"}, 4, 11),
        ({"limit": "1", "offset": "5"}, 5, 13),
        ({"limit": "1", "offset": "6"}, 6, 13),
        ({"limit": "1", "offset": "10"}, 10, 13),
    ],
)
def test_many_events_past_their_time_are_passed_over_in_few_calls(
    owner: Client, around: tuple[list[str], list[str]], query: dict[str, str], first: int, most: int
) -> None:
    newer, older = around
    calls: list[str] = []
    with store_engine.heard_by(lambda operation, _request, _answer: calls.append(operation)):
        reply = owner.get(AUDIT, query={"q": "resource_type:template", **query})
    assert ids(reply) == [*newer, *older][first : first + int(query["limit"])]
    assert reply.json["count"] == 10
    assert calls.count("Query") <= most


def test_nor_does_it_take_a_call_for_each_to_count_up_to_the_cap(
    owner: Client, around: tuple[list[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert around
    monkeypatch.setattr(log_pages, "COUNT_CAP", 6)
    calls: list[str] = []
    with store_engine.heard_by(lambda operation, _request, _answer: calls.append(operation)):
        reply = owner.get(AUDIT, query={"q": "resource_type:template", "limit": "2"})
    assert reply.json["count"] == 7
    assert calls.count("Query") <= 12


@pytest.mark.parametrize("rows", [3, 7, 50, 301])
@pytest.mark.parametrize("start", [{}, {"offset": "3"}, {"offset": "7"}])
def test_a_walk_gets_over_more_of_them_than_a_query_may_read(
    owner: Client,
    around: tuple[list[str], list[str]],
    start: dict[str, str],
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer, older = around
    monkeypatch.setattr(answer_limits, "current", lambda: Settings(max_rows_read=rows))
    query = {"q": "resource_type:template", "limit": "20", "count": "false"}
    pages = [owner.get(AUDIT, query={**query, **start})]
    while "next_cursor" in pages[-1].json:
        assert len(pages) < 250
        pages.append(owner.get(AUDIT, query={**query, "cursor": pages[-1].json["next_cursor"]}))
    assert [row for page in pages for row in ids(page)] == [*newer, *older][int(start.get("offset", 0)) :]
    assert "partial" not in pages[-1].json


@pytest.mark.parametrize("offset", ["0", "1", "7"])
def test_nor_does_a_deadline_end_it(
    owner: Client, around: tuple[list[str], list[str]], offset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = around
    monkeypatch.setattr(answer_limits, "ANSWERING_SECONDS", 60.0)
    query = {"q": "resource_type:template", "limit": "20", "count": "false"}
    pages = [owner.get(AUDIT, query={**query, "offset": offset})]
    while "next_cursor" in pages[-1].json:
        calls: list[str] = []
        with store_engine.heard_by(lambda operation, _request, _answer, calls=calls: calls.append(operation)):  # type: ignore[misc]
            pages.append(owner.get(AUDIT, query={**query, "cursor": pages[-1].json["next_cursor"]}))
        assert calls.count("Query") <= 2
    assert [row for page in pages for row in ids(page)] == [*newer, *older][int(offset) :]


def test_a_page_of_old_audit_rows_is_four_calls_beside_the_token_check(owner: Client, note: Callable[..., str]) -> None:
    for age in (10, 89, 100, 110, 120, 130):
        note(age * DAY)
    owner.get(AUDIT)
    calls: list[str] = []
    with store_engine.heard_by(lambda operation, _request, _answer: calls.append(operation)):
        for limit in ("1", "2", "3", "5"):
            calls.clear()
            reply = owner.get(AUDIT, query={"q": "template", "limit": limit})
            assert (len(ids(reply)), reply.json["count"]) == (int(limit), 6)
            assert calls[:2] == ["GetItem", "GetItem"]
            assert len(calls[2:]) <= 4, limit
    assert "Scan" not in calls


def test_a_token_that_has_been_expired_for_too_long_is_nowhere(
    owner: Client, house: House, root: User, clock: Clock, client: Client, assert_error: CheckError
) -> None:
    gone = house.token(root, expires_at=clock.moment - 7 * DAY - timedelta.resolution, token_name="gone")
    kept = house.token(root, expires_at=clock.moment - 7 * DAY, token_name="kept")
    keys = "/api/v2/users/me/keys"
    listed = owner.get(f"{keys}/tokens", query={"include_expired": "true"}).json
    assert {key["token_name"] for key in listed} >= {"kept"}
    assert "gone" not in {key["token_name"] for key in listed}
    assert owner.get(f"{keys}/{kept[:10]}").status == 200
    assert owner.get(f"{keys}/{gone[:10]}").status == owner.get(f"{keys}/tokens/gone").status == 404
    assert owner.get(f"{keys}/tokens", query={"after_id": gone[:10]}).status == 400
    for token, detail in ((gone, "API key is invalid."), (kept, "API key expired at")):
        reply = client.get("/api/v2/users/me", headers={"Coder-Session-Token": token})
        assert assert_error(reply)["detail"].startswith(detail)
    # Both have ended, and an ended token holds no name.
    assert owner.post(f"{keys}/tokens", {"token_name": "gone"}).status == 201
    assert owner.post(f"{keys}/tokens", {"token_name": "kept"}).status == 201


# Nothing comes back.


def test_an_event_that_is_past_its_time_is_not_taken_in(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None], make_event: Event, clock: Clock
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    edge = connect(30 * DAY)
    reply = owner.post(CONNECTIONS, make_event(time=times.wire(clock.moment - 30 * DAY - timedelta.resolution)))
    assert reply.json["results"][0] | {"id": ""} == {"index": 0, "id": "", "status": "unchanged", "message": PAST}
    assert ids(owner.get(CONNECTIONS)) == [edge]
    event = {
        "time": times.wire(clock.moment - 31 * DAY),
        "user_id": NIL,
        "resource_type": "template",
        "resource_id": str(uuid4()),
        "resource_target": "rust",
        "action": "write",
        "status_code": 200,
    }
    assert owner.post(AUDIT, event).json["results"][0]["message"] == PAST
    assert owner.post(AUDIT, {**event, "action": "connect"}).json["created"] == 1


def test_no_event_is_turned_away_for_a_hold_that_this_process_has_not_heard_of(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None]
) -> None:
    rules(connection_logs=30 * DAY)
    assert owner.get(CONNECTIONS).json["count"] == 0
    heard = holds._cache._known, holds._cache.until
    assert owner.put(f"{HOLDS}/a-case", HOLD).status == 201
    holds._cache._known, holds._cache.until = heard
    held = connect(31 * DAY, type="vscode")
    connect(31 * DAY)
    holds.forget()
    assert ids(owner.get(CONNECTIONS)) == [held]


@pytest.mark.parametrize("purged", [False, True], ids=["not purged yet", "purged"])
@pytest.mark.parametrize("closed", [False, True], ids=["was open", "was closed"])
def test_a_late_disconnect_brings_no_session_back(
    owner: Client, rules: Callable[..., None], make_event: Event, clock: Clock, *, purged: bool, closed: bool
) -> None:
    begin = make_event(time=times.wire(clock.moment))
    end = {**begin, "connection_status": "disconnected", "time": times.wire(clock.moment + 20 * DAY)}
    owner.post(CONNECTIONS, [begin, end] if closed else begin)
    clock.forward(31 * DAY)
    rules(connection_logs=30 * DAY)
    if purged:
        assert owner.post(RUNS).json["purged"] == {**NONE, "connection_logs": 1}
    for late in (end, {**end, "time": times.wire(clock.moment)}, begin):
        assert owner.post(CONNECTIONS, late).status == 200
        assert owner.get(CONNECTIONS).json["count"] == 0
    assert owner.post(RUNS).json["purged"] == {**NONE, "connection_logs": 0 if purged else 1}
    for events in ([end], [begin], [begin, end]):
        reply = owner.post(CONNECTIONS, events)
        assert {result["status"] for result in reply.json["results"]} == {"unchanged"}
        assert {result["message"] for result in reply.json["results"]} == {PAST}
    assert owner.get(CONNECTIONS).json["count"] == 0
    # An agent may give a connection id a second time: that is a session of today, and known by its beginning.
    again = {**begin, "time": times.wire(clock.moment)}
    assert owner.post(CONNECTIONS, again).json["created"] == 1
    assert owner.get(CONNECTIONS).json["count"] == 1


def test_a_disconnect_without_a_beginning_is_a_session_and_an_old_beginning_does_not_age_it(
    owner: Client, rules: Callable[..., None], make_event: Event, clock: Clock
) -> None:
    rules(connection_logs=30 * DAY)
    end = make_event(connection_status="disconnected", time=times.wire(clock.moment - 29 * DAY))
    begin = {**end, "connection_status": "connected", "time": times.wire(clock.moment - 31 * DAY)}
    for events in ([end, begin], [begin, end]):
        row = [{**event, "connection_id": events[0]["connection_id"]} for event in events]
        statuses = [owner.post(CONNECTIONS, event).json["results"][0]["status"] for event in row]
        assert sorted(statuses) in (["created", "unchanged"], ["unchanged", "unchanged"])
    assert owner.post(CONNECTIONS, [begin, end]).json["unchanged"] == 2
    (session,) = owner.get(CONNECTIONS).json["connection_logs"]
    assert session["connect_time"] == end["time"]


# Who may.


def test_owners_change_auditors_read_and_nobody_else_does_either(
    owner: Client, house: House, as_ann: Client, assert_error: CheckError
) -> None:
    auditor = house.client(house.user("eve", "auditor"))
    assert owner.get(RETENTION).status == auditor.get(RETENTION).status == 200
    assert_error(as_ann.get(RETENTION))
    assert as_ann.get(RETENTION).status == 403
    for client in (auditor, as_ann):
        for method, path, body in (
            ("POST", RUNS, {}),
            ("POST", RUNS, {"dry_run": True}),
            ("GET", HOLDS, None),
            ("PUT", f"{HOLDS}/a-case", HOLD),
            ("DELETE", f"{HOLDS}/a-case", None),
        ):
            reply = client.send(method, path, body)
            assert reply.status == 403
            assert_error(reply)
    assert retention_runs.latest(9) == []


# Runs.


def test_the_policy_the_cut_offs_what_waits_and_the_last_runs_are_shown(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None], clock: Clock, house: House, root: User
) -> None:
    for age in (29, 31, 32):
        connect(age * DAY)
    house.token(root, expires_at=clock.moment - 8 * DAY)
    rules(connection_logs=30 * DAY, api_keys=7 * DAY)
    body = owner.get(RETENTION).json
    assert body["policy"] == {
        "api_keys": 7 * 86_400 * 10**9,
        "audit_connection_events": 90 * 86_400 * 10**9,
        "connection_logs": 30 * 86_400 * 10**9,
        "audit_logs": 0,
        "keep_ongoing": False,
    }
    assert body["cutoffs"]["connection_logs"] == times.wire(clock.moment - 30 * DAY)
    assert body["cutoffs"]["audit_logs"] is None
    assert body["waiting"] == {**NONE, "connection_logs": 2, "api_keys": 1}
    assert (body["waiting_cap"], body["running"], body["runs"]) == (2_000, None, [])
    dry = owner.post(RUNS, {"dry_run": True})
    real = owner.post(RUNS)
    assert dry.status == real.status == 200
    assert dry.json["purged"] == real.json["purged"] == {**NONE, "connection_logs": 2, "api_keys": 1}
    assert {*real.json} == {
        "id",
        "started_at",
        "finished_at",
        "dry_run",
        "cutoffs",
        "purged",
        "remaining",
        "lag_seconds",
    }
    body = owner.get(RETENTION).json
    assert body["waiting"] == NONE
    assert sorted(run["id"] for run in body["runs"]) == sorted([dry.json["id"], real.json["id"]])


def test_what_waits_is_what_the_next_run_deletes_and_what_is_held_is_counted_beside(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None]
) -> None:
    for _ in range(10):
        connect(40 * DAY)
    waits = [connect(41 * DAY, type="vscode"), connect(42 * DAY, type="vscode")]
    rules(connection_logs=30 * DAY)
    assert owner.put(f"{HOLDS}/a-case", {**HOLD, "q": "type:ssh"}).status == 201
    body = owner.get(RETENTION).json
    dry = owner.post(RUNS, {"dry_run": True}).json
    assert body["waiting"] == dry["purged"] == {**NONE, "connection_logs": len(waits)}
    assert body["held"] == {**NONE, "connection_logs": 10}
    assert owner.post(RUNS).json["purged"] == dry["purged"]
    body = owner.get(RETENTION).json
    assert (body["waiting"], body["held"]["connection_logs"]) == (NONE, 10)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_run_whose_lease_was_granted_without_an_answer_runs_under_it(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None], transport: ObservedTransport, lost: int
) -> None:
    connect(40 * DAY)
    rules(connection_logs=30 * DAY)
    answers = iter([True] * lost)

    def unanswered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation == "UpdateItem" and ":holder" in request["ExpressionAttributeValues"] and next(answers, False):
            raise UNANSWERED
        return answer

    transport.intercept(unanswered)
    reply = owner.post(RUNS)
    assert (reply.status, reply.json["purged"]) == (200, {**NONE, "connection_logs": 1})
    transport.restore()
    assert owner.post(RUNS).status == 200
    assert "error" not in owner.get(RETENTION).json["runs"][-1]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_on_a_slow_store_is_answered_before_the_gateway_gives_up(
    owner: Client,
    connect: Callable[..., str],
    rules: Callable[..., None],
    transport: ObservedTransport,
    monkeypatch: pytest.MonkeyPatch,
    dry_run: bool,
) -> None:
    for day in range(31, 61):
        connect(day * DAY)
    rules(connection_logs=30 * DAY)
    began, passed = time.monotonic(), [0.0]

    def wait(seconds: float) -> None:
        passed[0] += seconds

    def slow(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        wait(2.7)
        return send(operation, request)

    monkeypatch.setattr(time, "monotonic", lambda: began + passed[0])
    monkeypatch.setattr(time, "sleep", wait)
    monkeypatch.setattr(Call, "remaining_seconds", property(lambda _call: 29.0 - passed[0]))
    transport.intercept(slow)
    reply = owner.post(RUNS, {"dry_run": dry_run})
    assert passed[0] < 29.0
    assert (reply.status, reply.json["remaining"], "error" in reply.json) == (200, True, False)
    transport.restore()
    assert owner.get(RETENTION).json["runs"][0] == reply.json
    assert owner.get(RETENTION).json["running"] is None


def test_of_two_runs_at_once_the_second_is_refused_and_a_dry_one_is_not(
    owner: Client, clock: Clock, assert_error: CheckError
) -> None:
    run = {**owner.post(RUNS, {"dry_run": True}).json, "finished_at": None, "dry_run": False}
    assert retention_state.take("another", clock.moment, clock.moment + LEASE, run) is not None
    reply = owner.post(RUNS)
    assert reply.status == 409
    assert_error(reply)
    assert owner.get(RETENTION).json["running"] == run
    assert owner.post(RUNS, {"dry_run": True}).status == 200


@pytest.mark.parametrize("body", [{"dry_run": "true"}, {"dry_run": 1}, {"dry_run": None}, []])
def test_a_run_is_asked_for_rightly_or_not_at_all(owner: Client, body: Any, assert_error: CheckError) -> None:
    reply = owner.post(RUNS, body)
    assert reply.status == 400
    assert_error(reply)
    assert retention_runs.latest(9) == []


def test_the_schedule_runs_the_purge_for_as_long_as_lambda_lets_it(
    connect: Callable[..., str], rules: Callable[..., None], trail: Callable[[], list[AuditLog]], clock: Clock
) -> None:
    connect(31 * DAY)
    rules(connection_logs=30 * DAY)
    record = by_schedule()
    assert record["purged"] == {**NONE, "connection_logs": 1}
    (row,) = [row for row in trail() if row.resource_type == "retention_run"]
    assert (row.action, row.user_id, row.resource_id) == ("create", NIL, record["id"])
    assert row.additional_fields["run"] == record
    assert by_schedule()["purged"] == NONE
    assert len([row for row in trail() if row.resource_type == "retention_run"]) == 1, "nothing was done"
    assert retention_state.take("another", clock.moment, clock.moment + LEASE, {}) is not None
    assert by_schedule() == {"message": "Another run is under way."}


def test_every_kind_of_row_goes_within_the_rights_of_the_handler(
    run: Run,
    connect: Callable[..., str],
    note: Callable[..., str],
    rules: Callable[..., None],
    house: House,
    root: User,
    tables: EmbeddedEngine,
    clock: Clock,
) -> None:
    connect(0 * DAY)
    connect(0 * DAY, type="workspace_app")
    note(0 * DAY, diff=OVERFLOWING)
    note(0 * DAY, "open")
    note(0 * DAY)
    house.token(root, expires_at=clock.moment + DAY, token_name="gone")
    clock.forward(91 * DAY)
    rules(connection_logs=30 * DAY, audit_logs=60 * DAY, api_keys=7 * DAY)
    record = run()
    assert "error" not in record
    expected = {"api_keys": 1, "audit_connection_events": 1, "connection_logs": 2, "audit_logs": 2}
    assert record["purged"] == expected
    rows = [item for log in (ConnectionLogItem, AuditLogItem) for item in tables.items(log.Meta.table_name)]
    assert [item for item in rows if FORGET_AT not in item and record["id"] not in str(item)] == []
    assert "gone" not in str(tables.items(APIKeyItem.Meta.table_name))


def test_a_token_that_ended_by_going_unused_is_purged_in_every_handler(
    run: Run, house: House, root: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    born = clock.moment - 60 * DAY
    unused = house.token(root, created_at=born, updated_at=born)[:10]
    made = Settings(api_keys_retention=7 * 86_400 * 10**9, unused_tokens_end=30 * 86_400 * 10**9)
    for module in (holds, purge, api_keys, retention):
        monkeypatch.setattr(module, "current", lambda: made)
    assert run()["purged"]["api_keys"] == 1
    assert api_keys.get(unused) is None


def test_records_of_runs_are_kept_for_ninety_days(
    run: Run, connect: Callable[..., str], rules: Callable[..., None], clock: Clock
) -> None:
    connect(31 * DAY)
    rules(connection_logs=30 * DAY)
    for days in (0, 1, 90):
        clock.forward(days * DAY)
        assert run()["purged"] == {**NONE, "connection_logs": 1}
        connect(30 * DAY)
    assert [times.from_wire(run["started_at"]) for run in retention_runs.latest(9)] == [
        clock.moment,
        clock.moment - 90 * DAY,
    ]


def test_a_hold_that_is_placed_during_a_run_is_gone_by(
    owner: Client, connect: Callable[..., str], rules: Callable[..., None], monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    connect(31 * DAY)
    kept = connect(31 * DAY, type="vscode")
    rules(connection_logs=30 * DAY)
    take = retention_state.take

    def then_a_hold_is_placed(*given: Any) -> Any:
        state = take(*given)
        held = Hold(
            "a-case", "connection", "type:vscode", "a case", NIL, times.now(), Criteria({"type": frozenset({"vscode"})})
        )
        placing.save(retention_state.read(), [held])
        return state

    monkeypatch.setattr(retention_state, "take", then_a_hold_is_placed)
    record = run()
    assert record["purged"] == {**NONE, "connection_logs": 1}
    assert ids(owner.get(CONNECTIONS)) == [kept]


def test_a_run_whose_process_died_leaves_its_trail_as_well(
    connect: Callable[..., str],
    rules: Callable[..., None],
    trail: Callable[[], list[AuditLog]],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(31 * DAY)
    rules(connection_logs=30 * DAY)
    context = LambdaContext("purge", memory_size=1024, max_runtime_ms=900_000)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(retention_runs, "add", dies)
        with pytest.raises(KeyboardInterrupt):
            retention.scheduled(context)
    clock.moment += LEASE
    assert retention.scheduled(context)["purged"] == NONE
    dead = retention_runs.latest(9)[-1]
    assert dead["error"] == "The run did not end; another took its place."
    (row,) = [row for row in trail() if row.resource_type == "retention_run"]
    assert (row.user_id, row.resource_id, row.status_code) == (NIL, dead["id"], 500)
    assert row.additional_fields["run"] == dead


# Holds.


def test_a_hold_is_placed_listed_changed_and_lifted_and_each_is_audited(
    owner: Client, root: User, trail: Callable[[], list[AuditLog]], clock: Clock
) -> None:
    made = owner.put(f"{HOLDS}/a-case", HOLD)
    assert made.status == 201
    assert made.json == {
        **HOLD,
        "name": "a-case",
        "created_by": root.id,
        "created_at": times.wire(clock.moment),
        "conditions": [],
        "matches": {"type": ["vscode"]},
    }
    again = owner.put(f"{HOLDS}/a-case", HOLD)
    assert (again.status, again.json) == (200, made.json)
    changed = owner.put(f"{HOLDS}/a-case", {**HOLD, "q": "type:ssh"})
    assert (changed.status, changed.json["matches"]) == (200, {"type": ["ssh"]})
    assert owner.get(HOLDS).json == {"holds": [changed.json]}
    lifted = owner.delete(f"{HOLDS}/a-case")
    assert (lifted.status, lifted.text) == (204, "")
    assert owner.delete(f"{HOLDS}/a-case").status == 404
    assert owner.get(HOLDS).json == {"holds": []}
    rows = [row for row in trail() if row.resource_type == "retention_hold"]
    assert sorted(row.action for row in rows) == ["create", "delete", "write"]
    assert {row.resource_target for row in rows} == {"a-case"}
    assert len({row.resource_id for row in rows}) == 1


def test_a_hold_names_people_by_id_and_me_is_who_made_it(
    owner: Client, root: User, ann: User, connect: Callable[..., str], rules: Callable[..., None]
) -> None:
    old = connect(40 * DAY, workspace_owner_id=ann.id)
    connect(40 * DAY)
    rules(connection_logs=30 * DAY)
    mine = owner.put(f"{HOLDS}/mine", {**HOLD, "q": "workspace_owner:me"})
    assert mine.json["matches"] == {"workspace_owner_id": [root.id]}
    owner.put(f"{HOLDS}/hers", {**HOLD, "q": "workspace_owner:ANN"})
    owner.put(f"/api/v2/users/{ann.id}", {"username": "hannah", "email": "hannah@example.com"})
    assert ids(owner.get(CONNECTIONS)) == [old]
    assert owner.post(RUNS).json["purged"] == {**NONE, "connection_logs": 1}
    assert ids(owner.get(CONNECTIONS)) == [old]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a-case", {**HOLD, "q": "foo:bar"}),
        ("a-case", {**HOLD, "q": "type:zzz"}),
        ("a-case", {**HOLD, "q": "workspace_owner:nobody"}),
        ("a-case", {**HOLD, "q": "type:ssh status:ongoing workspace_owner_email:x@example.com"}),
        ("a-case", {**HOLD, "q": "workspace_owner:me workspace_owner:root type:ssh"}),
        ("a-case", {**HOLD, "q": "status:ongoing type:workspace_app"}),
        ("a-case", {**HOLD, "q": 'connected_after:"2025-02-01T00:00:00Z" connected_before:"2025-01-01T00:00:00Z"'}),
        ("a-case", {**HOLD, "log": "audit", "q": "date_from:2025-02-01 date_to:2025-01-01"}),
        ("a-case", {**HOLD, "q": "x" * 2_001}),
        ("a-case", {**HOLD, "log": "both"}),
        ("a-case", {**HOLD, "reason": ""}),
        ("a-case", {"log": "audit", "q": ""}),
        ("-case", HOLD),
        ("a%20case", HOLD),
        ("a" * 65, HOLD),
    ],
)
def test_a_wrong_hold_is_told_what_is_wrong_and_holds_nothing(
    owner: Client, assert_error: CheckError, name: str, body: Mapping[str, str]
) -> None:
    reply = owner.put(f"{HOLDS}/{name}", body)
    assert reply.status == 400
    assert assert_error(reply)["validations"]
    assert owner.get(HOLDS).json == {"holds": []}


@pytest.mark.parametrize("q", ["status:ongoing", "type:ssh status:completed", "after:-24h", "type:ssh before:-1h"])
def test_a_hold_asks_for_nothing_that_changes_by_itself(owner: Client, assert_error: CheckError, q: str) -> None:
    reply = owner.put(f"{HOLDS}/a-case", {**HOLD, "q": q})
    assert reply.status == 400
    (wrong,) = assert_error(reply)["validations"]
    assert "by itself" in wrong["detail"]
    assert owner.get(HOLDS).json == {"holds": []}


@pytest.mark.parametrize(
    ("changes", "q"),
    [
        ({"resource_type": "castle"}, "resource_type:castle"),
        ({"action": "frobnicate"}, "action:Frobnicate"),
        ({"resource_type": "workspace_build", "additional_fields": {"build_reason": "magic"}}, "build_reason:magic"),
    ],
)
def test_a_hold_names_what_only_newer_servers_have_where_a_row_has_it(
    owner: Client,
    note: Callable[..., str],
    rules: Callable[..., None],
    clock: Clock,
    assert_error: CheckError,
    changes: dict[str, Any],
    q: str,
) -> None:
    body = {"log": "audit", "q": q, "reason": "a case"}
    assert "is not a valid value" in assert_error(owner.put(f"{HOLDS}/a-case", body))["validations"][0]["detail"]
    held = note(timedelta(0), **changes)
    other = note(timedelta(0))
    rules(audit_logs=DAY)
    clock.forward(2 * DAY)
    assert owner.put(f"{HOLDS}/a-case", body).status == 201, "also where it is past its time and not purged yet"
    assert owner.post(RUNS).json["purged"]["audit_logs"] > 0
    assert owner.get(f"{AUDIT}/{held}").status == 200
    assert owner.get(f"{AUDIT}/{other}").status == 404
    assert owner.delete(f"{HOLDS}/a-case").status == 204
    assert owner.put(f"{HOLDS}/a-case", body).status == 201
    key = {"TableName": AuditLogItem.Meta.table_name, "Key": {"id": {"S": held}}}
    store_engine.call("DeleteItem", key)
    assert owner.put(f"{HOLDS}/a-case", body).status == 200, "to make sure, whatever rows there are by now"


def test_there_may_be_so_many_holds_and_no_more(
    owner: Client, assert_error: CheckError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.retention.placing.MOST_HOLDS", 2)
    assert [owner.put(f"{HOLDS}/h{number}", HOLD).status for number in range(3)] == [201, 201, 400]
    assert assert_error(owner.put(f"{HOLDS}/h3", HOLD))["message"] == "There are too many holds."
    assert owner.put(f"{HOLDS}/h1", {**HOLD, "q": ""}).status == 200


def test_a_hold_that_a_purge_may_not_know_of_is_stored_and_told_so(
    owner: Client, clock: Clock, assert_error: CheckError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WAIT_SECONDS", 0.0)
    assert retention_state.take("a run", clock.moment, clock.moment + LEASE, {}) is not None
    reply = owner.put(f"{HOLDS}/a-case", HOLD)
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert_error(reply)
    assert [hold["name"] for hold in owner.get(HOLDS).json["holds"]] == ["a-case"]
    assert owner.put(f"{HOLDS}/a-case", HOLD).status == 503
    assert retention_state.renew("a run", 1, clock.moment + LEASE, {}, {}) is None
    assert owner.put(f"{HOLDS}/a-case", HOLD).status == 200
