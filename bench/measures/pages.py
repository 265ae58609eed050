"""The cost of a page at any size of table: rows read per row returned, calls, read units, and their growth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from bench import budgets
from bench.budgets import Budget
from bench.cost.meter import Tally
from bench.measures import gate
from bench.queries import LOGS, Log
from bench.results import Result, Table
from bench.service import Service, environment
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, rounds_heard_by

PAGE = 100
SMALL = 1_000
QUICK_SIZES = (SMALL, 20_000)
FULL_SIZES = (SMALL, 20_000, 200_000)
DEEP_PAGE = 1_000
DEEP_LIMIT = 19
"""So that there is a row beyond page 1,000 of the smaller of the large tables."""
OFFSET = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one page of one query, the token check left out.

    Attributes:
        size: rows in the table.
        returned: rows in the answer.
        rows: rows read for them.
        calls: to DynamoDB, the count left out.
        units: read units, the count left out.
        count_calls: calls for the count.
        count_units: read units of the count.
        trips: round trips, the count and the token check included.
    """

    log: str
    query: str
    size: int
    returned: int
    rows: int
    calls: int
    units: float
    count_calls: int
    count_units: float
    trips: int = 0

    @property
    def per_row(self) -> float:
        """Rows read per row returned; the row read to see whether there are more is one of them."""
        return self.rows / max(1, self.returned)


def measure(service: Service, sizes: Sequence[int]) -> Iterator[Result | Cost | Table]:
    """Every query of every log at every size; the tables are left as large as they became."""
    for log in LOGS:
        loaded = 0
        measured: list[Cost] = []
        checked = gate.token_check(service)
        for size in sizes:
            with environment(**log.every_lane):
                service.engine.load(log.table, log.items(loaded, size))
            loaded = size
            measured += [page(service, log, query, checked, size) for query in log.queries]
            costs = [cost for cost in measured if cost.size == size]
            yield costs_table(log, costs)
            yield from costs
            yield from _results(log, costs)
        yield from _growth(log, measured, sizes)
        yield from _deep(service, log)


def page(service: Service, log: Log, query: str, checked: Tally, size: int = 0, *, counted: bool = True) -> Cost:
    """The cost of a page of 100 beside a token check, which costs `checked`; and of its count, if `counted`."""
    plain = _ask(service, log, {"q": query, "limit": str(PAGE), "count": "false"})
    whole = _ask(service, log, {"q": query, "limit": str(PAGE)}) if counted else plain
    return Cost(
        log=log.name,
        query=query,
        size=size,
        returned=plain.returned,
        rows=plain.tally.rows,
        calls=plain.tally.calls.total() - checked.calls.total(),
        units=plain.tally.read - checked.read,
        count_calls=whole.tally.calls.total() - plain.tally.calls.total(),
        count_units=whole.tally.read - plain.tally.read,
        trips=whole.trips,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    tally: Tally
    returned: int
    next: str
    trips: int = 0


def _ask(service: Service, log: Log, query: Mapping[str, str]) -> _Asked:
    sizes: list[int] = []
    with service.counting() as tally, rounds_heard_by(sizes.append):
        answer = service.call("GET", log.route, query=query).json
    return _Asked(tally, len(answer[log.rows]), answer.get("next_cursor", ""), round_trips(tally, sizes))


def round_trips(tally: Tally, sizes: Sequence[int]) -> int:
    """How many times a request waits for the store: once for each call alone, and for sixteen of a round.

    Args:
        tally: of all calls.
        sizes: how many of them each round has.
    """
    return tally.calls.total() - sum(sizes) + sum(ceil(size / IN_FLIGHT) for size in sizes)


OPEN = frozenset({"status:ongoing"})
"""Queries that several keys answer: open sessions of any type."""


def _results(log: Log, costs: Sequence[Cost]) -> Iterator[Result]:
    """The worst of the queries by each budget; the table has them all."""
    section = f"Page of {PAGE}, {log.name} log, {costs[0].size:,} rows"
    for budget in (budgets.ROWS_PER_ROW, budgets.ROWS_PER_ROW_OF_PRESET):
        judged = [cost for cost in costs if log.queries[cost.query] is budget]
        yield _worst(section, f"{budget.what}, the most", judged, lambda cost: cost.per_row, budget)
    yield _worst(section, "read units, the count left out, the most", costs, lambda cost: cost.units, log.units)
    for name, asked in (("", False), (" of open sessions", True)):
        judged = [cost for cost in costs if (cost.query in OPEN) is asked]
        if judged:
            alone, whole = call_budgets(judged[0].query)
            yield _worst(section, f"calls{name}, the count left out, the most", judged, lambda cost: cost.calls, alone)
            yield _worst(section, f"calls{name}, with the count, the most", judged, _all_calls, whole)
    yield _worst(section, "read units of the count, the most", costs, lambda cost: cost.count_units, None)
    default = [cost for cost in costs if not cost.query]
    trips = budgets.PAGE_ROUND_TRIPS
    yield _worst(section, "round trips, count and token check included", default, lambda cost: cost.trips, trips)
    yield _worst(section, "round trips, count and token check included, the most", costs, lambda cost: cost.trips, None)


def call_budgets(query: str) -> tuple[Budget, Budget]:
    """How many calls a page of a query may take without its count and with it."""
    if query in OPEN:
        return budgets.OPEN_PAGE_CALLS, budgets.COUNTED_OPEN_PAGE_CALLS
    return budgets.PAGE_CALLS, budgets.COUNTED_PAGE_CALLS


def _all_calls(cost: Cost) -> float:
    return cost.calls + cost.count_calls


def _worst(
    section: str, name: str, costs: Sequence[Cost], of: Callable[[Cost], float], budget: Budget | None
) -> Result:
    worst = max(costs, key=of)
    return Result(section, f"{name} ({worst.query or 'no filter'})", of(worst), "", budget)


def costs_table(log: Log, costs: Sequence[Cost]) -> Table:
    """Every query at one size."""
    size = costs[0].size
    return Table(
        f"pages {log.name} {size}",
        f"Pages of {PAGE}, {log.name} log, {size:,} rows; the count apart, the token check left out",
        ("q", "returned", "read per row", "calls", "read units", "calls to count", "units to count"),
        [
            [
                cost.query or "(everything)",
                cost.returned,
                cost.per_row,
                cost.calls,
                cost.units,
                cost.count_calls,
                cost.count_units,
            ]
            for cost in costs
        ],
    )


def _growth(log: Log, costs: Sequence[Cost], sizes: Sequence[int]) -> Iterator[Result]:
    """The worst of the queries that filled their page at both ends."""
    section = f"Growth, {log.name} log, {sizes[0]:,} to {sizes[-1]:,} rows"
    by_place = {(cost.query, cost.size): cost for cost in costs}
    pairs = [(by_place[query, sizes[0]], by_place[query, sizes[-1]]) for query in log.queries]
    whole = [(small, large) for small, large in pairs if small.returned == large.returned == PAGE]
    most = max(large.rows / small.rows for small, large in whole)
    yield Result(section, f"rows read, the worst of {len(whole)} queries", most, "x", budgets.GROWTH_OF_ROWS)
    most = max(large.calls / small.calls for small, large in whole)
    yield Result(section, "calls, the worst of them", most, "x", budgets.GROWTH_OF_CALLS)


def _deep(service: Service, log: Log) -> Iterator[Result]:
    section = f"Deep pages, {log.name} log"
    query = {"limit": str(DEEP_LIMIT), "count": "false"}
    first = asked = _ask(service, log, query)
    for _ in range(DEEP_PAGE - 2):
        following = service.call("GET", log.route, query={**query, "cursor": asked.next}).json["next_cursor"]
        asked = _Asked(asked.tally, asked.returned, following)
    last = _ask(service, log, {**query, "cursor": asked.next})
    assert last.returned == DEEP_LIMIT, "page 1,000 is a full one"  # noqa: S101 - else nothing is compared
    for what, before, after in (
        ("rows read", first.tally.rows, last.tally.rows),
        ("calls", first.tally.calls.total(), last.tally.calls.total()),
        ("read units", first.tally.read, last.tally.read),
    ):
        budget = budgets.CURSOR_GROWTH
        yield Result(section, f"cursor, page {DEEP_PAGE:,} against page 1: {what}", after / before, "x", budget)
    skipping = _ask(service, log, {**query, "limit": str(PAGE), "offset": str(OFFSET)})
    yield Result(section, f"offset {OFFSET:,}: read units", skipping.tally.read, "RRU")
    yield Result(section, f"offset {OFFSET:,}: calls, token check included", skipping.tally.calls.total(), "calls")
