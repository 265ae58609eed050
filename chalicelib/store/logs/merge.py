"""The keys of a plan as one stream, newest first, read lazily: a page of 100 from 4 shards reads little more than 100.

The first request of each key asks for its even share of what is wanted; later ones for as much as the key has turned
out to hold of it. When the budget is spent the stream stops, which is not the same as ending.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from math import ceil
from typing import Any

from chalicelib.lanes.catalogue import EVENT_TIME, POSITION
from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item, call

_READERS = 16
_LARGEST_PAGE = 1_000
_SMALLEST_REFILL = 3
_ASKED_AT_ONCE = 8
"""Keys from which on they are asked together: one after the other, 256 of them would take seconds."""
_EAGERNESS = 0.75
"""Of what a key is expected to give, where there are several: what one lacks another has, and is read in its stead."""


class BudgetSpent(Exception):
    """The budget does not allow the next request; there may be more rows."""


class Merge:
    """The items of a plan in order.

    Args:
        table: the name of the table.
        plan: over lanes; see `chalicelib.lanes.plan`.
        budget: what may be read. The first request of each key is always made, so that every page gets somewhere.
        wanted: how many items are likely to be taken; may be set anew at any time.
        attributes: the only ones to read; none means all that the lane has.
    """

    def __init__(self, table: str, plan: Plan, budget: Budget, wanted: float, attributes: tuple[str, ...] = ()) -> None:
        self.wanted = wanted
        self._plan = plan
        self._budget = budget
        self._taken = 0
        self._eagerness = 1.0 if len(plan.keys) == 1 else _EAGERNESS
        self._first = ceil(min(wanted, _LARGEST_PAGE) * self._eagerness / max(1, len(plan.keys)))
        self._request: dict[str, Any] = lane_request(table, plan)
        if attributes:
            names = {f"#{index}": name for index, name in enumerate(attributes)}
            self._request["ProjectionExpression"] = ", ".join(names)
            self._request["ExpressionAttributeNames"] |= names

    def __iter__(self) -> Iterator[Item]:
        """The items.

        Raises:
            BudgetSpent: when the next item would cost more than may be spent; a mark has come before, with the position
                down to which all is read.
        """
        if self._plan.nothing:
            return
        streams = [self._stream(request, first) for request, first in self._asked()]
        # One stream is in order already.
        items = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_position, reverse=True)
        for item in items:
            if not is_mark(item):
                self._taken += 1
                self.wanted -= 1
            yield item

    def _asked(self) -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, Any]]]]:
        """The first request of each key, and what waits for its answer: many keys are asked at once."""
        requests = [with_key(self._request, key) for key in self._plan.keys]
        if len(requests) < _ASKED_AT_ONCE:
            yield from ((request, partial(self._first_answer, request)) for request in requests)
            return
        limit = max(1, min(self._first, self._budget.rows_left // len(requests)))
        for request in requests:
            request["Limit"] = limit
            # A thread of the pool tells whoever listens to this one.
            yield request, _pool().submit(copy_context().run, call, "Query", dict(request)).result

    def _first_answer(self, request: dict[str, Any]) -> dict[str, Any]:
        return call("Query", request | {"Limit": max(1, min(self._first, self._budget.rows_left))})

    def _stream(self, request: dict[str, Any], first: Callable[[], dict[str, Any]]) -> Iterator[Item]:
        own = 0
        answer = first()
        while True:
            self._budget.rows_read += answer["ScannedCount"]
            for item in answer["Items"]:
                own += 1
                yield item
            if "LastEvaluatedKey" not in answer:
                return
            if not self._budget.left:
                # Where rows are left out, this may be far below the last that was sent.
                yield {POSITION: answer["LastEvaluatedKey"][POSITION]}
                raise BudgetSpent
            expected = ceil(self.wanted * self._eagerness * own / max(1, self._taken, own))
            if not answer["Items"]:
                # Rows that are left out may be many, and stand together.
                expected = 2 * answer["ScannedCount"]
            size = min(max(_SMALLEST_REFILL, expected), _LARGEST_PAGE, self._budget.left)
            request |= {"ExclusiveStartKey": answer["LastEvaluatedKey"], "Limit": size}
            answer = call("Query", request)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_READERS, thread_name_prefix="lane-reader")


def is_mark(item: Item) -> bool:
    """Whether an item only says how far down all is read."""
    return "id" not in item


def lane_request(table: str, plan: Plan) -> dict[str, Any]:
    """A query of the plan's lane, newest first, that still lacks its key."""
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": plan.lane,
        "KeyConditionExpression": "#lane = :key AND #position BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#lane": plan.lane, "#position": POSITION},
        "ScanIndexForward": False,
        "ExpressionAttributeValues": {":low": {"S": plan.low}, ":high": {"S": plan.high}},
    }
    if plan.events_since:
        # A filter may not ask about the position, which is a key.
        request["FilterExpression"] = "attribute_not_exists(#event_time) OR #event_time >= :events_since"
        request["ExpressionAttributeNames"]["#event_time"] = EVENT_TIME
        request["ExpressionAttributeValues"][":events_since"] = {"S": plan.events_since}
    return request


def with_key(request: dict[str, Any], key: str) -> dict[str, Any]:
    """The query of one key of the lane."""
    return {**request, "ExpressionAttributeValues": {**request["ExpressionAttributeValues"], ":key": {"S": key}}}


def _position(item: Item) -> str:
    place: str = item[POSITION]["S"]
    return place
