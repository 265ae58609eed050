"""Every write to the embedded engine, on disk before it is answered, so that a process killed at any point loses none.

A journal is a file of lines `{"table": ..., "key": {...}, "item": {...} | null}` in DynamoDB JSON: what an item was
after a write, null when it was gone. Read again, the last line about an item counts, so a journal may well begin before
the snapshot that it is read after. A line that was cut by a kill is the last one, and was never answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.utilities import dynamo_json_dump

from scripts.local.engine import EmbeddedEngine
from scripts.local.snapshot import SnapshotDamaged


class Journal:
    """Writes down, in one file after the other, what an engine's requests have changed.

    Args:
        engine: whose requests are written down, from the first `turn` on.
    """

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._file: int | None = None

    def turn(self, path: Path) -> None:
        """Go on in a new file; what was written before is in the older ones."""
        fresh = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with self._engine.lock:
            before, self._file = self._file, fresh
            self._engine.on_write = self._record
        if before is not None:
            os.close(before)

    def close(self) -> None:
        """Write down no more."""
        with self._engine.lock:
            self._engine.on_write = None
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _record(self, backend: DynamoDBBackend, action: str, body: dict[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 - it is called between `turn` and `close`
        lines = "".join(_line(backend, table, named) for table, named in _touched(action, body))
        os.write(self._file, lines.encode())


def replay(engine: EmbeddedEngine, path: Path) -> int:
    """Put the items of a journal into the tables, and take out those that were gone; answers how many lines it had.

    Raises:
        SnapshotDamaged: a line before the last is none, or names a table that does not exist.
    """
    last: dict[str, dict[str, dict[str, Any] | None]] = {}
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            change = json.loads(line)
            last.setdefault(change["table"], {})[json.dumps(change["key"], sort_keys=True)] = change["item"]
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotDamaged(path, number, "not a line of a journal") from error
    for table, items in last.items():
        if table not in engine.tables():
            raise SnapshotDamaged(path, None, f"there is no table {table!r} to put this into")
        engine.load(table, (item for item in items.values() if item is not None))
        for key, item in items.items():
            if item is None:
                engine.remove(table, json.loads(key))
    return len(lines) - 1


def _touched(action: str, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables and the keys, among other attributes, of the items that a request may have changed."""
    if action in ("PutItem", "UpdateItem", "DeleteItem"):
        yield body["TableName"], body.get("Item") or body["Key"]
    for table, requests in body.get("RequestItems", {}).items():
        for request in requests:
            yield table, request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    for operation in body.get("TransactItems", ()):
        for verb, request in operation.items():
            if verb != "ConditionCheck":
                yield request["TableName"], request.get("Item") or request["Key"]


def _line(backend: DynamoDBBackend, table_name: str, named: dict[str, Any]) -> str:
    table = backend.tables[table_name]
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    key = {name: named[name] for name in names}
    values = [DynamoType(value) for value in key.values()]
    item = table.get_item(values[0], values[1] if len(values) > 1 else None)
    state = dynamo_json_dump(item.attrs) if item else "null"
    return f'{{"table":{json.dumps(table_name)},"key":{dynamo_json_dump(key)},"item":{state}}}\n'
