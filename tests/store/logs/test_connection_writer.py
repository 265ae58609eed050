"""Each path of the writer: what it stores, what it answers, and that the likely ones cost one call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from random import Random
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.lanes.catalogue import shard_of
from chalicelib.logs.session import join, remembering
from chalicelib.records import Closing, ConnectionLog, Mark, Origin
from chalicelib.settings import Settings, load
from chalicelib.store.dynamodb import contention
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.sizes import item_bytes, write_units
from chalicelib.store.dynamodb.tables import ConnectionLogItem
from chalicelib.store.logs import connection_requests
from chalicelib.store.logs.connection_rows import from_item, revision, to_item
from chalicelib.store.logs.connection_writer import Rule, write, write_all
from chalicelib.store.logs.write_pool import Written
from tests.transport import ObservedTransport, Send

TABLE = ConnectionLogItem.Meta.table_name
SECOND = timedelta(seconds=1)
RULE = Rule(join)


pytestmark = pytest.mark.usefixtures("tables")


def stored_item(row_id: str) -> Item | None:
    item: Item | None = call("GetItem", {"TableName": TABLE, "Key": {"id": {"S": row_id}}}).get("Item")
    return item


def stored(row_id: str) -> ConnectionLog:
    item = stored_item(row_id)
    assert item is not None
    return from_item(item)


def everything() -> list[ConnectionLog]:
    return [from_item(item) for item in call("Scan", {"TableName": TABLE})["Items"]]


def soon() -> float:
    return time.monotonic() + 60


def ended(row: ConnectionLog, after: timedelta, reason: str = "client left", code: int = 0) -> ConnectionLog:
    """The row that a lone disconnect makes: it opened and closed at that moment."""
    end = row.connect_time + after
    closing = Closing(end, Mark(end, reason), Mark(end, code))
    return replace(row, connect_time=end, closing=closing, origin=Origin.DISCONNECT)


def test_a_connect_is_one_put(session_row: ConnectionLog, transport: ObservedTransport) -> None:
    assert write([session_row], RULE) == Written(None, session_row)
    assert transport.operations == ["PutItem"]
    assert stored_item(session_row.id) == to_item(session_row, shards=1, revision=1)


def test_a_web_event_is_one_put(web_row: ConnectionLog, transport: ObservedTransport) -> None:
    assert write([web_row], RULE) == Written(None, web_row)
    assert transport.operations == ["PutItem"]
    assert stored(web_row.id) == web_row


def test_a_disconnect_is_one_update(session_row: ConnectionLog, transport: ObservedTransport) -> None:
    write([session_row], RULE)
    transport.requests.clear()
    disconnect = ended(session_row, SECOND)
    closed = replace(session_row, closing=disconnect.closing)
    assert write([disconnect], RULE) == Written(session_row, closed)
    assert transport.operations == ["UpdateItem"]
    assert stored_item(session_row.id) == to_item(closed, shards=1, revision=2)


def test_a_disconnect_enters_the_lane_of_ended_sessions_where_it_is_kept(
    session_row: ConnectionLog, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = load({"GATEBOOK_CONNECTION_LANES": "*,completed,organization_type", "GATEBOOK_LOG_SHARDS": "4"})
    monkeypatch.setattr(connection_requests, "current", lambda: kept)
    write([session_row], RULE)
    transport.requests.clear()
    disconnect = ended(session_row, SECOND)
    assert write([disconnect], RULE).after.status == "completed"
    assert transport.operations == ["UpdateItem"]
    closed = replace(session_row, closing=disconnect.closing)
    expected = to_item(closed, shards=4, revision=2, lanes=kept.connection_lanes.written)
    assert "completed" in expected
    assert stored_item(session_row.id) == expected


@pytest.mark.needs("rows with refusals")
@pytest.mark.parametrize("kind", ["session", "web", "closed"])
def test_a_duplicate_is_one_call_that_changes_nothing(
    kind: str, session_row: ConnectionLog, web_row: ConnectionLog, transport: ObservedTransport
) -> None:
    row = {"session": session_row, "web": web_row, "closed": ended(session_row, SECOND)}[kind]
    write([row], RULE)
    before = stored_item(row.id)
    transport.requests.clear()
    assert write([row], RULE) == Written(row, row)
    assert len(transport.requests) == 1
    assert stored_item(row.id) == before


@pytest.mark.needs("rows with refusals")
def test_a_duplicate_of_a_compressed_row_is_known_again(web_row: ConnectionLog, transport: ObservedTransport) -> None:
    row = replace(web_row, user_agent="Mozilla/5.0 " * 100)
    write([row], RULE)
    assert write([row], RULE) == Written(row, row)
    assert transport.operations == ["PutItem", "PutItem"]


def test_a_disconnect_that_comes_first_is_refused_once_and_put(
    session_row: ConnectionLog, transport: ObservedTransport
) -> None:
    disconnect = ended(session_row, SECOND)
    assert write([disconnect], RULE) == Written(None, disconnect)
    assert transport.operations == ["UpdateItem", "PutItem"]
    assert stored(session_row.id) == disconnect


@pytest.mark.needs("rows with refusals")
def test_a_connect_that_comes_late_moves_the_row_to_its_time_in_two_calls(
    session_row: ConnectionLog, transport: ObservedTransport
) -> None:
    disconnect = ended(session_row, SECOND)
    write([disconnect], RULE)
    transport.requests.clear()
    whole = replace(session_row, closing=disconnect.closing)
    assert write([session_row], RULE) == Written(disconnect, whole)
    assert transport.operations == ["PutItem", "PutItem"]
    assert stored_item(session_row.id) == to_item(remembering(disconnect, whole), shards=1, revision=2)


@pytest.mark.parametrize("after", [-SECOND, timedelta(0)], ids=["earlier", "at the same moment"])
def test_a_disconnect_that_is_not_later_than_the_connect_is_left_to_the_join(
    session_row: ConnectionLog, after: timedelta
) -> None:
    write([session_row], RULE)
    disconnect = replace(ended(session_row, after), ip="198.51.100.9")
    assert write([disconnect], RULE) == Written(session_row, join(session_row, disconnect).row)
    assert stored(session_row.id) == join(session_row, disconnect).row


@pytest.mark.needs("rows with refusals")
def test_a_second_disconnect_is_kept_beside_the_first_once(
    session_row: ConnectionLog, transport: ObservedTransport
) -> None:
    first, second = ended(session_row, SECOND, "first reason", 1), ended(session_row, 2 * SECOND, "second reason", 2)
    write([session_row], RULE)
    write([first], RULE)
    transport.requests.clear()
    closed = replace(session_row, closing=first.closing)
    joined = join(closed, second)
    assert write([second], RULE) == Written(closed, joined.row)
    assert transport.operations == ["UpdateItem", "PutItem"]
    assert stored(session_row.id) == joined.row
    assert joined.row.conflicts.newest == (joined.conflict,)
    transport.requests.clear()
    assert write([second], RULE) == Written(joined.row, joined.row)
    assert transport.operations == ["UpdateItem"]


def test_what_a_disconnect_says_beside_the_end_is_written_too(
    session_row: ConnectionLog, transport: ObservedTransport
) -> None:
    opened = replace(session_row, ip=None)
    write([opened], RULE)
    transport.requests.clear()
    disconnect = replace(ended(session_row, SECOND), workspace_name="renamed")
    expected = join(opened, disconnect).row
    assert write([disconnect], RULE) == Written(opened, expected)
    assert transport.operations == ["UpdateItem", "PutItem"]
    assert stored(session_row.id) == expected
    assert (expected.ip, expected.workspace_name) == (session_row.ip, session_row.workspace_name)
    assert expected.conflicts.newest[0].said == {"workspace_name": "renamed"}


def test_a_contradiction_touches_no_lane(session_row: ConnectionLog) -> None:
    write([session_row], RULE)
    before = stored_item(session_row.id)
    for number in range(30):
        write([replace(session_row, ip=f"198.51.100.{number}", connect_time=session_row.connect_time - SECOND)], RULE)
    after = stored_item(session_row.id)
    assert before is not None
    assert after is not None
    assert {name: value for name, value in after.items() if name not in ("rev", "conflicts")} == {
        name: value for name, value in before.items() if name != "rev"
    }
    assert item_bytes({"conflicts": after["conflicts"]}) < 1_024
    assert stored(session_row.id).conflicts.number == 30


def test_the_longest_contradictions_leave_a_row_small(session_row: ConnectionLog) -> None:
    random = Random(7)
    write([session_row], RULE)
    for number in range(30):
        reason, agent = ("".join(random.choices("0123456789abcdef€", k=8_000)) for _ in range(2))
        event = replace(ended(session_row, number * SECOND, reason, number), user_agent=agent, workspace_name=agent)
        write([event], RULE)
    item = stored_item(session_row.id)
    assert item is not None
    # A conflict more is a write of the row alone: at most so many units.
    assert write_units(item_bytes({"conflicts": item["conflicts"]})) <= 6
    assert stored(session_row.id).conflicts.number == 30


def test_a_batch_of_connect_and_disconnect_is_one_put(session_row: ConnectionLog, transport: ObservedTransport) -> None:
    whole = replace(session_row, closing=ended(session_row, SECOND).closing)
    assert write([whole], RULE) == Written(None, whole)
    assert transport.operations == ["PutItem"]
    item = stored_item(session_row.id)
    assert item is not None
    assert "status" not in item


def test_every_replacement_counts_the_revision(session_row: ConnectionLog) -> None:
    write([session_row], RULE)
    for step in range(1, 4):
        write([replace(session_row, connect_time=session_row.connect_time - step * SECOND)], RULE)
        item = stored_item(session_row.id)
        assert item is not None
        assert revision(item) == 1 + step


@pytest.mark.needs("rows with refusals")
def test_another_event_under_a_used_id_is_kept_beside_the_stored_one(
    web_row: ConnectionLog, transport: ObservedTransport
) -> None:
    other = replace(web_row, ip="198.51.100.9")
    write([web_row], RULE)
    transport.requests.clear()
    written = write([other], RULE)
    assert written.before is None
    assert written.after == replace(other, id=written.after.id, given_id=web_row.id)
    assert written.after.id != web_row.id
    assert transport.operations == ["PutItem", "PutItem"]
    assert stored(web_row.id) == web_row
    assert stored(written.after.id) == written.after
    again = write([other], RULE)
    assert again == Written(written.after, written.after)
    assert len(everything()) == 2


@pytest.mark.parametrize("stored_type", ["workspace_app", "ssh"])
def test_a_lone_disconnect_never_closes_a_row_that_is_not_its_session(
    session_row: ConnectionLog, web_row: ConnectionLog, stored_type: str
) -> None:
    used = session_row if stored_type == "ssh" else web_row
    used = replace(used, connection_id=None)
    write([used], RULE)
    disconnect = replace(ended(session_row, SECOND), id=used.id, connection_id=None)
    written = write([disconnect], RULE)
    assert stored(used.id) == used
    assert written.after.given_id == used.id
    assert stored(written.after.id) == written.after


def test_a_web_event_that_came_under_the_id_of_a_session_is_not_closed(
    session_row: ConnectionLog, web_row: ConnectionLog
) -> None:
    squatter = replace(web_row, id=session_row.id, connection_id=session_row.connection_id)
    write([squatter], RULE)
    written = write([ended(session_row, SECOND)], RULE)
    assert stored(session_row.id) == squatter
    assert stored(written.after.id) == written.after


def test_a_row_that_lost_its_id_in_the_batch_is_known_again_where_it_has_it(web_row: ConnectionLog) -> None:
    other = replace(web_row, ip="198.51.100.9")
    write([other], RULE)
    moved = join(web_row, other).row
    first, second = write_all([[web_row], [moved]], RULE, give_up_at=soon())
    assert isinstance(first, Written)
    assert first.after.given_id == web_row.id
    assert second == Written(other, other)
    assert sorted(row.ip or "" for row in everything()) == sorted([web_row.ip or "", other.ip or ""])


def test_the_first_of_a_batch_keeps_the_id_and_the_others_make_way(web_row: ConnectionLog) -> None:
    others = [join(web_row, replace(web_row, ip=f"198.51.100.{number}")).row for number in range(5)]
    answers = write_all([[row] for row in [*others, web_row]], RULE, give_up_at=soon())
    assert answers == [Written(None, row) for row in [*others, web_row]]
    assert len(everything()) == 6


def test_the_answers_stand_in_the_order_of_the_rows(web_row: ConnectionLog) -> None:
    rows = [replace(web_row, id=f"{number:08x}-0000-4000-8000-000000000000") for number in range(40)]
    assert write_all([[row] for row in rows], RULE, give_up_at=soon()) == [Written(None, row) for row in rows]
    assert write_all([], RULE, give_up_at=soon()) == []


def test_shards_of_new_rows_follow_the_setting(session_row: ConnectionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    disconnect = ended(session_row, SECOND)
    write([disconnect], RULE)
    monkeypatch.setattr(connection_requests, "current", lambda: Settings(log_shards=8))
    write([session_row], RULE)
    item = stored_item(session_row.id)
    assert item is not None
    assert item["all"]["S"] == f"all#{shard_of(session_row.id, 8)}"
    assert item == to_item(
        remembering(disconnect, replace(session_row, closing=disconnect.closing)), shards=8, revision=2
    )


@pytest.mark.needs("rows with refusals")
def test_a_row_that_is_changed_in_between_is_joined_again(
    session_row: ConnectionLog, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contention, "FIRST_PAUSE_SECONDS", 0)
    first, *events = (ended(session_row, step * SECOND, f"reason {step}") for step in range(4))
    states = [*accumulate(events, lambda state, event: join(state, event).row, initial=first)]
    write([first], RULE)
    others = states[1:3]

    def raced(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "PutItem" and "#rev = :seen" in request.get("ConditionExpression", "") and others:
            row = others.pop(0)
            # Another writer is quicker, every time.
            item = to_item(row, shards=1, revision=10 - len(others))
            send("PutItem", {"TableName": TABLE, "Item": item})
        return send(operation, request)

    transport.intercept(raced)
    assert write([events[2]], RULE) == Written(states[2], states[3])
    assert stored(session_row.id) == states[3]
    assert transport.operations.count("GetItem") == 1


def test_a_row_that_is_gone_in_between_is_put_again(
    session_row: ConnectionLog, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contention, "FIRST_PAUSE_SECONDS", 0)
    write([session_row], RULE)
    gone: list[str] = []

    def purged(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if "#rev = :seen" in request.get("ConditionExpression", "") and not gone:
            gone.append(session_row.id)
            send("DeleteItem", {"TableName": TABLE, "Key": {"id": {"S": session_row.id}}})
        return send(operation, request)

    transport.intercept(purged)
    earlier = replace(session_row, connect_time=session_row.connect_time - SECOND)
    assert write([earlier], RULE) == Written(None, earlier)
    assert gone
    assert transport.requests
    assert stored(session_row.id) == earlier


def test_a_row_that_others_change_at_every_attempt_is_told_to_be_sent_again(
    session_row: ConnectionLog, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contention, "FIRST_PAUSE_SECONDS", 0)
    write([session_row], RULE)

    def busy(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if "#rev = :seen" in request.get("ConditionExpression", ""):
            send(
                "UpdateItem",
                {
                    "TableName": TABLE,
                    "Key": {"id": {"S": session_row.id}},
                    "UpdateExpression": "ADD rev :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                },
            )
        return send(operation, request)

    transport.intercept(busy)
    with pytest.raises(Unavailable):
        write([replace(session_row, connect_time=session_row.connect_time - SECOND)], RULE)
    assert len(transport.requests) < 30
    assert stored(session_row.id) == session_row
