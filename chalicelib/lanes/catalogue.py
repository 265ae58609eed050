"""The lanes of each log, declared once: a lane is a GSI that answers one filter, newest first.

HASH is the filter's value, RANGE is `position`: the row's time in 26 fixed characters, then its id, so that the order
is total and a page never repeats or skips a row. A row without the attribute is not in the lane and pays nothing.

A *coarse* lane (few values, many rows) hashes on `value#shard`, because one partition takes 1,000 writes a second and
time-ordered keys all land on its newest edge. The shard follows from the row's id, so every retry finds the same one.
This declaration makes the indexes of the tables, the planner's choices and the filter reference in the README.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import product
from typing import TYPE_CHECKING
from zlib import crc32

from chalicelib.lanes.positions import position

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, ConnectionLog

POSITION = "position"
CLOSING = "closing"
REVISION = "rev"
ALL = "all"
EVENT_TIME = "event_time"
"""The attribute with the time of connection events of the audit log, for a condition on rows."""
CONNECTION_EVENT = "connection_event"
KEPT = (ALL, CONNECTION_EVENT)
"""The lanes that a deployment cannot switch off: one that holds every row, and one that the purge finds rows by."""

ARRIVAL = "arrival"
ARRIVED = "arrived"
"""The RANGE key of the lane in order of arrival: when the row was last written, and its id."""

_NOBODY = "00000000-0000-0000-0000-000000000000"
_LONGEST_VALUE_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Lane:
    """One GSI. Its name is also the name of its HASH attribute.

    Attributes:
        name: of the index and of the attribute.
        fields: the row's fields whose values, with `:` between, it hashes on; none for the lane that holds every row.
        coarse: few values hold many rows, so the key is spread over shards.
        only: field -> the values of the rows that enter the lane, where not all do. Such a lane answers these too.
        optional: kept only by a deployment that names it.
        range: the attribute of its RANGE key. A lane in another order than the log's answers no filter.
        projected: attributes that it holds beside the packed row: those that a row gets when it enters the lane.
    """

    name: str
    fields: tuple[str, ...] = ()
    coarse: bool = False
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    optional: bool = False
    projected: tuple[str, ...] = ()
    range: str = POSITION

    @property
    def answered(self) -> frozenset[str]:
        """The fields about which nothing is left to check on the rows that are read."""
        return frozenset(self.fields) | frozenset(self.only)

    def keys(self, value: str, shards: int) -> list[str]:
        """Every HASH value under which rows with this value may stand."""
        return [f"{_fitting(value)}#{shard}" for shard in range(shards)] if self.coarse else [_fitting(value)]

    def key(self, value: str, row_id: str, shards: int) -> str:
        """The one HASH value under which this row stands."""
        return f"{_fitting(value)}#{shard_of(row_id, shards)}" if self.coarse else _fitting(value)

    def value_of(self, row: ConnectionLog | AuditLog) -> str | None:
        """The row's value here; None for a row that is not in the lane."""
        if self.only and any(getattr(row, name) not in allowed for name, allowed in self.only.items()):
            return None
        if len(self.fields) == 1:
            value: str | None = getattr(row, self.fields[0])
            return value if value and (self.coarse or value != _NOBODY) else None
        values = [getattr(row, name) for name in self.fields]
        if not all(values) or (not self.coarse and _NOBODY in values):
            # The nil id stands for nobody and nothing, and is never asked for: all of it on one key would be hot.
            return None
        return ":".join(values) if values else self.name

    def values_for(self, known: Mapping[str, frozenset[str]]) -> list[str] | None:
        """The values that hold every row whose fields have the known values; None where the lane cannot tell."""
        if any(not known.get(name) or not known[name] <= {*allowed} for name, allowed in self.only.items()):
            return None
        choices = [sorted(known.get(name, ())) for name in self.fields]
        if not all(choices) or (not self.coarse and any(_NOBODY in choice for choice in choices)):
            return None
        return [":".join(values) for values in product(*choices)] if choices else [self.name]


EVERY_CONNECTION_LANE = (
    Lane("connection", ("connection_id",)),
    Lane("workspace", ("workspace_id",)),
    Lane("user", ("user_id",)),
    Lane("owner", ("workspace_owner_id",)),
    Lane("address", ("ip",), optional=True),
    # Open sessions are of few types, whose keys in `status_type` hold the same rows: one lane less to enter and leave.
    Lane("status", ("status",), coarse=True, only={"status": ("ongoing",)}, optional=True),
    Lane("status_type", ("status", "type"), coarse=True, only={"status": ("ongoing",)}),
    Lane("organization_type", ("organization_id", "type"), coarse=True, optional=True),
    Lane("organization", ("organization_id",), coarse=True),
    Lane("type", ("type",), coarse=True),
    Lane("completed", ("status",), coarse=True, only={"status": ("completed",)}, projected=(CLOSING,)),
    Lane(ARRIVAL, coarse=True, optional=True, projected=(CLOSING, REVISION), range=ARRIVED),
    Lane(ALL, coarse=True),
)
"""Most selective first: of two lanes that answer as much, the planner takes the earlier one."""

EVERY_AUDIT_LANE = (
    Lane("request", ("request_id",)),
    Lane("resource", ("resource_id",)),
    Lane("target", ("target",)),
    Lane("user", ("user_id",)),
    Lane("address", ("ip",), optional=True),
    Lane(
        "build_reason_action",
        ("build_reason", "action"),
        coarse=True,
        only={"resource_type": ("workspace_build",)},
    ),
    Lane("build_reason", ("build_reason",), coarse=True),
    Lane("resource_type_action", ("resource_type", "action"), coarse=True),
    Lane("organization_resource_type", ("organization_id", "resource_type"), coarse=True, optional=True),
    Lane("organization", ("organization_id",), coarse=True),
    Lane("resource_type", ("resource_type",), coarse=True),
    Lane("action", ("action",), coarse=True),
    # No filter asks for it: the four deprecated actions have a retention of their own, and only their rows pay.
    Lane(CONNECTION_EVENT, ("connection_event",), coarse=True),
    Lane(ARRIVAL, coarse=True, optional=True, range=ARRIVED),
    Lane(ALL, coarse=True),
)
"""The lanes of the audit log, most selective first."""

CONNECTION_LANES = tuple(lane for lane in EVERY_CONNECTION_LANE if not lane.optional)
"""Those that a deployment keeps unless it says otherwise: a session costs eleven write units in them."""

AUDIT_LANES = tuple(lane for lane in EVERY_AUDIT_LANE if not lane.optional)
"""The audit lanes that are kept by default: an event costs ten units, and eleven where it has a build reason.

A build is in a lane more than others, by reason and action, and in one less, for it has no target. Of a sender that
names one, a build costs twelve: that is the one exception to eleven.
"""


def chosen(lanes: tuple[Lane, ...], names: Iterable[str]) -> tuple[Lane, ...]:
    """The lanes of these names, in the order of declaration; `*` names every lane that is not optional."""
    wanted = {*names}
    return tuple(lane for lane in lanes if lane.name in wanted or ("*" in wanted and not lane.optional))


def lane_of(field: str, lanes: tuple[Lane, ...]) -> Lane:
    """The lane that answers a question about this field alone; the last, which holds every row, where none does.

    Args:
        field: a field of the rows.
        lanes: most selective first.
    """
    return next((lane for lane in lanes if lane.fields == (field,)), lanes[-1])


def shard_of(row_id: str, shards: int) -> int:
    """The shard of a row: a hash of its id, so that it is the same for every writer."""
    return crc32(row_id.encode()) % shards


def lane_keys(row: ConnectionLog | AuditLog, lanes: Iterable[Lane], shards: int) -> Mapping[str, str]:
    """Lane name -> HASH value, for the lanes that the row is in."""
    values = ((lane, lane.value_of(row)) for lane in lanes)
    return {lane.name: lane.key(value, row.id, shards) for lane, value in values if value is not None}


def arrived_keys(row_id: str, lanes: Iterable[Lane], clock: Callable[[], datetime]) -> Mapping[str, str]:
    """The RANGE key that a row gets as it is written, where it enters the lane in order of arrival; else nothing."""
    return {lane.range: position(clock(), row_id) for lane in lanes if lane.range == ARRIVED}


def _fitting(value: str) -> str:
    """The value, or a digest of one that is longer than a key should be; the digest is checked on each row."""
    if len(value) <= _LONGEST_VALUE_BYTES // 4 or len(value.encode("utf-8", "surrogatepass")) <= _LONGEST_VALUE_BYTES:
        return value
    return "blake2b:" + blake2b(value.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
