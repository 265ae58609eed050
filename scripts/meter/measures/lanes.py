"""What each lane costs, what dropping it saves, and what its filter then reads; and the same of a lean deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.store.lanes import ALL, AUDIT_LANES, CONNECTION_LANES, Lane
from scripts.meter import bill
from scripts.meter.measures import gate, ingest, pages
from scripts.meter.measures.ingest import KINDS
from scripts.meter.measures.pages import Log
from scripts.meter.results import Table
from scripts.meter.service import Service, environment

_LANES: Mapping[str, tuple[Lane, ...]] = {"connection": CONNECTION_LANES, "audit": AUDIT_LANES}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A lane, and a deployment without it.

    Attributes:
        units: write units that an event of its log saves, on the average of the mix.
        dollars: what a million events of the mix save.
        query: the one that it answers which becomes dearest.
        before: rows read per row returned with it.
        after: and without it.
    """

    log: str
    lane: str
    units: float
    dollars: float
    query: str
    before: float
    after: float


def variables(kept: Mapping[str, list[str]]) -> dict[str, str]:
    """The environment of a deployment that keeps some lanes of each log."""
    return {f"GATEBOOK_{log.upper()}_LANES": ",".join(lanes) for log, lanes in kept.items()}


def lean() -> dict[str, str]:
    """The environment of the lean deployment."""
    return variables(bill.ASSUMED["lean"])


def dropped(service: Service, costs: Mapping[str, ingest.Cost]) -> Iterator[Dropped]:
    """Every lane that the events are in but `all`, dropped in turn, on the tables as they are."""
    tables = {kind.name: kind.table for kind in KINDS}
    for log in pages.LOGS:
        answered: dict[str, list[str]] = {}
        for query in log.queries:
            answered.setdefault(_lane(service, log, query), []).append(query)
        for lane in _LANES[log.name]:
            saved = {
                kind: cost.units.get(lane.name, 0) if tables[kind] == log.table else 0 for kind, cost in costs.items()
            }
            if lane.name == ALL or not any(saved.values()):
                continue
            units = sum(bill.ASSUMED["mix"][kind] * some for kind, some in saved.items())
            share = sum(bill.ASSUMED["mix"][kind] for kind in costs if tables[kind] == log.table)
            kept = [other.name for other in _LANES[log.name] if other is not lane]
            worst = _worst(service, log, answered.get(lane.name, []), variables({log.name: kept}))
            query, before, after = worst or ("", 0.0, 0.0)
            yield Dropped(log.name, lane.name, units / share, bill.write_dollars(units), query, before, after)


def measure_lean(service: Service) -> Iterator[Table]:
    """Every query on the lanes of the lean deployment, on the tables as they are."""
    checked = gate.token_check(service)
    with environment(**lean()):
        for log in pages.LOGS:
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


def _worst(
    service: Service, log: Log, queries: list[str], without: Mapping[str, str]
) -> tuple[str, float, float] | None:
    found = []
    checked = gate.token_check(service)
    for query in queries:
        before = pages.page(service, log, query, checked, counted=False).per_row
        with environment(**without):
            found.append((query, before, pages.page(service, log, query, checked, counted=False).per_row))
    return max(found, key=lambda each: each[2], default=None)
