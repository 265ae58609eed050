"""Writes connection log rows so that any order of arrival, any repetition and any number of writers give the same row.

What two versions of a row make together is not decided here: the caller gives a `join`. This module makes the join
atomic without a lock. It guesses what is stored, writes on the condition that the guess is right, and where it is wrong
takes the stored row from the refusal, joins, and writes on the condition that nothing has changed since:

    put       nothing is stored       a first connect, a web event
    close     an open session is      a disconnect: touches the row and the lanes of open sessions, no other
    replace   exactly this revision   everything else

The first two are right nearly always, so an event costs one call. A write that was committed but not acknowledged is
met by its own retry as a stored row that the join leaves as it is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.lanes.catalogue import CLOSING, EVERY_CONNECTION_LANE, POSITION, lane_keys
from chalicelib.records import ConnectionLog
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.tables import ConnectionLogItem
from chalicelib.store.logs.connection_rows import OPEN, REVISION, closing_text, from_item, is_row, revision, to_item
from chalicelib.store.logs.write_pool import NotWritten, Written, write_each

Join = Callable[[ConnectionLog, ConnectionLog], ConnectionLog]
"""What a stored row and an incoming one make together: the stored row itself when nothing changes; a row with another
id when the incoming one turns out to be something else and belongs there."""


Keeps = Callable[[ConnectionLog], bool]
"""Whether a row is within its retention, or held; or, where it is so named, whether it is within its retention."""

_ATTEMPTS = 10
_FIRST_PAUSE_SECONDS = 0.01

_OPEN_LANES = {f"#{lane.name}": lane.name for lane in EVERY_CONNECTION_LANE if "ongoing" in lane.only.get("status", ())}
"""The lanes that hold open sessions alone, whether the deployment keeps them now or has kept them before."""


def _everything(_row: ConnectionLog) -> bool:
    return True


def write_all(
    rows: Sequence[ConnectionLog],
    join: Join,
    *,
    give_up_at: float,
    keeps: Keeps = _everything,
    recent: Keeps = _everything,
) -> list[Written[ConnectionLog] | NotWritten]:
    """Write rows with different ids in parallel; the answers stand in the order of the rows.

    Args:
        rows: what the events alone would make. One that lost its id to another of them is written after that one,
            so that it is known by then who has the id.
        join: the rule of the log.
        give_up_at: on the clock of `time.monotonic`; rows not begun by then are answered as Unavailable.
        keeps: whether a row would be kept. No write makes one that would not: where there is no row none is made, and
            one that is kept is not made one that is not.
        recent: whether a row is within its retention, held or not. Only such a one takes the place of a tombstone:
            any other is of the session that was purged.
    """
    answers: dict[str, Written[ConnectionLog] | NotWritten] = {}
    for moved in (False, True):
        some = [row for row in rows if (row.given_id is not None) is moved]
        written = write_each(some, partial(write, join=join, keeps=keeps, recent=recent), give_up_at=give_up_at)
        answers |= zip((row.id for row in some), written, strict=True)
    return [answers[row.id] for row in rows]


def write(
    row: ConnectionLog, join: Join, keeps: Keeps = _everything, recent: Keeps = _everything
) -> Written[ConnectionLog]:
    """Write one row. A row that lost its id is offered under that id first: there it may be stored already.

    Raises:
        Unavailable: the store did not answer, or other writers changed the row at every attempt.
    """
    return _write(row if row.given_id is None else replace(row, id=row.given_id, given_id=None), join, keeps, recent)


def _write(row: ConnectionLog, join: Join, keeps: Keeps, recent: Keeps) -> Written[ConnectionLog]:
    kept = keeps(row)
    begins = not _only_closes(row) and recent(row)
    stored = _close(row) if _only_closes(row) else _put(row, begins=begins) if kept else _read(row.id)
    for attempt in range(_ATTEMPTS):
        if isinstance(stored, Written):
            return stored
        if stored is None or not is_row(stored):
            # Where a session was purged neither its disconnect nor its own beginning makes one; another beginning does.
            if not kept or (stored is not None and not begins):
                return Written(None, row, kept=False)
            stored = _put(row, begins=begins)
            continue
        before = from_item(stored)
        after = join(before, row)
        if after == before:
            return Written(before, before)
        if after.id != before.id:
            return _write(after, join, keeps, recent)
        # A session may end, whatever it was kept for; it may not be aged.
        if keeps(before) and not keeps(replace(after, closing=before.closing)):
            return Written(None, row, kept=False)
        stored = _replace(stored, before, after)
        if isinstance(stored, Written):
            return stored
        time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS * 2**attempt))  # noqa: S311 - jitter, not a secret
    raise Unavailable("The row was changed by others at every attempt.")


def _only_closes(row: ConnectionLog) -> bool:
    return row.connection_id is not None and row.closing is not None and row.closing.time == row.connect_time


def _item(row: ConnectionLog, revision: int) -> Item:
    settings = current()
    return to_item(row, shards=settings.log_shards, revision=revision, lanes=settings.connection_lanes.written)


def _put(row: ConnectionLog, *, begins: bool) -> Written[ConnectionLog] | Item | None:
    item = _item(row, 1)
    try:
        call(
            "PutItem",
            {
                "TableName": ConnectionLogItem.Meta.table_name,
                "Item": item,
                # A tombstone has no position: another beginning takes its place, and nothing else does.
                "ConditionExpression": "attribute_not_exists(#known)",
                "ExpressionAttributeNames": {"#known": POSITION if begins else "id"},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
    except ConditionFailed as failure:
        return failure.item or _read(row.id)
    return Written(None, row)


def _close(row: ConnectionLog) -> Written[ConnectionLog] | Item | None:
    assert row.closing is not None  # noqa: S101 - `_only_closes` has looked
    settings = current()
    written = [lane for lane in settings.connection_lanes.written if "completed" in lane.only.get("status", ())]
    entered = lane_keys(row, written, settings.log_shards)
    sets = ["#closing = :closing", "#rev = #rev + :one", *(f"#{name} = :{name}" for name in entered)]
    try:
        answer = call(
            "UpdateItem",
            {
                "TableName": ConnectionLogItem.Meta.table_name,
                "Key": {"id": {"S": row.id}},
                "UpdateExpression": f"SET {', '.join(sets)} REMOVE #open, {', '.join(_OPEN_LANES)}",
                # Only an open session has `open`; any other event under this id is left to the join.
                "ConditionExpression": "#open = :connection AND #position BETWEEN :known AND :moment",
                "ExpressionAttributeNames": {
                    "#closing": CLOSING,
                    "#open": OPEN,
                    "#rev": REVISION,
                    "#position": POSITION,
                    **_OPEN_LANES,
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
            },
        )
    except ConditionFailed as failure:
        # Without an item there is none, or the engine does not tell: the put finds out, and is needed in the one case.
        return failure.item
    before = from_item(answer["Attributes"])
    return Written(before, replace(before, closing=row.closing))


def _replace(stored: Item, before: ConnectionLog, after: ConnectionLog) -> Written[ConnectionLog] | Item | None:
    seen = revision(stored)
    try:
        call(
            "PutItem",
            {
                "TableName": ConnectionLogItem.Meta.table_name,
                "Item": _item(after, seen + 1),
                "ConditionExpression": "#rev = :seen",
                "ExpressionAttributeNames": {"#rev": REVISION},
                "ExpressionAttributeValues": {":seen": {"N": str(seen)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
    except ConditionFailed as failure:
        return failure.item or _read(after.id)
    return Written(before, after)


def _read(row_id: str) -> Item | None:
    # Only for engines that do not send the item with the refusal.
    request = {
        "TableName": ConnectionLogItem.Meta.table_name,
        "Key": {"id": {"S": row_id}},
        "ConsistentRead": True,
    }
    item: Item | None = call("GetItem", request).get("Item")
    return item
