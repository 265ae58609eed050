"""Hydrates rows with the ends of their sessions, because lanes hold only the beginning, but for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.lanes.catalogue import CLOSING
from chalicelib.records import ConnectionLog
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.logs.connection_rows import CONFLICTS, closing_of, conflicts_of

IN_CLOSINGS = ("id", CLOSING)
"""The attributes that are read of the items."""


def closing_ids(row: ConnectionLog) -> tuple[str, ...]:
    """The items to read to learn how a row ended: its own, where it may have ended since it was read from a lane."""
    return (row.id,) if row.session and row.closing is None else ()


def with_closing(row: ConnectionLog, items: Mapping[str, Item]) -> ConnectionLog:
    """The row with its end if it has one, given the items that `closing_ids` names."""
    item = items.get(row.id)
    closing = closing_of(item) if item else None
    return row.closed(closing) if closing else row


IN_CONFLICTS = (*IN_CLOSINGS, CONFLICTS)
"""The attributes that are read of the items where conflicts are asked for."""
MOST_CONFLICT_BYTES = 16_000
"""How long the conflicts of a row can be in an answer, about."""


def conflict_ids(row: ConnectionLog) -> tuple[str, ...]:
    """The items to read to learn how a row ended and what contradicted it: its own, for every session with an id."""
    return (row.id,) if row.session and row.connection_id else closing_ids(row)


def conflict_bytes(row: ConnectionLog) -> int:
    """The bytes of an answer that the conflicts of a row may take."""
    return MOST_CONFLICT_BYTES if row.session and row.connection_id else 0


def with_conflicts(row: ConnectionLog, items: Mapping[str, Item]) -> ConnectionLog:
    """The row with its end and its conflicts, given the items that `conflict_ids` names."""
    item = items.get(row.id)
    return replace(with_closing(row, items), conflicts=conflicts_of(item)) if item else row
