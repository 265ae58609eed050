"""The bill: a million events, a million pages and a month, with every lane and lean, beside the peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench import bill, budgets
from bench.cost.size import Item, item_size
from bench.cost.units import Table as StoredTable
from bench.cost.units import write_units
from bench.measures import gate, ingest, pages
from bench.measures.ingest import Cost
from bench.measures.lanes import Choice
from bench.results import Result, Table
from bench.service import Service
from chalicelib.lanes.catalogue import KEPT
from chalicelib.store.dynamodb.definitions import FORGET_AT

SECTION = "The bill, dollars"
_HEADLINE_RATE = 100
"""Events a second."""
_STORAGE_BYTES = 100
"""The bytes that storage adds to each item and to each entry of an index."""

Findings = Iterator[Result | Table]


@dataclass(frozen=True, slots=True)
class Kept:
    """The bytes of an average event for as long as rows are kept.

    Attributes:
        all_bytes: as storage bills them, entries of indexes included.
        row_bytes: the same without indexes, which backups leave out.
        units_to_purge: write units, once its time is over.
    """

    all_bytes: float
    row_bytes: float
    units_to_purge: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """The costs and the stored bytes of events with a set of lanes; the costs are by kind of event."""

    costs: Mapping[str, Cost]
    kept: Kept


def of_events(every: Mapping[str, Cost], lean: Mapping[str, Cost]) -> Findings:
    """The cost of a million events: of each kind alone, and of the mix."""
    rows: list[list[str | float]] = []
    for name, costs, budget in (
        ("all lanes", every, budgets.ALL_LANES_DOLLARS),
        ("lean", lean, budgets.LEAN_DOLLARS),
    ):
        for kind, cost in costs.items():
            one = bill.events(cost.written, cost.read_units, cost.calls)
            rows.append([kind, name, cost.written, one.writes, one.total - one.writes, one.total])
        units, total = bill.mixed({kind: cost.written for kind, cost in costs.items()}), of_the_mix(costs)
        writes = bill.write_dollars(units)
        rows.append(["the mix", name, units, writes, total - writes, total])
        yield Result(SECTION, budget.what, total, "$", budget)
    yield Table(
        "dollars events",
        f"A million events, {bill.ASSUMED['events_a_request']} a request; the mix is {_mix()}",
        ("kind", "lanes", "write units", "$ for writes", "$ for the rest", "$ in all"),
        rows,
    )


def of_the_mix(costs: Mapping[str, Cost]) -> float:
    """Dollars for a million events of the mix."""
    return bill.mixed({kind: bill.events(one.written, one.read_units, one.calls).total for kind, one in costs.items()})


def of_pages(service: Service, checked: Iterable[pages.Cost]) -> Findings:
    """The cost of a million pages, by the largest table that was measured."""
    token = gate.token_check(service)
    costs = [cost for cost in checked if cost.query == ""]
    rows: list[list[str | float]] = []
    for cost in {cost.log: cost for cost in costs}.values():
        more: list[tuple[str, float, int]] = [("", 0, 0), (" and its count", cost.count_units, cost.count_calls)]
        for what, units, calls in more:
            read = cost.units + units + token.read
            one = bill.pages(read, cost.calls + calls + token.calls.total())
            name = f"{cost.log} log, page of {pages.PAGE}{what}"
            rows.append([name, read, one.reads, one.total - one.reads, one.total])
    yield Table(
        "dollars pages",
        "A million pages, nothing filtered, the token check included",
        ("page", "read units", "$ for reads", "$ for the rest", "$ in all"),
        rows,
    )


def of_lanes(choices: Iterable[Choice], key: str, title: str) -> Findings:
    """The cost of each lane, and the reads of its filter with it and without."""
    rows: list[list[str | float]] = [
        [one.log, one.lane, one.units, one.dollars, one.query or "(none of those measured)", one.with_it, one.without]
        for one in choices
    ]
    head = ("log", "lane", "units an event", "$ a million", "dearest query", "read per row", "without it")
    yield Table(
        key, f"{title}: what it costs an event of its log and a million of the mix, what its filter reads", head, rows
    )


def of_months(every: Deployment, lean: Deployment) -> Findings:
    """The cost of a month at each rate, beside the peer."""
    rows: list[list[str | float]] = []
    for size in bill.PRICES["peer"]["sizes"]:
        rate = size["events_a_second"]
        for name, deployed in (("all lanes", every), ("lean", lean)):
            dollars = (
                bill.month(of_the_mix(deployed.costs), rate),
                bill.month(bill.write_dollars(deployed.kept.units_to_purge), rate),
                bill.storage(deployed.kept.all_bytes, rate),
                bill.restore(deployed.kept.row_bytes, rate),
            )
            rows.append([rate, f"Gatebook, {name}", *dollars, sum(dollars)])
        machines, kept = bill.peer(size)
        name = f"the peer: {size['database']}, {size['servers']} x {size['server']}"
        rows.append([rate, name, machines, 0, kept, 0, machines + kept])
    yield Table(
        "dollars months",
        f"A month; rows are kept for {bill.ASSUMED['kept_days']} days, and as many are purged as come in",
        ("events/s", "who", "$ for events or machines", "$ to purge", "$ for storage", "$ to restore", "$ in all"),
        rows,
    )


def of_capacity(service: Service, every: Deployment, pages_read: Iterable[pages.Cost]) -> Findings:
    """The cost of a month in all, by how the tables of the logs are paid."""
    token = gate.token_check(service)
    default = max((one for one in pages_read if not one.query), key=lambda one: one.units + one.count_units)
    page = bill.pages(
        default.units + default.count_units + token.read, default.calls + default.count_calls + token.calls.total()
    )
    number = bill.ASSUMED["pages_a_month"]
    reading = (page.total - page.reads) * number / bill.MILLION + bill.egress(number)
    units = bill.mixed({kind: one.written for kind, one in every.costs.items()}) + every.kept.units_to_purge
    beside = of_the_mix(every.costs) - bill.write_dollars(
        bill.mixed({kind: one.written for kind, one in every.costs.items()})
    )
    rows: list[list[str | float]] = []
    for rate in (size["events_a_second"] for size in bill.PRICES["peer"]["sizes"]):
        read = (default.units + default.count_units + token.read) * number / bill.SECONDS_A_MONTH
        for way in bill.WAYS:
            parts = (
                bill.units_month(way, units * rate, read),
                bill.storage(every.kept.all_bytes, rate, way),
                bill.restore(every.kept.row_bytes, rate),
                bill.month(beside, rate) + reading,
            )
            rows.append([rate, str(way), *parts, sum(parts)])
    for provisioned, budget in ((False, budgets.MONTH_DOLLARS), (True, budgets.PROVISIONED_MONTH_DOLLARS)):
        ways = {str(way) for way in bill.WAYS if way.provisioned is provisioned}
        least = min(float(row[-1]) for row in rows if row[0] == _HEADLINE_RATE and row[1] in ways)
        yield Result(SECTION, budget.what, least, "$", budget)
    yield Table(
        "dollars capacity",
        f"A month of everything: writing, purge, storage of {bill.ASSUMED['kept_days']} days, {number:,} pages with"
        " their counts, logs and egress",
        (
            "events/s",
            "tables of the logs",
            "$ for units",
            "$ for storage",
            "$ to restore",
            "$ for the rest",
            "$ in all",
        ),
        rows,
    )


def deployment(service: Service) -> Deployment:
    """The costs and the stored bytes of events with the present lanes; the tables are empty afterwards."""
    measured = Deployment(ingest.costs(service), _kept(service))
    for table in {kind.table for kind in ingest.KINDS}:
        service.forget(table)
    return measured


def _kept(service: Service) -> Kept:
    items: dict[str, Sequence[Item]] = {}
    for kind in ingest.KINDS:
        if kind.follows:
            # It makes no row, and the row that it changes is weighed as it is in the end.
            del items[kind.follows]
        before = {item["id"]["S"] for known in items.values() for item in known}
        service.call("POST", kind.route, ingest.batch(kind))
        there = [item for item in service.engine.items(kind.table) if item["id"]["S"] not in before]
        items[kind.follows or kind.name] = there

    def of_the_mix(weigh: Callable[[StoredTable, Item], float]) -> float:
        made = {kind.name: (service.table(kind.table), items.get(kind.name, [])) for kind in ingest.KINDS}
        return bill.mixed(
            {
                name: sum(weigh(table, item) for item in stored) / max(1, len(stored))
                for name, (table, stored) in made.items()
            }
        )

    return Kept(
        of_the_mix(lambda table, item: sum(map(_stored, _entries(table, item)))),
        of_the_mix(lambda _, item: _stored(item)),
        of_the_mix(lambda table, item: sum(write_units(table, item, _purged(item)).values())),
    )


def _entries(table: StoredTable, item: Item) -> Iterator[Item]:
    """The item and what each index holds of it."""
    yield item
    yield from (entry for index in table.indexes if (entry := table.entry(item, index)))


def _purged(item: Item) -> Item:
    """The item of a row whose session has ended, if it is one, as the purge leaves it to be deleted."""
    return {name: value for name, value in item.items() if name not in KEPT} | {FORGET_AT: {"N": "1e9"}}


def _stored(item: Item) -> int:
    return item_size(item) + _STORAGE_BYTES


def _mix() -> str:
    return ", ".join(f"{share:.0%} {kind}" for kind, share in bill.ASSUMED["mix"].items())
