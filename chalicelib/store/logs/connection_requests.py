"""The requests that write one connection log row, and what each of them finds stored when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib import times
from chalicelib.lanes.catalogue import (
    ARRIVAL,
    ARRIVED,
    CLOSING,
    EVERY_CONNECTION_LANE,
    POSITION,
    REVISION,
    Lane,
    arrived_keys,
    lane_keys,
)
from chalicelib.records import ConnectionLog
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import ConnectionLogItem
from chalicelib.store.logs.connection_rows import OPEN, closing_text, from_item, revision, to_item
from chalicelib.store.logs.stamps import UNLESS_STAMPED, is_row

_OPEN_LANES = {f"#{lane.name}": lane.name for lane in EVERY_CONNECTION_LANE if "ongoing" in lane.only.get("status", ())}
"""The lanes that hold open sessions alone, whether the deployment keeps them now or has kept them before."""
_ARRIVAL_KEYS = {f"#{name}": name for name in (ARRIVAL, ARRIVED)}
"""The keys of a row in order of arrival. It leaves this order where a change has no place in it, as the lane is off."""


def _changes_at_end(lane: Lane) -> bool:
    """Whether the end of a session changes its place in a lane, or brings it there."""
    return lane.range != POSITION or "completed" in lane.only.get("status", ())


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing is stored under the id."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A row was purged, and its place is kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row is stored, in this revision."""

    row: ConnectionLog
    revision: int


@dataclass(frozen=True, slots=True)
class Done:
    """The write was made."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An open session was ended; `before` is its row as it was."""

    before: Stored


State = Missing | Tombstone | Stored


def state_of(item: Item | None) -> State:
    """The state that an item of the table stands for."""
    if item is None:
        return Missing()
    return Stored(from_item(item), revision(item)) if is_row(item) else Tombstone()


def new_item(row: ConnectionLog) -> Item:
    """The item of a row that is written for the first time."""
    return _item(row, 1)


def put(row: ConnectionLog, *, over_tombstone: bool) -> Done | State:
    """Store a row where there is none.

    Args:
        row: the row.
        over_tombstone: whether it may take the place of a tombstone.
    """
    request: dict[str, Any] = {
        "Item": new_item(row),
        "ConditionExpression": "attribute_not_exists(id)",
    }
    if over_tombstone:
        request |= {"ConditionExpression": UNLESS_STAMPED, "ExpressionAttributeNames": {"#forget_at": FORGET_AT}}
    return _put(row.id, request)


def replace(stored: Stored, row: ConnectionLog) -> Done | State:
    """Store a row in the place of the one that was read, unless that was changed since."""
    request = {
        "Item": _item(row, stored.revision + 1),
        # A row that was purged meanwhile keeps its revision, which a lane may hold.
        "ConditionExpression": "#rev = :seen AND attribute_not_exists(#forget_at)",
        "ExpressionAttributeNames": {"#rev": REVISION, "#forget_at": FORGET_AT},
        "ExpressionAttributeValues": {":seen": {"N": str(stored.revision)}},
    }
    return _put(row.id, request)


def close(row: ConnectionLog) -> Closed | State:
    """End an open session that began earlier, given the row that its disconnect alone would make.

    Returns:
        What is stored, where nothing was ended; Missing as well where the engine does not return it.
    """
    assert row.closing is not None  # noqa: S101 - the row of a disconnect has an end
    settings = current()
    written = [lane for lane in settings.connection_lanes.written if _changes_at_end(lane)]
    entered = {**lane_keys(row, written, settings.log_shards), **arrived_keys(row.id, written, times.now)}
    left = _OPEN_LANES if ARRIVED in entered else _OPEN_LANES | _ARRIVAL_KEYS
    sets = ["#closing = :closing", "#rev = #rev + :one", *(f"#{name} = :{name}" for name in entered)]
    request: dict[str, Any] = {
        "TableName": ConnectionLogItem.Meta.table_name,
        "Key": {"id": {"S": row.id}},
        "UpdateExpression": f"SET {', '.join(sets)} REMOVE #open, {', '.join(left)}",
        # Only an open session has `open`; any other event under this id is left to the join.
        "ConditionExpression": "#open = :connection AND #position BETWEEN :known AND :moment",
        "ExpressionAttributeNames": {
            "#closing": CLOSING,
            "#open": OPEN,
            "#rev": REVISION,
            "#position": POSITION,
            **left,
            **{f"#{name}": name for name in entered},
        },
        "ExpressionAttributeValues": {
            ":closing": {"S": closing_text(row.closing)},
            ":connection": {"S": row.connection_id},
            ":one": {"N": "1"},
            # Go's zero time is no moment to be later than: that, too, is left to the join.
            ":known": {"S": times.fixed(times.NEVER + timedelta.resolution)},
            # The bare time sorts before every position that begins with it, so a tie is left to the join.
            ":moment": {"S": times.fixed(row.closing.time)},
            **{f":{name}": {"S": key} for name, key in entered.items()},
        },
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        answer = call("UpdateItem", request)
    except ConditionFailed as failure:
        # Without an item there is none, or the engine does not tell: the put finds out, and is needed in the one case.
        return state_of(failure.item)
    before: Item = answer["Attributes"]
    return Closed(Stored(from_item(before), revision(before)))


def read(row_id: str) -> State:
    """The state under an id, as of this moment."""
    request = {"TableName": ConnectionLogItem.Meta.table_name, "Key": {"id": {"S": row_id}}, "ConsistentRead": True}
    return state_of(call("GetItem", request).get("Item"))


def _put(row_id: str, request: dict[str, Any]) -> Done | State:
    whole = {
        "TableName": ConnectionLogItem.Meta.table_name,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **request,
    }
    try:
        call("PutItem", whole)
    except ConditionFailed as failure:
        return state_of(failure.item) if failure.item else read(row_id)
    return Done()


def _item(row: ConnectionLog, number: int) -> Item:
    settings = current()
    return to_item(row, shards=settings.log_shards, revision=number, lanes=settings.connection_lanes.written)
