"""The cost of each lane, the saving of dropping it, and the reads of its filter then; also of a lean deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench import bill
from bench.measures import gate, ingest, pages
from bench.measures.ingest import KINDS
from bench.queries import LOGS, Log
from bench.results import Table
from bench.service import Service, environment
from chalicelib.lanes.catalogue import ALL, AUDIT_LANES, CONNECTION_LANES, Lane

_LANES: Mapping[str, tuple[Lane, ...]] = {"connection": CONNECTION_LANES, "audit": AUDIT_LANES}


@dataclass(frozen=True, slots=True)
class Choice:
    """A lane, and a deployment that has it beside one that has not.

    Attributes:
        units: write units of it that an event of its log takes, on the average of the mix.
        dollars: what a million events of the mix cost more with it.
        query: the one that it answers which is dearest without it.
        with_it: rows read per row returned.
        without: the same without it.
    """

    log: str
    lane: str
    units: float
    dollars: float
    query: str
    with_it: float
    without: float


Costs = Mapping[str, ingest.Cost]


def variables(kept: Mapping[str, list[str]]) -> dict[str, str]:
    """The environment of a deployment that keeps these lanes of each log."""
    return {f"GATEBOOK_{log.upper()}_LANES": ",".join(lanes) for log, lanes in kept.items()}


def lean() -> dict[str, str]:
    """The environment of the lean deployment."""
    return variables(bill.ASSUMED["lean"])


def dropped(service: Service, costs: Costs) -> Iterator[Choice]:
    """Every lane that the events are in but `all`, dropped in turn, on the tables as they are."""
    checked = gate.token_check(service)
    for log in LOGS:
        answered: dict[str, list[str]] = {}
        for query in log.queries:
            answered.setdefault(_lane(service, log, query), []).append(query)
        for lane in _LANES[log.name]:
            units, dollars = _price(log, {kind: cost.units.get(lane.name, 0) for kind, cost in costs.items()})
            if lane.name == ALL or not units:
                continue
            kept = [other.name for other in _LANES[log.name] if other is not lane]
            compared = []
            for query in answered.get(lane.name, []):
                with_it = pages.page(service, log, query, checked, counted=False)
                with environment(**variables({log.name: kept})):
                    without = pages.page(service, log, query, checked, counted=False)
                compared.append((query, with_it.per_row, without.per_row))
            worst = max(compared, key=lambda query_costs: query_costs[2], default=("", 0.0, 0.0))
            yield Choice(log.name, lane.name, units, dollars, *worst)


def costs_of_optional(service: Service) -> dict[str, Costs]:
    """The cost of events with each optional lane beside the others; the tables are empty afterwards."""
    by_lane: dict[str, Costs] = {}
    for log in LOGS:
        for lane in log.optional:
            with environment(**variables({log.name: ["*", lane]})):
                by_lane[lane] = ingest.costs(service)
    return by_lane


def added(service: Service, optional: Mapping[str, Costs]) -> Iterator[Choice]:
    """Every optional lane, added in turn, on the tables as they are; their rows have its keys already."""
    checked = gate.token_check(service)
    for log in LOGS:
        for lane, query in log.optional.items():
            of_kinds = {kind: cost.units.get(lane, 0) for kind, cost in optional[lane].items()}
            without = pages.page(service, log, query, checked, counted=False)
            with environment(**variables({log.name: ["*", lane]})):
                with_it = pages.page(service, log, query, checked, counted=False)
            yield Choice(log.name, lane, *_price(log, of_kinds), query, with_it.per_row, without.per_row)


def _price(log: Log, units: Mapping[str, float]) -> tuple[float, float]:
    """The cost of one lane: units on the average of the log's own events, and dollars for a million of the mix."""
    own = {kind.name for kind in KINDS if kind.table == log.table}
    total = sum(share * units[kind] for kind, share in bill.ASSUMED["mix"].items() if kind in own)
    share = sum(bill.ASSUMED["mix"][kind] for kind in own)
    return total / share, bill.write_dollars(total)


def measure_lean(service: Service) -> Iterator[Table]:
    """Every query on the lanes of the lean deployment, on the tables as they are."""
    checked = gate.token_check(service)
    with environment(**lean()):
        for log in LOGS:
            costs = [pages.page(service, log, query, checked, counted=False) for query in log.queries]
            yield Table(
                f"lean {log.name}",
                f"Lean, {log.name} log: lanes {', '.join(bill.ASSUMED['lean'][log.name])}; the count left out",
                ("q", "returned", "read per row", "calls", "read units"),
                [[cost.query or "(everything)", cost.returned, cost.per_row, cost.calls, cost.units] for cost in costs],
            )


def _lane(service: Service, log: Log, query: str) -> str:
    asked = {"q": query, "limit": "1", "count": "false", "explain": "true"}
    return str(service.call("GET", log.route, query=asked).json["explain"]["lane"])
