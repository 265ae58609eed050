"""The reads of a summary: the newest rows of a query as its index has them, and the counts of several queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Rounds, run, together
from chalicelib.store.logs.count import Counted, count_plans
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.tables import LogTable, Row


@dataclass(frozen=True, slots=True)
class Sample(Generic[Row]):
    """The newest rows of a query.

    Attributes:
        rows: newest first, without what no index holds.
        complete: whether the query has no other rows.
    """

    rows: Sequence[Row]
    complete: bool


def newest(log: LogTable[Row], plans: Sequence[Plan], budget: Budget, most: int) -> Sample[Row]:
    """The newest rows of plans, at most so many.

    Raises:
        Unavailable: the store did not answer.
    """
    return run(_newest(log, plans, budget, most))


def count_queries(log: LogTable[Row], queries: Sequence[Sequence[Plan]], budget: Budget, cap: int) -> list[Counted]:
    """How many rows each query has, at most `cap`; all are counted side by side.

    Raises:
        Unavailable: the store did not answer.
    """
    return run(together([count_plans(log, plans, budget, cap) for plans in queries]))


def _newest(log: LogTable[Row], plans: Sequence[Plan], budget: Budget, most: int) -> Rounds[Sample[Row]]:
    scan = Scan(log, plans, budget)
    yield from scan.fill(most + 1)
    candidates = yield from scan.take(most)
    return Sample([candidate.row for candidate in candidates], scan.ended)
