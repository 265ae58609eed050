"""Times as Gatebook keeps and prints them: UTC, to the microsecond.

Two texts of one moment (what clients send is read by `chalicelib.search.values.timestamp`):

* `fixed` is the stored form, always 26 characters, so that text order is time order: `2025-07-10T10:14:38.942776`;
* `wire` is what clients read: RFC 3339 with the zeros at its end trimmed, and `Z`: `2025-07-10T10:14:38.942776Z`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The `last_used` of a token that was never used."""

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""Go's zero time, which Coder's clients print as "never"."""


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


def cut_off(retention: int, moment: datetime) -> datetime | None:
    """The earliest moment that a retention in nanoseconds still keeps at this one; None when it keeps for ever."""
    if retention <= 0:
        return None
    try:
        return moment - timedelta(microseconds=retention // 1_000)
    except OverflowError:
        return None


def ago(duration: timedelta | None, moment: datetime) -> datetime | None:
    """The moment that is so long before another one, not before the year 1; None for no duration."""
    if duration is None:
        return None
    try:
        return moment - duration
    except OverflowError:
        return NEVER


def latest(*moments: datetime | None) -> datetime | None:
    """The latest of the moments that there are; None where there is none."""
    return max((moment for moment in moments if moment is not None), default=None)


def earliest(*moments: datetime | None) -> datetime | None:
    """The earliest of the moments that there are; None where there is none."""
    return min((moment for moment in moments if moment is not None), default=None)


def fixed(moment: datetime) -> str:
    """The stored form: 26 characters whose text order is time order."""
    return moment.isoformat(timespec="microseconds")[:26]


def from_fixed(text: str) -> datetime:
    """The moment a stored form names."""
    return datetime.fromisoformat(f"{text}+00:00")


def wire(moment: datetime) -> str:
    """The form that clients read: RFC 3339, UTC, up to six digits of fraction, none of them a trailing zero."""
    text = moment.isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0')}Z" if moment.microsecond else f"{text}Z"


def from_wire(text: str) -> datetime:
    """The moment that `wire` made a text of."""
    return datetime.fromisoformat(text)
