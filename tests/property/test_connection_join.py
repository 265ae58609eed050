"""The first value that was accepted stays: events that agree give one row in any order, and others change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logs.batch import Batch
from chalicelib.logs.connection import ConnectionEvent, row, session_id
from chalicelib.logs.session import LONGEST_VALUE, MOST_CONFLICTS, join
from chalicelib.records import NO_CONFLICTS, Closing, Conflict, ConnectionLog, Mark, Origin
from chalicelib.times import NEVER
from tests.property.sessions import (
    CONNECT,
    DISCONNECT,
    MAY_LACK,
    SECOND,
    T0,
    accepted,
    agreeing,
    anything,
    modelled,
    receipt,
    said_otherwise,
)

WEB = replace(CONNECT, type="workspace_app", connection_id=None, code=200, slug_or_port="code-server", user_id=None)
ROW_ID = session_id(CONNECT.organization_id, str(CONNECT.connection_id), CONNECT.workspace_id, CONNECT.agent_name)
END = T0 + SECOND
LACKING: dict[str, Any] = dict.fromkeys(MAY_LACK)


def taken(events: Sequence[ConnectionEvent]) -> ConnectionLog:
    """The row of events that come one by one."""
    first, *others = map(row, events)
    return reduce(lambda stored, event: join(stored, event).row, others, first)


def gathered(events: Sequence[ConnectionEvent]) -> list[ConnectionLog]:
    """The rows of events that come in one batch."""
    batch = Batch()
    for index, event in enumerate(events):
        batch.add(index, row(event))
    return [reduce(lambda one, event: join(one, event).row, group[1:], group[0]) for group in batch.groups().values()]


@settings(deadline=None, print_blob=True, max_examples=300)
@given(agreeing(), st.randoms(use_true_random=False))
def test_events_that_agree_give_the_same_row_in_any_order_and_any_number(
    events: list[ConnectionEvent], random: Random
) -> None:
    first = taken(events)
    others = [*events, *random.choices(events, k=3)]
    random.shuffle(others)
    assert taken(others) == first
    assert gathered(others) == [first]
    assert first.conflicts == NO_CONFLICTS


@settings(deadline=None, print_blob=True, max_examples=300)
@given(st.lists(anything, min_size=1, max_size=8))
def test_whatever_is_sent_the_row_is_what_the_rule_says(events: list[ConnectionEvent]) -> None:
    model, stored = modelled(events), taken(events)
    assert accepted(stored) == model.values
    assert (stored.origin is Origin.DISCONNECT) == model.guessed or "connect_time" not in model.values
    assert said_otherwise(stored) == model.conflicts
    assert stored.conflicts.number == len(model.conflicts)


@settings(deadline=None, print_blob=True, max_examples=300)
@given(st.lists(anything, min_size=1, max_size=8), anything)
def test_no_accepted_value_is_ever_replaced(events: list[ConnectionEvent], late: ConnectionEvent) -> None:
    stored = taken(events)
    joined = join(stored, row(late))
    before, after = accepted(stored), accepted(joined.row)
    if stored.origin is Origin.DISCONNECT:
        begun, begins = before.pop("connect_time", None), after.pop("connect_time", None)
        assert begun is None or begins <= begun
    assert after.items() >= before.items()
    # The same event once more is known.
    assert join(joined.row, row(late)) == (joined.row, joined.conflict)


@settings(deadline=None, print_blob=True)
@given(st.lists(anything, min_size=1, max_size=8))
def test_the_events_of_one_batch_are_taken_in_the_order_of_time(events: list[ConnectionEvent]) -> None:
    (stored,) = gathered(events)
    timed = sorted(events, key=lambda event: (event.time == NEVER, event.time, event.connection_status))
    assert stored == taken(timed)


OPENED = replace(row(CONNECT), id=ROW_ID)
ENDED = replace(OPENED, closing=Closing(END, Mark(END, "test disconnect"), Mark(END, 1)))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([CONNECT, DISCONNECT], ENDED, id="U1 ConnectThenDisconnect"),
        pytest.param([CONNECT], OPENED, id="B1 SingleConnect"),
        pytest.param([CONNECT, replace(DISCONNECT, ip=None)], ENDED, id="B2 ConnectThenDisconnect"),
        pytest.param(
            [replace(DISCONNECT, disconnect_reason=None, code=None), CONNECT],
            replace(OPENED, closing=Closing(END)),
            id="B4 a connect after its disconnect corrects the connect time",
        ),
        pytest.param(
            [CONNECT, replace(DISCONNECT, disconnect_reason="", code=None), replace(DISCONNECT, code=None), DISCONNECT],
            ENDED,
            id="B6 each part is set on its own, by the first that carries it",
        ),
        pytest.param(
            [CONNECT, replace(DISCONNECT, disconnect_reason="normal", code=0)],
            replace(OPENED, closing=Closing(END, Mark(END, "normal"), Mark(END, 0))),
            id="B7 CodeZeroPreserved",
        ),
        pytest.param(
            [replace(DISCONNECT, disconnect_reason=None, code=None)],
            replace(OPENED, connect_time=END, closing=Closing(END), origin=Origin.DISCONNECT),
            id="B8 a lone disconnect opened and closed at its moment",
        ),
        pytest.param(
            [replace(CONNECT, code=200, disconnect_reason="said too early")],
            OPENED,
            id="a connect says nothing of the end",
        ),
        pytest.param(
            [replace(CONNECT, **LACKING), DISCONNECT],
            ENDED,
            id="a disconnect says what its connect lacks",
        ),
    ],
)
def test_the_events_of_a_session_are_one_row_in_any_order(
    events: list[ConnectionEvent], expected: ConnectionLog
) -> None:
    for order in permutations(events):
        assert taken(order) == expected
        assert gathered([*order, *order]) == [expected]


@pytest.mark.parametrize(
    ("stored", "event", "expected", "said"),
    [
        pytest.param(
            [CONNECT],
            replace(CONNECT, time=T0 - SECOND / 1_000_000, ip="198.51.100.9", workspace_name="other", type="vscode"),
            OPENED,
            {
                "connect_time": "2025-07-10T10:14:38.942775Z",
                "ip": "198.51.100.9",
                "type": "vscode",
                "workspace_name": "other",
            },
            id="an earlier connect",
        ),
        pytest.param(
            [CONNECT],
            replace(CONNECT, time=END, ip="198.51.100.9"),
            OPENED,
            {"connect_time": "2025-07-10T10:14:39.942776Z", "ip": "198.51.100.9"},
            id="U2 ConnectDoesNotUpdate",
        ),
        pytest.param(
            [CONNECT, DISCONNECT],
            replace(DISCONNECT, time=T0 + SECOND / 1_000_000, disconnect_reason="forged", code=0),
            ENDED,
            {"code": 0, "disconnect_reason": "forged", "disconnect_time": "2025-07-10T10:14:38.942777Z"},
            id="an earlier disconnect",
        ),
        pytest.param(
            [CONNECT],
            replace(DISCONNECT, workspace_owner_id="5c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12"),
            ENDED,
            {"workspace_owner_id": "5c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12"},
            id="a disconnect that names another owner ends the session all the same",
        ),
        pytest.param(
            [DISCONNECT],
            replace(CONNECT, time=END + SECOND),
            replace(ENDED, connect_time=END, origin=Origin.DISCONNECT),
            {"connect_time": "2025-07-10T10:14:40.942776Z"},
            id="a connect that is later than the disconnect it should complete",
        ),
        pytest.param(
            [DISCONNECT, CONNECT],
            replace(CONNECT, time=T0 - SECOND),
            ENDED,
            {"connect_time": "2025-07-10T10:14:37.942776Z"},
            id="a second connect after the one that completed",
        ),
    ],
)
def test_what_contradicts_changes_nothing_and_is_kept(
    stored: list[ConnectionEvent], event: ConnectionEvent, expected: ConnectionLog, said: dict[str, Any]
) -> None:
    sender = receipt(7)
    joined = join(taken(stored), row(event).received(sender))
    kind = Origin.DISCONNECT if event.connection_status == "disconnected" else Origin.CONNECT
    assert joined.conflict == Conflict(kind, event.time, said)
    assert joined.conflict.receipt == sender
    assert replace(joined.row, conflicts=NO_CONFLICTS) == expected
    assert joined.row.conflicts == (1, (joined.conflict,))
    # Sent again, by whomever, it is kept once.
    assert join(joined.row, row(event)).row == joined.row


def test_a_storm_of_contradictions_leaves_the_newest_and_their_number() -> None:
    stored = row(CONNECT)
    events = [row(replace(CONNECT, time=T0 + number * SECOND)) for number in range(1, 101)]
    for event in [*events, *events[-MOST_CONFLICTS:]]:
        stored = join(stored, event).row
    assert stored.conflicts.number == 100
    assert [conflict.time for conflict in stored.conflicts.newest] == [event.connect_time for event in events[-20:]]


def test_a_long_text_is_cut_where_it_is_kept_as_a_contradiction() -> None:
    stored = row(DISCONNECT)
    reasons = ["x" * LONGEST_VALUE, "y" * LONGEST_VALUE * 40]
    for reason in reasons:
        stored = join(stored, row(replace(DISCONNECT, disconnect_reason=reason))).row
    whole, cut = (conflict.said["disconnect_reason"] for conflict in stored.conflicts.newest)
    assert whole == reasons[0]
    assert cut == f"{reasons[1][:LONGEST_VALUE]}..."


def test_where_a_hold_would_lose_the_row_it_keeps_its_place_and_may_end() -> None:
    stored = row(replace(DISCONNECT, ip=None))
    joined = join(stored, row(CONNECT), lambda before, after: before == stored and after.connect_time == T0)
    assert joined.conflict == Conflict(
        Origin.CONNECT, T0, {"connect_time": "2025-07-10T10:14:38.942776Z", "ip": CONNECT.ip}
    )
    assert replace(joined.row, conflicts=NO_CONFLICTS) == stored
    ended = join(row(CONNECT), row(DISCONNECT), lambda *_: True)
    assert (ended.row, ended.conflict) == (ENDED, None)
    # Once the hold is lifted, the connect that is sent again completes the row.
    assert replace(join(joined.row, row(CONNECT)).row, conflicts=NO_CONFLICTS) == ENDED


def test_who_sent_an_event_is_no_part_of_what_it_says() -> None:
    first, other = (row(DISCONNECT).received(receipt(number)) for number in (1, 2))
    assert first.closing
    assert (first.receipt, first.closing.receipt) == (receipt(1), receipt(1))
    joined = join(first, other)
    assert (joined.row, joined.conflict) == (first, None)
    assert joined.row.receipt == receipt(1)
    completed = join(first, row(CONNECT).received(receipt(3))).row
    assert completed.receipt == receipt(1)
    closed = join(row(CONNECT).received(receipt(4)), other).row
    assert closed.closing
    assert (closed.receipt, closed.closing.receipt) == (receipt(4), receipt(2))


def test_web_events_are_a_row_each() -> None:
    events = [WEB, replace(WEB, id="c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10")]
    assert [made.id for made in gathered(events)] == [event.id for event in events]
    assert all(made.closing is None and made.code == 200 for made in gathered(events))


def test_web_events_without_an_id_are_a_row_for_each_content() -> None:
    first, second = (replace(WEB, id=None, time=T0 + step * SECOND) for step in range(2))
    assert len(gathered([first, second, first])) == 2
    assert gathered([first]) == gathered([first, first])


@pytest.mark.parametrize("field", ["connection_id", "workspace_id", "agent_name", "organization_id"])
def test_sessions_of_another_connection_workspace_agent_or_organization_are_other_rows(field: str) -> None:
    others: list[dict[str, Any]] = [{field: f"other {number}"} for number in range(5)]
    events = [replace(CONNECT, **other) for other in others]
    assert len(gathered(events)) == 5


def test_a_session_without_a_connection_id_is_never_joined() -> None:
    other_id = "c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10"
    connect, disconnect = replace(CONNECT, connection_id=None), replace(DISCONNECT, connection_id=None, id=other_id)
    assert [made.id for made in gathered([connect, disconnect])] == [connect.id, disconnect.id]


def test_the_ids_of_rows_do_not_change() -> None:
    # Retries find their rows by them, over releases too.
    lone = replace(DISCONNECT, id=None, connection_id=None, ip="198.51.100.9", user_agent=None, user_id=None)
    assert session_id("o", "a", "b", "c") == "afa3407e-a38d-81a5-9226-0ebd7b0ce8a0"
    assert row(replace(WEB, id=None, user_agent=None)).id == "023019fe-de42-5537-bb99-8cc3b5da1740"
    assert row(lone).id == row(lone).received(receipt(1)).id == "7220e128-6fc0-5629-ac44-13eb5d42b664"


@pytest.mark.parametrize(
    "change", [{"ip": "10.0.0.1"}, {"time": T0 + SECOND}, {"code": 404}, {"type": "port_forwarding"}]
)
def test_another_event_under_a_used_id_is_kept_under_an_id_of_its_content(change: dict[str, Any]) -> None:
    stored, other = row(WEB), row(replace(WEB, **change))
    moved = join(stored, other).row
    assert moved == replace(other, id=moved.id, given_id=stored.id)
    assert moved.id != stored.id
    assert join(stored, other).row.id == moved.id
    assert join(stored, stored) == (stored, None)
    assert join(stored, other).conflict is None


def test_a_batch_tells_what_each_event_did() -> None:
    batch = Batch()
    late, first, otherwise = row(DISCONNECT), row(CONNECT), row(replace(DISCONNECT, code=0))
    for index, made in enumerate([late, late, first, row(WEB), first, otherwise]):
        batch.add(index, made)
    assert batch.indexes(ROW_ID) == [0, 1, 2, 4, 5]
    outcomes = [(2, "created", False), (4, "unchanged", False), (0, "updated", False), (1, "unchanged", False)]
    assert list(batch.outcomes(ROW_ID, None)) == [*outcomes, (5, "unchanged", True)]
    closed = join(first, late).row
    assert [outcome.status for outcome in batch.outcomes(ROW_ID, closed)] == ["unchanged"] * 5
    assert list(batch.outcomes(str(WEB.id), row(WEB))) == [(3, "unchanged", False)]


def test_an_event_that_lost_its_id_is_unchanged_where_it_is_stored_already() -> None:
    batch = Batch()
    other = row(replace(WEB, ip="10.0.0.1"))
    batch.add(0, row(WEB))
    batch.add(1, other)
    moved = join(row(WEB), other).row
    assert list(batch.groups()) == [WEB.id, moved.id]
    for before in (moved, other):
        assert list(batch.outcomes(moved.id, before)) == [(1, "unchanged", False)]


NEVER_CONNECT = replace(CONNECT, time=NEVER)


@pytest.mark.parametrize(
    ("events", "opened", "closed"),
    [
        ([NEVER_CONNECT], NEVER, None),
        ([NEVER_CONNECT, CONNECT], T0, None),
        ([NEVER_CONNECT, DISCONNECT], END, END),
        ([replace(DISCONNECT, time=NEVER), CONNECT], T0, NEVER),
        ([replace(DISCONNECT, time=NEVER), DISCONNECT, CONNECT], T0, END),
    ],
)
def test_the_zero_time_is_no_time(events: list[ConnectionEvent], opened: datetime, closed: datetime | None) -> None:
    for order in permutations(events):
        joined = taken(order)
        assert joined.connect_time == opened
        assert (joined.closing.time if joined.closing else None) == closed
        assert joined.conflicts == NO_CONFLICTS


def test_no_event_can_take_the_place_of_a_session() -> None:
    squatter = row(replace(WEB, id=ROW_ID))
    assert squatter.id != ROW_ID
    assert squatter == row(replace(WEB, id=ROW_ID))
    assert squatter.id != row(replace(WEB, id=ROW_ID, slug_or_port="other")).id
    assert row(replace(WEB, id="c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10")).id == "c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10"
