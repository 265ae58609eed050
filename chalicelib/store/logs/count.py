"""Counts the rows of plans, up to a cap: by keys where the index alone answers, and row by row where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, NamedTuple

from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Request, Rounds, run
from chalicelib.store.logs.index_query import index_query, with_key
from chalicelib.store.logs.merge import Spent
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.tables import LogTable, Row

_SURPLUS = 1.25
"""Rows that are counted of each of several keys, for each of an even share."""


class Counted(NamedTuple):
    """How many rows there are, as far as that is known.

    Attributes:
        number: how many were counted, at most the cap.
        complete: whether that is all of them, or the cap; not so when the budget ended the count.
    """

    number: int
    complete: bool


def count_rows(log: LogTable[Row], plans: Sequence[Plan], budget: Budget, cap: int) -> Counted:
    """How many rows the plans have, at most `cap`.

    Raises:
        Unavailable: the store did not answer.
    """
    return run(count_plans(log, plans, budget, cap))


def count_plans(log: LogTable[Row], plans: Sequence[Plan], budget: Budget, cap: int, known: int = 0) -> Rounds[Counted]:
    """The rounds of `count_rows`, when so many rows are known already."""
    number = known
    for plan in plans:
        if number >= cap:
            break
        if plan.by_row:
            scan = Scan(log, [plan], budget)
            yield from scan.fill(cap - number)
            counted = Counted(len(scan.ahead), not isinstance(scan.state, Spent))
        else:
            counted = yield from count_keys(log.table_name, plan, budget, cap - number)
        number += counted.number
        if not counted.complete:
            return Counted(min(number, cap), number >= cap)
    return Counted(min(number, cap), complete=True)


def count_remaining(scan: Scan[Row], cap: int) -> Rounds[Counted]:
    """How many rows there are, at most `cap`, those that the scan has met included; none is taken from it.

    Args:
        scan: has rows ahead, unless there are none below.
        cap: up to which number they are counted.
    """
    plan, later = scan.plan, list(scan.later)
    number = scan.progress.rows
    if plan is None or plan.by_row:
        yield from scan.read_plan(cap - scan.progress.skipped)
        number = scan.progress.rows
    elif scan.ahead and not isinstance(scan.state, Spent):
        below = plan.below(scan.log.position(scan.ahead[-1].row))
        counted = yield from count_keys(scan.log.table_name, below, scan.budget, cap - number)
        number += counted.number
        if not counted.complete:
            return Counted(min(number, cap), number >= cap)
    if isinstance(scan.state, Spent):
        return Counted(min(number, cap), number >= cap)
    return (yield from count_plans(scan.log, later, scan.budget, cap, number))


def count_keys(table: str, plan: Plan, budget: Budget, most: int) -> Rounds[Counted]:
    """How many rows a plan has, at least so many if there are; no row is sent.

    All keys are asked at once, each for an even share of what is missing; of several, each for more than that, because
    one that has fewer makes another round trip of all.
    """
    request = index_query(table, plan)
    waiting: list[dict[str, Any]] = [
        with_key(request, key) | {"Select": "COUNT"} for key in (() if plan.nothing else plan.keys)
    ]
    number, least = 0, 1
    while waiting and number < most:
        if not budget.left:
            return Counted(number, complete=False)
        asked = waiting[: budget.left]
        share = (most - number) / len(asked) * (_SURPLUS if len(asked) > 1 else 1)
        limit = min(max(ceil(share), least), budget.left // len(asked))
        answers = yield [Request("Query", parameters | {"Limit": limit}) for parameters in asked]
        budget.rows_read += sum(answer["ScannedCount"] for answer in answers)
        number += sum(answer["Count"] for answer in answers)
        # Rows that are left out may be many, and stand together; what is counted beyond the most is no matter.
        least = max((2 * one["ScannedCount"] for one in answers if one["Count"] < one["ScannedCount"]), default=1)
        waiting = waiting[len(asked) :] + [
            parameters | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            for parameters, answer in zip(asked, answers, strict=True)
            if "LastEvaluatedKey" in answer
        ]
    return Counted(number, complete=True)
