"""Reads a log by plan: newest first, merged over keys, each row once; skipped, paged and counted under one budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Any, Generic, NamedTuple

from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.plan import BY_ID, Plan
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.logs.merge import BudgetSpent, Merge, is_mark, lane_request, with_key
from chalicelib.store.logs.tables import LogTable, Row

_CHUNK = 100
_LEAST_CHUNK = 20
"""Rows that are finished in one call, where the first call was not enough."""
_MOST_AT_ONCE = 1_000
_LEAST_RATE = 0.02
"""Where fewer rows match than this, requests are made no larger for it."""


class Counted(NamedTuple):
    """How many rows a plan has, as far as that is known.

    Attributes:
        number: how many were counted, at most the cap.
        complete: whether that is all of them, or the cap; not so when the budget ended the count.
    """

    number: int
    complete: bool


class Reading(Generic[Row]):
    """One query under way: `skip`, `take`, `more` and `count_on`, each at most once and in this order.

    Args:
        log: which log.
        plan: what to read of it.
        budget: what may be read; all readings of a request share one.
        seen: the ids of rows that were met before; those that are met now are added.
        finish: whether all that the table has is wanted of the rows that are taken, also where the query asks about
            none of it.

    Attributes:
        reached: the position down to which all rows are skipped or taken; None before the first.
        stopped: whether the budget was spent before the end was reached.
    """

    def __init__(
        self, log: LogTable[Row], plan: Plan, budget: Budget, seen: set[str] | None = None, *, finish: bool = True
    ) -> None:
        self.reached: str | None = None
        self.stopped = False
        self._log: LogTable[Row] = log
        self._plan = plan
        self._budget = budget
        self._merge: Merge | None = None
        self._items: Iterator[Item] | None = None
        self._position: str | None = None
        self._ahead = 0
        self._ended = False
        self._seen: set[str] = set() if seen is None else seen
        self._met = 0
        self._matched = 0
        self._finished = 0
        self._shown = 0
        self._early = [(name, some) for name, some in plan.checks.items() if name not in log.late]
        self._late = [(name, some) for name, some in plan.checks.items() if name in log.late]
        self._any_of = plan.any_of
        late = {*plan.residual}.union(*(criteria.fields for criteria in plan.any_of))
        self._must_finish = not log.late.isdisjoint(late)
        self._finish = finish or self._must_finish or bool(self._late) or plan.lane == BY_ID

    @property
    def finishes(self) -> bool:
        """Whether the rows that are taken have all that the table has and lanes have not."""
        return self._finish and self._log.finished is not None

    def skip(self, number: int) -> int:
        """Pass over rows and answer over how many; fewer when there are no more, or when `stopped`."""
        if not number or self._plan.nothing:
            return 0
        if self._plan.by_row:
            skipped = 0
            while skipped < number and (some := self._candidates(min(number - skipped, _CHUNK), number)):
                skipped += len(self._settled(some))
        else:
            skipped = self._skip_one_key(number) if len(self._plan.keys) == 1 else self._skip_merged(number)
        self.reached = self._position
        return skipped

    def take(self, limit: int) -> list[Row]:
        """The next rows, at most so many; fewer when there are no more, or when `stopped`.

        Raises:
            Unavailable: the store did not answer.
        """
        rows: list[Row] = []
        while len(rows) < limit:
            missing = limit - len(rows)
            chunk = min(missing, _MOST_AT_ONCE)
            if self._must_finish:
                least = _LEAST_CHUNK if self._finished else 1
                chunk = min(_CHUNK, max(least, ceil(missing / self._share_shown)))
            # One more than the page tells whether there is another page.
            some = self._candidates(chunk, missing + 1)
            if not some:
                break
            rows += self._complete(some)
        self._ahead = max(0, len(rows) - limit)
        self.reached = self._log.position(rows[limit - 1]) if self._ahead else self._position or self.reached
        return rows[:limit]

    def more(self) -> bool:
        """Whether there are rows after those taken; true as well when the budget does not allow to look."""
        chunk = _LEAST_CHUNK if self._must_finish else 1
        while not self._ahead and (some := self._candidates(chunk, chunk)):
            self._ahead = len(self._settled(some))
            chunk = min(chunk * 2, _CHUNK)
        return bool(self._ahead) or self.stopped

    def count_on(self, counted: int, cap: int) -> Counted:
        """How many rows there are, at most `cap`, when so many were counted down to what is `reached`."""
        if self._plan.by_row or (self._ended and not self._ahead):
            number = counted + self._ahead
            while number < cap:
                some = self._candidates(_CHUNK if self._must_finish else cap - number, cap - number)
                if not some:
                    break
                number += len(self._settled(some))
        else:
            number = counted + self._count_keys(cap - counted)
        return Counted(min(number, cap), number >= cap or not self.stopped)

    @property
    def _share_shown(self) -> float:
        """Of the rows that looked right in the lane, how many were right when they were finished."""
        return max(_LEAST_RATE, (self._shown + 1) / (self._finished + 1))

    def _candidates(self, number: int, wanted: int) -> list[Row]:
        """The next rows that match as far as the lane tells, at most so many."""
        found: list[Row] = []
        if self._plan.nothing or self.stopped:
            return found
        if self._items is None:
            self._items = self._read(wanted)
        if self._merge is not None:
            self._merge.wanted = wanted / self._share_matching
        read = self._log.read
        try:
            for item in self._told(self._items):
                row_id = item["id"]["S"]
                # A row whose time is corrected while it is read is met again in its new place.
                if row_id in self._seen:
                    continue
                self._seen.add(row_id)
                self._met += 1
                row = read(item)
                if self._looks_right(row):
                    self._matched += 1
                    found.append(row)
                    if len(found) == number:
                        break
                elif self._merge is not None:
                    self._merge.wanted = (wanted - len(found)) / self._share_matching
            else:
                self._ended = True
        except BudgetSpent:
            self.stopped = True
        return found

    def _told(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items of rows, each once it is noted how far down all is read."""
        for item in items:
            self._position = item[POSITION]["S"]
            if not is_mark(item):
                yield item

    def _looks_right(self, row: Row) -> bool:
        """Whether a row is all that is asked, as far as the lane tells."""
        for name, some in self._early:
            if getattr(row, name) not in some:
                return False
        return not self._any_of or self._is_any(row, late=False)

    @property
    def _share_matching(self) -> float:
        return max(_LEAST_RATE, (self._matched + 1) / (self._met + 1)) if self._plan.by_row else 1.0

    def _settled(self, rows: list[Row]) -> list[Row]:
        """Those of the rows that match, finished only where the lane cannot tell."""
        return self._complete(rows) if self._must_finish else rows

    def _complete(self, rows: list[Row]) -> list[Row]:
        """Those of the rows that match, with all that is shown of them."""
        if self._log.finished is not None and self._finish and self._plan.lane != BY_ID:
            rows = self._log.finished(rows)
        right = [
            row
            for row in rows
            if all(getattr(row, name) in some for name, some in self._late) and self._is_any(row, late=True)
        ]
        self._finished += len(rows)
        self._shown += len(right)
        return right

    def _is_any(self, row: Row, *, late: bool) -> bool:
        """Whether a row is one of those that the plan allows; asked where all that this takes is known of it."""
        return not self._any_of or late is not self._must_finish or any(some.match(row) for some in self._any_of)

    def _read(self, wanted: int) -> Iterator[Item]:
        if self._plan.lane == BY_ID:
            return self._read_by_id()
        self._merge = Merge(self._log.table_name, self._plan, self._budget, wanted)
        return iter(self._merge)

    def _read_by_id(self) -> Iterator[Item]:
        table = self._log.table_name
        items = [item for _, item in batch_get({table: self._plan.keys}, {table: self._log.listed})]
        self._budget.rows_read += len(items)
        rows = (item for item in items if POSITION in item)
        inside = (item for item in rows if self._plan.low <= item[POSITION]["S"] <= self._plan.high)
        yield from sorted(inside, key=lambda item: str(item[POSITION]["S"]), reverse=True)

    def _skip_one_key(self, number: int) -> int:
        skipped = 0
        request = self._count_request(self._plan.keys[0])
        while skipped < number:
            if self._position and not self._budget.in_time:
                self.stopped = True
                break
            answer = call("Query", request | {"Limit": number - skipped})
            skipped += answer["Count"]
            self._budget.skip(answer["ScannedCount"])
            if "LastEvaluatedKey" not in answer:
                self._plan = replace(self._plan, keys=())
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            self._position = answer["LastEvaluatedKey"][POSITION]["S"]
            if answer["Count"] < answer["ScannedCount"]:
                # Some are left out. A larger request would not tell which row is the last to be passed over.
                break
        self._plan = self._plan.below(self._position)
        if skipped < number and not self.stopped:
            skipped += self._skip_merged(number - skipped)
        return skipped

    def _skip_merged(self, number: int) -> int:
        skipped = 0
        budget = Budget(give_up_at=self._budget.give_up_at)
        try:
            for item in Merge(self._log.table_name, self._plan, budget, number, ("id", POSITION)):
                self._position = item[POSITION]["S"]
                skipped += not is_mark(item)
                if skipped == number:
                    break
        except BudgetSpent:
            self.stopped = True
        self._budget.skip(budget.rows_read)
        self._plan = self._plan.below(self._position)
        return skipped

    def _count_keys(self, most: int) -> int:
        """How many rows there are below what is reached; the lane alone tells, so no row is sent."""
        plan = self._plan.below(self.reached)
        number = 0
        for key in () if plan.nothing else plan.keys:
            request = self._count_request(key, plan)
            least = 0
            while number < most:
                if not self._budget.left:
                    self.stopped = True
                    return number
                answer = call("Query", request | {"Limit": min(max(most - number, least), self._budget.left)})
                number += answer["Count"]
                self._budget.rows_read += answer["ScannedCount"]
                # Rows that are left out may be many, and stand together; what is counted beyond the most is no matter.
                least = 2 * answer["ScannedCount"] if answer["Count"] < answer["ScannedCount"] else 0
                if "LastEvaluatedKey" not in answer:
                    break
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return number

    def _count_request(self, key: str, plan: Plan | None = None) -> dict[str, Any]:
        return with_key(lane_request(self._log.table_name, plan or self._plan), key) | {"Select": "COUNT"}
