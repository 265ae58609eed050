"""The listing of users by username: a page of those that match, and how many there are, within a budget.

    place of `after` ─ offset ─► page ─► one row more: is there another page? ─► count

Nothing but the name is indexed, so whether a user matches is checked row by row. A budget that is spent ends the page
early; the page then has the place to go on from, so that a client gets to every row and no request takes too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice, repeat
from typing import Any, NamedTuple

from chalicelib.records import User
from chalicelib.store.directory.people_rows import USER, listing_request, place, user_of
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import UserItem

LEAST_ROWS = 25
_MOST_ROWS = 1_000
"""Rows of one call: with a filter the first call has the least, and each one after it twice as many."""

Test = Callable[[User], bool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of a listing.

    Attributes:
        matches: whether a user belongs to the answer; None where everybody does.
        after: the place of the user whose successors are asked for; "" for everybody.
        offset: how many matching users are passed over.
        limit: how many there are in a page at most; None for all.
        count_cap: up to which number matching users are counted.
    """

    matches: Test | None
    after: str
    offset: int
    limit: int | None
    count_cap: int


class Next(NamedTuple):
    """Where to go on: after this user, passing over so many of those that match."""

    user: User
    offset: int


class Counted(Enum):
    """Whether a count is complete."""

    EXACT = "exact"
    CAPPED = "capped"
    """There are at least as many; beyond the cap nobody counts."""
    CUT_SHORT = "cut short"
    """There are at least as many; the budget ended the count."""


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of users.

    Attributes:
        users: in the order of their usernames, whatever the case.
        count: how many match after the place asked for, those passed over included.
        counted: how far the count goes.
        next: where to go on; None where there are no more.
        whole: whether the page has as many users as were asked for, or all there are.
    """

    users: Sequence[User]
    count: int
    counted: Counted
    next: Next | None
    whole: bool


def read_page(wanted: Wanted, budget: Budget) -> UserPage:
    """The page of the listing that is wanted, as far as the budget goes.

    Raises:
        Unavailable: the store did not answer.
    """
    rows = _Rows(wanted, budget)
    matching = (user for user in rows if wanted.matches is None or wanted.matches(user))
    skipped = _number(islice(matching, wanted.offset))
    page = list(islice(matching, wanted.limit))
    met = skipped + len(page)
    full = len(page) == wanted.limit
    # Nobody between a full page and its follower matches: the next page begins right after this one.
    last = page[-1] if full else rows.last
    follower = next(matching, None)
    if follower is None and not rows.stopped:
        return UserPage(page, met, Counted.EXACT, next=None, whole=True)
    if follower is not None:
        more = wanted.count_cap - met
        met += 1 + (_number(islice(matching, max(0, more))) if wanted.matches else _count_after(follower, more, budget))
    if met > wanted.count_cap:
        counted = Counted.CAPPED
    else:
        cut_short = follower is None or rows.stopped or not budget.left
        counted = Counted.CUT_SHORT if cut_short else Counted.EXACT
    following = Next(last, wanted.offset - skipped) if last else None
    return UserPage(page, met, counted, following, whole=full)


def page_of(users: Iterable[User], wanted: Wanted) -> UserPage:
    """The page of a few users that were read without the listing."""
    ordered = sorted(users, key=place)
    matching = [user for user in ordered if place(user) > wanted.after and (not wanted.matches or wanted.matches(user))]
    end = None if wanted.limit is None else wanted.offset + wanted.limit
    page = matching[wanted.offset : end]
    following = Next(page[-1], 0) if page and page[-1] is not matching[-1] else None
    return UserPage(page, len(matching), Counted.EXACT, following, whole=True)


class _Rows:
    """The users after a place in the listing, a call at a time, until there are no more or the budget is spent.

    Attributes:
        last: the user that was read last; None before the first.
        stopped: whether the budget was spent before the end.
    """

    def __init__(self, wanted: Wanted, budget: Budget) -> None:
        self.last: User | None = None
        self.stopped = False
        self._wanted = wanted
        self._budget = budget

    def __iter__(self) -> Iterator[User]:
        request = _after(self._wanted.after)
        for size in _call_sizes(self._wanted):
            answer = call("Query", request | {"Limit": min(size, max(1, self._budget.rows_left))})
            self._budget.rows_read += len(answer["Items"])
            for item in answer["Items"]:
                self.last = user_of(item)
                yield self.last
            if "LastEvaluatedKey" not in answer:
                return
            if not self._budget.left:
                self.stopped = True
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _call_sizes(wanted: Wanted) -> Iterator[int]:
    """How many rows each call asks for: those of the page and one more, and with a filter twice as many every time."""
    size = _MOST_ROWS if wanted.limit is None else wanted.offset + wanted.limit + 1
    if wanted.matches:
        size = max(size, LEAST_ROWS)
        while True:
            yield min(size, _MOST_ROWS)
            size *= 2
    while size > 0 and wanted.limit is not None:
        yield min(size, _MOST_ROWS)
        size -= _MOST_ROWS
    # A call that its megabyte has cut short leaves some for another.
    yield from repeat(_MOST_ROWS if wanted.limit is None else LEAST_ROWS)


def _count_after(user: User, most: int, budget: Budget) -> int:
    """How many users there are after this one, at most so many; no row is sent."""
    request = _after(place(user)) | {"Select": "COUNT"}
    number = 0
    while number < most and budget.left:
        answer = call("Query", request | {"Limit": min(most - number, budget.left)})
        number += answer["Count"]
        budget.rows_read += answer["Count"]
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return number


def _after(after: str) -> dict[str, Any]:
    request = listing_request(UserItem, USER)
    if after:
        request["KeyConditionExpression"] += " AND #sort > :after"
        request["ExpressionAttributeNames"] = {"#sort": "sort"}
        request["ExpressionAttributeValues"][":after"] = {"S": after}
    return request


def _number(users: Iterable[User]) -> int:
    return sum(1 for _ in users)
