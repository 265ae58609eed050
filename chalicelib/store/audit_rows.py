"""How an audit log row is laid out as an item, and read back. A row is written once and never changed."""

from __future__ import annotations

from chalicelib import times
from chalicelib.settings import current
from chalicelib.store.engine import Item
from chalicelib.store.lanes import AUDIT_LANES, POSITION, TIME_LENGTH, Lane, lane_keys, position
from chalicelib.store.packing import packed, unpacked
from chalicelib.store.records import AuditLog
from chalicelib.store.tables import AuditLogItem
from chalicelib.store.transaction import Write

_NOT_IN_DOC = frozenset({"id", "time"})
_DOC_FIELDS = tuple(name for name in AuditLog.__slots__ if name not in _NOT_IN_DOC)


def to_item(row: AuditLog, *, shards: int, lanes: tuple[Lane, ...] = AUDIT_LANES) -> Item:
    """The row as an item, with the key of every lane it is in of those that the deployment keeps."""
    item: Item = {"id": {"S": row.id}, POSITION: {"S": position(row.time, row.id)}}
    item |= {name: {"S": key} for name, key in lane_keys(row, lanes, shards).items()}
    return item | packed({name: value for name in _DOC_FIELDS if (value := getattr(row, name)) not in (None, "", {})})


def from_item(item: Item) -> AuditLog:
    """The row of an item, read from the table or from any lane."""
    empty = {"diff": {}, "additional_fields": {}, "resource_target": "", "resource_icon": ""}
    absent = {"organization_id": None, "ip": None, "user_agent": None}
    return AuditLog(
        id=item["id"]["S"],
        time=times.from_fixed(item[POSITION]["S"][:TIME_LENGTH]),
        **{**empty, **absent, **unpacked(item)},
    )


def write_of(row: AuditLog) -> Write:
    """The row as one write of a transaction, for a change that must not happen without its trail."""
    return Write(
        "Put",
        {
            "TableName": AuditLogItem.Meta.table_name,
            "Item": to_item(row, shards=current().log_shards, lanes=current().audit_lanes.written),
            "ConditionExpression": "attribute_not_exists(id)",
        },
    )
