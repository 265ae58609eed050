"""Durations as Go writes them, `168h0m0s`, to and from whole nanoseconds; days and weeks may be read too.

The clients of this service and its settings speak Go's notation: `h m s ms us ns`, decimals, any combination, a sign in
front. Reading adds `d`, 24 hours, and `w`, 7 days. There is no month and no year, which have no fixed length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

_SECOND: Final = 1_000_000_000

UNITS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the micro sign
    "\u03bcs": 1_000,  # the Greek letter, which looks the same
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3_600 * _SECOND,
    "d": 24 * 3_600 * _SECOND,
    "w": 7 * 24 * 3_600 * _SECOND,
}
"""Unit -> nanoseconds."""

MIN_NS: Final = -(2**63)
MAX_NS: Final = 2**63 - 1
"""The range of a duration: 64 bits of nanoseconds, about 292 years either way."""

_PART: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
# Longer than any duration in range with all its decimals; what is beyond would only cost time to reject.
_MAX_TEXT: Final = 200


class InvalidDuration(ValueError):
    """The text is not a duration; the message quotes it."""


def _part(match: re.Match[str], text: str) -> int:
    """The nanoseconds of one number with its unit; what is below a nanosecond is cut off."""
    whole, fraction, unit = match[1], match[2] or "", match[3]
    quoted = json.dumps(text, ensure_ascii=False)
    if not whole and not fraction:
        raise InvalidDuration(f"invalid duration {quoted}")
    if not unit:
        raise InvalidDuration(f"missing unit in duration {quoted}")
    scale = UNITS.get(unit)
    if scale is None:
        raise InvalidDuration(f"unknown unit {json.dumps(unit, ensure_ascii=False)} in duration {quoted}")
    shift: int = 10 ** len(fraction)
    return int(whole + fraction) * scale // shift


def parse(text: str) -> int:
    """The nanoseconds of a duration such as `1d12h`, `-1.5h` or `0`.

    Raises:
        InvalidDuration: for text that is no duration, or one outside 64 bits of nanoseconds.
    """
    sign = -1 if text.startswith("-") else 1
    unsigned = text[1:] if text.startswith(("-", "+")) else text
    if unsigned == "0":
        return 0
    if not unsigned or len(text) > _MAX_TEXT:
        raise InvalidDuration(f"invalid duration {json.dumps(text[:_MAX_TEXT], ensure_ascii=False)}")
    total = sign * sum(_part(match, text) for match in _PART.finditer(unsigned) if match[0])
    if not MIN_NS <= total <= MAX_NS:
        raise InvalidDuration(f"invalid duration {json.dumps(text, ensure_ascii=False)}: out of range")
    return total


def _decimal(value: int, scale: int) -> str:
    """`value / scale` with as many decimals as it needs; scale is a power of ten."""
    whole, remainder = divmod(value, scale)
    digits = len(str(scale)) - 1
    return f"{whole}.{remainder:0{digits}d}".rstrip("0") if remainder else str(whole)


def format_go(ns: int) -> str:
    """The duration in Go's notation: `168h0m0s`, `1m30s`, `1.5s`, `0s`; below a second in a smaller unit, `250ms`."""
    sign, magnitude = ("-", -ns) if ns < 0 else ("", ns)
    if magnitude == 0:
        return "0s"
    if magnitude < _SECOND:
        unit = next(unit for unit in ("ms", "µs", "ns") if magnitude >= UNITS[unit])
        return f"{sign}{_decimal(magnitude, UNITS[unit])}{unit}"
    minutes, seconds = divmod(magnitude, UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{front}{_decimal(seconds, _SECOND)}s"
