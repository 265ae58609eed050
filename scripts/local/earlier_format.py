"""A data directory as it was before the database, read whole or refused: snapshots, and journals of the writes since.

    current           a link to the snapshot that counts, or a copy of it
    snapshot-<N>      one `<table>.table.jsonl` for each table, an item in DynamoDB JSON on each line
    journal-<N>       a line `{"table": ..., "key": {...}, "item": {...} | null}` for each write; it counts from the
                      snapshot of the same N on

Nothing of it is changed or deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.local import acknowledged
from scripts.local.database import FILE, LOG_FILE, Damaged
from scripts.local.dynamodb_json import is_item
from scripts.local.row_sums import Row

_TABLE_FILE = ".table.jsonl"
_TABLES = ("api_keys", "audit_logs", "connection_logs", "organizations", "retention_runs", "users")
_TOKEN_FILE = "owner-token"  # noqa: S105 - the name of a file

KeyNames = Callable[[str], list[str] | None]
"""The names of the key attributes of a table, in order; None where there is no such table."""


def rows(directory: Path, key_names: KeyNames) -> Iterator[Row]:
    """Every row of a directory; none where it is new.

    Raises:
        Damaged: something of it is missing, or cannot be read.
    """
    snapshot, since = _snapshot(directory)
    items: dict[tuple[str, str], dict[str, Any] | None] = {}
    if snapshot:
        _check_tables(snapshot)
    for path in sorted(snapshot.glob(f"*{_TABLE_FILE}")) if snapshot else []:
        table = path.name.removesuffix(_TABLE_FILE)
        for number, item in _lines(path, path.read_bytes()):
            if not is_item(item):
                raise Damaged(f"{path}, line {number}: not an item in DynamoDB JSON")
            items[table, _key(item, _known(key_names, table, path), path, number)] = item
    for path in _numbered(directory, "journal"):
        if _number(path) >= since:
            # A kill may have cut the last line, and nobody has heard of that write.
            written, cut, _ = path.read_bytes().rpartition(b"\n")
            for number, change in _lines(path, written + cut):
                _apply(change, items, key_names, path, number)
    for (table, key), item in items.items():
        if item is not None:
            yield Row(table, key, json.dumps(item))


def exists(directory: Path) -> bool:
    """Whether a directory holds rows as they were kept before."""
    current = directory / "current"
    return current.is_symlink() or current.exists() or any(_numbered(directory, "snapshot", "journal"))


def check_new(directory: Path) -> None:
    """Make sure that a directory without a database never had one.

    Raises:
        Damaged: something is there that was beside one.
    """
    for name in (LOG_FILE, acknowledged.FILE, _TOKEN_FILE):
        if (directory / name).exists() and not exists(directory):
            raise Damaged(f"{directory / FILE} is missing, and {name} is there, which was made with it; put it back")


def _check_tables(snapshot: Path) -> None:
    for table in _TABLES:
        if not any(snapshot.glob(f"*{table}{_TABLE_FILE}")):
            raise Damaged(f"{snapshot}: the file of the table {table} is missing")


def _snapshot(directory: Path) -> tuple[Path | None, int]:
    """The snapshot that counts, None where there never was one, and its number."""
    current, numbered = directory / "current", _numbered(directory, "snapshot")
    if current.is_dir():
        if current.is_symlink():
            return current, _number(current.resolve())
        if len(numbered) == 1:
            return current, _number(numbered[0])
        raise Damaged(
            f"{current} is a copy, and with {len(numbered)} snapshots beside it its journals cannot be told; make it a"
            " link to its snapshot"
        )
    if current.is_symlink() or current.exists():
        raise Damaged(f"{current} leads to no snapshot; make it a link to the latest of what is there")
    if numbered or (directory / _TOKEN_FILE).exists():
        there = ", ".join(path.name for path in numbered) or "no snapshot"
        raise Damaged(f"{current} is missing, with {there} beside it; make it a link to the latest snapshot")
    return None, 0


def _numbered(directory: Path, *kinds: str) -> list[Path]:
    pattern = re.compile(rf"({'|'.join(kinds)})-[0-9]+")
    return sorted((path for path in directory.iterdir() if pattern.fullmatch(path.name)), key=_number)


def _number(path: Path) -> int:
    number = path.name.rpartition("-")[2]
    if not (number.isascii() and number.isdigit()):
        raise Damaged(f"{path} is named as no snapshot is")
    return int(number)


def _lines(path: Path, data: bytes) -> Iterator[tuple[int, Any]]:
    if data and not data.endswith(b"\n"):
        raise Damaged(f"{path} is cut short")
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise Damaged(f"{path}, line {number}: not a line of JSON") from error
        yield number, value


def _apply(
    change: Any,  # noqa: ANN401 - any JSON value
    items: dict[tuple[str, str], dict[str, Any] | None],
    key_names: KeyNames,
    path: Path,
    number: int,
) -> None:
    match change:
        case {"table": str(table), "key": key, "item": item} if is_item(key) and (item is None or is_item(item)):
            names = _known(key_names, table, path)
            items[table, _key(key, names, path, number)] = item
        case _:
            raise Damaged(f"{path}, line {number}: not a line of a journal")


def _known(key_names: KeyNames, table: str, path: Path) -> list[str]:
    names = key_names(table)
    if names is None:
        raise Damaged(f"{path}: there is no table {table!r} to put this into")
    return names


def _key(item: dict[str, Any], names: list[str], path: Path, number: int) -> str:
    try:
        return json.dumps([item[name] for name in names])
    except KeyError as error:
        raise Damaged(f"{path}, line {number}: it lacks the key {error}") from error
