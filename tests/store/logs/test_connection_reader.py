"""A plan reads the right rows, newest first, each once, page after page, in as few calls as may be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from chalicelib import times
from chalicelib.lanes.catalogue import CONNECTION_LANES
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import NOTHING, Plan, plan
from chalicelib.lanes.positions import position
from chalicelib.logs.connection import session_id
from chalicelib.logs.session import join
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import Closing, ConnectionLog, Mark, Origin
from chalicelib.search.criteria import criteria
from chalicelib.search.filter import UserReference
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.search.parser import parse
from chalicelib.settings import Settings
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs import connection_requests, write_pool
from chalicelib.store.logs.connection_writer import Rule, write_all
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import CONNECTION_LOGS
from tests.transport import ObservedTransport, Send

pytestmark = pytest.mark.usefixtures("tables")

T = datetime(2025, 7, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAP = 2_001


def named(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


USERS = {"user1": named("user1"), "user2": named("user2"), "user3": named("user3")}
ORGANIZATIONS = {"orga": named("orga"), "orgb": named("orgb")}


def row(name: str, kind: str, organization: str, owner: str, connected: datetime, **more: Any) -> ConnectionLog:
    return ConnectionLog(
        id=named(name),
        session=kind in SESSION_TYPES,
        connect_time=connected,
        organization_id=ORGANIZATIONS[organization],
        workspace_owner_id=USERS[owner],
        workspace_id=named(f"workspace of {owner}"),
        workspace_name="ws",
        agent_name="main",
        type=kind,
        **more,
    )


LOG1 = row(
    "log1",
    "workspace_app",
    "orga",
    "user1",
    T - 4 * HOUR,
    user_id=USERS["user1"],
    slug_or_port="code-server",
    user_agent="Mozilla/5.0",
    connection_id=named("connection1"),
)
LOG2 = row(
    "log2",
    "vscode",
    "orga",
    "user1",
    T - 3 * HOUR,
    connection_id=named("connection2"),
    closing=Closing(T - 2 * HOUR, Mark(T - 2 * HOUR, "client left"), Mark(T - 2 * HOUR, 0)),
)
LOG3 = row(
    "log3",
    "ssh",
    "orgb",
    "user2",
    T - 2 * HOUR,
    user_id=USERS["user2"],
    connection_id=named("connection3"),
    closing=Closing(T - HOUR),
)
LOG4 = row("log4", "vscode", "orgb", "user2", T - HOUR, user_id=USERS["user3"])
LOGS = (LOG1, LOG2, LOG3, LOG4)


def store(stored: Sequence[ConnectionLog]) -> None:
    answers = write_all([[row] for row in stored], Rule(join), give_up_at=time.monotonic() + 60)
    assert all(isinstance(answer, write_pool.Written) for answer in answers)


def planned(asked: Criteria, shards: int = 1) -> Plan:
    return plan(asked, CONNECTION_LANES, shards)


def rows(made: Plan, *, expected: int) -> list[ConnectionLog]:
    return [*read_page(CONNECTION_LOGS, [made], Budget(), Window(expected)).rows]


def count(made: Plan, cap: int) -> int:
    number, complete = count_rows(CONNECTION_LOGS, [made], Budget(), cap)
    assert complete
    return number


def ids_of(reference: UserReference) -> Sequence[str]:
    name = reference.text.removesuffix("@test.com")
    return [USERS[name]] if name in USERS else []


def query(text: str, shards: int = 1) -> Plan:
    asked = parse(text, CONNECTION_FILTERS, me=USERS["user1"], organization=ORGANIZATIONS.get)
    return plan(criteria(asked, CONNECTION_FILTERS, ids_of, times.now()), CONNECTION_LANES, shards)


def newest_first(rows: Sequence[ConnectionLog]) -> list[ConnectionLog]:
    return sorted(rows, key=lambda row: position(row.connect_time, row.id), reverse=True)


@pytest.mark.parametrize(
    ("asked", "lane", "expected"),
    [
        pytest.param("", "all", LOGS, id="NoFilter"),
        pytest.param("organization:orgb", "organization", (LOG3, LOG4), id="OrganizationID"),
        pytest.param("workspace_owner:user1", "owner", (LOG1, LOG2), id="WorkspaceOwner"),
        pytest.param("workspace_owner:me", "owner", (LOG1, LOG2), id="WorkspaceOwnerID"),
        pytest.param("workspace_owner_email:user2@test.com", "owner", (LOG3, LOG4), id="WorkspaceOwnerEmail"),
        pytest.param("type:vscode", "type", (LOG2, LOG4), id="Type"),
        pytest.param("username:me", "user", (LOG1,), id="UserID"),
        pytest.param("username:User1", "user", (LOG1,), id="Username"),
        pytest.param("user_email:user3@test.com", "user", (LOG4,), id="UserEmail"),
        pytest.param('connected_after:"2025-07-10T10:30:00Z"', "all", (LOG4,), id="ConnectedAfter"),
        pytest.param('connected_before:"2025-07-10T09:30:00Z"', "all", (LOG1, LOG2), id="ConnectedBefore"),
        pytest.param('connected_after:"2025-07-10T11:00:00Z"', "all", (LOG4,), id="ConnectedAfter itself"),
        pytest.param('connected_before:"2025-07-10T09:00:00Z"', "all", (LOG1, LOG2), id="ConnectedBefore itself"),
        pytest.param(f"workspace_id:{named('workspace of user2')}", "workspace", (LOG3, LOG4), id="WorkspaceID"),
        pytest.param(f"connection_id:{named('connection1')}", "connection", (LOG1,), id="ConnectionID"),
        pytest.param("status:ongoing", "status_type", (LOG4,), id="StatusOngoing"),
        pytest.param("status:completed", "completed", (LOG2, LOG3), id="StatusCompleted"),
        pytest.param("status:completed type:ssh", "type", (LOG3,), id="two filters"),
        pytest.param("status:ongoing organization:orga", "status_type", (), id="two filters without a row"),
    ],
)
def test_each_filter_of_the_language_finds_its_rows_in_its_lane(
    asked: str, lane: str, expected: tuple[ConnectionLog, ...], transport: ObservedTransport
) -> None:
    store(LOGS)
    transport.requests.clear()
    made = query(asked)
    assert rows(made, expected=100) == newest_first(expected)
    assert count(made, CAP) == len(expected)
    assert {request["IndexName"] for operation, request in transport.requests if operation == "Query"} == {lane}


@pytest.mark.parametrize(
    "asked",
    [
        "username:nobody",
        "user_email:nobody@test.com",
        "workspace_owner:user1 workspace_owner_email:user2@test.com",
        f"workspace_owner:user1 workspace_owner_email:nobody@test.com type:{LOG1.type}",
        "status:completed type:workspace_app",
        'connected_after:"2025-07-10T11:00:00Z" connected_before:"2025-07-10T10:00:00Z"',
    ],
)
def test_what_nobody_can_be_is_not_even_planned(asked: str) -> None:
    assert query(asked) is NOTHING


def many(number: int) -> list[ConnectionLog]:
    """Rows of every type in two organizations, three to each moment."""
    kinds = ("ssh", "vscode", "workspace_app")
    return [
        row(
            f"row {index}",
            kinds[index % 3],
            ("orga", "orgb")[index % 2],
            ("user1", "user2")[index // 3 % 2],
            T - HOUR * (index // 3),
            closing=Closing(T) if kinds[index % 3] == "ssh" and index % 4 else None,
        )
        for index in range(number)
    ]


@pytest.mark.parametrize("shards", [1, 3, 8])
def test_lanes_of_any_number_of_shards_are_merged_newest_first(shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_requests, "current", lambda: Settings(log_shards=shards))
    logs = many(60)
    store(logs)
    matching = {
        "": logs,
        "organization:orgb": [log for log in logs if log.organization_id == ORGANIZATIONS["orgb"]],
        "status:ongoing": [log for log in logs if log.status == "ongoing"],
        "status:completed": [log for log in logs if log.status == "completed"],
        "type:ssh organization:orga": [
            log for log in logs if log.type == "ssh" and log.organization_id == ORGANIZATIONS["orga"]
        ],
    }
    for asked, expected in matching.items():
        made = query(asked, shards)
        assert expected
        assert rows(made, expected=100) == newest_first(expected)
        assert count(made, CAP) == len(expected)


def test_rows_of_before_the_shards_grew_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = many(30)
    store(logs[::2])
    monkeypatch.setattr(connection_requests, "current", lambda: Settings(log_shards=8))
    store(logs[1::2])
    assert rows(planned(Criteria(), shards=8), expected=100) == newest_first(logs)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_follow_one_another_without_a_gap_or_a_repetition(
    shards: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_requests, "current", lambda: Settings(log_shards=shards))
    logs = many(20)
    store(logs)
    made = planned(Criteria(), shards)
    pages = [rows(made, expected=offset + size)[offset:] for offset in range(0, len(logs), size)]
    assert [log for page in pages for log in page] == newest_first(logs)


@pytest.mark.parametrize("largest", [1, 4, 20])
def test_a_lane_is_followed_over_the_pages_of_the_engine(largest: int, shorten: Callable[[int], None]) -> None:
    shorten(largest)
    logs = many(20)
    store(logs)
    assert rows(planned(Criteria()), expected=100) == newest_first(logs)


def test_a_page_is_one_query_and_one_look_at_how_its_sessions_ended(transport: ObservedTransport) -> None:
    store(many(30))
    transport.requests.clear()
    assert len(rows(planned(Criteria()), expected=10)) == 10
    assert transport.operations == ["Query", "BatchGetItem"]
    assert transport.requests[0][1]["Limit"] == 11


def test_a_page_of_web_events_is_one_query_and_one_look_at_whom_they_name(transport: ObservedTransport) -> None:
    store(many(30))
    transport.requests.clear()
    wanted = Criteria({"type": frozenset({"workspace_app"})})
    assert len(rows(planned(wanted), expected=5)) == 5
    assert transport.operations == ["Query", "BatchGetItem"]
    assert CONNECTION_LOGS.table_name not in transport.requests[1][1]["RequestItems"]


def test_sessions_beyond_a_hundred_are_looked_at_a_hundred_at_a_time(transport: ObservedTransport) -> None:
    logs = [row(f"session {index}", "ssh", "orga", "user1", T, closing=Closing(T)) for index in range(130)]
    store(logs)
    transport.requests.clear()
    assert rows(planned(Criteria()), expected=200) == newest_first(logs)
    looked = [request for operation, request in transport.requests if operation == "BatchGetItem"]
    keys = [asked["Keys"] for request in looked for asked in request["RequestItems"].values()]
    assert len(looked) == 2
    assert sum(map(len, keys)) == 130 + 2, "the owner and the organization are looked up with them"


@pytest.mark.parametrize("asked", ["", "type:ssh", "type:ssh organization:orga", "status:completed"])
def test_counting_stops_at_the_cap(asked: str) -> None:
    store(
        [row(f"session {index}", "ssh", "orga", "user1", T - HOUR * index, closing=Closing(T)) for index in range(12)]
    )
    made = query(asked)
    assert [count(made, cap) for cap in (1, 11, 12, 13, CAP)] == [1, 11, 12, 12, 12]


def test_counting_stops_at_the_cap_over_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_requests, "current", lambda: Settings(log_shards=3))
    store(many(12))
    assert [count(planned(Criteria(), 3), cap) for cap in (1, 5, 12, 13)] == [1, 5, 12, 12]


@pytest.mark.parametrize("asked", ["", "status:ongoing", "organization:orga"])
def test_what_one_lane_answers_is_counted_without_reading_rows(asked: str, transport: ObservedTransport) -> None:
    store(many(12))
    transport.requests.clear()
    made = query(asked)
    assert count(made, CAP) > 0
    assert transport.operations == ["Query"] * len(made.keys)
    assert {request["Select"] for _, request in transport.requests} == {"COUNT"}


def test_a_capped_count_reads_no_more_than_the_cap(transport: ObservedTransport) -> None:
    store(many(12))
    transport.requests.clear()
    assert count(planned(Criteria()), 5) == 5
    assert [request["Limit"] for _, request in transport.requests] == [5]


def lagging(transport: ObservedTransport, change: Sequence[ConnectionLog], *, after_queries: int) -> None:
    """Make a change after so many queries were answered, so that what they showed is old by then."""
    answered = []

    def behind(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = send(operation, request)
        if operation == "Query":
            answered.append(operation)
            if len(answered) == after_queries:
                store(change)
        return answer

    transport.intercept(behind)


OPEN = replace(
    LOG2,
    id=session_id(LOG2.organization_id, named("connection2"), LOG2.workspace_id, LOG2.agent_name),
    closing=None,
)
DISCONNECT = replace(OPEN, connect_time=T, closing=Closing(T), origin=Origin.DISCONNECT)


def test_a_session_that_the_lane_still_shows_as_open_is_not_ongoing(transport: ObservedTransport) -> None:
    store([OPEN, LOG4])
    lagging(transport, [DISCONNECT], after_queries=1)
    assert rows(planned(Criteria({"status": frozenset({"ongoing"})})), expected=10) == [LOG4]


def test_a_row_is_shown_as_it_ended_although_the_lane_is_older(transport: ObservedTransport) -> None:
    store([OPEN])
    lagging(transport, [DISCONNECT], after_queries=1)
    assert rows(planned(Criteria()), expected=10) == [replace(OPEN, closing=Closing(T))]


def test_a_row_whose_time_is_corrected_while_it_is_read_is_shown_once(
    transport: ObservedTransport, shorten: Callable[[int], None]
) -> None:
    shorten(1)
    store([OPEN, LOG1])
    earlier = replace(OPEN, connect_time=LOG1.connect_time - HOUR)
    lagging(transport, [earlier], after_queries=1)
    assert rows(planned(Criteria()), expected=10) == [OPEN, LOG1]
