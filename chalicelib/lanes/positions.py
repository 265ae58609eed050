"""Positions: the order of rows in every lane, by time and then by id, as texts that sort as the rows do. Pure."""

from __future__ import annotations

from datetime import datetime

from chalicelib import times

TIME_LENGTH = 26
"""Characters of a position that are its time."""
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def position(time: datetime, row_id: str) -> str:
    """The RANGE key of a row in every lane."""
    return f"{times.fixed(time)}#{row_id}"


def just_below(place: str) -> str:
    """The upper bound of a range that holds every position below this one, and not this one."""
    return f"{place[:-1]}{chr(ord(place[-1]) - 1)}\U0010ffff"


def redacted_position(reached: str, last: str, start: str) -> str:
    """A position to go on from that does not reveal the id of the row that was read last: the caller may not see it.

    It is rounded to the end of its moment, so the rows of this moment are read again. It is not rounded where that
    would make no progress; where rounding would repeat a row, it is the position of that row.

    Args:
        reached: the position of the row that was read last.
        last: that of the last row which was skipped or answered; "" where none was.
        start: where the page began; "" for the first page.
    """
    rounded = f"{reached[:TIME_LENGTH]}#{_LAST_ID}"
    if reached == last or "" < start <= rounded:
        return reached
    return last if "" < last <= rounded else rounded
