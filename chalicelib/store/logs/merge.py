"""The keys of a plan as one stream, newest first: a page of 100 from 16 shards reads little more than 100 rows.

The first round asks every key for less than its even share. By then it is known how densely rows stand, and each later
round asks every key for its rows down to the same time, which is expected to be that of the last row wanted. What is
read down to that time is passed on; nothing is read beyond it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, sqrt
from typing import NamedTuple

from chalicelib import times
from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.density import first_limit, rates, time_of
from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, Request, Rounds
from chalicelib.store.logs.index_query import index_query, with_key
from chalicelib.store.logs.key_stream import KeyStream, seconds

_ROWS_PER_ANSWER = 2_000
"""About what one answer of DynamoDB holds: a megabyte of entries of an index."""
_SURPLUS = 1.5
_MANY = 200
_AS_EXPECTED = 0.75
"""The share of many rows that were expected of a round, below which they are taken to become fewer."""
_SEVERAL = 4
"""Rows that were expected of a round which gave none, so that they are taken to have ended."""
_FEW_KEYS = 4
_CAUTION = {True: 1.0, False: 0.75}
"""Standard deviations that are read beyond what is wanted, of few keys and of more, whose limits have more to spare."""
_MOST_SHORT = 4
"""Rounds one after the other that gave less than was wanted, of which each makes the next one bolder."""
_SPARE = 3
"""A request that ends at a time may read so many times the rows expected down to it, and a few."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Every row at or above a position was passed on; there may be more below."""

    position: str


@dataclass(frozen=True, slots=True)
class Spent:
    """The budget does not allow another round; there may be more rows below the position."""

    position: str


@dataclass(frozen=True, slots=True)
class End:
    """There are no more rows."""


class Batch(NamedTuple):
    """The rows that one round made certain, newest first, and what is below them."""

    items: Sequence[Item]
    state: Checkpoint | Spent | End


class _Demand(NamedTuple):
    """The rows to ask of one stream: down to a position, at most a number, and how many are expected down to it."""

    stream: KeyStream
    low: str
    limit: int
    expected: float = 0.0


class Merge:
    """The items of a plan in order, round by round.

    Args:
        table: the name of the table.
        plan: over an index; see `chalicelib.lanes.plan`.
        budget: what may be read. The first request of each key is always made, so that every page makes progress.
        attributes: the only ones to read; none means all that the index has.
    """

    def __init__(self, table: str, plan: Plan, budget: Budget, attributes: tuple[str, ...] = ()) -> None:
        self._request = index_query(table, plan, attributes)
        self._budget = budget
        keys = () if plan.nothing else plan.keys
        self._streams = [KeyStream(key, plan.low, plan.high, plan.high) for key in keys]
        self._begun = False
        self._thinning = False
        self._short = 0
        self._empty = 0

    def round(self, wanted: float, *, probing: bool = False) -> Rounds[Batch]:
        """Read once of every key that is behind, and return the items that are certain now.

        Args:
            wanted: how many items are likely to be taken. Fewer or more may be returned.
            probing: whether fewer do as well, so that none is read to spare.
        """
        if not self._open:
            return Batch(self._certain(), End())
        if self._begun and not self._budget.left:
            return Batch((), Spent(self._frontier))
        spare = 0.0 if probing else self._spare(wanted)
        demands = self._demands(wanted, spare) if self._begun else self._first_demands(wanted)
        answers = yield [self._query(demand) for demand in demands]
        begins = [demand.stream.checkpoint for demand in demands]
        for demand, answer in zip(demands, answers, strict=True):
            self._budget.rows_read += answer["ScannedCount"]
            demand.stream.take(answer, demand.low)
        top = 0.0 if self._begun else self._top()
        for demand, answer, begin in zip(demands, answers, begins, strict=True):
            demand.stream.measure(answer["Items"], seconds(begin) if self._begun else top)
        certain = self._certain()
        expected = sum(demand.expected for demand in demands)
        read = sum(len(answer["Items"]) for answer in answers)
        self._thinning = wanted > _MANY and read < min(wanted, expected) * _AS_EXPECTED
        self._empty = self._empty + 1 if expected > _SEVERAL and not certain else 0
        self._short = min(self._short + 1, _MOST_SHORT) if self._begun and len(certain) < wanted else 0
        self._begun = True
        return Batch(certain, Checkpoint(self._frontier) if self._open else End())

    @property
    def _open(self) -> list[KeyStream]:
        return [stream for stream in self._streams if stream.open]

    @property
    def _frontier(self) -> str:
        """The position down to which every stream was read."""
        return max((stream.checkpoint for stream in self._streams if stream.open), default="")

    def _top(self) -> float:
        """The time at which the first answers began: that of the newest row, since no row stands above it."""
        return max((seconds(_position(stream.items[0])) for stream in self._streams if stream.items), default=0.0)

    def _certain(self) -> list[Item]:
        """The items that no unread item can be newer than, taken out of their streams."""
        frontier = self._frontier
        certain: list[list[Item]] = []
        for stream in self._streams:
            items = stream.items
            if items and _position(items[-1]) >= frontier:
                certain.append(list(items))
                items.clear()
            elif items:
                number = sum(_position(item) >= frontier for item in items)
                certain.append([items.popleft() for _ in range(number)])
        self._streams = [stream for stream in self._streams if stream.items or stream.open]
        return certain[0] if len(certain) == 1 else list(heapq.merge(*certain, key=_position, reverse=True))

    def _query(self, demand: _Demand) -> Request:
        request = with_key(self._request, demand.stream.key, low=demand.low, high=demand.stream.high)
        return Request("Query", request | {"Limit": demand.limit})

    def _first_demands(self, wanted: float) -> list[_Demand]:
        keys = len(self._streams)
        limit = max(1, min(first_limit(wanted, keys), self._budget.rows_left // keys))
        return [_Demand(stream, stream.low, limit) for stream in self._streams]

    def _demands(self, wanted: float, spare: float) -> list[_Demand]:
        """The demands on streams of which each has been read before."""
        wanted = min(wanted, self._budget.left)
        low = "" if self._may_have_ended(wanted) else self._position_of(wanted + spare)
        pieces = min(IN_FLIGHT // len(self._open), ceil(wanted / _ROWS_PER_ANSWER))
        if low and pieces > 1:
            self._split(low, pieces)
        behind = [stream for stream in self._open if stream.checkpoint > low]
        if low and behind and len(self._open) > 1:
            demands = _down_to(low, behind)
        else:
            # Nothing is merged, or nothing is known of the density, as where all rows stand at one moment.
            limit = first_limit(wanted, len(self._open))
            demands = [_Demand(stream, stream.low, max(limit, stream.least)) for stream in self._open]
        # The streams that are furthest behind hold up all others.
        demands.sort(key=lambda demand: demand.stream.checkpoint, reverse=True)
        demands = demands[: max(1, self._budget.left)]
        most = max(1, self._budget.left // len(demands))
        return [demand._replace(limit=min(demand.limit, most)) for demand in demands]

    def _spare(self, wanted: float) -> float:
        """Rows to read beyond those that are wanted, so that chance seldom makes another round; more after it did."""
        keys = len(self._open)
        return (_CAUTION[keys <= _FEW_KEYS] * sqrt(wanted) + 1) * 2**self._short if keys > 1 else 0.0

    def _may_have_ended(self, wanted: float) -> bool:
        """Whether rows became so few that there may be none below: then steps back in time would be many, and empty.

        Where a row of each key is much of what is wanted, it takes two rounds without any to believe it.
        """
        return self._thinning or self._empty > (1 if wanted < _FEW_KEYS * len(self._open) else 0)

    def _position_of(self, wanted: float) -> str:
        """The position down to which so many items are expected; "" where that is not known."""
        waiting = [seconds(_position(item)) for stream in self._streams for item in stream.items]
        return _at(time_of(wanted, [stream.front for stream in self._open], waiting))

    def _split(self, low: str, pieces: int) -> None:
        """Make several streams of each, so that a large range of one key is read by requests side by side."""
        end = seconds(low)
        streams: list[KeyStream] = []
        for stream in self._streams:
            cuts: set[str] = set()
            if stream.open:
                begin = stream.front.time
                cuts = {_at(begin + (end - begin) * part / pieces) for part in range(1, pieces + 1)}
            inside = sorted((cut for cut in cuts if stream.low < cut < stream.checkpoint), reverse=True)
            streams += stream.split(inside) if inside else [stream]
        self._streams = streams


def _down_to(low: str, streams: Sequence[KeyStream]) -> list[_Demand]:
    """The demands on streams for their rows down to a position."""
    fronts = [stream.front for stream in streams]
    end = seconds(low)
    speeds = rates(fronts)
    expected = [rate * max(0.0, front.time - max(end, front.end)) for front, rate in zip(fronts, speeds, strict=True)]
    return [
        _Demand(stream, max(low, stream.low), max(ceil(rows * _SURPLUS) + _SPARE, stream.least), rows)
        for stream, rows in zip(streams, expected, strict=True)
    ]


def _at(time: float | None) -> str:
    """The lowest position of a time; "" where there is none that can be named."""
    if time is None:
        return ""
    try:
        return times.fixed(times.EPOCH + timedelta(seconds=time))
    except OverflowError:
        return ""


def _position(item: Item) -> str:
    position: str = item[POSITION]["S"]
    return position
