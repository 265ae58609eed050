"""A page of a log: rows skipped, taken, hydrated and counted, in as few round trips as they need.

    plans -> key streams -> merged -> seen once -> matching -> hydrated -> page | count | skip

Each link is a module of its own: `key_stream`, `merge`, `matching`, `source` (one plan), `scan` (several), `hydrate`,
`count`, `skip`. What does not wait for another answer goes out in the same round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple

from chalicelib.lanes.plan import Plan
from chalicelib.lanes.positions import redacted_position
from chalicelib.records import Organization, User
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Rounds, beside, run
from chalicelib.store.logs.count import Counted, count_plans, count_remaining
from chalicelib.store.logs.hydrate import hydrate
from chalicelib.store.logs.matching import matches
from chalicelib.store.logs.merge import Spent
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.skip import skip
from chalicelib.store.logs.source import Candidate
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.platform.rows import Mirrored


class Window(NamedTuple):
    """Which rows of the plans to read.

    Attributes:
        limit: how many rows, at least 1.
        offset: how many rows to skip before them.
        start: the position below which they stand; "" for the first page.
        cap: up to which number all rows are counted; None for no count.
        most_bytes: of what is fetched beside the index, as long as it is in an answer.
    """

    limit: int
    offset: int = 0
    start: str = ""
    cap: int | None = None
    most_bytes: int = 5_000_000


class Place(NamedTuple):
    """Where the next page begins.

    Attributes:
        position: its rows stand below this one.
        skip: how many of them are still to be skipped, where an offset took more time than there was.
    """

    position: str
    skip: int = 0


@dataclass(frozen=True, slots=True)
class PageRead(Generic[Row]):
    """A page that was read.

    Attributes:
        rows: newest first, hydrated.
        users: by id: those that rows name.
        organizations: by id.
        mirrored: objects of the platform, by the ids of their items.
        count: of all rows; None where none was asked for.
        next: None where there is no next page.
        plans: those by which the rows were read, newest rows first.
    """

    rows: Sequence[Row]
    users: dict[str, User]
    organizations: dict[str, Organization]
    mirrored: dict[str, Mirrored]
    count: Counted | None
    next: Place | None
    plans: Sequence[Plan]


def read_page(log: LogTable[Row], plans: Sequence[Plan], budget: Budget, window: Window) -> PageRead[Row]:
    """Read a page.

    Args:
        log: which log.
        plans: what to read of it; every row of a plan is newer than any of the next.
        budget: the rows and the time to spend. Every page makes progress, whatever the budget.
        window: which rows of the plans.

    Raises:
        Unavailable: the store did not answer.
    """
    return run(_read(log, plans, budget, window))


def _read(log: LogTable[Row], plans: Sequence[Plan], budget: Budget, window: Window) -> Rounds[PageRead[Row]]:
    scan = Scan(log, [plan.below(window.start) for plan in plans] if window.start else plans, budget)
    skipped = yield from skip(scan, window.offset)
    page = _Page(scan, window, skipped)
    cap = window.cap
    if cap is None:
        yield from page.read()
        count = None
    elif _counts_beside(plans, budget, window):
        _, count = yield from beside(page.read(), count_plans(log, plans, budget, cap))
    else:
        yield from scan.fill(window.limit + 1)
        counting = count_plans(log, plans, budget, cap) if window.start else count_remaining(scan, cap)
        count, _ = yield from beside(counting, page.read())
    if count is not None and cap is not None:
        # The index may lag behind the rows, and a count of another moment behind both.
        known = min(cap, len(page.rows) + (0 if window.start else skipped))
        count = count._replace(number=max(count.number, known))
    return PageRead(page.rows, page.users, page.organizations, page.mirrored, count, page.next, scan.plans or plans)


def _counts_beside(plans: Sequence[Plan], budget: Budget, window: Window) -> bool:
    """Whether the count goes out with the first request of the page.

    It does where keys alone give it and there are likely more rows than one page has: a short page proves its count
    for nothing. Pages far from the budget's end do not take from each other.
    """
    if window.cap is None or any(plan.by_row for plan in plans) or budget.left <= window.limit + window.cap:
        return False
    return bool(window.start) or (not window.offset and any(plan.coarse for plan in plans))


class _Page(Generic[Row]):
    """The rows of a page, as they are read."""

    def __init__(self, scan: Scan[Row], window: Window, skipped: int) -> None:
        self.rows: list[Row] = []
        self.users: dict[str, User] = {}
        self.organizations: dict[str, Organization] = {}
        self.mirrored: dict[str, Mirrored] = {}
        self._scan: Scan[Row] = scan
        self._window = window
        self._skipped = skipped
        self._last = ""

    def read(self) -> Rounds[None]:
        """Read and hydrate the rows of the page."""
        full = False
        while not full and len(self.rows) < self._window.limit:
            missing = self._window.limit - len(self.rows)
            yield from self._scan.fill(missing + 1)
            candidates = yield from self._scan.take(missing)
            if not candidates:
                break
            full = yield from self._hydrate(candidates)

    @property
    def next(self) -> Place | None:
        """Where the next page begins; None where there is none."""
        state = self._scan.state
        if self._scan.ahead:
            return Place(self._last)
        if not isinstance(state, Spent):
            return None
        left = self._window.offset - self._skipped
        if left:
            return Place(state.position, left)
        return Place(redacted_position(state.position, self._scan.progress.position, self._window.start))

    def _hydrate(self, candidates: Sequence[Candidate[Row]]) -> Rounds[bool]:
        """Add the candidates to the page; whether it has as many bytes as it may."""
        scan = self._scan
        whole = frozenset([candidate.row.id for candidate in candidates if candidate.whole])
        hydrated = yield from hydrate(scan.log, [one.row for one in candidates], self._window.most_bytes, whole)
        number = len(hydrated.rows)
        self.rows += [
            row
            for row, one in zip(hydrated.rows, candidates, strict=False)
            if one.whole or not one.after or matches(row, one.after)
        ]
        self.users |= hydrated.users
        self.organizations |= hydrated.organizations
        self.mirrored |= hydrated.mirrored
        self._last = scan.log.position(candidates[number - 1].row)
        scan.ahead.extendleft(reversed(candidates[number:]))
        return number < len(candidates)
