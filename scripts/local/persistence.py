"""The embedded engine kept in a directory: its rows at the start, and each write before it is answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.utilities import dynamo_json_dump

from scripts.local import earlier_format
from scripts.local.data_directory import StartError
from scripts.local.database import FILE, Damaged, Database, NotWritten, create
from scripts.local.engine import EmbeddedEngine, EngineError
from scripts.local.moto_door import NotStored, parsed
from scripts.local.moto_table import Touched
from scripts.local.row_sums import Row


class Persistence:
    """Keeps what an engine holds, from `restore` to `close`.

    Args:
        engine: has its tables already.
        directory: the data directory, held against other processes.
    """

    def __init__(self, engine: EmbeddedEngine, directory: Path) -> None:
        self._engine = engine
        self._directory = directory
        self._database: Database | None = None

    def restore(self) -> int:
        """Fill the tables with what was kept, and keep every write from now on; answers how many rows there were.

        Raises:
            StartError: what is there is damaged or belongs to something else. It is left as it is.
        """
        is_new = not (self._directory / FILE).exists()
        try:
            if is_new:
                earlier_format.check_new(self._directory)
                rows = list(earlier_format.rows(self._directory, self._engine.key_names))
            else:
                self._database = Database(self._directory)
                rows = list(self._database.rows())
            for table, group in groupby(sorted(rows), attrgetter("table")):
                self._engine.load(table, (json.loads(row.item or "") for row in group))
            if is_new:
                create(self._directory, rows)
                self._database = Database(self._directory)
        except (Damaged, EngineError, OSError, sqlite3.Error) as error:
            self.close()
            raise StartError(f"--data {self._directory}: {error}; repair it or give another directory") from error
        self._engine.on_write = self._write
        return len(rows)

    def close(self) -> None:
        """Keep no more writes, and let go of the files."""
        with self._engine.lock:
            self._engine.on_write = None
            if self._database is not None:
                self._database.close()
                self._database = None

    def _write(self, touched: Sequence[Touched]) -> None:
        database = self._database
        assert database is not None  # noqa: S101 - writes are heard of between `restore` and `close`
        rows = [_row(one) for one in touched]
        try:
            database.write(rows)
        except NotWritten as error:
            try:
                for one, row in zip(touched, rows, strict=True):
                    _put_back(one, database.row(row.table, row.key).item)
            except sqlite3.Error as reading:
                self._engine.halt(f"{error}; nor can it be read ({reading}): start again")
            raise NotStored(str(error)) from error


def _row(touched: Touched) -> Row:
    table, hash_key, range_key = touched
    key = [value for value in (hash_key, range_key) if value is not None]
    item = table.get_item(hash_key, range_key)
    return Row(table.name, dynamo_json_dump(key), dynamo_json_dump(item.attrs) if item else None)


def _put_back(touched: Touched, stored: str | None) -> None:
    table, hash_key, range_key = touched
    table.put_back(hash_key, range_key, Item(hash_key, range_key, parsed(stored)) if stored else None)
