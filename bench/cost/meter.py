"""Counts what every request of a botocore client costs, on its way to the engine.

It stands where moto's own handler of the event `before-send` stands, so it sees each request as it is sent, whichever
way it was made and however often it was tried. Before and after a write it asks the engine itself for the item; a page
of a query is read again with all that its entries have. So nothing is taken from ConsumedCapacity, which emulators get
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

import botocore.session
from moto.core.models import botocore_stubber

from bench.cost.size import Item, item_size
from bench.cost.units import TRANSACTION, Consistency, Table, read_units, refused_units, write_units
from scripts.local.moto_door import parsed

_OK = 200
_PLACEHOLDER = re.compile(r"[#:]\w+")
_REFUSED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})
_SHAPES_WHAT_IS_SENT = frozenset({"Select", "ProjectionExpression", "FilterExpression", "AttributesToGet"})

Answer = tuple[int, Mapping[str, str], str]


@dataclass
class Tally:
    """What some requests cost.

    Attributes:
        calls: operation -> how many requests.
        write_units: (table, index) -> units; the row itself under the empty index.
        read_units: (table, index) -> units.
        rows: how many rows or entries queries read to send them.
        counted: how many they read only to count them.
    """

    calls: Counter[str] = field(default_factory=Counter)
    write_units: Counter[tuple[str, str]] = field(default_factory=Counter)
    read_units: dict[tuple[str, str], float] = field(default_factory=dict)
    rows: int = 0
    counted: int = 0

    @property
    def written(self) -> int:
        """Write units in all."""
        return self.write_units.total()

    @property
    def read(self) -> float:
        """Read units in all."""
        return sum(self.read_units.values())

    def add_read(self, table: str, index: str, units: float) -> None:
        """Some read units more."""
        self.read_units[table, index] = self.read_units.get((table, index), 0.0) + units


class _Write(NamedTuple):
    table: Table
    key: Item
    factor: int
    incoming: Item | None
    """The item of a put; of an update it is not known unless the update is made."""


class Meter:
    """Counts the requests of one client, those of all its threads, one at a time."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - botocore has no types
        self._client = client
        # Its own requests go past the meter.
        self._engine: Any = botocore.session.get_session().create_client("dynamodb")  # type: ignore[no-untyped-call]
        self._tables: dict[str, Table] = {}
        self._lock = RLock()
        self._tally = Tally()

    @contextmanager
    def counting(self) -> Iterator[Tally]:
        """A tally of what is sent meanwhile."""
        events = self._client.meta.events
        self._tally = tally = Tally()
        # All handlers of an event are called, whichever answers: moto's must not answer as well.
        events.unregister("before-send", botocore_stubber)
        events.register("before-send.dynamodb", self._answer)
        try:
            yield tally
        finally:
            events.unregister("before-send.dynamodb", self._answer)
            events.register("before-send", botocore_stubber)

    def _answer(self, request: Any, **more: Any) -> Any:  # noqa: ANN401 - botocore's
        operation = _text(request.headers["X-Amz-Target"]).rpartition(".")[2]
        body = parsed(_text(request.body or "{}"))

        def send() -> Any:  # noqa: ANN401 - botocore's
            return botocore_stubber(request=request, **more)

        with self._lock:
            self._tally.calls[operation] += 1
            reader = getattr(self, f"_read_{operation}", None)
            return reader(body, send) if reader else self._write(operation, body, send)

    def _write(self, operation: str, body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401 - botocore's
        writes = list(self._writes(operation, body))
        before = [self._stored(write) for write in writes]
        answer = send()
        content = parsed(_text(answer.content))
        refused = str(content.get("__type", "")).rpartition("#")[2] in _REFUSED
        unprocessed = list(self._writes("BatchWriteItem", {"RequestItems": content.get("UnprocessedItems") or {}}))
        if answer.status_code == _OK or refused:
            for write, stood in zip(writes, before, strict=True):
                if write in unprocessed:
                    continue
                if refused:
                    units = {"": refused_units(stood, write.incoming)}
                else:
                    units = write_units(write.table, stood, self._stored(write))
                for index, number in units.items():
                    self._tally.write_units[write.table.name, index] += number * write.factor
        return answer

    def _writes(self, operation: str, body: Mapping[str, Any]) -> Iterator[_Write]:
        if operation in ("PutItem", "UpdateItem", "DeleteItem"):
            yield self._one(body, 1)
        elif operation == "BatchWriteItem":
            for name, requests in body["RequestItems"].items():
                for request in requests:
                    yield self._one({"TableName": name, **next(iter(request.values()))}, 1)
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
        item: Item | None = self._engine.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return item

    def _read_GetItem(self, body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401, N802 - the operation's name
        self._item(body["TableName"], body["Key"], _consistency(body))
        return send()

    def _read_BatchGetItem(self, body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401, N802 - as above
        wanted = {
            table: {"Keys": request["Keys"], "ConsistentRead": request.get("ConsistentRead", False)}
            for table, request in body["RequestItems"].items()
        }
        answer = self._engine.batch_get_item(RequestItems=wanted)
        for table, request in wanted.items():
            sizes = [item_size(item) for item in answer["Responses"].get(table, ())]
            left = len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ()))
            # Each item is rounded up alone, and what is not there is paid for as well.
            for size in sizes + [0] * (len(request["Keys"]) - len(sizes) - left):
                self._tally.add_read(table, "", read_units([size], _consistency(request)))
        return send()

    def _read_TransactGetItems(self, body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401, N802 - as above
        for action in body["TransactItems"]:
            self._item(action["Get"]["TableName"], action["Get"]["Key"], Consistency.TRANSACTIONAL)
        return send()

    def _item(self, table: str, key: Item, consistency: Consistency) -> None:
        self._tally.add_read(table, "", read_units([item_size(self._get(table, key) or {})], consistency))

    def _read_Query(self, body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401, N802 - as above
        return self._page(self._engine.query, body, send)

    def _read_Scan(self, body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401, N802 - as above
        return self._page(self._engine.scan, body, send)

    def _page(self, read: Callable[..., Any], body: Mapping[str, Any], send: Callable[[], Any]) -> Any:  # noqa: ANN401 - botocore's
        items = read(**_in_full(body))["Items"]
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
            self._tables[name] = Table.described(self._engine.describe_table(TableName=name)["Table"])
        return self._tables[name]


def _in_full(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same page with all that its items have; names and values that only the left-out parts used are refused."""
    request = {name: value for name, value in body.items() if name not in _SHAPES_WHAT_IS_SENT}
    condition = _PLACEHOLDER.findall(request.get("KeyConditionExpression", ""))
    for placeholders in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        used = {name: value for name, value in request.pop(placeholders, {}).items() if name in condition}
        if used:
            request[placeholders] = used
    return request


def _consistency(request: Mapping[str, Any]) -> Consistency:
    return Consistency.STRONG if request.get("ConsistentRead") else Consistency.EVENTUAL


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
