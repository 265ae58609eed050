"""The rows of the embedded engine in one SQLite file: each write is on disk when it returns, and damage is refused.

    gatebook.db       the rows; of each table how many there are and a digest of them; how many writes there have been
    gatebook.db-wal   the latest writes, which SQLite moves into the file above
    acknowledged      how many writes have been acknowledged, as text

SQLite keeps its files whole through kills and power cuts. Three kinds of damage it does not see by itself, and a start
does: a byte that changed within a row, by the digest of its table; rows that are gone, by the count; and files that do
not belong together or are older than what was acknowledged (another copy of the file, a missing or damaged log of the
latest writes), by the number of writes. `acknowledged` is written after a write is on disk, so it is never ahead of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.local import acknowledged
from scripts.local.acknowledged import Acknowledged
from scripts.local.row_sums import Row, Sum

FILE = "gatebook.db"
LOG_FILE = "gatebook.db-wal"

_APPLICATION_ID = int.from_bytes(b"GtBk")
_FORMAT = 1
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_SCHEMA = """
CREATE TABLE items (name TEXT NOT NULL, key TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID;
CREATE TABLE tables (name TEXT NOT NULL PRIMARY KEY, rows INTEGER NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE book (writes INTEGER NOT NULL);
INSERT INTO book VALUES (0);
"""


class Damaged(Exception):
    """The files cannot be read back as they were written; the text names the file and says what is wrong with it."""


class NotWritten(Exception):
    """A write did not get to disk and nothing of it is kept; the text is the reason."""


def create(directory: Path, rows: Iterable[Row]) -> None:
    """Make the file, with rows in it, at once or not at all.

    Raises:
        OSError: it cannot be written.
        sqlite3.Error: as OSError.
    """
    fresh = directory / f".{FILE}"
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(fresh, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT")
        with _transaction(connection):
            _put(connection, rows, {})
    finally:
        connection.close()
    fresh.replace(directory / FILE)
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Database:
    """The open file of a directory. One at a time, by one thread at a time.

    Args:
        directory: where `create` made it.

    Raises:
        Damaged: it is no file of ours, or not whole, or older than what was acknowledged.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        _check_header(self._path)
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._acknowledged: Acknowledged | None = None
        try:
            # Exclusive, so that SQLite keeps its index of the log in memory: a start needs no room on the disk.
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            ((self._writes,),) = self._connection.execute("SELECT writes FROM book").fetchall()
            self._sums = {
                name: Sum(rows, int(digest, 16))
                for name, rows, digest in self._connection.execute("SELECT name, rows, digest FROM tables")
            }
            self._check_acknowledged(directory / acknowledged.FILE)
            self._acknowledged = Acknowledged(directory / acknowledged.FILE, self._writes)
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            self.close()
            raise Damaged(f"{self._path} is damaged: {error}") from error
        except Damaged:
            self.close()
            raise

    def close(self) -> None:
        """Move the latest writes into the file, where there is room, and let go of it."""
        self._connection.close()
        if self._acknowledged is not None:
            self._acknowledged.close()
            self._acknowledged = None

    def rows(self) -> Iterator[Row]:
        """Every row, by table and key.

        Raises:
            Damaged: at the end, or where reading does not go on: they are not those that were written.
        """
        sums: dict[str, Sum] = {}
        try:
            for checked in self._connection.execute("PRAGMA quick_check(1)"):
                if checked != ("ok",):
                    raise Damaged(f"{self._path} is damaged: {checked[0]}")
            for row in map(Row._make, self._connection.execute("SELECT name, key, item FROM items")):
                sums[row.table] = sums.get(row.table, Sum()).changed(None, row)
                yield row
        except (sqlite3.Error, UnicodeError, TypeError) as error:
            raise Damaged(f"{self._path} is damaged: {error}") from error
        for name in sorted(sums.keys() | self._sums.keys()):
            there, written = sums.get(name, Sum()), self._sums.get(name, Sum())
            if there.rows != written.rows:
                raise Damaged(f"{self._path} is damaged: {name} has {there.rows} rows, and {written.rows} were written")
            if there.digest != written.digest:
                raise Damaged(f"{self._path} is damaged: rows of {name} are not as they were written")

    def row(self, table: str, key: str) -> Row:
        """A row as it is on disk.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        return _row(self._connection, table, key)

    def write(self, rows: Sequence[Row]) -> None:
        """Put rows, or take them out, in one transaction that is on disk when this returns.

        Nothing is written where all rows are as they are on disk.

        Raises:
            NotWritten: the disk is full or fails; nothing of it is kept.
        """
        sums = dict(self._sums)
        try:
            if all(row == self.row(row.table, row.key) for row in rows):
                return
            with _transaction(self._connection):
                _put(self._connection, rows, sums)
                self._connection.execute("UPDATE book SET writes = ?", (self._writes + 1,))
        except sqlite3.Error as error:
            raise NotWritten(f"{self._path} cannot be written: {error}") from error
        self._sums = sums
        self._writes += 1
        if self._acknowledged is not None:
            self._acknowledged.put(self._writes)

    def _check_acknowledged(self, path: Path) -> None:
        try:
            writes = acknowledged.read(path)
        except (OSError, ValueError) as error:
            raise Damaged(f"{path} cannot be read: {error}") from error
        if writes is None and self._writes:
            raise Damaged(
                f"{path} is missing, which says how many writes were acknowledged: put it back, or, if {self._path}"
                f" is known to be whole, write {self._writes} into it"
            )
        if writes is not None and writes > self._writes:
            raise Damaged(
                f"{self._path} holds {self._writes} writes, and {writes} were acknowledged: the latest are"
                f" missing, or {LOG_FILE} is another's; put back the files that belong together, or, to go on without"
                f" those writes, put {self._writes} into {path}"
            )


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise Damaged(f"{path} cannot be read: {error.strerror}") from error
    # https://www.sqlite.org/fileformat.html: user_version is at 60, application_id at 68
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise Damaged(f"{path} is not a database")
    if int.from_bytes(header[68:72]) != _APPLICATION_ID:
        raise Damaged(f"{path} is a database of another program")
    if int.from_bytes(header[60:64]) != _FORMAT:
        raise Damaged(f"{path} is of another version of Gatebook")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some failures.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _put(connection: sqlite3.Connection, rows: Iterable[Row], sums: dict[str, Sum]) -> None:
    names = set()
    for row in rows:
        before = _row(connection, row.table, row.key)
        if row.item is None:
            connection.execute("DELETE FROM items WHERE name = ? AND key = ?", (row.table, row.key))
        else:
            connection.execute("REPLACE INTO items VALUES (?, ?, ?)", row)
        names.add(row.table)
        sums[row.table] = sums.get(row.table, Sum()).changed(
            before if before.item is not None else None, row if row.item is not None else None
        )
    for name in names:
        rows_there, digest = sums[name]
        connection.execute("REPLACE INTO tables VALUES (?, ?, ?)", (name, rows_there, f"{digest:x}"))


def _row(connection: sqlite3.Connection, table: str, key: str) -> Row:
    record = connection.execute("SELECT item FROM items WHERE name = ? AND key = ?", (table, key)).fetchone()
    return Row(table, key, record[0] if record else None)
