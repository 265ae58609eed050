"""The rows of one plan that match, newest first: key streams, merged, seen once, matching, hydrated where needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Generic, NamedTuple

from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.choice import PROBE_ROWS, Observed, choose
from chalicelib.lanes.plan import BY_ID, Plan
from chalicelib.store.dynamodb.batch_get import batch_get_rounds
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, Rounds
from chalicelib.store.logs.hydrate import with_base_fields
from chalicelib.store.logs.matching import Matching, Predicate, matches, matching, seen_once
from chalicelib.store.logs.merge import Batch, Checkpoint, End, Merge, Spent
from chalicelib.store.logs.stamps import is_row
from chalicelib.store.logs.tables import LogTable, Row

_IDS_PER_REQUEST = 100
_FEWEST_HYDRATED = 20
"""Rows that are hydrated in one request, where the first was not enough."""


@dataclass(slots=True)
class Candidate(Generic[Row]):
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
    """The rows of one round that match, newest first, and the place below them."""

    candidates: Sequence[Candidate[Row]]
    state: Checkpoint | Spent | End


@dataclass(slots=True)
class Path(Generic[Row]):
    """One of the plans for a query, and what was observed of it."""

    plan: Plan
    matching: Matching
    observed: Observed = field(default_factory=Observed)


class Source(Generic[Row]):
    """The rows of a plan, or of the one of its alternatives that turns out to be cheaper.

    Args:
        log: which log.
        plan: what to read of it.
        budget: what may be read.
        seen: the ids of rows that were met before; those that are met now are added.
    """

    def __init__(self, log: LogTable[Row], plan: Plan, budget: Budget, seen: set[str]) -> None:
        self._log: LogTable[Row] = log
        self._budget = budget
        self._seen = seen
        plans = (plan, *plan.alternatives)
        self._paths: list[Path[Row]] = [Path(one, matching(one, log.base.fields)) for one in plans]
        self._current = 0
        self._items: ByIds[Row] | Merge = self._reader(plan)
        self._checkpoint: str | None = None
        self._unhydrated: Unhydrated[Row] = Unhydrated()

    @property
    def plan(self) -> Plan:
        """The plan that is being read."""
        return self._paths[self._current].plan

    def round(self, missing: int) -> Rounds[Matched[Row]]:
        """Read on; see `Matched`. There may be no row in a round, and yet more of them below.

        Args:
            missing: how many rows are wanted.

        Raises:
            Unavailable: the store did not answer.
        """
        if self._unhydrated.rows:
            return (yield from self._hydrated(missing))
        self._choose(missing)
        path = self._paths[self._current]
        batch = yield from self._items.round(self._wanted(path, missing), probing=self._probing(path))
        if isinstance(batch.state, Checkpoint):
            self._checkpoint = batch.state.position
        items = seen_once(batch.items, self._seen)
        rows = list(map(self._log.read, items))
        rows = path.matching.before(rows)
        if path.matching.hydrates:
            path.observed = path.observed.then(len(items) - len(rows), 0)
            self._unhydrated.add(rows, batch.state)
            return (yield from self._hydrated(missing)) if rows else Matched((), batch.state)
        path.observed = path.observed.then(len(items), len(rows))
        whole = path.plan.lane == BY_ID and bool(self._log.base.fields)
        return Matched([Candidate(row, path.matching.after, whole) for row in rows], batch.state)

    def _choose(self, missing: int) -> None:
        """Go on with another plan where that is likely to read fewer rows."""
        paths = self._paths
        chosen = choose(self._current, [path.plan for path in paths], [path.observed for path in paths], missing)
        if chosen != self._current:
            self._current = chosen
            self._items = self._reader(self.plan.below(self._checkpoint))

    def _wanted(self, path: Path[Row], missing: int) -> float:
        """How many rows to ask for."""
        if not path.plan.by_row:
            return missing
        return min(missing, PROBE_ROWS) if self._probing(path) else path.observed.wanted(missing)

    def _probing(self, path: Path[Row]) -> bool:
        """Whether the first rows are to show what the plan is worth beside others."""
        others = self._current or any(not one.plan.by_row for one in self._paths)
        return bool(others) and path.plan.by_row and not path.observed.tried

    def _reader(self, plan: Plan) -> ByIds[Row] | Merge:
        if plan.lane == BY_ID:
            return ByIds(self._log, plan, self._budget)
        return Merge(self._log.table_name, plan, self._budget)

    def _hydrated(self, missing: int) -> Rounds[Matched[Row]]:
        """Hydrate as many rows as are likely to give those that are missing, and return those that match."""
        waiting, path = self._unhydrated, self._paths[self._current]
        if waiting.position and not self._budget.in_time:
            return Matched((), Spent(waiting.position))
        rows = waiting.take(missing)
        # What is read by ids is read from the table.
        by_id = path.plan.lane == BY_ID
        whole = rows if by_id else (yield from with_base_fields(self._log, rows, past=path.plan.past))
        right = [row for row in whole if matches(row, path.matching.after)]
        waiting.note(self._log.position(rows[-1]), len(rows), len(right))
        path.observed = path.observed.then(len(rows), len(right))
        state = Checkpoint(waiting.position) if waiting.rows else waiting.below
        return Matched([Candidate(row, (), bool(self._log.base.fields)) for row in right], state)


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

    def round(self, _wanted: float, *, probing: bool = False) -> Rounds[Batch]:  # noqa: ARG002 - as of a merge
        """All of them, newest first."""
        table = self._log.table_name
        answers = yield from batch_get_rounds({table: self._plan.keys}, {table: self._log.base.indexed})
        self._budget.rows_read += len(answers)
        items = [item for _, item in answers if is_row(item)]
        inside = [item for item in items if self._plan.low <= item[POSITION]["S"] <= self._plan.high]
        return Batch(sorted(inside, key=lambda item: str(item[POSITION]["S"]), reverse=True), End())
