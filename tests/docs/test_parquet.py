"""The line that makes Parquet of an export, run by DuckDB as the documents have it."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.local.served import ROOT, Started, environment, started

SECONDS = 120
PARTS = 40
"""DuckDB looks into the first 32 files of several where it is not told to look into all."""


@pytest.fixture(scope="module")
def service() -> Iterator[Started]:
    with started() as running:
        yield running
        running.end()


def parquet_of(directory: Path) -> Path:
    """The Parquet file that the line makes of an export."""
    (line,) = re.findall(r"^```sql\n(.*?)^```", (ROOT / "docs" / "exports.md").read_text(), re.DOTALL | re.MULTILINE)
    made = directory / "gatebook.parquet"
    line = line.replace("/tmp/gatebook-export", str(directory)).replace("/tmp/gatebook.parquet", str(made))  # noqa: S108
    duckdb.sql(line)
    return made


@pytest.mark.parametrize("log", ["connection", "audit"])
def test_an_export_becomes_parquet_row_for_row(service: Started, tmp_path: Path, log: str) -> None:
    command = [sys.executable, "-m", "scripts.exports.command", "--url", service.url, "--log", log]
    command.append(str(tmp_path))
    subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environment(GATEBOOK_TOKEN=service.token), check=True, timeout=SECONDS
    )
    parts = sorted(tmp_path.glob("part-*"))
    rows = [json.loads(line) for part in parts for line in gzip.decompress(part.read_bytes()).decode().splitlines()]
    assert len(rows) > 100
    table = duckdb.read_parquet(str(parquet_of(tmp_path)))
    assert [str(row_id) for (row_id,) in table.project("id").fetchall()] == [row["id"] for row in rows]
    assert {name for row in rows for name in row} == {*table.columns}


def test_a_field_that_the_last_part_alone_has_is_a_column(tmp_path: Path) -> None:
    for number in range(PARTS):
        row = {"id": str(number), **({"ssh_info": {"exit_code": 7}} if number == PARTS - 1 else {})}
        (tmp_path / f"part-{number:05}.ndjson.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    table = duckdb.read_parquet(str(parquet_of(tmp_path)))
    assert table.aggregate("count(*), max(ssh_info.exit_code)").fetchall() == [(PARTS, 7)]
