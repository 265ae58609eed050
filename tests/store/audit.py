"""Audit rows of any size, and what is in their table."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random
from typing import Any

from chalicelib.lanes.catalogue import POSITION
from chalicelib.records import AuditLog
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.logs.audit_rows import from_item, further_ids, with_overflow

TABLE = AuditLogItem.Meta.table_name


def noise(seed: int, size: int) -> str:
    """A text of so many bytes that hardly compresses."""
    random = Random(seed)
    return "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(size // 3))


def wide(row: AuditLog, seed: int, old: int, new: int = 0) -> AuditLog:
    """The row with a diff whose sides have so many bytes."""
    return replace(row, diff={"readme": {"old": noise(seed, old), "new": noise(-seed, new), "secret": False}})


def stored() -> list[AuditLog]:
    """Every row of the table, whole, by id; and nothing in it belongs to no row."""
    items: dict[str, Item] = {}
    request: dict[str, Any] = {"TableName": TABLE}
    while True:
        answer = call("Scan", request)
        items |= {item["id"]["S"]: item for item in answer["Items"]}
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    rows = [from_item(item) for item in items.values() if POSITION in item]
    assert {own for row in rows for own in (row.id, *further_ids(row))} == items.keys()
    return sorted((with_overflow(row, items) for row in rows), key=lambda row: row.id)


def soon() -> float:
    """A time to give up at that is never reached."""
    return time.monotonic() + 60
