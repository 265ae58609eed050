"""Counts what every request of the store costs, on its way to the engine.

It is a transport before the engine's own. Before and after a write it asks the engine itself for the item; a page of a
query is read again with all that its entries have. So nothing is taken from ConsumedCapacity, which emulators get
wrong, nor from what an answer leaves out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from bench.cost.size import Item, item_size
from bench.cost.units import TRANSACTION, Consistency, Table, read_units, refused_units, write_units
from chalicelib.store.dynamodb.transport import Transport, replaced_by
from scripts.local.moto_statements import Insert, statement_of

_PLACEHOLDER = re.compile(r"[#:]\w+")
_REFUSED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})
_SHAPES_WHAT_IS_SENT = frozenset({"Select", "ProjectionExpression", "FilterExpression", "AttributesToGet"})

Answer = dict[str, Any]


@dataclass
class Tally:
    """The cost of several requests.

    Attributes:
        calls: operation -> how many requests.
        write_units: (table, index) -> units; the row itself under the empty index.
        written_by: operation -> write units.
        read_units: (table, index) -> units.
        rows: how many rows or entries queries read to send them.
        counted: how many they read only to count them.
    """

    calls: Counter[str] = field(default_factory=Counter)
    write_units: Counter[tuple[str, str]] = field(default_factory=Counter)
    written_by: Counter[str] = field(default_factory=Counter)
    read_units: dict[tuple[str, str], float] = field(default_factory=dict)
    rows: int = 0
    counted: int = 0

    @property
    def written(self) -> int:
        """Write units in all."""
        return self.write_units.total()

    def written_to(self, table: str) -> int:
        """Write units of a table and its indexes."""
        return sum(units for (name, _), units in self.write_units.items() if name == table)

    @property
    def read(self) -> float:
        """Read units in all."""
        return sum(self.read_units.values())

    def add_read(self, table: str, index: str, units: float) -> None:
        """Add read units."""
        self.read_units[table, index] = self.read_units.get((table, index), 0.0) + units


class _Write(NamedTuple):
    table: Table
    key: Item
    factor: int
    incoming: Item | None
    """The item of a put; of an update it is not known unless the update is made."""


class Meter:
    """A transport that counts the requests of all threads, one at a time.

    Args:
        beneath: the transport that answers them, and the meter's own.
    """

    def __init__(self, beneath: Transport) -> None:
        self._beneath = beneath
        self._tables: dict[str, Table] = {}
        self._lock = RLock()
        self._tally = Tally()

    @contextmanager
    def counting(self) -> Iterator[Tally]:
        """A tally of what the store sends meanwhile."""
        self._tally = tally = Tally()
        with replaced_by(self):
            yield tally

    def send(self, operation: str, request: Mapping[str, Any], /) -> Answer:
        """Count a request, and answer it."""

        def send() -> Answer:
            return self._beneath.send(operation, request)

        with self._lock:
            self._tally.calls[operation] += 1
            reader = getattr(self, f"_read_{operation}", None)
            return reader(request, send) if reader else self._write(operation, request, send)

    def _write(self, operation: str, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:
        writes = list(self._writes(operation, body))
        before = [self._stored(write) for write in writes]
        try:
            answer = send()
        except ClientError as error:
            if error.response["Error"]["Code"] in _REFUSED:
                for write, stood in zip(writes, before, strict=True):
                    self._count(operation, write, {"": refused_units(stood, write.incoming)})
            raise
        unprocessed = list(self._writes("BatchWriteItem", {"RequestItems": answer.get("UnprocessedItems") or {}}))
        responses = answer.get("Responses") or [{}] * len(writes)
        for write, stood, response in zip(writes, before, responses, strict=True):
            if "Error" in response:
                self._count(operation, write, {"": refused_units(stood, write.incoming)})
            elif write not in unprocessed:
                self._count(operation, write, write_units(write.table, stood, self._stored(write)))
        return answer

    def _count(self, operation: str, write: _Write, units: Mapping[str, int]) -> None:
        for index, number in units.items():
            self._tally.written_by[operation] += number * write.factor
            self._tally.write_units[write.table.name, index] += number * write.factor

    def _writes(self, operation: str, body: Mapping[str, Any]) -> Iterator[_Write]:
        if operation in ("PutItem", "UpdateItem", "DeleteItem"):
            yield self._one(body, 1)
        elif operation == "BatchWriteItem":
            for name, requests in body["RequestItems"].items():
                for request in requests:
                    yield self._one({"TableName": name, **next(iter(request.values()))}, 1)
        elif operation == "BatchExecuteStatement":
            for text in body["Statements"]:
                statement = statement_of(text)
                if statement is not None:
                    # Of an update the key is known, and what it makes of the item is not.
                    part = "Item" if isinstance(statement, Insert) else "Key"
                    yield self._one({"TableName": statement.table, part: statement.key_values}, 1)
        elif operation == "TransactWriteItems":
            for action in body["TransactItems"]:
                yield self._one(next(iter(action.values())), TRANSACTION)

    def _one(self, body: Mapping[str, Any], factor: int) -> _Write:
        table = self.table(body["TableName"])
        source = body.get("Key") or body["Item"]
        return _Write(table, {name: source[name] for name in table.key}, factor, body.get("Item"))

    def _stored(self, write: _Write) -> Item | None:
        return self._get(write.table.name, write.key)

    def _get(self, table: str, key: Item) -> Item | None:
        request = {"TableName": table, "Key": key, "ConsistentRead": True}
        item: Item | None = self._beneath.send("GetItem", request).get("Item")
        return item

    def _read_GetItem(self, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:  # noqa: N802 - the operation's name
        self._item(body["TableName"], body["Key"], _consistency(body))
        return send()

    def _read_BatchGetItem(self, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:  # noqa: N802 - as above
        wanted = {
            table: {"Keys": request["Keys"], "ConsistentRead": request.get("ConsistentRead", False)}
            for table, request in body["RequestItems"].items()
        }
        answer = self._beneath.send("BatchGetItem", {"RequestItems": wanted})
        for table, request in wanted.items():
            sizes = [item_size(item) for item in answer["Responses"].get(table, ())]
            left = len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ()))
            # Each item is rounded up alone, and what is not there is paid for as well.
            for size in sizes + [0] * (len(request["Keys"]) - len(sizes) - left):
                self._tally.add_read(table, "", read_units([size], _consistency(request)))
        return send()

    def _read_TransactGetItems(self, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:  # noqa: N802 - as above
        for action in body["TransactItems"]:
            self._item(action["Get"]["TableName"], action["Get"]["Key"], Consistency.TRANSACTIONAL)
        return send()

    def _item(self, table: str, key: Item, consistency: Consistency) -> None:
        self._tally.add_read(table, "", read_units([item_size(self._get(table, key) or {})], consistency))

    def _read_Query(self, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:  # noqa: N802 - as above
        return self._page("Query", body, send)

    def _read_Scan(self, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:  # noqa: N802 - as above
        return self._page("Scan", body, send)

    def _page(self, operation: str, body: Mapping[str, Any], send: Callable[[], Answer]) -> Answer:
        items = self._beneath.send(operation, _in_full(body))["Items"]
        self._tally.add_read(
            body["TableName"], body.get("IndexName", ""), read_units(map(item_size, items), _consistency(body))
        )
        if body.get("Select") == "COUNT":
            self._tally.counted += len(items)
        else:
            self._tally.rows += len(items)
        return send()

    def table(self, name: str) -> Table:
        """The definition of a table, asked for once."""
        if name not in self._tables:
            self._tables[name] = Table.described(self._beneath.send("DescribeTable", {"TableName": name})["Table"])
        return self._tables[name]


def _in_full(body: Mapping[str, Any]) -> dict[str, Any]:
    """The page with all attributes of its items; names and values that only the left-out parts used are refused."""
    request = {name: value for name, value in body.items() if name not in _SHAPES_WHAT_IS_SENT}
    condition = _PLACEHOLDER.findall(request.get("KeyConditionExpression", ""))
    for placeholders in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        used = {name: value for name, value in request.pop(placeholders, {}).items() if name in condition}
        if used:
            request[placeholders] = used
    return request


def _consistency(request: Mapping[str, Any]) -> Consistency:
    return Consistency.STRONG if request.get("ConsistentRead") else Consistency.EVENTUAL
