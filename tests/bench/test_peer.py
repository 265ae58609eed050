"""The peer: found or said to be missing, its rows ours, and the rows that its plans look at counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.peer import compare, server
from bench.peer.schema import PEER_TABLES, PeerTable
from bench.queries import LOGS
from scripts.local.engine import EmbeddedEngine

INSTALLED = shutil.which("psql") and any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.mark.parametrize("open_", [server.temporary, lambda: server.named("postgresql://127.0.0.1/none")])
def test_a_missing_postgresql_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(server, "USUAL_PLACES", str(tmp_path))
    assert callable(open_)
    with pytest.raises(server.NoPostgres, match=r"There is no psql .* install PostgreSQL to compare"), open_():
        pass


@pytest.mark.parametrize("table", PEER_TABLES, ids=lambda table: table.log)
def test_the_peer_is_asked_what_we_are_asked(table: PeerTable) -> None:
    (log,) = (log for log in LOGS if log.name == table.log)
    assert {*table.where} <= {*log.queries}


@pytest.mark.parametrize("table", PEER_TABLES, ids=lambda table: table.log)
def test_rows_are_written_as_copy_reads_them(tables: EmbeddedEngine, table: PeerTable) -> None:
    assert tables.running
    columns = table.create.partition("CREATE TABLE")[2].partition(";")[0].count(",") + 1
    rows = [line.split("\t") for line in table.lines(0, 20)]
    assert {len(row) for row in rows} == {columns}
    assert len({row[0] for row in rows}) == 20


def test_rows_that_a_scan_throws_away_are_rows_read() -> None:
    scan = {"Node Type": "Seq Scan", "Relation Name": "logs", "Actual Rows": 3, "Actual Loops": 2}
    other = {"Node Type": "Index Scan", "Relation Name": "users", "Actual Rows": 1, "Actual Loops": 1}
    bitmap = {"Node Type": "Bitmap Index Scan", "Actual Rows": 500, "Actual Loops": 1}
    plan = {
        "Node Type": "Limit",
        "Plans": [scan | {"Rows Removed by Filter": 7}, other, scan | {"Actual Loops": 1, "Plans": [bitmap]}],
    }
    assert compare._scanned(plan, "logs") == 2 * (3 + 7) + 3


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed, and need not be")
def test_a_temporary_server_answers_every_query_as_many_rows_as_there_are(tables: EmbeddedEngine) -> None:
    assert tables.running
    with server.temporary() as sql:
        peer = compare.measure(sql, [100, 200])
    by_query = {(cost.log, cost.query): cost for cost in peer.costs if cost.size == 200}
    assert {log for log, query in by_query} == {"connection", "audit"}
    assert all(cost.returned <= cost.rows for cost in peer.costs)
    assert by_query["connection", ""].returned == 100
    assert by_query["connection", "status:ongoing"].returned > 0
    assert peer.bytes_a_row["connection"] > 200
