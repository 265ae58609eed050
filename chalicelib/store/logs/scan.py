"""The rows of several plans, each for a span of time, as one: the newest span first, then the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Rounds
from chalicelib.store.logs.merge import Checkpoint, End, Spent
from chalicelib.store.logs.source import Candidate, Source
from chalicelib.store.logs.tables import LogTable, Row


@dataclass(slots=True)
class Progress:
    """How many rows a scan has met, and where it is.

    Attributes:
        skipped: rows that were skipped without being read.
        matched: rows that were read and match, those that were taken included.
        position: that of the last row which was skipped or taken; "" before the first.
    """

    skipped: int = 0
    matched: int = 0
    position: str = ""

    @property
    def rows(self) -> int:
        """All rows that were met."""
        return self.skipped + self.matched


class Scan(Generic[Row]):
    """One query under way.

    Args:
        log: which log.
        plans: what to read of it; every row of a plan is newer than any of the next.
        budget: what may be read; all scans of a request share one.

    Attributes:
        later: the plans that are not begun.
        ahead: rows that were read and not taken, newest first.
        state: how far the rows are read; None before the first.
        progress: how many rows were met.
    """

    def __init__(self, log: LogTable[Row], plans: Iterable[Plan], budget: Budget) -> None:
        self.log: LogTable[Row] = log
        self.budget = budget
        self.later = deque(plan for plan in plans if not plan.nothing)
        self.ahead: deque[Candidate[Row]] = deque()
        self.state: Checkpoint | Spent | End | None = None if self.later else End()
        self.progress = Progress()
        self._sources: list[Source[Row]] = []
        self._seen: set[str] = set()

    @property
    def plan(self) -> Plan | None:
        """The plan that is being read; None before the first and after the last."""
        return self._source.plan if self._source else None

    @property
    def plans(self) -> list[Plan]:
        """The plans that were read, and those that are not begun."""
        return [*(source.plan for source in self._sources), *self.later]

    @property
    def _source(self) -> Source[Row] | None:
        return self._sources[-1] if self._sources and not isinstance(self.state, End) else None

    @property
    def ended(self) -> bool:
        """Whether every row was taken."""
        return not self.ahead and self._source is None and not self.later

    def fill(self, number: int) -> Rounds[None]:
        """Read until so many rows are ahead, or there are no more, or the budget is spent.

        Raises:
            Unavailable: the store did not answer.
        """
        while len(self.ahead) < number and not isinstance(self.state, Spent) and (self._source or self.later):
            source = self._source
            if source is None:
                source = Source(self.log, self.later.popleft(), self.budget, self._seen)
                self._sources.append(source)
            yield from self._round(source, number - len(self.ahead))

    def read_plan(self, matched: int) -> Rounds[None]:
        """Read on in the plan that is being read, until so many rows have matched in all, or its end."""
        while self.progress.matched < matched and not isinstance(self.state, Spent) and self._source:
            yield from self._round(self._source, matched - self.progress.matched)

    def take(self, number: int) -> Rounds[Sequence[Candidate[Row]]]:
        """The next rows, at most so many.

        Raises:
            Unavailable: the store did not answer.
        """
        yield from self.fill(number)
        ahead = list(self.ahead)
        taken = ahead[:number]
        self.ahead = deque(ahead[number:])
        if taken:
            self.progress.position = self.log.position(taken[-1].row)
        return taken

    def _round(self, source: Source[Row], missing: int) -> Rounds[None]:
        matched = yield from source.round(missing)
        self.ahead.extend(matched.candidates)
        self.progress.matched += len(matched.candidates)
        self.state = matched.state
