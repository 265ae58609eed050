"""Whether a JSON value is an item as DynamoDB writes it, such as `{"id": {"S": "a"}, "raw": {"B": "AP8="}}`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping


def is_item(value: object) -> bool:
    """Whether this is an item: names, each with one value of a known type. That a number is one, the table checks."""
    return isinstance(value, dict) and all(map(_is_value, value.values()))


def _is_value(value: object) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((kind, content),) = value.items()
    return kind in _KINDS and _KINDS[kind](content)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and base64.b64encode(base64.b64decode(value)).decode() == value
    except ValueError:
        return False


def _are(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "S": _is_text,
    "N": _is_text,
    "B": _is_base64,
    "BOOL": lambda value: isinstance(value, bool),
    "NULL": lambda value: value is True,
    "SS": _are(_is_text),
    "NS": _are(_is_text),
    "BS": _are(_is_base64),
    "L": _are(_is_value),
    "M": is_item,
}
