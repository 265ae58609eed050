"""The budget of one query: the rows and the time that it may spend, and that it has spent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.store.dynamodb.sizes import READ_UNIT_BYTES, item_bytes

_UNIT = 0.5
"""Of a read that need not see the latest write, per started 4 KB: of a page of a query together, of an item alone."""
_COUNTED_ROW_BYTES = 450
"""An ordinary row in a lane; a count does not tell how large its rows are."""


@dataclass(slots=True)
class Budget:
    """The rows and the time that a query may still spend.

    Attributes:
        rows: how many rows it may read.
        give_up_at: on the clock of `time.monotonic`; no request begins after it but the first of each key.
        rows_read: how many it has read, skipped and counted ones included.
    """

    rows: int = 1_000_000_000
    give_up_at: float = float("inf")
    rows_read: int = 0

    def skip(self, number: int) -> None:
        """Note rows of which only the keys were read: they take time and no part of `rows`."""
        self.rows += number
        self.rows_read += number

    @property
    def left(self) -> int:
        """How many rows may still be read: none any more when the time is up."""
        return self.rows_left if self.in_time else 0

    @property
    def rows_left(self) -> int:
        """How many rows may still be read, whatever the time."""
        return max(0, self.rows - self.rows_read)

    @property
    def in_time(self) -> bool:
        """Whether there is time for another request."""
        return time.monotonic() < self.give_up_at


@dataclass(slots=True)
class Bill:
    """The calls that were made and what DynamoDB takes for them, estimated from the sizes of items.

    Attributes:
        calls: requests that were answered.
        read_units: half a unit per 4 KB, since no query needs to see the latest write.
    """

    calls: int = 0
    read_units: float = 0.0

    def add(self, operation: str, _request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """One call more; made to be given to `client.heard_by`."""
        self.calls += 1
        if operation == "Query":
            items = answer.get("Items", ())
            # What is counted, or left out by a condition, is read as well.
            unseen = answer["ScannedCount"] - len(items)
            self.read_units += _units(sum(map(item_bytes, items)) + unseen * _COUNTED_ROW_BYTES)
        elif operation == "BatchGetItem":
            self.read_units += sum(_units(item_bytes(item)) for items in answer["Responses"].values() for item in items)
        elif operation == "GetItem":
            self.read_units += _units(item_bytes(answer.get("Item", {})))


def _units(size: int) -> float:
    return _UNIT * max(1, -(-size // READ_UNIT_BYTES))
