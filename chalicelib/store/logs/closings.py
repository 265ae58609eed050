"""How sessions ended: read from their rows, because lanes hold only what a row is opened with, but for one."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.lanes.catalogue import CLOSING
from chalicelib.records import ConnectionLog
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.logs.connection_rows import closing_of

IN_CLOSINGS = ("id", CLOSING)
"""What is read of the items."""


def closing_ids(row: ConnectionLog) -> tuple[str, ...]:
    """The items to read to learn how a row ended: its own, where it may have ended since it was read from a lane."""
    return (row.id,) if row.session and row.closing is None else ()


def with_closing(row: ConnectionLog, items: Mapping[str, Item]) -> ConnectionLog:
    """The row with its end if it has one, given the items that `closing_ids` names."""
    item = items.get(row.id)
    closing = closing_of(item) if item else None
    return row.closed(closing) if closing else row
