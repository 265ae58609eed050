"""Which lanes to read for a query: pure, so that every choice can be tested as a table.

The most selective lane whose filter was asked answers; what else was asked is checked row by row on what it returns.
Time bounds always go into the key range. A caller who may read some organizations only is one more condition on
`organization_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib import times
from chalicelib.store.lanes import Lane

_EVERYTHING = ""
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What rows must be: all of it at once.

    Attributes:
        fields: row field -> the values it may have.
        after: the earliest time, inclusive.
        before: the latest time, inclusive.
    """

    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    after: datetime | None = None
    before: datetime | None = None

    def narrowed(self, name: str, values: frozenset[str]) -> Criteria:
        """These criteria and, beside them, that a field has one of some values."""
        allowed = self.fields.get(name, values) & values
        return Criteria({**self.fields, name: allowed}, self.after, self.before)

    def since(self, moment: datetime | None) -> Criteria:
        """These criteria for rows no older than a moment, where one is given."""
        bounds = [bound for bound in (self.after, moment) if bound]
        return Criteria(self.fields, max(bounds, default=None), self.before)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read.

    Attributes:
        lane: the index.
        keys: its HASH values; their rows are merged newest first.
        low: the lowest position, inclusive.
        high: the highest position, inclusive.
        residual: what the lane does not answer: without any, the lane alone gives the count.
        checks: all that a row must be, checked on each, because a lane may lag behind the row it shows.
    """

    lane: str
    keys: tuple[str, ...]
    low: str
    high: str
    residual: Mapping[str, frozenset[str]]
    checks: Mapping[str, frozenset[str]]


def plan(
    criteria: Criteria, lanes: tuple[Lane, ...], shards: int, *, more: Mapping[str, tuple[str, ...]]
) -> Plan | None:
    """The cheapest plan, or None when nothing can match.

    Args:
        criteria: what is asked, and what the caller may see.
        lanes: of the log, most selective first.
        shards: how many the coarse lanes have.
        more: for a lane's field, the values to read where nothing is asked of it but a status is
            (`{"type": session types}` answers `status:completed`, which has no lane of its own).
    """
    if any(not values for values in criteria.fields.values()):
        return None
    if criteria.after and criteria.before and criteria.after > criteria.before:
        return None
    low = times.fixed(criteria.after) if criteria.after else _EVERYTHING
    high = (times.fixed(criteria.before) if criteria.before else "") + _LAST
    fields = dict(criteria.fields)
    implied = more if "status" in fields else {}
    for lane in lanes:
        values = sorted(fields.get(lane.field) or implied.get(lane.field, ())) if lane.field else [lane.name]
        if not values or not all(lane.answers(value) for value in values):
            continue
        keys = tuple(key for value in values for key in lane.keys(value, shards))
        residual = {name: allowed for name, allowed in fields.items() if name != lane.field}
        return Plan(lane.name, keys, low, high, residual, fields)
    raise LookupError("a log has a lane that holds every row")
