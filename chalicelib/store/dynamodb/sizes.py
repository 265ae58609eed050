"""The sizes of items as DynamoDB measures them, and their units: bytes are the bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.store.dynamodb.client import Item

READ_UNIT_BYTES = 4_096
WRITE_UNIT_BYTES = 1_024
_SMALL_VALUE_BYTES = 8
"""A number, a flag, a short set."""


def item_bytes(item: Item) -> int:
    """The size of an item: the names of its attributes and their values."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def write_units(size: int) -> int:
    """The units of writing an item of so many bytes, in the table or in one index."""
    return max(1, -(-size // WRITE_UNIT_BYTES))


def _value_bytes(value: Mapping[str, Any]) -> int:
    if "S" in value:
        return len(value["S"].encode("utf-8", "surrogatepass"))
    return len(value["B"]) if "B" in value else _SMALL_VALUE_BYTES
