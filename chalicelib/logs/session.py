"""Joins the events of one session: of each field, the first accepted value stays.

    absent                     takes the value of the first event that has one
    present, the same          nothing changes
    present, another           nothing changes, and what the event says is kept beside the row as a conflict

The one exception is the time at which a session began. While the session has had a disconnect only, its time stands
for the beginning, and the first connect that is not later takes its place. Go's zero time is no time: it is absent.

So events that do not contradict each other give the same row in any order, however often they come; and an event that
contradicts what was accepted, forged or honest, changes nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from chalicelib import times
from chalicelib.logs.connection import is_keyed, moved
from chalicelib.records import Closing, Conflict, Conflicts, ConnectionLog, Mark, Origin

T = TypeVar("T")

Frees = Callable[[ConnectionLog, ConnectionLog], bool]
"""Whether a hold matches the first row and would not match the second."""

MOST_CONFLICTS = 20
"""Conflicts that are kept of a session, the newest; of all others only their number."""
LONGEST_VALUE = 100
"""Characters of a text that is kept in a conflict."""

_ABSENT = (None, "", "00000000-0000-0000-0000-000000000000")
_OPENING = ("workspace_owner_id", "workspace_name", "type", "app_name", "ip", "user_agent", "user_id", "slug_or_port")
"""The fields that every event of a session may set, beside the time and the parts of its id."""


class Joined(NamedTuple):
    """A stored row after an event, and what the event said otherwise; None where it said nothing otherwise."""

    row: ConnectionLog
    conflict: Conflict | None = None


def frees_nothing(_before: ConnectionLog, _after: ConnectionLog) -> bool:
    """The answer of `Frees` where there are no holds."""
    return False


def join(stored: ConnectionLog, event: ConnectionLog, frees: Frees = frees_nothing) -> Joined:
    """The row of a stored row and an event under the same id.

    Args:
        stored: the row as it is.
        event: the row that the event alone would make.
        frees: asked before a value is filled in. Where a hold would lose the row, the row stays as it is and what the
            event says is kept as a conflict; but a session may end, whatever it is held for.

    Returns:
        The stored row itself where nothing changes; the joined row; or, where the two are different events and not one
        session, the row of the event under another id, to be kept beside the stored one.
    """
    if not (is_keyed(stored) and is_keyed(event)):
        return Joined(stored if stored == event else moved(event))
    filled = _filled(stored, event)
    otherwise = {
        name: said
        for name in _OPENING
        if (said := getattr(event, name)) not in _ABSENT and getattr(stored, name) not in (*_ABSENT, said)
    }
    if _begins_otherwise(stored, event):
        otherwise["connect_time"] = event.connect_time
    after = replace(stored, **filled) if filled else stored
    if filled and frees(stored, after):
        otherwise |= {name: value for name, value in filled.items() if name != "origin"}
        after = stored
    closing = _join_closings(stored.closing, event.closing)
    if closing is not None and closing != stored.closing:
        after = after.closed(closing)
    otherwise |= _ends_otherwise(stored.closing, event.closing)
    if not otherwise:
        return Joined(after)
    moment = event.closing.time if event.closing else event.connect_time
    said = {name: _cut(value) for name, value in sorted(otherwise.items())}
    conflict = Conflict(event.origin, moment, said, event.receipt)
    return Joined(_with(after, conflict), conflict)


def remembering(before: ConnectionLog, after: ConnectionLog) -> ConnectionLog:
    """A row as it is stored in the place of an earlier one: it keeps what that said of its beginning."""
    changed = {
        name: said for name in ("connect_time", *_OPENING) if (said := getattr(before, name)) != getattr(after, name)
    }
    return replace(after, was=(*before.was, changed)) if changed else after


def _filled(stored: ConnectionLog, event: ConnectionLog) -> Mapping[str, Any]:
    """The values that a row lacks and an event has."""
    filled: dict[str, Any] = {
        name: said
        for name in _OPENING
        if getattr(stored, name) in _ABSENT and (said := getattr(event, name)) not in _ABSENT
    }
    if _begins(stored, event):
        filled |= {"connect_time": event.connect_time, "origin": event.origin}
    elif stored.connect_time == event.connect_time == times.NEVER and event.origin is Origin.CONNECT:
        filled["origin"] = event.origin
    return {name: value for name, value in filled.items() if value != getattr(stored, name)}


def _begins(stored: ConnectionLog, event: ConnectionLog) -> bool:
    """Whether the time at which the session began is that of the event from now on."""
    if event.connect_time == times.NEVER:
        return False
    if stored.connect_time == times.NEVER:
        return True
    not_said = stored.origin is Origin.DISCONNECT and event.origin is Origin.CONNECT
    return not_said and event.connect_time <= stored.connect_time


def _begins_otherwise(stored: ConnectionLog, event: ConnectionLog) -> bool:
    said = event.origin is Origin.CONNECT and event.connect_time not in (times.NEVER, stored.connect_time)
    return said and not _begins(stored, event)


def _join_closings(stored: Closing | None, event: Closing | None) -> Closing | None:
    if stored is None or event is None:
        return stored or event
    time = event.time if stored.time == times.NEVER else stored.time
    return replace(stored, time=time, reason=_first(stored.reason, event.reason), code=_first(stored.code, event.code))


def _first(stored: Mark[T] | None, event: Mark[T] | None) -> Mark[T] | None:
    if stored is None or event is None:
        return stored or event
    timed = stored.time == times.NEVER and stored.value == event.value
    return event if timed else stored


def _ends_otherwise(stored: Closing | None, event: Closing | None) -> dict[str, Any]:
    if stored is None or event is None:
        return {}
    otherwise: dict[str, Any] = {}
    if times.NEVER not in (stored.time, event.time) and stored.time != event.time:
        otherwise["disconnect_time"] = event.time
    for name, kept, said in (("disconnect_reason", stored.reason, event.reason), ("code", stored.code, event.code)):
        if kept is not None and said is not None and kept.value != said.value:
            otherwise[name] = said.value
    return otherwise


def _with(row: ConnectionLog, conflict: Conflict) -> ConnectionLog:
    """The row with one more conflict, unless it is kept already: an event that is sent again costs no write."""
    kept = row.conflicts
    if conflict in kept.newest:
        return row
    return replace(row, conflicts=Conflicts(kept.number + 1, (*kept.newest, conflict)[-MOST_CONFLICTS:]))


def _cut(value: Any) -> Any:  # noqa: ANN401 - a text, a number or a time
    if isinstance(value, datetime):
        return times.wire(value)
    return f"{value[:LONGEST_VALUE]}..." if isinstance(value, str) and len(value) > LONGEST_VALUE else value
