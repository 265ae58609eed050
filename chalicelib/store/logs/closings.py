"""How sessions ended: read from their rows, because lanes hold only what a row is opened with, but for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.lanes.catalogue import CLOSING
from chalicelib.records import ConnectionLog
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.tables import ConnectionLogItem
from chalicelib.store.logs.connection_rows import closing_of

IN_CLOSINGS = ("id", CLOSING)
"""What is read of the items."""


def with_closings(rows: Sequence[ConnectionLog], *, consistent: bool = False) -> list[ConnectionLog]:
    """The rows, each session with its end if it has one; one call per hundred sessions, none without any.

    Args:
        rows: as they were read from a lane.
        consistent: whether an end that was acknowledged must be seen, at twice the price.

    Raises:
        Unavailable: the store did not give all of them.
    """
    table = ConnectionLogItem.Meta.table_name
    wanted = {table: [row_id for row in rows for row_id in closing_ids(row)]}
    found = {item["id"]["S"]: item for _, item in batch_get(wanted, {table: IN_CLOSINGS}, consistent=consistent)}
    return [with_closing(row, found) for row in rows]


def closing_ids(row: ConnectionLog) -> tuple[str, ...]:
    """The items to read to learn how a row ended: its own, where it may have ended since it was read from a lane."""
    return (row.id,) if row.session and row.closing is None else ()


def with_closing(row: ConnectionLog, items: Mapping[str, Item]) -> ConnectionLog:
    """The row with its end if it has one, given the items that `closing_ids` names."""
    item = items.get(row.id)
    closing = closing_of(item) if item else None
    return row.closed(closing) if closing else row
