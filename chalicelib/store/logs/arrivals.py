"""The rows of a log in the order in which they were last written, oldest first, for those who follow a log.

A row stands where its latest write put it, so one that changes is met again, in a later revision. Nothing is read that
may not be settled yet: a write that has begun names its moment before it is done.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Generic, NamedTuple

from chalicelib.lanes.catalogue import ARRIVAL, ARRIVED, REVISION
from chalicelib.records import Organization, User
from chalicelib.settings import current
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.rounds import Request, Rounds, run
from chalicelib.store.logs.hydrate import hydrate, with_base_fields
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.platform.rows import Mirrored

FIRST = " "
"""Below every place."""
_AT_ONCE = 1_000
"""Rows that one request reads at most: about half of what an answer of DynamoDB holds."""


class Arrival(NamedTuple, Generic[Row]):
    """A row as it arrived: which revision, and its place in the order."""

    row: Row
    revision: int
    place: str


class Tests(NamedTuple, Generic[Row]):
    """Which rows are wanted.

    Attributes:
        before: what a row must pass as the lane has it.
        after: what it must pass once it is hydrated.
        recent: whether it is within its retention. A row that is not, and is wanted, may be purged already.
    """

    before: Callable[[Row], bool]
    after: Callable[[Row], bool]
    recent: Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Arrivals(Generic[Row]):
    """The rows that were read.

    Attributes:
        rows: oldest arrival first, hydrated.
        users: by id: those that rows name.
        organizations: by id.
        mirrored: objects of the platform, by the ids of their items.
        reached: the place down to which every row was looked at.
        ended: whether there is no row beyond it yet.
    """

    rows: Sequence[Arrival[Row]]
    users: dict[str, User]
    organizations: dict[str, Organization]
    mirrored: dict[str, Mirrored]
    reached: str
    ended: bool


class Span(NamedTuple):
    """The places to read: beyond the first, and up to the last."""

    beyond: str
    last: str


def read_arrivals(
    log: LogTable[Row], tests: Tests[Row], span: Span, limit: int, budget: Budget, most_bytes: int
) -> Arrivals[Row]:
    """Read the next rows in order of arrival.

    Args:
        log: which log; the deployment keeps its lane `arrival`.
        tests: which rows are wanted.
        span: from where to where.
        limit: how many rows, at least 1.
        budget: the rows and the time to spend. A few rows are always read, whatever it is.
        most_bytes: of what is fetched beside the lane, as long as it is in an answer.

    Raises:
        Unavailable: the store did not answer.
    """
    return run(_read(log, tests, span, limit, budget, most_bytes))


@dataclass(slots=True)
class _Shard:
    """One key of the lane: what was read of it and not passed on, and from where it goes on."""

    key: str
    beyond: str
    items: deque[Item] = field(default_factory=deque)
    open: bool = True


def _read(
    log: LogTable[Row], tests: Tests[Row], span: Span, limit: int, budget: Budget, most_bytes: int
) -> Rounds[Arrivals[Row]]:
    lane = next(lane for lane in log.kept().read if lane.name == ARRIVAL)
    shards = [_Shard(key, span.beyond) for key in lane.keys(lane.name, current().log_shards)]
    candidates: list[Arrival[Row]] = []
    reached, ended = span.beyond, False
    begun = False
    while len(candidates) < limit and not ended and (budget.left or not begun):
        begun = True
        wanted = limit - len(candidates)
        behind = [shard for shard in shards if shard.open and not shard.items]
        answers = yield [_query(log.table_name, shard, span.last, ceil(wanted / len(behind)) + 1) for shard in behind]
        for shard, answer in zip(behind, answers, strict=True):
            budget.rows_read += answer["ScannedCount"]
            shard.items.extend(answer["Items"])
            last = answer.get("LastEvaluatedKey")
            shard.open = last is not None
            shard.beyond = last[ARRIVED]["S"] if last else span.last
        for item in _certain(shards):
            reached = _place(item)
            row = log.read(item)
            if tests.before(row):
                candidates.append(Arrival(row, _revision(item), reached))
                if len(candidates) == limit:
                    break
        else:
            reached = max(reached, min(shard.beyond for shard in shards))
            ended = not any(shard.open or shard.items for shard in shards)
    hydrated = yield from hydrate(log, [one.row for one in candidates], most_bytes)
    number = len(hydrated.rows)
    if number < len(candidates):
        reached, ended = candidates[number - 1].place, False
    whole = [one._replace(row=row) for one, row in zip(candidates, hydrated.rows, strict=False) if tests.after(row)]
    past = [one.row for one in whole if not tests.recent(one.row)]
    standing = yield from with_base_fields(log, past, past=frozenset(row.data_set for row in past))
    gone = {row.id for row in past} - {row.id for row in standing}
    whole = [one for one in whole if one.row.id not in gone]
    return Arrivals(whole, hydrated.users, hydrated.organizations, hydrated.mirrored, reached, ended)


def _query(table: str, shard: _Shard, last: str, limit: int) -> Request:
    parameters: dict[str, Any] = {
        "TableName": table,
        "IndexName": ARRIVAL,
        # DynamoDB has no range that leaves its lower bound out; all places are as long, so the next text is one longer.
        "KeyConditionExpression": "#lane = :key AND #arrived BETWEEN :beyond AND :last",
        "ExpressionAttributeNames": {"#lane": ARRIVAL, "#arrived": ARRIVED},
        "ExpressionAttributeValues": {
            ":key": {"S": shard.key},
            ":beyond": {"S": f"{shard.beyond} "},
            ":last": {"S": last},
        },
        "Limit": min(limit, _AT_ONCE),
    }
    return Request("Query", parameters)


def _certain(shards: Sequence[_Shard]) -> list[Item]:
    """The items that no unread item can come before, oldest first, taken out of their shards."""
    frontier = min((shard.beyond for shard in shards if shard.open), default="")
    taken: list[list[Item]] = []
    for shard in shards:
        number = sum(not frontier or _place(item) <= frontier for item in shard.items)
        taken.append([shard.items.popleft() for _ in range(number)])
    return list(heapq.merge(*taken, key=_place))


def _place(item: Item) -> str:
    place: str = item[ARRIVED]["S"]
    return place


def _revision(item: Item) -> int:
    """The revision of a row; those of the audit log are written once."""
    return int(item[REVISION]["N"]) if REVISION in item else 1
