"""The bill: a million events, a million pages and a month, with every lane and lean, beside the peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from scripts.meter import bill, budgets
from scripts.meter.cost.size import item_size
from scripts.meter.cost.units import Table as StoredTable
from scripts.meter.measures import gate, ingest, lanes, pages
from scripts.meter.measures.ingest import Cost
from scripts.meter.measures.lanes import Choice
from scripts.meter.results import Result, Table
from scripts.meter.service import Service, environment

SECTION = "The bill, dollars"
_STORAGE_BYTES = 100
"""What storage adds to each item and to each entry of an index."""

Found = Iterator[Result | Table]


def of_events(every: Mapping[str, Cost], lean: Mapping[str, Cost]) -> Found:
    """What a million events cost: of each kind alone, and of the mix."""
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


def of_pages(service: Service, checked: Iterable[pages.Cost]) -> Found:
    """What a million pages cost, by the largest table that was measured."""
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


def of_lanes(choices: Iterable[Choice], key: str, title: str) -> Found:
    """What each lane costs, and what its filter reads with it and without."""
    rows: list[list[str | float]] = [
        [one.log, one.lane, one.units, one.dollars, one.query or "(none of those measured)", one.with_it, one.without]
        for one in choices
    ]
    head = ("log", "lane", "units an event", "$ a million", "dearest query", "read per row", "without it")
    yield Table(
        key, f"{title}: what it costs an event of its log and a million of the mix, what its filter reads", head, rows
    )


def of_months(every: Mapping[str, Cost], lean: Mapping[str, Cost], bytes_every: float, bytes_lean: float) -> Found:
    """What a month costs at each rate, beside the peer."""
    rows: list[list[str | float]] = []
    for size in bill.PRICES["peer"]["sizes"]:
        rate = size["events_a_second"]
        for name, costs, stored in (("all lanes", every, bytes_every), ("lean", lean, bytes_lean)):
            taken, kept = bill.month(of_the_mix(costs), rate), bill.storage(stored, rate)
            rows.append([rate, f"Gatebook, {name}", taken, kept, taken + kept])
        machines, kept = bill.peer(size)
        name = f"the peer: {size['database']}, {size['servers']} x {size['server']}"
        rows.append([rate, name, machines, kept, machines + kept])
    yield Table(
        "dollars months",
        f"A month; rows are kept for {bill.ASSUMED['kept_days']} days, their purge is not in it",
        ("events/s", "who", "$ for events or machines", "$ for storage", "$ in all"),
        rows,
    )


def stored_bytes(service: Service) -> float:
    """Bytes that storage bills for an event of the mix, with the lanes kept now; nothing is left in the tables."""
    found: dict[str, float] = {}
    for kind in ingest.KINDS:
        if kind.follows:
            # It adds to a row that is counted already; what it adds is next to nothing.
            found[kind.name] = 0.0
            continue
        service.call("POST", kind.route, ingest.batch(kind))
        items = service.engine.items(kind.table)
        table = service.table(kind.table)
        found[kind.name] = sum(_stored(table, item) for item in items) / len(items)
        service.forget(kind.table)
    return bill.mixed(found)


def costs_of(service: Service) -> tuple[Mapping[str, Cost], Mapping[str, Cost], float, float]:
    """What events cost and store, with every lane and lean."""
    every = ingest.costs(service)
    bytes_every = stored_bytes(service)
    with environment(**lanes.lean()):
        lean = ingest.costs(service)
        return every, lean, bytes_every, stored_bytes(service)


def _stored(table: StoredTable, item: Mapping[str, Mapping[str, object]]) -> int:
    entries = [item, *(entry for index in table.indexes if (entry := table.entry(item, index)))]
    return sum(item_size(entry) + _STORAGE_BYTES for entry in entries)


def _mix() -> str:
    return ", ".join(f"{share:.0%} {kind}" for kind, share in bill.ASSUMED["mix"].items())
