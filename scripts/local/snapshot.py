"""The embedded engine's items on disk: one file per table, each whole or not there, read back strictly.

A table's file is `<table>.table.jsonl`, one item a line in DynamoDB JSON: `{"id": {"S": "a"}, "raw": {"B": "AP8="}}`.
Only items are kept; who restores makes the tables first.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.local.engine import EngineError

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine

SUFFIX = ".table.jsonl"

Item = dict[str, Any]


class SnapshotDamaged(Exception):
    """A snapshot that cannot be read back as it is; the text names the file, the line (from 1) and what is wrong."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if line is None else f"{path}, line {line}: {reason}")
        self.path = path
        self.line = line


def save(engine: EmbeddedEngine, directory: Path) -> int:
    """Writes every item of every table, as they were at one moment; answers how many.

    The directory is made when it is missing. A file is replaced at once or not at all, and is readable by its owner
    alone. Files of tables that exist no more go.

    Raises:
        OSError: the directory cannot be written; files not reached yet are as they were.
    """
    with engine.lock:
        tables = {table: engine.items(table) for table in engine.tables()}
    directory.mkdir(parents=True, exist_ok=True)
    for table, items in tables.items():
        _replace(directory / f"{table}{SUFFIX}", items)
    for path in directory.glob(f"*{SUFFIX}"):
        if path.name.removesuffix(SUFFIX) not in tables:
            path.unlink()
    return sum(map(len, tables.values()))


def restore(engine: EmbeddedEngine, directory: Path) -> int:
    """Puts every item of the snapshot into the tables, which must exist; answers how many.

    A missing directory is an empty snapshot. Everything is read before anything is put.

    Raises:
        SnapshotDamaged: a line is no item, a table does not take it, or a table of the snapshot does not exist.
        OSError: a file cannot be read.
    """
    with engine.lock:
        tables = set(engine.tables())
        snapshot: dict[Path, list[Item]] = {}
        for path in sorted(directory.glob(f"*{SUFFIX}")):
            if _table(path) not in tables:
                raise SnapshotDamaged(path, None, f"there is no table {_table(path)!r} to put this into")
            with path.open("rb") as lines:
                snapshot[path] = [_item(path, number, line) for number, line in enumerate(lines, start=1)]
        for path, items in snapshot.items():
            for number, item in enumerate(items, start=1):
                try:
                    engine.load(_table(path), [item])
                except EngineError as error:
                    raise SnapshotDamaged(path, number, str(error)) from error
        return sum(map(len, snapshot.values()))


def _table(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)


def _replace(path: Path, items: Iterable[Item]) -> None:
    # One name per table, so that what a crash leaves behind is written over by the next snapshot.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(item, separators=(",", ":")) + "\n" for item in items)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _item(path: Path, number: int, line: bytes) -> Item:
    try:
        item = json.loads(line)
    except ValueError as error:
        raise SnapshotDamaged(path, number, "not a line of JSON") from error
    if not _is_map(item):
        raise SnapshotDamaged(path, number, "not an item in DynamoDB JSON")
    return item  # type: ignore[no-any-return]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and base64.b64encode(base64.b64decode(value)).decode() == value
    except ValueError:
        return False


def _each(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_value, value.values()))


def _is_value(value: object) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((kind, content),) = value.items()
    return kind in _KINDS and _KINDS[kind](content)


# The types of DynamoDB and what their values look like; that a number is one, the table checks.
_KINDS: Mapping[str, Callable[[object], bool]] = {
    "S": _is_text,
    "N": _is_text,
    "B": _is_base64,
    "BOOL": lambda value: isinstance(value, bool),
    "NULL": lambda value: value is True,
    "SS": _each(_is_text),
    "NS": _each(_is_text),
    "BS": _each(_is_base64),
    "L": _each(_is_value),
    "M": _is_map,
}
