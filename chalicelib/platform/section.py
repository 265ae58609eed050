"""A section of a lane: the rows of one key whose places are within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


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
    """A text that is greater than every one that begins with this one."""
    return f"{text}\U0010ffff"
