"""The layout of an audit log row as items, and its reader. A row is written once and never changed.

    id         the key
    position   when and which: the RANGE key of every lane
    <lane>     one attribute per lane the row is in: its HASH key there
    arrived    when the row was written, where a lane has rows in this order
    event_time when a deprecated connection event happened, which has a retention of its own; no other row has it
    doc        other fields, as JSON; `zdoc`, compressed, when that is smaller. Its `by` is the receipt: how long
               after the event it was received, in microseconds, and the id of the token
    rest       diff, additional fields and an icon as long as an image, compressed, where lanes are dearer with them
               than without; in no lane. A very long target is whole here, and its beginning in the doc

Bytes are the bill: a write costs a unit per started KB for the row and for every lane. So a diff that does not fit
stands once, in the row, and not once per lane; the doc then says how much there is. What does not fit in the row stands
in further items of the same table, `<id>#1` and on, which have a `rest` alone and are in no lane.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.lanes.catalogue import (
    ALL,
    AUDIT_LANES,
    CONNECTION_EVENT,
    EVENT_TIME,
    POSITION,
    Lane,
    arrived_keys,
    lane_keys,
)
from chalicelib.lanes.positions import TIME_LENGTH, position
from chalicelib.records import AuditLog, Overflow, Receipt
from chalicelib.settings import current
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.batch_update import Update
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import DOC, FORGET_AT, PACKED_DOC
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.sizes import WRITE_UNIT_BYTES, item_bytes, write_units
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.audit_words import WORDS
from chalicelib.store.logs.stamps import UNLESS_STAMPED, stamp

OVERFLOW = "rest"
LARGEST_ITEM_BYTES = 400_000
"""The limit of one item here; DynamoDB takes 409,600."""
IN_LANES = ("id", POSITION, EVENT_TIME, DOC, PACKED_DOC)
"""The attributes of a row that a lane has, and so those that are enough to list it."""

_APART = "diff"
_MOVED = ("diff", "additional_fields")
_LONGEST_TARGET = 8_192
"""Characters that every lane holds, because queries check them; an SSH key of 8,192 bits has 1,400."""
_LONGEST_ICON = 256
"""Characters that a path has; what is longer is the image itself, and moves too."""
_NOT_IN_DOC = frozenset({"id", "time", "unread", "receipt"})
_DOC_FIELDS = tuple(field.name for field in fields(AuditLog) if field.name not in _NOT_IN_DOC)
_ABSENT: Mapping[str, Any] = {
    "organization_id": None,
    "ip": None,
    "user_agent": None,
    "resource_target": "",
    "resource_icon": "",
    "diff": {},
    "additional_fields": {},
}
"""The values that a doc leaves out."""
_SIZES = "unread"
_RECEIPT = "by"
_MICROSECOND = timedelta(microseconds=1)
_COMPRESSION_LEVEL = 6


def to_item(row: AuditLog, *, shards: int, lanes: tuple[Lane, ...] = AUDIT_LANES) -> Item:
    """The item of the row itself, with the key of every lane it is in of those that the deployment keeps."""
    return to_items(row, shards=shards, lanes=lanes)[0]


def to_items(row: AuditLog, *, shards: int, lanes: tuple[Lane, ...] = AUDIT_LANES) -> list[Item]:
    """All items of a row: its own, and further ones where what it says is more than one item takes."""
    lane_items = lane_keys(row, lanes, shards)
    keys: Item = {"id": {"S": row.id}, POSITION: {"S": position(row.time, row.id)}}
    keys |= {name: {"S": key} for name, key in {**lane_items, **arrived_keys(row.id, lanes, times.now)}.items()}
    if row.connection_event:
        keys[EVENT_TIME] = {"S": times.fixed(row.time)}
    doc = {name: value for name in _DOC_FIELDS if (value := getattr(row, name)) not in (None, "", {})}
    if row.receipt is not None:
        doc[_RECEIPT] = _receipt_json(row.receipt, row.time)
    whole = keys | packed(doc, WORDS, _APART)
    lengths = {"resource_icon": _LONGEST_ICON, "resource_target": _LONGEST_TARGET}
    long = [name for name, most in lengths.items() if len(getattr(row, name)) > most]
    moved = {name: doc.pop(name) for name in (*_MOVED, *long) if name in doc}
    if not moved or max(_lane_sizes(whole, lane_items), default=0) <= WRITE_UNIT_BYTES:
        return [whole]
    plain = json.dumps(moved, ensure_ascii=False, separators=(",", ":"), default=dict)
    compressed = zlib.compress(plain.encode("utf-8", "surrogatepass"), _COMPRESSION_LEVEL)
    # Lambda answers with a JSON text in JSON, all of it in ASCII.
    answer_bytes = len(json.dumps(plain))
    if searched := _searched(row):
        # A query may check it on any row of a lane.
        doc["additional_fields"] = searched
    if "resource_target" in moved:
        doc["resource_target"] = row.resource_target[:_LONGEST_TARGET]
    beside = keys | packed(doc | {_SIZES: (answer_bytes, 0)}, WORDS, _APART) | {OVERFLOW: {"B": compressed}}
    if item_bytes(beside) <= LARGEST_ITEM_BYTES:
        return [whole] if _write_units(whole, lane_items) <= _write_units(beside, lane_items) else [beside]
    room = LARGEST_ITEM_BYTES - WRITE_UNIT_BYTES
    parts = [compressed[start : start + room] for start in range(0, len(compressed), room)]
    first = keys | packed(doc | {_SIZES: (answer_bytes, len(parts))}, WORDS, _APART)
    ids = _further_ids(row.id, len(parts))
    further: list[Item] = [{"id": {"S": own}, OVERFLOW: {"B": part}} for own, part in zip(ids, parts, strict=True)]
    return [first, *further]


def from_item(item: Item) -> AuditLog:
    """The row of an item, read from the table or from any lane; with `overflow` where the item lacks parts of it."""
    values = {**_ABSENT, **unpacked(item, WORDS, _APART)}
    overflow = Overflow(*values.pop(_SIZES)) if _SIZES in values else None
    values["id"] = item["id"]["S"]
    values["time"] = times.from_fixed(item[POSITION]["S"][:TIME_LENGTH])
    values["overflow"] = overflow
    if _RECEIPT in values:
        values["receipt"] = _receipt(values.pop(_RECEIPT), values["time"])
    row = AuditLog.of(values)
    return with_overflow(row, {row.id: item}) if overflow and not overflow.items and OVERFLOW in item else row


def further_ids(row: AuditLog) -> tuple[str, ...]:
    """The ids of the items that a row has beside its own; a row that is deleted is deleted with them."""
    return _further_ids(row.id, row.overflow.items) if row.overflow else ()


def overflow_ids(row: AuditLog) -> tuple[str, ...]:
    """The ids of the items to read for a row to be whole; none for one that is."""
    return (further_ids(row) or (row.id,)) if row.overflow else ()


def overflow_bytes(row: AuditLog) -> int:
    """The length of the overflow of a row in an answer."""
    return row.overflow.bytes if row.overflow else 0


def with_overflow(row: AuditLog, items: Mapping[str, Item]) -> AuditLog:
    """The whole row, given the items that `overflow_ids` names; those that are missing are asked for once more.

    Raises:
        Unavailable: one of them is not there: what is there of the row is not passed for all of it.
    """
    ids = overflow_ids(row)
    if not ids:
        return row
    missing = [own for own in ids if own not in items]
    if missing:
        # A replica of the table may lag behind the lane that the row was read from.
        again = batch_get({AuditLogItem.Meta.table_name: missing}, consistent=True)
        items = {**items, **{item["id"]["S"]: item for _, item in again}}
    if not all(own in items for own in ids):
        raise Unavailable("The overflow of a row could not be read.")
    fields: dict[str, Any] = json.loads(zlib.decompress(b"".join(items[own][OVERFLOW]["B"] for own in ids)))
    return AuditLog.of({**vars(row), "overflow": None, "diff": {}, "additional_fields": {}, **fields})


def removal(row: AuditLog, now: datetime) -> Update:
    """The stamp of a row that has one item."""
    lanes = (ALL, CONNECTION_EVENT) if row.connection_event else (ALL,)
    return stamp(row.id, position(row.time, row.id), now, lanes)


def writes_of(row: AuditLog) -> list[Write]:
    """The row as writes of a transaction, for a change that must not happen without its trail: one, if it is no giant.

    The condition of the first is that there is no row with this id, or one that was purged. The further items have
    none: what stands in their place without a row is left of one that was purged.
    """
    items = to_items(row, shards=current().log_shards, lanes=current().audit_lanes.written)
    table = AuditLogItem.Meta.table_name
    own = {
        "TableName": table,
        "Item": items[0],
        "ConditionExpression": UNLESS_STAMPED,
        "ExpressionAttributeNames": {"#forget_at": FORGET_AT},
    }
    return [Write("Put", own), *(Write("Put", {"TableName": table, "Item": item}) for item in items[1:])]


def _searched(row: AuditLog) -> dict[str, Any]:
    """The additional fields that queries ask about."""
    asked = {"build_reason": row.build_reason, "api_key_id": row.api_key_id}
    return {name: row.additional_fields[name] for name, value in asked.items() if value is not None}


def _further_ids(row_id: str, number: int) -> tuple[str, ...]:
    return tuple(f"{row_id}#{part}" for part in range(1, number + 1))


def _receipt_json(receipt: Receipt, time: datetime) -> tuple[int, str]:
    # A difference takes a third of the bytes of a time, and a row with ten changed fields has few to spare.
    return (receipt.received_at - time) // _MICROSECOND, receipt.written_by


def _receipt(parts: tuple[int, str], time: datetime) -> Receipt:
    microseconds, written_by = parts
    return Receipt(time + microseconds * _MICROSECOND, written_by)


def _lane_sizes(item: Item, lanes: Mapping[str, str]) -> list[int]:
    shared = item_bytes({name: item[name] for name in IN_LANES if name in item})
    return [shared + item_bytes({name: item[name]}) for name in lanes]


def _write_units(item: Item, lanes: Mapping[str, str]) -> int:
    return write_units(item_bytes(item)) + sum(map(write_units, _lane_sizes(item, lanes)))
