"""The lanes of each log, declared once: a lane is a GSI that answers one filter, newest first.

HASH is the filter's value, RANGE is `position`: the row's time in 26 fixed characters, then its id, so that the order
is total and a page never repeats or skips a row. A row without the attribute is not in the lane and pays nothing.

A *coarse* lane (few values, many rows) hashes on `value#shard`, because one partition takes 1,000 writes a second and
time-ordered keys all land on its newest edge. The shard follows from the row's id, so every retry finds the same one.
This declaration makes the indexes of the tables, the planner's choices and the filter reference in the README.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zlib import crc32

from chalicelib import times

if TYPE_CHECKING:
    from chalicelib.store.records import AuditLog, ConnectionLog

POSITION = "position"
TIME_LENGTH = 26


@dataclass(frozen=True, slots=True)
class Lane:
    """One GSI. Its name is also the name of its HASH attribute.

    Attributes:
        name: of the index and of the attribute.
        field: the row's field whose value it hashes on; "" for the lane that holds every row.
        coarse: few values hold many rows, so the key is spread over shards.
        values: the only values that enter the lane, where not all do.
    """

    name: str
    field: str
    coarse: bool = False
    values: tuple[str, ...] = ()

    def keys(self, value: str, shards: int) -> list[str]:
        """Every HASH value under which rows with this value may stand."""
        return [f"{value}#{shard}" for shard in range(shards)] if self.coarse else [value]

    def key(self, value: str, row_id: str, shards: int) -> str:
        """The one HASH value under which this row stands."""
        return f"{value}#{shard_of(row_id, shards)}" if self.coarse else value

    def answers(self, value: str) -> bool:
        """Whether every row with this value is in the lane."""
        return not self.values or value in self.values


CONNECTION_LANES = (
    Lane("connection", "connection_id"),
    Lane("workspace", "workspace_id"),
    Lane("user", "user_id"),
    Lane("owner", "workspace_owner_id"),
    Lane("status", "status", coarse=True, values=("ongoing",)),
    Lane("organization", "organization_id", coarse=True),
    Lane("type", "type", coarse=True),
    Lane("all", "", coarse=True),
)
"""Most selective first: the planner takes the first that answers."""

AUDIT_LANES = (
    Lane("request", "request_id"),
    Lane("resource", "resource_id"),
    Lane("target", "target"),
    Lane("user", "user_id"),
    Lane("build_reason", "build_reason", coarse=True),
    Lane("resource_type_action", "resource_type_action", coarse=True),
    Lane("organization", "organization_id", coarse=True),
    Lane("resource_type", "resource_type", coarse=True),
    Lane("action", "action", coarse=True),
    Lane("all", "", coarse=True),
)
"""As above."""


def shard_of(row_id: str, shards: int) -> int:
    """The shard of a row: a hash of its id, so that it is the same for every writer."""
    return crc32(row_id.encode()) % shards


def position(time: datetime, row_id: str) -> str:
    """The RANGE key of a row in every lane."""
    return f"{times.fixed(time)}#{row_id}"


def lane_keys(row: ConnectionLog | AuditLog, lanes: tuple[Lane, ...], shards: int) -> Mapping[str, str]:
    """Lane name -> HASH value, for the lanes that the row is in."""
    keys = {}
    for lane in lanes:
        value = getattr(row, lane.field) if lane.field else lane.name
        if value and lane.answers(value):
            keys[lane.name] = lane.key(value, row.id, shards)
    return keys
