"""The two logs, each declared once: its table, lanes, how its rows are read back, and what is shown beside them.

The planner, the readers, the backfill and the views are written for any log and take one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pynamodb.models import Model

from chalicelib import times
from chalicelib.settings import Lanes, current
from chalicelib.store import audit_rows, connection_rows
from chalicelib.store.closings import with_closings
from chalicelib.store.engine import Item, call
from chalicelib.store.lanes import AUDIT_LANES, CONNECTION_LANES, Lane, position
from chalicelib.store.records import AuditLog, ConnectionLog
from chalicelib.store.tables import AuditLogItem, ConnectionLogItem

Row = TypeVar("Row", ConnectionLog, AuditLog)


@dataclass(frozen=True, slots=True)
class LogTable(Generic[Row]):
    """One log as it is stored.

    Attributes:
        name: `connection` or `audit`, as its filter table has it.
        table: the table of its rows.
        lanes: every lane that is declared.
        kept: the lanes that the deployment keeps of them.
        retention: how long rows are shown, in nanoseconds; 0 or less for ever.
        read: the row of an item, read from the table or from a lane.
        time: the field of a row that its position begins with.
        users: the fields of a row that name users, who are shown beside it.
        finished: rows from a lane with what only the table has; None where lanes have all that is shown.
        late: the fields that are known only of finished rows.
        revision: the attribute that changes with every write of a row; None where rows never change.
    """

    name: str
    table: type[Model]
    lanes: tuple[Lane, ...]
    kept: Callable[[], Lanes]
    retention: Callable[[], int]
    read: Callable[[Item], Row]
    time: str
    users: tuple[str, ...]
    finished: Callable[[Sequence[Row]], list[Row]] | None = None
    late: frozenset[str] = frozenset()
    revision: str | None = None

    @property
    def table_name(self) -> str:
        """The full name of the table."""
        return str(self.table.Meta.table_name)

    def cut_off(self) -> datetime | None:
        """The earliest moment of which rows are still shown; None when all are."""
        return times.cut_off(self.retention())

    def position(self, row: Row) -> str:
        """Where a row stands in every lane."""
        return position(getattr(row, self.time), row.id)

    def get(self, row_id: str) -> Row | None:
        """The row with this id."""
        item = call("GetItem", {"TableName": self.table_name, "Key": {"id": {"S": row_id}}}).get("Item")
        return None if item is None else self.read(item)


CONNECTION_LOGS: LogTable[ConnectionLog] = LogTable(
    name="connection",
    table=ConnectionLogItem,
    lanes=CONNECTION_LANES,
    kept=lambda: current().connection_lanes,
    retention=lambda: current().connection_logs_retention,
    read=connection_rows.from_item,
    time="connect_time",
    users=("workspace_owner_id", "user_id"),
    finished=with_closings,
    late=frozenset({"status"}),
    revision=connection_rows.REVISION,
)

AUDIT_LOGS: LogTable[AuditLog] = LogTable(
    name="audit",
    table=AuditLogItem,
    lanes=AUDIT_LANES,
    kept=lambda: current().audit_lanes,
    retention=lambda: current().audit_logs_retention,
    read=audit_rows.from_item,
    time="time",
    users=("user_id",),
)

LOG_TABLES: tuple[LogTable[Any], ...] = (CONNECTION_LOGS, AUDIT_LOGS)
