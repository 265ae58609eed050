"""A section of a lane: the rows of one key whose places are within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

_LAST: Final = "\U0010ffff"
_MOST: Final = 200
_FIRST_SURROGATE: Final = 0xD800
_AFTER_SURROGATES: Final = 0xE000
"""No text that is stored has a surrogate, and none can be sent."""


class Section(NamedTuple):
    """A section of a lane.

    Attributes:
        key: the HASH value.
        least: the least place; "" for any.
        most: the greatest place; "" for any.
    """

    key: str
    least: str = ""
    most: str = ""


def whole(keys: Iterable[str | None]) -> list[Section]:
    """The sections that have all rows of these keys; there are none of None."""
    return [Section(key) for key in keys if key is not None]


def just_after(text: str) -> str:
    """The least text, by code points, that is greater than every one that begins with this one."""
    kept = text.rstrip(_LAST)
    if not kept:
        # Nothing is greater than all of those; no place has so many of it.
        return _LAST * _MOST
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)
