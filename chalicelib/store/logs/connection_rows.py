"""The layout of a connection log row as an item, and its reader.

    id         the key
    position   when and which: the RANGE key of every lane
    <lane>     one attribute per lane the row is in: its HASH key there
    doc        what never changes after the opening, as JSON; `zdoc`, compressed, when that is smaller. `was` in it is
               what fields were before an event completed the row, and `by` the receipt: how long after the event it
               was received, in microseconds, and the id of the token
    open       the connection id of a session that has not ended: the condition of its disconnect
    closing    how a session ended; in the row and the lane of those that have, so a disconnect touches no lane beside
               that and those of open sessions
    conflicts  what events said otherwise, compressed JSON; in the row alone
    rev        how often the row was written: the condition of every replacement
    arrived    when the row was last written, where a lane has rows in this order

    forget_at  of a row that was purged: when it may be deleted; see `chalicelib.store.logs.stamps`

Where a session was purged that an event within the retention may still speak of, its row keeps a late disconnect from
being taken for a session of its own. If it ended a few days after the cut-off, it is stamped to stay until its end is
past its time too. If it was open, or lasted for longer, a *tombstone* takes the place of the row: the id, and when even
the tombstone may go. It is in no lane.

Bytes are the bill: a write costs a unit per started KB for the row and for every lane.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.lanes.catalogue import ALL, CLOSING, CONNECTION_LANES, POSITION, REVISION, Lane, arrived_keys, lane_keys
from chalicelib.lanes.positions import TIME_LENGTH, position
from chalicelib.records import Closing, Conflict, Conflicts, ConnectionLog, Mark, Origin, Receipt
from chalicelib.store.dynamodb.batch_update import Update
from chalicelib.store.dynamodb.batch_write import WriteRequest
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.stored_json import read
from chalicelib.store.logs.connection_words import WORDS
from chalicelib.store.logs.stamps import stamp

OPEN = "open"
CONFLICTS = "conflicts"
_WAS = "was"
_MOMENT = "connect_time"
_RECEIPT = "by"
_MICROSECOND = timedelta(microseconds=1)
_WORTH_COMPRESSING = 128
"""Characters: with the words that it shares with others, nearly every row takes half."""

_REMEMBERED = timedelta(days=365)
"""Beyond the retention, for a session may stay open for long after it was purged."""
_STAYING = timedelta(days=7)
"""For how long at most a row that was purged is its own tombstone; a bare one is small, and dear to write."""
_MARGIN = timedelta(days=1)
"""For how much longer it is."""

_NOT_IN_DOC = frozenset({"id", "connect_time", "closing", "conflicts", "origin", "receipt", "was"})
_DOC_FIELDS = tuple(field.name for field in fields(ConnectionLog) if field.name not in _NOT_IN_DOC)


def to_item(row: ConnectionLog, *, shards: int, revision: int, lanes: tuple[Lane, ...] = CONNECTION_LANES) -> Item:
    """The row as an item, with the key of every lane it is in of those that the deployment keeps."""
    item: Item = {
        "id": {"S": row.id},
        POSITION: {"S": position(row.connect_time, row.id)},
        REVISION: {"N": str(revision)},
    }
    keys = {**lane_keys(row, lanes, shards), **arrived_keys(row.id, lanes, times.now)}
    item |= {name: {"S": key} for name, key in keys.items()}
    doc = {name: value for name in _DOC_FIELDS if (value := getattr(row, name)) is not None}
    if row.origin is not Origin.CONNECT:
        doc["origin"] = row.origin
    if row.receipt is not None:
        doc[_RECEIPT] = ((row.receipt.received_at - row.connect_time) // _MICROSECOND, row.receipt.written_by)
    if row.was:
        doc[_WAS] = [
            {**state, _MOMENT: times.fixed(state[_MOMENT])} if _MOMENT in state else state for state in row.was
        ]
    item |= packed(doc, WORDS, above=_WORTH_COMPRESSING)
    if row.session and row.closing is None and row.connection_id:
        item[OPEN] = {"S": row.connection_id}
    if row.closing is not None:
        item[CLOSING] = {"S": closing_text(row.closing)}
    if row.conflicts.number:
        item[CONFLICTS] = {"B": _packed_conflicts(row.conflicts)}
    return item


def from_item(item: Item) -> ConnectionLog:
    """The row of an item; read from a lane, it lacks what only the row in the table has: its closing and conflicts."""
    values = unpacked(item, WORDS)
    values["id"] = item["id"]["S"]
    values["connect_time"] = times.from_fixed(item[POSITION]["S"][:TIME_LENGTH])
    values["closing"] = closing_of(item)
    if "origin" in values:
        values["origin"] = Origin(values["origin"])
    if _RECEIPT in values:
        microseconds, written_by = values.pop(_RECEIPT)
        values["receipt"] = Receipt(values["connect_time"] + microseconds * _MICROSECOND, written_by)
    elif "receipt" in values:
        # As older rows have it.
        values["receipt"] = _receipt(values["receipt"])
    if _WAS in values:
        values[_WAS] = tuple(
            {**state, _MOMENT: times.from_fixed(state[_MOMENT])} if _MOMENT in state else state
            for state in values[_WAS]
        )
    if CONFLICTS in item:
        values["conflicts"] = conflicts_of(item)
    return ConnectionLog.of(values)


def removal(row: ConnectionLog, cut_off: datetime, now: datetime) -> Update | WriteRequest:
    """The stamp of a row, given with its closing, or the tombstone that takes its place."""
    forget_at = now
    if row.session and row.connection_id:
        ended = last_event(row.closing) if row.closing else None
        if ended is None or ended >= cut_off + _STAYING:
            # In seconds, because a session may have ended in the year 9999.
            seconds = (ended or now).timestamp() + (now - cut_off + _REMEMBERED).total_seconds()
            return {"PutRequest": {"Item": {"id": {"S": row.id}, FORGET_AT: {"N": str(int(seconds))}}}}
        if ended >= cut_off:
            forget_at += ended - cut_off + _MARGIN
    return stamp(row.id, position(row.connect_time, row.id), forget_at, (ALL,))


def last_event(closing: Closing) -> datetime:
    """The latest of the events that are known to have closed a session."""
    return max([closing.time, *(mark.time for mark in (closing.reason, closing.code) if mark is not None)])


def closing_of(item: Item) -> Closing | None:
    """The end of the session of a base row; None while it is open."""
    if CLOSING not in item:
        return None
    parts = read(item[CLOSING]["S"].encode("utf-8", "surrogatepass"))
    text: str = parts["t"]
    moment = times.from_fixed(text)
    # Nearly always one event ended the session and said how.
    reason, code = (
        None if mark is None else Mark(moment if mark[0] == text else times.from_fixed(mark[0]), mark[1])
        for mark in (parts.get("r"), parts.get("c"))
    )
    return Closing(moment, reason, code, _receipt(parts["by"]) if "by" in parts else None)


def conflicts_of(item: Item) -> Conflicts:
    """The conflicts of the session of a row, as its item in the table holds them."""
    if CONFLICTS not in item:
        return Conflicts()
    parts = json.loads(zlib.decompress(item[CONFLICTS]["B"]))
    newest = (
        Conflict(Origin(kind), times.from_fixed(time), said, _receipt(by) if by else None)
        for kind, time, said, by in parts["newest"]
    )
    return Conflicts(parts["count"], tuple(newest))


def revision(item: Item) -> int:
    """How often the item was written."""
    return int(item[REVISION]["N"])


def closing_text(closing: Closing) -> str:
    """A closing as JSON: `{"t": time, "r"?: [time, reason], "c"?: [time, code], "by"?: [received at, token id]}`."""
    parts: dict[str, Any] = {"t": times.fixed(closing.time)}
    if closing.reason is not None:
        parts["r"] = [times.fixed(closing.reason.time), closing.reason.value]
    if closing.code is not None:
        parts["c"] = [times.fixed(closing.code.time), closing.code.value]
    if closing.receipt is not None:
        parts["by"] = _receipt_json(closing.receipt)
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _packed_conflicts(conflicts: Conflicts) -> bytes:
    newest = [
        [conflict.kind, times.fixed(conflict.time), conflict.said, conflict.receipt and _receipt_json(conflict.receipt)]
        for conflict in conflicts.newest
    ]
    plain = json.dumps({"count": conflicts.number, "newest": newest}, separators=(",", ":"))
    return zlib.compress(plain.encode())


def _receipt_json(receipt: Receipt) -> list[str]:
    return [times.fixed(receipt.received_at), receipt.written_by]


def _receipt(parts: list[str]) -> Receipt:
    received_at, written_by = parts
    return Receipt(times.from_fixed(received_at), written_by)
