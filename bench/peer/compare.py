"""Runs the filters of both logs over the same rows on both sides: rows read per row returned, and milliseconds.

Rows read are those that the scans of the log's table looked at, by EXPLAIN ANALYZE, those thrown away included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.measures.pages import PAGE, Cost
from bench.peer.schema import PEER_TABLES, USERS, PeerTable, user_lines
from bench.peer.server import Sql
from bench.results import Table

COUNT_CAP = 2_001
_RUNS = 5


@dataclass(frozen=True, slots=True)
class PeerCost:
    """The cost of one page of one query at the peer.

    Attributes:
        size: rows in the table.
        returned: rows in the page.
        rows: rows that the scans looked at for it.
        milliseconds: to plan and run it, the best of some runs.
        count_rows: rows looked at to count to the cap.
        count_milliseconds: to plan and run that.
    """

    log: str
    query: str
    size: int
    returned: int
    rows: int
    milliseconds: float
    count_rows: int
    count_milliseconds: float

    @property
    def per_row(self) -> float:
        """Rows read per row returned."""
        return self.rows / max(1, self.returned)


@dataclass(frozen=True, slots=True)
class Peer:
    """The measurements of the peer.

    Attributes:
        version: as it tells it.
        costs: of every query at every size.
        bytes_a_row: log -> bytes on disk of a row, indexes included, at the largest size.
    """

    version: str
    costs: Sequence[PeerCost]
    bytes_a_row: Mapping[str, float]


def measure(sql: Sql, sizes: Sequence[int]) -> Peer:
    """Load the rows and run every query at every size."""
    sql(USERS + _copy("users", user_lines()))
    costs: list[PeerCost] = []
    sizes_on_disk: dict[str, float] = {}
    for table in PEER_TABLES:
        sql(table.create)
        for loaded, size in pairwise([0, *sizes]):
            sql(_copy(table.name, table.lines(loaded, size)))
            sql(f"VACUUM ANALYZE {table.name}")
            costs += [_page(sql, table, query, size) for query in table.where]
            sizes_on_disk[table.log] = int(sql(f"SELECT pg_total_relation_size('{table.name}')")) / size
    return Peer(sql("SHOW server_version").strip(), costs, sizes_on_disk)


def tables(peer: Peer, costs: Sequence[Cost]) -> Iterator[Table]:
    """Both side by side, by log and size."""
    ours = {(cost.log, cost.query, cost.size): cost for cost in costs}
    for log, size in dict.fromkeys((cost.log, cost.size) for cost in peer.costs):
        measured = [cost for cost in peer.costs if (cost.log, cost.size) == (log, size)]
        yield Table(
            f"peer {log} {size}",
            f"Pages of {PAGE}, {log} log, {size:,} rows: Gatebook beside PostgreSQL {peer.version}",
            ("q", "returned", "read per row", "PostgreSQL's", "its ms", "its count reads", "its count ms"),
            [_row(cost, ours.get((log, cost.query, size))) for cost in measured],
        )


def _row(cost: PeerCost, own: Cost | None) -> list[str | float]:
    return [
        cost.query or "(everything)",
        cost.returned,
        "" if own is None else own.per_row,
        cost.per_row,
        cost.milliseconds,
        cost.count_rows,
        cost.count_milliseconds,
    ]


def _page(sql: Sql, table: PeerTable, query: str, size: int) -> PeerCost:
    rows = f"FROM {table.name} WHERE {table.where[query]}"
    page = _best(sql, table, f"SELECT * {rows} ORDER BY {table.time} DESC, id DESC LIMIT {PAGE}")
    count = _best(sql, table, f"SELECT count(*) FROM (SELECT {rows} LIMIT {COUNT_CAP}) AS capped")  # noqa: S608 - made of our own tables
    return PeerCost(table.log, query, size, page.returned, page.rows, page.milliseconds, count.rows, count.milliseconds)


@dataclass(frozen=True, slots=True)
class _Run:
    returned: int
    rows: int
    milliseconds: float


def _best(sql: Sql, table: PeerTable, select: str) -> _Run:
    explained = "".join(f"EXPLAIN (ANALYZE, FORMAT JSON) {select};\n" for _ in range(_RUNS))
    text, runs = sql(explained).strip(), []
    decoder = json.JSONDecoder()
    while text:
        ((plan,), end) = decoder.raw_decode(text)
        text = text[end:].lstrip()
        took = plan["Planning Time"] + plan["Execution Time"]
        runs.append(_Run(int(plan["Plan"]["Actual Rows"]), _scanned(plan["Plan"], table.name), took))
    return min(runs, key=lambda run: run.milliseconds)


def _scanned(plan: Mapping[str, Any], table: str) -> int:
    """Rows that the scans of a table looked at, those that a filter removed included."""
    below = sum(_scanned(part, table) for part in plan.get("Plans", ()))
    if plan.get("Relation Name") != table:
        return below
    looked = sum(
        plan.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    )
    return below + int(looked * plan["Actual Loops"])


def _copy(table: str, lines: Iterator[str]) -> str:
    return "\n".join([f"COPY {table} FROM STDIN;", *lines, "\\.", ""])
