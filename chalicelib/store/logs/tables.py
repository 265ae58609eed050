"""The two logs, each declared once: its table, its lanes, its reader, and the users that its rows name.

The planner, the readers, the backfill and the views are written for any log and take one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from pynamodb.models import Model

from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE, REVISION, Lane
from chalicelib.lanes.positions import position
from chalicelib.records import AuditLog, ConnectionLog
from chalicelib.setting_kinds import Lanes
from chalicelib.settings import current
from chalicelib.store.dynamodb.batch_update import Update
from chalicelib.store.dynamodb.batch_write import WriteRequest
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import AuditLogItem, ConnectionLogItem
from chalicelib.store.logs import audit_rows, connection_rows, mirrored
from chalicelib.store.logs.closings import (
    IN_CLOSINGS,
    IN_CONFLICTS,
    closing_ids,
    conflict_bytes,
    conflict_ids,
    with_closing,
    with_conflicts,
)
from chalicelib.store.logs.stamps import is_row

Row = TypeVar("Row", ConnectionLog, AuditLog)


@dataclass(frozen=True, slots=True)
class BaseParts(Generic[Row]):
    """The fields that only the table holds, and no index: hydrated for the rows of a page.

    Attributes:
        ids: the items of the table that hold it; none for a row that is whole.
        joined: the whole row, given those items.
        bytes: how much of it a row has, as long as it is in an answer; None where that is next to nothing.
        attributes: what is read of the items; none means all.
        fields: the fields of a row that it has and that queries ask about.
        indexed: the attributes that indexes have, read of rows that are named by their ids; none means all.
    """

    ids: Callable[[Row], tuple[str, ...]]
    joined: Callable[[Row, Mapping[str, Item]], Row]
    bytes: Callable[[Row], int] | None
    attributes: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()
    indexed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes(Generic[Row]):
    """The functions that change and delete stored rows of a log.

    Attributes:
        removal: the stamp of a row, or the tombstone that takes its place; given the row, the cut-off and now.
        overflow_ids: the ids of the items that a row has beside its own, which go when it does.
        revision: the attribute that changes with every write of a row; None where rows never change.
    """

    removal: Callable[[Row, datetime, datetime], Update | WriteRequest]
    overflow_ids: Callable[[Row], tuple[str, ...]] = lambda _: ()
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class LogTable(Generic[Row]):
    """One log as it is stored.

    Attributes:
        name: `connection` or `audit`, as its filter table has it.
        table: the table of its rows.
        lanes: every lane that is declared.
        kept: the lanes that the deployment keeps of them.
        read: the row of an item, read from the table or from a lane.
        users: the fields of a row that name users, who are looked up with it.
        base: how rows that were read from an index are hydrated from the table.
        changes: how its rows change, and how they go.
        mirrored: the ids of the items of the platform's objects that a row speaks of.
    """

    name: str
    table: type[Model]
    lanes: tuple[Lane, ...]
    kept: Callable[[], Lanes]
    read: Callable[[Item], Row]
    users: tuple[str, ...]
    base: BaseParts[Row]
    changes: Changes[Row]
    mirrored: Callable[[Row], tuple[str, ...]] = lambda _: ()

    @property
    def table_name(self) -> str:
        """The full name of the table."""
        return str(self.table.Meta.table_name)

    def position(self, row: Row) -> str:
        """Where a row stands in every lane."""
        return position(row.moment, row.id)

    def get(self, row_id: str) -> Row | None:
        """The row with this id."""
        item = call("GetItem", {"TableName": self.table_name, "Key": {"id": {"S": row_id}}}).get("Item")
        return self.read(item) if item and is_row(item) else None


CONNECTION_LOGS: LogTable[ConnectionLog] = LogTable(
    name="connection",
    table=ConnectionLogItem,
    lanes=EVERY_CONNECTION_LANE,
    kept=lambda: current().connection_lanes,
    read=connection_rows.from_item,
    users=("workspace_owner_id", "user_id"),
    base=BaseParts(closing_ids, with_closing, None, IN_CLOSINGS, frozenset({"status"})),
    changes=Changes(connection_rows.removal, revision=REVISION),
)

WITH_CONFLICTS: LogTable[ConnectionLog] = replace(
    CONNECTION_LOGS,
    base=replace(
        CONNECTION_LOGS.base,
        ids=conflict_ids,
        joined=with_conflicts,
        bytes=conflict_bytes,
        attributes=IN_CONFLICTS,
    ),
)
"""The connection log as it is read with what contradicts its rows."""

AUDIT_LOGS: LogTable[AuditLog] = LogTable(
    name="audit",
    table=AuditLogItem,
    lanes=EVERY_AUDIT_LANE,
    kept=lambda: current().audit_lanes,
    read=audit_rows.from_item,
    users=("user_id", "resource_user_id"),
    base=BaseParts(
        audit_rows.overflow_ids,
        audit_rows.with_overflow,
        audit_rows.overflow_bytes,
        indexed=(*audit_rows.IN_LANES, FORGET_AT),
    ),
    changes=Changes(lambda row, _cut_off, now: audit_rows.removal(row, now), audit_rows.further_ids),
    mirrored=mirrored.ids_of,
)

LOG_TABLES: tuple[LogTable[Any], ...] = (CONNECTION_LOGS, AUDIT_LOGS)
