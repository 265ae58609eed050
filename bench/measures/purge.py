"""What it costs to delete what is past its time: write units and calls per row, by the scheduled purge itself."""

from __future__ import annotations

from collections.abc import Iterator

from bench import bill
from bench.queries import LOGS
from bench.results import Result
from bench.service import Service, environment
from chalicelib.lanes.catalogue import POSITION

_ROWS = 1_000


def measure(service: Service) -> Iterator[Result]:
    """Units and calls of a backlog of each log; the tables are empty before and after.

    Raises:
        RuntimeError: a run left rows.
    """
    section = f"Purge, a backlog of {_ROWS:,} rows"
    for log in LOGS:
        items = list(log.items(1, _ROWS + 1))
        past = {item["id"]["S"] for item in items}
        service.engine.load(log.table, items)
        with environment(**{f"CODER_{log.name.upper()}_LOGS_RETENTION": "1s"}), service.counting() as tally:
            service.purge()
        # A session that was never closed leaves a tombstone, which has no position.
        left = sum(POSITION in item and item["id"]["S"] in past for item in service.engine.items(log.table))
        if left:
            raise RuntimeError(f"the purge left {left} rows of the {log.name} log")
        service.forget(log.table)
        yield Result(section, f"{log.name} log: write units per row", tally.written / _ROWS, "WRU")
        dollars = bill.write_dollars(tally.written / _ROWS)
        yield Result(section, f"{log.name} log: dollars for the writes of a million rows", dollars, "$")
        yield Result(section, f"{log.name} log: read units per row", tally.read / _ROWS, "RRU")
        yield Result(section, f"{log.name} log: calls per row", tally.calls.total() / _ROWS, "calls")
