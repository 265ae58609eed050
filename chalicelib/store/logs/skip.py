"""Skips rows without reading them: by count where one key has them all, by their keys where several are merged."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Request, Rounds
from chalicelib.store.logs.index_query import index_query, with_key
from chalicelib.store.logs.merge import Checkpoint, End, Merge, Spent
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.tables import Row


class Skipped(NamedTuple):
    """How many rows were skipped, and what is below them."""

    number: int
    state: Checkpoint | Spent | End


def skip(scan: Scan[Row], number: int) -> Rounds[int]:
    """Move a scan that is not begun over rows.

    Returns:
        How many were skipped: fewer when there are no more, or when the budget is spent.

    Raises:
        Unavailable: the store did not answer.
    """
    skipped = 0
    while skipped < number and not isinstance(scan.state, Spent) and not scan.ended:
        if scan.plan or scan.ahead or scan.later[0].by_row:
            taken = yield from scan.take(number - skipped)
            skipped += len(taken)
            if not taken:
                break
            continue
        plan = scan.later.popleft()
        passed = yield from _skip(scan, plan, number - skipped)
        skipped += passed.number
        scan.progress.skipped += passed.number
        scan.state = passed.state
        if not isinstance(passed.state, End):
            scan.progress.position = passed.state.position
            scan.later.appendleft(plan.below(passed.state.position))
    return skipped


def _skip(scan: Scan[Row], plan: Plan, number: int) -> Rounds[Skipped]:
    table, budget = scan.log.table_name, scan.budget
    if len(plan.keys) > 1:
        return (yield from skip_by_keys(table, plan, budget, number))
    passed = yield from skip_by_count(table, plan, budget, number)
    if passed.number == number or not isinstance(passed.state, Checkpoint):
        return passed
    below = yield from skip_by_keys(table, plan.below(passed.state.position), budget, number - passed.number)
    return Skipped(passed.number + below.number, below.state)


def skip_by_count(table: str, plan: Plan, budget: Budget, number: int) -> Rounds[Skipped]:
    """Skip rows of a plan of one key.

    Returns:
        Fewer than `number`, and a checkpoint, where a condition leaves out rows of the index: then a larger request
        would not tell which row is the last to be skipped.
    """
    request = with_key(index_query(table, plan), plan.keys[0]) | {"Select": "COUNT"}
    skipped, position = 0, ""
    while skipped < number:
        if position and not budget.in_time:
            return Skipped(skipped, Spent(position))
        (answer,) = yield [Request("Query", request | {"Limit": number - skipped})]
        skipped += answer["Count"]
        budget.skip(answer["ScannedCount"])
        if "LastEvaluatedKey" not in answer:
            return Skipped(skipped, End())
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        position = answer["LastEvaluatedKey"][POSITION]["S"]
        if answer["Count"] < answer["ScannedCount"]:
            break
    return Skipped(skipped, Checkpoint(position))


def skip_by_keys(table: str, plan: Plan, budget: Budget, number: int) -> Rounds[Skipped]:
    """Skip rows of a plan of any number of keys; only their keys are sent."""
    own = Budget(give_up_at=budget.give_up_at)
    merge = Merge(table, plan, own, ("id", POSITION))
    skipped = 0
    while True:
        batch = yield from merge.round(number - skipped)
        passed = list(islice(batch.items, number - skipped))
        skipped += len(passed)
        if skipped == number and passed:
            budget.skip(own.rows_read)
            return Skipped(skipped, Checkpoint(passed[-1][POSITION]["S"]))
        if not isinstance(batch.state, Checkpoint):
            budget.skip(own.rows_read)
            return Skipped(skipped, batch.state)
