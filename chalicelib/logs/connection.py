"""What connection events mean: which row an event belongs to, and what two versions of a row make together.

A *session* (SSH, IDE, terminal) is one row, found by (organization, connection id, workspace, agent) without a look-up;
its events may arrive in any order, any number of times, in one batch or in several, and always give the same row:

* everything known at the opening, connect time included, comes from the earliest event;
* disconnect time, reason and exit code are each set once, by the earliest disconnect that carries them;
* events of one moment that disagree are ordered by their content, so that even then all arrivals agree;
* Go's zero time is no moment: an event that has it comes after all others.

`join` is therefore commutative, associative and idempotent. Any other event (a web request, a session whose agent gave
no connection id) is a row of its own, which nothing changes: the same event again is the same row, and another event
under a used id is kept under an id made from its content, because evidence is never overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from chalicelib import times
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import Closing, ConnectionLog, Mark

NAMESPACE = UUID("6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21")
"""Under which row ids are made of content. It must never change: retries find their rows by it."""

_SESSION_VERSION = 8

EventStatus = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class ConnectionEvent:
    """One event as a sender reports it; ids are lower-case UUID texts, absent values are None."""

    id: str | None
    time: datetime
    connection_status: Literal["connected", "disconnected"]
    organization_id: str
    workspace_owner_id: str
    workspace_id: str
    workspace_name: str
    agent_name: str
    type: str
    code: int | None
    ip: str | None
    user_agent: str | None
    user_id: str | None
    slug_or_port: str | None
    connection_id: str | None
    disconnect_reason: str | None


def row(event: ConnectionEvent) -> ConnectionLog:
    """The row that this event alone makes. A lone disconnect is a session that opened and closed at that moment."""
    session = event.type in SESSION_TYPES
    closing = None
    if session and event.connection_status == "disconnected":
        closing = Closing(event.time, _mark(event.time, event.disconnect_reason), _mark(event.time, event.code))
    made = ConnectionLog(
        id=event.id or "",
        session=session,
        connect_time=event.time,
        organization_id=event.organization_id,
        workspace_owner_id=event.workspace_owner_id,
        workspace_id=event.workspace_id,
        workspace_name=event.workspace_name,
        agent_name=event.agent_name,
        type=event.type,
        ip=event.ip,
        user_agent=event.user_agent,
        user_id=event.user_id,
        slug_or_port=event.slug_or_port,
        connection_id=event.connection_id,
        code=None if session else event.code,
        closing=closing,
    )
    if session and event.connection_id:
        return replace(
            made,
            id=session_id(event.organization_id, event.connection_id, event.workspace_id, event.agent_name),
        )
    own = made.id and UUID(made.id).version != _SESSION_VERSION
    return made if own else replace(made, id=_content_id(made))


def session_id(organization_id: str, connection_id: str, workspace_id: str, agent_name: str) -> str:
    """The row id of a session, the same for its connect, its disconnect and every retry of either.

    The organization is part of it, so that who may write for one organization reaches no session of another. It is a
    UUIDv5 marked as version 8: no event keeps an id of its own of that version, so none can take a session's place.
    """
    name = f"{organization_id}/{connection_id}/{workspace_id}/{agent_name}"
    digits = uuid5(NAMESPACE, name).hex
    return str(UUID(f"{digits[:12]}{_SESSION_VERSION}{digits[13:]}"))


def join(stored: ConnectionLog, incoming: ConnectionLog) -> ConnectionLog:
    """What a stored row and the row of another event under the same id make together.

    Returns:
        `stored` where nothing changes; the joined row; or, where the two are different events and not one session,
        `incoming` under another id, made from its content, for it to be kept beside the stored one.
    """
    if not (_is_keyed(stored) and _is_keyed(incoming)):
        return stored if stored == incoming else replace(incoming, id=_content_id(incoming), given_id=incoming.id)
    opening = min(stored, incoming, key=_order)
    return replace(opening, closing=_join_closings(stored.closing, incoming.closing))


class Fold:
    """The events of one batch gathered by row, so that each row is written once.

    Attributes:
        rows: row id -> what the batch's events make of it together.
    """

    def __init__(self) -> None:
        self.rows: dict[str, ConnectionLog] = {}
        self._events: dict[str, list[tuple[int, ConnectionLog]]] = {}

    def add(self, index: int, made: ConnectionLog) -> None:
        """Gather the event at this place in the batch, given as the row that it alone makes."""
        known = self.rows.get(made.id)
        if known is None:
            self.rows[made.id] = made
            self._events[made.id] = [(index, made)]
            return
        joined = join(known, made)
        if joined.id != known.id:
            self.add(index, joined)
            return
        self.rows[made.id] = joined
        self._events[made.id].append((index, made))

    def events(self, row_id: str) -> list[int]:
        """The places in the batch of a row's events."""
        return [index for index, _ in self._events[row_id]]

    def statuses(self, row_id: str, before: ConnectionLog | None) -> list[tuple[int, EventStatus]]:
        """What each event of a row did, had they come one by one.

        Args:
            row_id: of the row, as in `rows`.
            before: what was stored under the id that the row was written to.
        """
        answer: list[tuple[int, EventStatus]] = []
        state = before
        for index, made in self._events[row_id]:
            after = made if state is None else join(state, replace(made, id=state.id, given_id=state.given_id))
            answer.append((index, "created" if state is None else "unchanged" if after == state else "updated"))
            state = after
        return answer


def _is_keyed(made: ConnectionLog) -> bool:
    return made.session and made.connection_id is not None


def _mark(time: datetime, value: Any) -> Mark[Any] | None:  # noqa: ANN401 - a text or a number
    return None if value is None or value == "" else Mark(time, value)


def _order(made: ConnectionLog) -> tuple[bool, datetime, str]:
    return *_moment_order(made.connect_time), _content(made)


def _moment_order(moment: datetime) -> tuple[bool, datetime]:
    return moment == times.NEVER, moment


def _content(made: ConnectionLog) -> str:
    # What is absent is left out, so that a field added later changes no id.
    known = {field.name: getattr(made, field.name) for field in fields(made) if field.name != "closing"}
    known["connect_time"] = times.fixed(made.connect_time)
    return json.dumps({name: value for name, value in known.items() if value is not None}, sort_keys=True)


def _content_id(made: ConnectionLog) -> str:
    return str(uuid5(NAMESPACE, f"{_content(made)}{made.closing}"))


def _join_closings(one: Closing | None, other: Closing | None) -> Closing | None:
    if one is None or other is None:
        return one or other
    return Closing(
        min(one.time, other.time, key=_moment_order),
        _earliest([one.reason, other.reason]),
        _earliest([one.code, other.code]),
    )


def _earliest(marks: Sequence[Mark[Any] | None]) -> Mark[Any] | None:
    known = [mark for mark in marks if mark is not None]
    return min(known, key=lambda mark: (*_moment_order(mark.time), mark.value), default=None)
