"""The cost of ingest: write units and calls of each kind of event, and the part of every lane in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import budgets, events
from bench.budgets import Budget
from bench.cost.meter import Tally
from bench.queries import AUDIT_ROUTE, CONNECTION_ROUTE
from bench.results import Result
from bench.service import Service
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS

EVENTS_A_REQUEST = 100

_FIRST = 500
"""The events of a working day ago."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event.

    Attributes:
        name: what a price list calls it.
        route: where it is sent.
        table: where its rows are.
        make: the event of a number.
        follows: the kind whose events must have come before.
        budget: of the write units of one, where there is one.
    """

    name: str
    route: str
    table: str
    make: Callable[[int], dict[str, Any]]
    follows: str = ""
    budget: Budget | None = None


KINDS = (
    Kind("connect", CONNECTION_ROUTE, CONNECTION_LOGS.table_name, events.opening),
    Kind("disconnect", CONNECTION_ROUTE, CONNECTION_LOGS.table_name, events.closing, follows="connect"),
    Kind("web", CONNECTION_ROUTE, CONNECTION_LOGS.table_name, events.web, budget=budgets.WEB_WRITE_UNITS),
    Kind("audit", AUDIT_ROUTE, AUDIT_LOGS.table_name, events.audit, budget=budgets.AUDIT_WRITE_UNITS),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one event of a kind when a hundred come in a request.

    Attributes:
        units: write units by lane, that of the row itself under the empty name.
        calls: to the store, those of the token check included.
        read_units: those of the token check.
    """

    units: Mapping[str, float]
    calls: float
    read_units: float

    @property
    def written(self) -> float:
        """Write units in all."""
        return sum(self.units.values())


def costs(service: Service) -> dict[str, Cost]:
    """The cost of every kind of event with the present lanes, by name; the tables are empty afterwards.

    Raises:
        RuntimeError: a request was refused, or not every event of it was stored.
    """
    by_name = {kind.name: _cost(service, kind) for kind in KINDS}
    for table in {kind.table for kind in KINDS}:
        service.forget(table)
    return by_name


def measure(service: Service) -> Iterator[Result]:
    """Units and calls of each kind."""
    section = f"Ingest, {EVENTS_A_REQUEST} events a request"
    known = costs(service)
    for kind in KINDS:
        cost = known[kind.name]
        yield Result(section, f"{kind.name}: write units per event", cost.written, "WRU", kind.budget)
        yield Result(section, f"{kind.name}: calls to DynamoDB per event", cost.calls, "calls")
    session = known["connect"].written + known["disconnect"].written
    yield Result(section, "session: connect + disconnect together", session, "WRU", budgets.SESSION_WRITE_UNITS)


def batch(kind: Kind, first: int = _FIRST) -> Sequence[dict[str, Any]]:
    """The events of one request."""
    return [kind.make(number) for number in range(first, first + EVENTS_A_REQUEST)]


def _cost(service: Service, kind: Kind) -> Cost:
    with service.counting() as tally:
        answer = service.call("POST", kind.route, batch(kind))
    stored = answer.json["created"] + answer.json["updated"]
    if stored != EVENTS_A_REQUEST:
        raise RuntimeError(f"of {EVENTS_A_REQUEST} events of kind {kind.name} {stored} were stored")
    return Cost(_by_lane(tally, kind.table), tally.calls.total() / EVENTS_A_REQUEST, tally.read / EVENTS_A_REQUEST)


def _by_lane(tally: Tally, table: str) -> Mapping[str, float]:
    units: Counter[str] = Counter()
    for (where, lane), number in tally.write_units.items():
        if where == table:
            units[lane] += number
    return {lane: number / EVENTS_A_REQUEST for lane, number in units.items()}
