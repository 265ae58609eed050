"""The size of an item, by the rules of DynamoDB's page "Item sizes and formats".

The 100 bytes that storage adds to each item are billed with the storage and are no part of a unit.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]
Item = Mapping[str, Value]

_CONTAINER_BYTES = 3
"""Of a list or a map, empty or not."""
_ELEMENT_BYTES = 1
"""Of each element of a list and of each pair of a map, beside its own."""


def item_size(item: Item) -> int:
    """The bytes of an item: the names and the values of its attributes."""
    return sum(_text_size(name) + value_size(value) for name, value in item.items())


def value_size(value: Value) -> int:
    """The bytes of one value, such as `{"S": "dev"}`; binary as bytes, or as the base64 text of the wire.

    Raises:
        ValueError: there is no such type.
    """
    ((kind, held),) = value.items()
    if kind not in _SIZES:
        raise ValueError(f"there is no type {kind}")
    return _SIZES[kind](held)


def number_size(text: str) -> int:
    """The bytes of a number: one for each two significant digits, and one. Zeros at either end do not count."""
    digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
    return -(-len(digits) // 2) + 1


def _text_size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _binary_size(held: bytes | str) -> int:
    return len(held if isinstance(held, bytes) else base64.b64decode(held))


def _list_size(held: Iterable[Value]) -> int:
    return _CONTAINER_BYTES + sum(_ELEMENT_BYTES + value_size(element) for element in held)


def _map_size(held: Mapping[str, Value]) -> int:
    return _CONTAINER_BYTES + sum(
        _ELEMENT_BYTES + _text_size(name) + value_size(element) for name, element in held.items()
    )


_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": number_size,
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda held: sum(map(_text_size, held)),
    "NS": lambda held: sum(map(number_size, held)),
    "BS": lambda held: sum(map(_binary_size, held)),
    "L": _list_size,
    "M": _map_size,
}
