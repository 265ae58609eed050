"""Any order, any grouping and any repetition of a session's events give the same row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logs.connection import ConnectionEvent, Fold, join, row, session_id
from chalicelib.records import Closing, ConnectionLog, Mark
from chalicelib.times import NEVER

T0 = datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CONNECT = ConnectionEvent(
    id="b3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10",
    time=T0,
    connection_status="connected",
    organization_id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
    workspace_owner_id="0c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12",
    workspace_id="4d1a2f6e-0d2b-4a0e-8a1d-7c3b2e5f6a13",
    workspace_name="ws",
    agent_name="main",
    type="ssh",
    code=None,
    ip="127.0.0.1",
    user_agent=None,
    user_id=None,
    slug_or_port=None,
    connection_id="a7a1d3c5-5b0e-4c55-b7f6-52c1d9e0fb14",
    disconnect_reason=None,
)
DISCONNECT = replace(
    CONNECT,
    id="c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10",
    connection_status="disconnected",
    time=T0 + SECOND,
    ip="198.51.100.9",
    disconnect_reason="test disconnect",
    code=1,
)
WEB = replace(CONNECT, type="workspace_app", connection_id=None, code=200, slug_or_port="code-server")
ROW_ID = session_id(CONNECT.organization_id, str(CONNECT.connection_id), CONNECT.workspace_id, CONNECT.agent_name)

session_events = st.builds(
    replace,
    st.sampled_from([CONNECT, DISCONNECT]),
    id=st.none() | st.uuids().map(str),
    time=st.sampled_from([T0, T0 + SECOND, T0 + 2 * SECOND]),
    ip=st.sampled_from([None, "127.0.0.1", "198.51.100.9"]),
    workspace_name=st.sampled_from(["ws", "renamed"]),
    type=st.sampled_from(["ssh", "vscode"]),
    code=st.sampled_from([None, 0, 1]),
    disconnect_reason=st.sampled_from([None, "", "first reason", "second reason"]),
)
rows = session_events.map(row)


@settings(deadline=None, print_blob=True)
@given(rows, rows)
def test_join_is_commutative(one: ConnectionLog, other: ConnectionLog) -> None:
    assert join(one, other) == join(other, one)


@settings(deadline=None, print_blob=True, max_examples=200)
@given(rows, rows, rows)
def test_join_is_associative(one: ConnectionLog, other: ConnectionLog, third: ConnectionLog) -> None:
    assert join(join(one, other), third) == join(one, join(other, third))


@settings(deadline=None, print_blob=True)
@given(rows, rows)
def test_join_is_idempotent(one: ConnectionLog, other: ConnectionLog) -> None:
    both = join(one, other)
    assert join(one, one) == one
    assert join(both, one) == join(both, other) == join(both, both) == both


@settings(deadline=None, print_blob=True)
@given(st.lists(rows, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_joined_row_says_what_the_earliest_events_said(made: list[ConnectionLog], random: Random) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)
    joined = reduce(join, shuffled)
    assert joined.id == ROW_ID
    assert joined.connect_time == min(one.connect_time for one in made)
    assert replace(joined, closing=None) in [replace(one, closing=None) for one in made]
    closings = [one.closing for one in made if one.closing]
    assert (joined.closing is None) == (not closings)
    if joined.closing:
        assert joined.closing.time == min(closing.time for closing in closings)
        assert joined.closing.reason == min((c.reason for c in closings if c.reason), default=None)
        assert joined.closing.code == min((c.code for c in closings if c.code), default=None)


def folded(events: Sequence[ConnectionEvent]) -> list[ConnectionLog]:
    fold = Fold()
    for index, event in enumerate(events):
        fold.add(index, row(event))
    return list(fold.rows.values())


OPENED = replace(row(CONNECT), id=ROW_ID)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [CONNECT, DISCONNECT],
            replace(OPENED, closing=Closing(T0 + SECOND, Mark(T0 + SECOND, "test disconnect"), Mark(T0 + SECOND, 1))),
            id="U1 ConnectThenDisconnect",
        ),
        pytest.param(
            [CONNECT, replace(CONNECT, id=DISCONNECT.id, time=T0 + SECOND, ip="198.51.100.9")],
            OPENED,
            id="U2 ConnectDoesNotUpdate",
        ),
        pytest.param([CONNECT], OPENED, id="B1 SingleConnect"),
        pytest.param(
            [CONNECT, replace(DISCONNECT, ip=None)],
            replace(OPENED, closing=Closing(T0 + SECOND, Mark(T0 + SECOND, "test disconnect"), Mark(T0 + SECOND, 1))),
            id="B2 ConnectThenDisconnect",
        ),
        pytest.param(
            [CONNECT, replace(CONNECT, time=T0 + SECOND, ip="10.0.0.1")], OPENED, id="B3 DuplicateConnectIsNoOp"
        ),
        pytest.param(
            [replace(DISCONNECT, disconnect_reason=None, code=None), CONNECT],
            replace(OPENED, closing=Closing(T0 + SECOND)),
            id="B4 a connect after its disconnect corrects the connect time",
        ),
        pytest.param(
            [
                CONNECT,
                replace(DISCONNECT, disconnect_reason="first reason", code=1),
                replace(DISCONNECT, time=T0 + 2 * SECOND, disconnect_reason="second reason", code=2),
            ],
            replace(OPENED, closing=Closing(T0 + SECOND, Mark(T0 + SECOND, "first reason"), Mark(T0 + SECOND, 1))),
            id="B5 DisconnectFieldsAreWriteOnce",
        ),
        pytest.param(
            [
                CONNECT,
                replace(DISCONNECT, disconnect_reason="", code=None),
                replace(DISCONNECT, time=T0 + 2 * SECOND, disconnect_reason=None, code=2),
                replace(DISCONNECT, time=T0 + 3 * SECOND, disconnect_reason="late", code=3),
            ],
            replace(OPENED, closing=Closing(T0 + SECOND, Mark(T0 + 3 * SECOND, "late"), Mark(T0 + 2 * SECOND, 2))),
            id="B6 each part is set on its own, by the first that carries it",
        ),
        pytest.param(
            [CONNECT, replace(DISCONNECT, disconnect_reason="normal", code=0)],
            replace(OPENED, closing=Closing(T0 + SECOND, Mark(T0 + SECOND, "normal"), Mark(T0 + SECOND, 0))),
            id="B7 CodeZeroPreserved",
        ),
        pytest.param(
            [replace(DISCONNECT, disconnect_reason=None, code=None)],
            replace(OPENED, connect_time=T0 + SECOND, ip=DISCONNECT.ip, closing=Closing(T0 + SECOND)),
            id="B8 a lone disconnect opened and closed at its moment",
        ),
        pytest.param(
            [replace(CONNECT, code=200, disconnect_reason="said too early")],
            OPENED,
            id="a connect says nothing of the end",
        ),
    ],
)
def test_the_events_of_a_session_are_one_row_in_any_order(
    events: list[ConnectionEvent], expected: ConnectionLog
) -> None:
    for order in permutations(events):
        assert folded(order) == [expected]
        assert folded([*order, *order]) == [expected]


def test_web_events_are_a_row_each() -> None:
    events = [WEB, replace(WEB, id=DISCONNECT.id)]
    assert [made.id for made in folded(events)] == [WEB.id, DISCONNECT.id]
    assert all(made.closing is None and made.code == 200 for made in folded(events))


def test_web_events_without_an_id_are_a_row_for_each_content() -> None:
    first, second = (replace(WEB, id=None, time=T0 + step * SECOND) for step in range(2))
    assert len(folded([first, second, first])) == 2
    assert folded([first]) == folded([first, first])


@pytest.mark.parametrize("field", ["connection_id", "workspace_id", "agent_name"])
def test_sessions_of_another_connection_workspace_or_agent_are_other_rows(field: str) -> None:
    others: list[dict[str, Any]] = [{field: f"other {number}"} for number in range(5)]
    events = [replace(CONNECT, **other) for other in others]
    assert len(folded(events)) == 5


def test_a_session_without_a_connection_id_is_never_joined() -> None:
    connect, disconnect = replace(CONNECT, connection_id=None), replace(DISCONNECT, connection_id=None)
    assert [made.id for made in folded([connect, disconnect])] == [connect.id, disconnect.id]


def test_the_ids_of_rows_do_not_change() -> None:
    # Retries find their rows by them, over releases too.
    assert session_id("o", "a", "b", "c") == "afa3407e-a38d-81a5-9226-0ebd7b0ce8a0"
    assert row(replace(WEB, id=None)).id == "023019fe-de42-5537-bb99-8cc3b5da1740"
    assert row(replace(DISCONNECT, id=None, connection_id=None)).id == "7220e128-6fc0-5629-ac44-13eb5d42b664"


@pytest.mark.parametrize(
    "change", [{"ip": "10.0.0.1"}, {"time": T0 + SECOND}, {"code": 404}, {"type": "port_forwarding"}]
)
def test_another_event_under_a_used_id_is_kept_under_an_id_of_its_content(change: dict[str, Any]) -> None:
    stored, other = row(WEB), row(replace(WEB, **change))
    moved = join(stored, other)
    assert moved == replace(other, id=moved.id, given_id=stored.id)
    assert moved.id != stored.id
    assert join(stored, other).id == moved.id
    assert join(stored, stored) == stored


def test_a_batch_tells_what_each_event_did() -> None:
    fold = Fold()
    late, first = row(DISCONNECT), row(CONNECT)
    for index, made in enumerate([late, late, first, row(WEB), first]):
        fold.add(index, made)
    assert fold.events(ROW_ID) == [0, 1, 2, 4]
    assert fold.statuses(ROW_ID, None) == [(0, "created"), (1, "unchanged"), (2, "updated"), (4, "unchanged")]
    assert fold.statuses(ROW_ID, first) == [(0, "updated"), (1, "unchanged"), (2, "unchanged"), (4, "unchanged")]
    assert fold.statuses(str(WEB.id), row(WEB)) == [(3, "unchanged")]


def test_an_event_that_lost_its_id_is_unchanged_where_it_is_stored_already() -> None:
    fold = Fold()
    other = row(replace(WEB, ip="10.0.0.1"))
    fold.add(0, row(WEB))
    fold.add(1, other)
    moved = join(row(WEB), other)
    assert list(fold.rows) == [WEB.id, moved.id]
    for before in (moved, other):
        assert fold.statuses(moved.id, before) == [(1, "unchanged")]


NEVER_CONNECT = replace(CONNECT, time=NEVER)


@pytest.mark.parametrize(
    ("events", "opened", "closed"),
    [
        ([NEVER_CONNECT], NEVER, None),
        ([NEVER_CONNECT, CONNECT], T0, None),
        ([NEVER_CONNECT, DISCONNECT], T0 + SECOND, T0 + SECOND),
        ([replace(DISCONNECT, time=NEVER), CONNECT], T0, NEVER),
        ([replace(DISCONNECT, time=NEVER), DISCONNECT, CONNECT], T0, T0 + SECOND),
    ],
)
def test_the_zero_time_gives_way_to_any_other(
    events: list[ConnectionEvent], opened: datetime, closed: datetime | None
) -> None:
    for order in permutations(events):
        joined = reduce(join, map(row, order))
        assert joined.connect_time == opened
        assert (joined.closing.time if joined.closing else None) == closed


def test_a_session_of_another_organization_is_another_row() -> None:
    other = replace(CONNECT, organization_id="11111111-6d3c-4a7a-8a58-0e5b5a3d1c11")
    assert row(other).id != row(CONNECT).id


def test_no_event_can_take_the_place_of_a_session() -> None:
    squatter = row(replace(WEB, id=ROW_ID))
    assert squatter.id != ROW_ID
    assert squatter == row(replace(WEB, id=ROW_ID))
    assert squatter.id != row(replace(WEB, id=ROW_ID, slug_or_port="other")).id
    assert row(replace(WEB, id="c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10")).id == "c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10"
