"""Rows of one lane, of one section or several: in the order of their places, a page at a time, within a budget.

Each section is a stream that is refilled when it is empty, and the streams are merged. A first request asks each for an
even share of what is wanted; each further one for what is missing by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from chalicelib.platform.kinds import LANES
from chalicelib.platform.section import Section
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.rounds import Request, send
from chalicelib.store.platform.rows import TABLE, Mirrored, from_item

_MOST_ROWS: Final = 1_000
"""Of one request."""


@dataclass(frozen=True, slots=True)
class Range:
    """A part of a lane.

    Attributes:
        lane: one of `kinds.LANES`.
        sections: of the lane.
        newest_first: whether the greatest place comes first.
        after: the place after which to begin in all of them, which have no bounds of their own then; "" for the first.
    """

    lane: str
    sections: Sequence[Section]
    newest_first: bool = False
    after: str = ""


@dataclass(slots=True)
class _Stream:
    section: Section
    items: deque[Item] = field(default_factory=deque)
    start: Item | None = None
    begun: bool = False

    @property
    def is_open(self) -> bool:
        return not self.begun or self.start is not None


def rows(wanted: Range, number: int, budget: Budget, test: Callable[[Mirrored], bool] | None = None) -> list[Mirrored]:
    """So many rows of a range that match, or all that there are, as far as the budget goes.

    Raises:
        Unavailable: the store did not answer.
    """
    matches: list[Mirrored] = []
    for item in items(wanted, lambda: number - len(matches), budget):
        row = from_item(item)
        if row is not None and (test is None or test(row)):
            matches.append(row)
            if len(matches) == number:
                break
    return matches


def items(wanted: Range, missing: Callable[[], int], budget: Budget, attributes: Sequence[str] = ()) -> Iterator[Item]:
    """The items of a range, in the order of their places, until there are no more or the budget is spent.

    Args:
        wanted: which.
        missing: how many are still wanted.
        budget: what may be read.
        attributes: the only ones to send beside their places; none means all that the lane has.
    """
    place = LANES[wanted.lane]
    streams = [_Stream(section) for section in dict.fromkeys(wanted.sections)]
    while streams:
        empty = [stream for stream in streams if not stream.items and stream.is_open]
        if empty:
            if not budget.left and any(stream.begun for stream in empty):
                return
            _refill(empty, wanted, ceil(max(1, missing()) / len(empty)), budget, attributes)
        streams = [stream for stream in streams if stream.items or stream.is_open]
        if any(not stream.items for stream in streams):
            continue
        if streams:
            ordered = max if wanted.newest_first else min
            first = ordered(streams, key=lambda stream: str(stream.items[0][place]["S"]))
            yield first.items.popleft()


def _refill(streams: Sequence[_Stream], wanted: Range, number: int, budget: Budget, attributes: Sequence[str]) -> None:
    limit = min(number, _MOST_ROWS, max(1, budget.left // len(streams)))
    answers = send([Request("Query", _query(stream, wanted, limit, attributes)) for stream in streams])
    for stream, answer in zip(streams, answers, strict=True):
        stream.items.extend(answer["Items"])
        stream.start = answer.get("LastEvaluatedKey")
        stream.begun = True
        budget.rows_read += answer["ScannedCount"]


def _query(stream: _Stream, wanted: Range, limit: int, attributes: Sequence[str]) -> dict[str, Any]:
    names = {"#lane": wanted.lane}
    section = stream.section
    values = {":key": {"S": section.key}}
    condition = "#lane = :key"
    bound = wanted.after or section.least
    if bound or section.most:
        names["#place"] = LANES[wanted.lane]
    if section.most:
        values |= {":least": {"S": bound or " "}, ":most": {"S": section.most}}
        condition += " AND #place BETWEEN :least AND :most"
    elif bound:
        values[":bound"] = {"S": bound}
        sign = ">=" if not wanted.after else "<" if wanted.newest_first else ">"
        condition += f" AND #place {sign} :bound"
    request: dict[str, Any] = {
        "TableName": TABLE,
        "IndexName": wanted.lane,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not wanted.newest_first,
        "Limit": limit,
    }
    if attributes:
        projected = {f"#{index}": name for index, name in enumerate({*attributes, LANES[wanted.lane]})}
        request["ProjectionExpression"] = ", ".join(projected)
        request["ExpressionAttributeNames"] = names | projected
    if stream.start is not None:
        request["ExclusiveStartKey"] = stream.start
    return request
