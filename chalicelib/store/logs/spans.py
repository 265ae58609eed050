"""Reads several plans, each for the rows of a span of time, as one query: the newest span first, then the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.reader import Counted, Reading
from chalicelib.store.logs.tables import LogTable, Row


class Spans(Generic[Row]):
    """One query under way, as `Reading` is, and used like one; a span is only read when those before it are not enough.

    Args:
        log: which log.
        plans: what to read of it; every row of a plan is newer than any of the next.
        budget: what may be read.
    """

    def __init__(self, log: LogTable[Row], plans: Sequence[Plan], budget: Budget) -> None:
        seen: set[str] = set()
        self._readings: list[Reading[Row]] = [
            Reading(log, plan, budget, seen, finish=False) for plan in plans if not plan.nothing
        ]

    @property
    def reached(self) -> str | None:
        """The position down to which all rows are skipped or taken; None before the first."""
        return next((reading.reached for reading in reversed(self._readings) if reading.reached), None)

    @property
    def stopped(self) -> bool:
        """Whether the budget was spent before the end was reached."""
        return any(reading.stopped for reading in self._readings)

    @property
    def finishes(self) -> bool:
        """Whether all rows that are taken have all that the table has; otherwise see `chalicelib.store.logs.shown`."""
        return all(reading.finishes for reading in self._readings)

    def skip(self, number: int) -> int:
        """Pass over rows and answer over how many; fewer when there are no more, or when `stopped`."""
        skipped = 0
        for reading in self._readings:
            if skipped == number or self.stopped:
                break
            skipped += reading.skip(number - skipped)
        return skipped

    def take(self, limit: int) -> list[Row]:
        """The next rows, at most so many; fewer when there are no more, or when `stopped`.

        Raises:
            Unavailable: the store did not answer.
        """
        rows: list[Row] = []
        for reading in self._readings:
            if len(rows) == limit or self.stopped:
                break
            rows += reading.take(limit - len(rows))
        return rows

    def more(self) -> bool:
        """Whether there are rows after those taken; true as well when the budget does not allow to look."""
        return any(reading.more() for reading in self._readings)

    def count_on(self, counted: int, cap: int) -> Counted:
        """How many rows there are, at most `cap`, when so many were counted down to what is `reached`."""
        count = Counted(min(counted, cap), complete=True)
        for reading in self._readings:
            if count.number == cap or not count.complete:
                break
            count = reading.count_on(count.number, cap)
        return count
