"""The stamp by which a row of a log is purged: DynamoDB deletes it then, with its entries in every lane, for nothing.

A stamped row is out of the lanes that the purge finds rows by, and may stand in others for days. It is no row any more:
reads by time do not reach it, what reads by id leaves it out, and to writers it is a tombstone.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.lanes.catalogue import POSITION
from chalicelib.store.dynamodb.batch_update import Update
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import FORGET_AT

UNLESS_STAMPED = "attribute_not_exists(id) OR attribute_exists(#forget_at)"
"""The condition under which a row may be put; `#forget_at` must be named."""


def stamp(row_id: str, position: str, forget_at: datetime, removed: tuple[str, ...]) -> Update:
    """The update that stamps a row, unless it stands elsewhere than where it was read.

    Args:
        row_id: of the row.
        position: where it was read.
        forget_at: from when on it may be deleted.
        removed: attributes that it has no more, the keys of lanes among them.
    """
    seconds = {"N": str(int(forget_at.timestamp()))}
    return Update(row_id, {FORGET_AT: seconds}, removed, {POSITION: {"S": position}})


def is_row(item: Item | None) -> bool:
    """Whether an item is a row; otherwise it is a tombstone, a stamped row, or a part of a large row."""
    return item is not None and POSITION in item and FORGET_AT not in item
