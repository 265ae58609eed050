"""The position of a row in its log, from the row as the API answers it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib import times
from chalicelib.lanes.positions import position

MOMENTS: Final[Mapping[str, str]] = {"connection": "connect_time", "audit": "time"}
"""Log -> the field that a row's age is counted from."""


def place(log: str, row: Mapping[str, Any]) -> str:
    """The position of a row: its time and its id, so that text order is the order of the log.

    Raises:
        ValueError: it is no row of the log.
    """
    return place_of(row.get(MOMENTS[log]), row.get("id"))


def place_of(moment: object, row_id: object) -> str:
    """The position of a row with this time, as the API writes it, and this id.

    Raises:
        ValueError: they are no time and no id.
    """
    if not isinstance(moment, str) or not isinstance(row_id, str):
        raise ValueError("no time or no id")  # noqa: TRY004 - what a file holds is a value
    return position(times.from_wire(moment), row_id)
