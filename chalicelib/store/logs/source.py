"""The rows of one plan that match, newest first: key streams, merged, seen once, matching, hydrated where needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import ceil
from typing import Generic, NamedTuple

from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.plan import BY_ID, Plan
from chalicelib.store.dynamodb.batch_get import batch_get_rounds
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, Rounds
from chalicelib.store.logs.hydrate import with_base_fields
from chalicelib.store.logs.matching import Predicate, matches, matching, seen_once
from chalicelib.store.logs.merge import Batch, Checkpoint, End, Merge, Spent
from chalicelib.store.logs.tables import LogTable, Row

_IDS_PER_REQUEST = 100
_FEWEST_HYDRATED = 20
"""Rows that are hydrated in one request, where the first was not enough."""
_GROWTH = 8
_SURE = 8
"""Until so many rows have matched, a request reads at most `_GROWTH` times what was read before it."""


class Candidate(NamedTuple, Generic[Row]):
    """A row that matches as far as it is known.

    Attributes:
        row: the row.
        after: what it must pass once it is hydrated.
        whole: whether it is hydrated, and has passed.
    """

    row: Row
    after: tuple[Predicate, ...]
    whole: bool


class Matched(NamedTuple, Generic[Row]):
    """The rows that one round found, newest first, and what is below them."""

    candidates: Sequence[Candidate[Row]]
    state: Checkpoint | Spent | End


class Source(Generic[Row]):
    """The rows of a plan.

    Args:
        log: which log.
        plan: what to read of it.
        budget: what may be read.
        seen: the ids of rows that were met before; those that are met now are added.
    """

    def __init__(self, log: LogTable[Row], plan: Plan, budget: Budget, seen: set[str]) -> None:
        self.plan = plan
        self._log: LogTable[Row] = log
        self._budget = budget
        self._seen = seen
        self._matching = matching(plan, log.base.fields)
        self._items: ByIds[Row] | Merge = (
            ByIds(log, plan, budget) if plan.lane == BY_ID else Merge(log.table_name, plan, budget)
        )
        self._unhydrated: Unhydrated[Row] = Unhydrated()
        self._tally = Tally()

    def round(self, missing: int) -> Rounds[Matched[Row]]:
        """Read on; see `Matched`. There may be no row in a round, and yet more of them below.

        Args:
            missing: how many rows are wanted.

        Raises:
            Unavailable: the store did not answer.
        """
        if self._unhydrated.rows:
            return (yield from self._hydrated(missing))
        wanted = self._tally.wanted(missing) if self.plan.by_row else missing
        batch = yield from self._items.round(wanted)
        items = seen_once(batch.items, self._seen)
        rows = [row for row in map(self._log.read, items) if matches(row, self._matching.before)]
        if self._matching.hydrates:
            self._tally.note(len(items) - len(rows), 0)
            self._unhydrated.add(rows, batch.state)
            return (yield from self._hydrated(missing)) if rows else Matched((), batch.state)
        self._tally.note(len(items), len(rows))
        whole = self.plan.lane == BY_ID and bool(self._log.base.fields)
        return Matched([Candidate(row, self._matching.after, whole) for row in rows], batch.state)

    def _hydrated(self, missing: int) -> Rounds[Matched[Row]]:
        """Hydrate as many rows as are likely to give those that are missing, and return those that match."""
        waiting = self._unhydrated
        if waiting.position and not self._budget.in_time:
            return Matched((), Spent(waiting.position))
        rows = waiting.take(missing)
        whole = rows if self.plan.lane == BY_ID else (yield from with_base_fields(self._log, rows))
        right = [row for row in whole if matches(row, self._matching.after)]
        waiting.note(self._log.position(rows[-1]), len(rows), len(right))
        self._tally.note(len(rows), len(right))
        state = Checkpoint(waiting.position) if waiting.rows else waiting.below
        return Matched([Candidate(row, (), whole=True) for row in right], state)


class Tally:
    """How many rows were read, and how many of them match."""

    def __init__(self) -> None:
        self.read = 0
        self.matched = 0

    def note(self, read: int, matched: int) -> None:
        """Add the rows of one round."""
        self.read += read
        self.matched += matched

    def wanted(self, missing: int) -> float:
        """How many rows are likely to hold so many that match."""
        wanted = missing * (self.read + 1) / (self.matched + 1)
        return wanted if self.matched >= _SURE else min(wanted, max(missing, _GROWTH * self.read))


class Unhydrated(Generic[Row]):
    """The rows that still have to be hydrated before it is known whether they match.

    Attributes:
        rows: newest first.
        below: what is below them.
        position: that of the last row which was hydrated; "" before the first.
    """

    def __init__(self) -> None:
        self.rows: deque[Row] = deque()
        self.below: Checkpoint | Spent | End = End()
        self.position = ""
        self._hydrated = 0
        self._matched = 0

    def add(self, rows: Sequence[Row], below: Checkpoint | Spent | End) -> None:
        """Have more rows wait."""
        self.rows.extend(rows)
        self.below = below
        self.position = ""

    def take(self, missing: int) -> list[Row]:
        """The rows that are likely to hold so many that match; at least one, at most a round of requests."""
        least = _FEWEST_HYDRATED if self._hydrated else 1
        likely = ceil(missing * (self._hydrated + 1) / (self._matched + 1))
        number = min(len(self.rows), max(least, likely), IN_FLIGHT * _IDS_PER_REQUEST)
        return [self.rows.popleft() for _ in range(number)]

    def note(self, position: str, hydrated: int, matched: int) -> None:
        """Note what became of rows."""
        self.position = position
        self._hydrated += hydrated
        self._matched += matched


class ByIds(Generic[Row]):
    """The rows that a token names, read from the table by their ids: used as a `Merge` is."""

    def __init__(self, log: LogTable[Row], plan: Plan, budget: Budget) -> None:
        self._log: LogTable[Row] = log
        self._plan = plan
        self._budget = budget

    def round(self, _wanted: float) -> Rounds[Batch]:
        """All of them, newest first."""
        table = self._log.table_name
        found = yield from batch_get_rounds({table: self._plan.keys}, {table: self._log.listed})
        self._budget.rows_read += len(found)
        items = [item for _, item in found if POSITION in item]
        inside = [item for item in items if self._plan.low <= item[POSITION]["S"] <= self._plan.high]
        return Batch(sorted(inside, key=lambda item: str(item[POSITION]["S"]), reverse=True), End())
