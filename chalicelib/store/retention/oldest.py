"""The rows of a log below a position, oldest first, a page at a time: what the purge looks through.

Each shard is a stream of its own, and the next page comes from the one that is furthest behind, so that what is oldest
goes first to within a page, at one call per page however many shards there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.logs.index_query import index_query, with_key
from chalicelib.store.logs.tables import LogTable


class Page(NamedTuple):
    """Several items of one key of the lane, and the key to continue after: None at its end."""

    key: str
    items: Sequence[Item]
    following: Item | None


class Oldest:
    """The pages of a plan, oldest row first; each comes again until it is marked as done.

    Args:
        log: which log.
        plan: over the lane to look through.
        rows: how many a page may have.
        start: key of the lane -> the position to begin at, where not at the very first.
    """

    def __init__(self, log: LogTable[Any], plan: Plan, rows: int, start: Mapping[str, str]) -> None:
        self._request = index_query(log.table_name, plan) | {"ScanIndexForward": True, "Limit": rows}
        self._next: dict[str, Item | None] = dict.fromkeys(plan.keys if not plan.nothing else ())
        self.reached: dict[str, str] = {key: start.get(key, plan.low) for key in self._next}
        """Key of the lane -> the position up to which everything was looked at."""

    def page(self) -> Page | None:
        """The next page; None when there is none."""
        if not self._next:
            return None
        return self._page(min(self._next, key=self.reached.__getitem__))

    def _page(self, key: str) -> Page:
        request = with_key(self._request, key)
        if start := self._next[key]:
            request["ExclusiveStartKey"] = start
        else:
            request["ExpressionAttributeValues"][":low"] = {"S": self.reached[key]}
        answer = call("Query", request)
        return Page(key, answer["Items"], answer.get("LastEvaluatedKey"))

    def fronts(self) -> Iterator[Page]:
        """The first page of each key that has any rows."""
        for key in [*self._next]:
            page = self._page(key)
            if page.items:
                yield page

    def done(self, page: Page) -> None:
        """Go on behind a page."""
        if page.following is None:
            del self._next[page.key]
            self.reached[page.key] = self._request["ExpressionAttributeValues"][":high"]["S"]
        else:
            self._next[page.key] = page.following
            self.reached[page.key] = page.following[POSITION]["S"]

    @property
    def ended(self) -> bool:
        """Whether every row was looked at."""
        return not self._next
