"""Plans which lanes to read for a query: pure, so that every choice can be tested as a table.

A selective lane (few rows have one value) comes before a coarse one, and of the coarse ones that which answers most of
what was asked; what else was asked is checked row by row on what it returns. Time bounds always go into the key range.
A caller who may not read all organizations is one more condition on `organization_id`; a token that names single
rows reads these and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, assert_never

from chalicelib import times
from chalicelib.lanes.catalogue import POSITION, Lane
from chalicelib.lanes.conditions import Condition
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.positions import just_below
from chalicelib.records import AUDIT_LOGS, CONNECTION_EVENT_ACTIONS

BY_ID = "id"
"""The name in place of a lane in a plan that reads rows by their ids."""

_LAST = "\U0010ffff"
_FIRST = " "
_MOST_KEYS = 256
_FEW_KEYS = 16
"""Keys whose first rows are read in one round trip."""
_FEW_OF_RARE = 64
"""Keys of a lane of few rows, such as open sessions: in a broader one as many are far to find."""


@dataclass(frozen=True, slots=True)
class All:
    """Every connection event of the audit log, however old."""


@dataclass(frozen=True, slots=True)
class Since:
    """The connection events of the audit log that happened at a time or later; other rows may be older."""

    time: datetime


@dataclass(frozen=True, slots=True)
class Excluded:
    """No connection event of the audit log."""


ConnectionEvents: TypeAlias = All | Since | Excluded
"""Which of the deprecated connection events of the audit log a plan reads: they have a retention of their own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The lanes to read, the key range, and the residual filter.

    Attributes:
        lane: the index; `id` for rows read by their ids; empty where no row can match.
        keys: its HASH values, whose rows are merged newest first; or the ids.
        low: the lowest position, inclusive.
        high: the highest position, inclusive.
        residual: what the lane does not answer: without any, the lane alone gives the count.
        checks: all that a row must be, checked on each, because a lane may lag behind the row it shows.
        any_of: what a row must be, or have been, beside that: all of one of these. Without any there is no such
            condition.
        connection_events: which connection events of the audit log to read; an index marks them.
        why: the reason for the choice, in a sentence.
        coarse: whether few values hold many rows.
        alternatives: other plans for the same rows, of which one may turn out to be cheaper while rows are read; see
            `chalicelib.lanes.choice`.
        conditions: what each row is checked for beside that, which no lane answers.
        past: the data sets that are past their time. Their rows are there for a hold alone, and lanes do not tell which
            of them were purged before it was placed: the table is asked.
    """

    lane: str
    keys: tuple[str, ...] = ()
    low: str = _FIRST
    high: str = _LAST
    residual: Mapping[str, frozenset[str]] = field(default_factory=dict)
    checks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    any_of: tuple[Criteria, ...] = ()
    connection_events: ConnectionEvents = All()
    why: str = ""
    coarse: bool = False
    alternatives: tuple[Plan, ...] = ()
    conditions: tuple[Condition, ...] = ()
    past: frozenset[str] = frozenset()

    @property
    def by_row(self) -> bool:
        """Whether rows must be looked at, one by one, to know which of them match."""
        return bool(self.residual or self.any_of or self.conditions or self.past) or self.lane == BY_ID

    @property
    def nothing(self) -> bool:
        """Whether no row can match, so that there is no need to look."""
        return not self.keys or self.low > self.high

    def below(self, place: str | None) -> Plan:
        """This plan for the rows that come after a position, newest first."""
        if place is None:
            return self
        others = tuple(plan.below(place) for plan in self.alternatives)
        return replace(self, high=min(self.high, just_below(place)), alternatives=others)

    def restricted(self, any_of: tuple[Criteria, ...]) -> Plan:
        """This plan for the rows that are all of one of these criteria; without alternatives."""
        return replace(self, any_of=any_of, alternatives=())

    def held(self, past: frozenset[str]) -> Plan:
        """This plan for a time in which only a hold keeps rows of these data sets."""
        return replace(self, past=past, alternatives=tuple(plan.held(past) for plan in self.alternatives))


_NO_CONNECTION_EVENTS = frozenset({AUDIT_LOGS})
_ANY_ACTION = frozenset({""})

NOTHING = Plan("", why="No row can be all that is asked.")
UNREADABLE = Plan("", why="The caller may read no row of this log.")


def plan(criteria: Criteria, lanes: tuple[Lane, ...], shards: int, *, events_since: datetime | None = None) -> Plan:
    """The cheapest plan.

    Args:
        criteria: what is asked, and what the caller may see.
        lanes: those that the deployment keeps, most selective first.
        shards: how many the coarse lanes have.
        events_since: the earliest time of connection events of the audit log, where other rows may be older.
    """
    fields = criteria.fields
    known = {**fields, **{name: fields.get(name, allowed) & allowed for name, allowed in criteria.implied.items()}}
    if any(not values for values in known.values()):
        return NOTHING
    if criteria.after and criteria.before and criteria.after > criteria.before:
        return NOTHING
    no_events = fields.get("data_set") == _NO_CONNECTION_EVENTS
    if known.get("action", _ANY_ACTION) <= CONNECTION_EVENT_ACTIONS:
        if no_events:
            return NOTHING
        criteria &= Criteria(after=events_since)
    if criteria.after and events_since and criteria.after >= events_since:
        events_since = None
    low = times.fixed(criteria.after) if criteria.after else _FIRST
    high = (times.fixed(criteria.before) if criteria.before else "") + _LAST
    if BY_ID in fields:
        residual = {name: allowed for name, allowed in fields.items() if name != BY_ID}
        why = "The token names single rows: these are read, and nothing else."
        kept = (Criteria({"data_set": _NO_CONNECTION_EVENTS}), Criteria(after=events_since)) if events_since else ()
        return Plan(
            BY_ID,
            tuple(sorted(fields[BY_ID])),
            low,
            high,
            residual,
            fields,
            kept,
            why=why,
            conditions=criteria.conditions,
        )
    ordered = [lane for lane in lanes if lane.range == POSITION]
    able = [(lane, keys) for lane in ordered if (keys := _keys(lane, known, shards))]
    few = [(lane, keys) for lane, keys in able if len(keys) <= _MOST_KEYS or not lane.fields]
    if not few:
        raise LookupError("a log has a lane that holds every row")
    events: ConnectionEvents = Excluded() if no_events else Since(events_since) if events_since else All()
    plans = [_over(lane, keys, criteria, events, (low, high)) for lane, keys in few]
    # min() keeps the first of equals: the order of declaration decides.
    best = min(range(len(few)), key=lambda index: (few[index][0].coarse, -len(few[index][0].answered & fields.keys())))
    return _with_alternatives(plans[best], plans, _FEW_OF_RARE if few[best][0].only else _FEW_KEYS)


def _over(
    lane: Lane,
    keys: tuple[str, ...],
    criteria: Criteria,
    events: ConnectionEvents,
    bounds: tuple[str, str],
) -> Plan:
    """The plan that reads a lane."""
    fields = criteria.fields
    answered = lane.answered
    match events:
        case All():
            left_out = ""
        case Since(time):
            left_out = f"; connection events before {times.wire(time)} are left out"
        case Excluded():
            answered = answered | {"data_set"}
            left_out = "; connection events are left out"
        case _:
            assert_never(events)
    residual = {name: allowed for name, allowed in fields.items() if name not in answered}
    why = f"{_why(lane, keys, residual, fields)}{left_out}."
    return Plan(
        lane.name, keys, *bounds, residual, fields, (), events, why, lane.coarse, conditions=criteria.conditions
    )


def _with_alternatives(best: Plan, plans: Sequence[Plan], most: int) -> Plan:
    """The plan to begin with, and beside it those that may turn out to be cheaper.

    It is the best one, unless that has too many keys: then a broader plan of few keys is tried first,
    since trying it costs a few rows, and trying the best costs a row of every key.
    """
    few = len(best.keys) <= most
    if few and not best.residual:
        return best
    rivals = [best, *(plan for plan in plans if plan is not best and not any(_beats(other, plan) for other in plans))]
    narrow = [plan for plan in rivals if len(plan.keys) <= _FEW_KEYS]
    first = best if few or not narrow else min(narrow, key=lambda plan: len(plan.residual))
    return replace(first, alternatives=tuple(plan for plan in rivals if plan is not first))


def _beats(one: Plan, other: Plan) -> bool:
    """Whether a plan cannot be dearer than another: it answers as much or more, from as many keys or fewer."""
    return (
        one is not other
        and one.residual.keys() <= other.residual.keys()
        and len(one.keys) <= len(other.keys)
        and (one.residual.keys() != other.residual.keys() or len(one.keys) < len(other.keys))
    )


def _keys(lane: Lane, known: Mapping[str, frozenset[str]], shards: int) -> tuple[str, ...]:
    values = lane.values_for(known)
    return () if values is None else tuple(key for value in values for key in lane.keys(value, shards))


def _why(
    lane: Lane, keys: tuple[str, ...], residual: Mapping[str, frozenset[str]], fields: Mapping[str, frozenset[str]]
) -> str:
    asked = sorted(lane.answered & fields.keys())
    if not lane.coarse:
        reason = f"few rows have one {' and '.join(lane.fields)}"
    elif asked:
        reason = f"of the lanes that the deployment keeps it answers most of the query: {', '.join(asked)}"
    elif lane.fields:
        reason = f"what is asked implies {', '.join(sorted(lane.answered))}"
    else:
        reason = "no other lane holds every row that may match"
    merged = f"; {len(keys)} keys are merged" if len(keys) > 1 else ""
    checked = f"; checked row by row: {', '.join(sorted(residual))}" if residual else "; nothing is left to check"
    return f"Lane {lane.name}: {reason}{merged}{checked}"
