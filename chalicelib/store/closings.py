"""How sessions ended: read from their rows, because lanes hold only what a row is opened with."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.store.batch_get import batch_get
from chalicelib.store.connection_rows import CLOSING, closing_of
from chalicelib.store.records import Closing, ConnectionLog
from chalicelib.store.tables import ConnectionLogItem


def with_closings(rows: Sequence[ConnectionLog]) -> list[ConnectionLog]:
    """The rows, each session with its end if it has one; one call per hundred sessions, none without any.

    Raises:
        Unavailable: the store did not give all of them.
    """
    found: dict[str, Closing] = {}
    sessions = {ConnectionLogItem.Meta.table_name: [row.id for row in rows if row.session]}
    for _, item in batch_get(sessions, ("id", CLOSING)):
        if closing := closing_of(item):
            found[item["id"]["S"]] = closing
    return [row.closed(found[row.id]) if row.id in found else row for row in rows]
