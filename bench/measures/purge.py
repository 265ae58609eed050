"""The cost of the purge: write units and calls per row, of the scheduled purge itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count, islice

from bench import bill, budgets, events
from bench.budgets import Budget
from bench.cost.meter import Tally
from bench.queries import AUDIT, CONNECTION, Log
from bench.results import Result
from bench.rows import audit_log, connection_log, item_of
from bench.service import Service, environment
from chalicelib.records import AuditLog, ConnectionLog
from chalicelib.store.dynamodb.tables import RetentionItem
from chalicelib.store.logs.stamps import is_row

_ROWS = 400
_EVENTS_ARE_KEPT = timedelta(days=91)
"""At the longest, whatever the settings."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row.

    Attributes:
        name: what it is called.
        log: the log that it is in.
        rows: makes any number of them.
        budget: of the write units of one, where there is one.
    """

    name: str
    log: Log
    rows: Callable[[], Iterator[ConnectionLog | AuditLog]]
    budget: Budget | None = None


def _sessions(*, ended: bool) -> Iterator[ConnectionLog]:
    return (connection_log(number) for number in count(2, 2) if events.has_ended(number) is ended)


KINDS = (
    Kind("web event", CONNECTION, lambda: map(connection_log, count(1, 2)), budgets.PURGE_WRITE_UNITS),
    Kind("closed session", CONNECTION, lambda: _sessions(ended=True), budgets.PURGE_WRITE_UNITS),
    Kind("session that never ended", CONNECTION, lambda: _sessions(ended=False)),
    Kind("audit row", AUDIT, lambda: map(audit_log, count(1)), budgets.PURGE_WRITE_UNITS),
    Kind(
        "connection event of the audit log",
        AUDIT,
        lambda: (replace(row, action="open", time=row.time - _EVENTS_ARE_KEPT) for row in map(audit_log, count(1))),
        budgets.PURGE_EVENT_WRITE_UNITS,
    ),
)


def measure(service: Service) -> Iterator[Result]:
    """Units and calls of each row of a backlog but the first, by kind; the tables are empty before and after.

    What every run costs, its record and its trail, is the first row's.

    Raises:
        RuntimeError: a run left rows.
    """
    section = f"Purge, a backlog of {_ROWS:,} rows"
    for kind in KINDS:
        table = kind.log.table
        first, every = _purged(service, kind, 1), _purged(service, kind, _ROWS)
        units = (every.written_to(table) - first.written_to(table)) / (_ROWS - 1)
        yield Result(section, f"{kind.name}: write units per row", units, "WRU", kind.budget)
        yield Result(section, f"{kind.name}: dollars for the writes of a million rows", bill.write_dollars(units), "$")
        yield Result(section, f"{kind.name}: read units per row", (every.read - first.read) / (_ROWS - 1), "RRU")
        calls = (every.calls.total() - first.calls.total()) / (_ROWS - 1)
        yield Result(section, f"{kind.name}: calls per row", calls, "calls")


def _purged(service: Service, kind: Kind, number: int) -> Tally:
    """The cost of purging so many rows."""
    table = kind.log.table
    items = [item_of(row) for row in islice(kind.rows(), number)]
    past = {item["id"]["S"] for item in items}
    service.engine.load(table, items)
    with environment(**{f"CODER_{kind.log.name.upper()}_LOGS_RETENTION": "1s"}), service.counting() as tally:
        service.purge()
    left = sum(is_row(item) and item["id"]["S"] in past for item in service.engine.items(table))
    if left:
        raise RuntimeError(f"the purge left {left} rows of the kind {kind.name}")
    service.forget(table)
    # The next run is to find its backlog as the first run of all finds one.
    service.forget(RetentionItem.Meta.table_name)
    return tally
