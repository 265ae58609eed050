"""Turns one connection event into the row that it belongs to.

A *session* (SSH, IDE, terminal) is one row, whose id is made of (organization, connection id, workspace, agent).
Any other event (a web request, a session whose agent gave no connection id) is a row of its own: the same event again
is the same row, and another event under a used id is kept under an id made from its content, because evidence is never
overwritten. What the events of a session make together is in `chalicelib.logs.session`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from chalicelib import times
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import Closing, ConnectionLog, Mark, Origin

NAMESPACE = UUID("6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21")
"""Under which row ids are made of content. It must never change: retries find their rows by it."""

_SESSION_VERSION = 8

_NOT_CONTENT = frozenset({"closing", "origin", "conflicts", "receipt", "was"})


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
    app_name: str | None = None
    spelled: Mapping[str, str] | None = None


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
        app_name=event.app_name,
        spelled=event.spelled,
        code=None if session else event.code,
        closing=closing,
        origin=Origin.DISCONNECT if closing else Origin.CONNECT,
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


def is_keyed(row: ConnectionLog) -> bool:
    """Whether a row is a session that several events may speak of."""
    return row.session and row.connection_id is not None


def moved(event: ConnectionLog) -> ConnectionLog:
    """The row of an event whose id another event has, under an id made from its content."""
    return replace(event, id=_content_id(event), given_id=event.id)


def _mark(time: datetime, value: Any) -> Mark[Any] | None:  # noqa: ANN401 - a text or a number
    return None if value is None or value == "" else Mark(time, value)


def _content(made: ConnectionLog) -> str:
    # What is absent is left out, so that a field added later changes no id.
    known = {field.name: getattr(made, field.name) for field in fields(made) if field.name not in _NOT_CONTENT}
    known["connect_time"] = times.fixed(made.connect_time)
    return json.dumps({name: value for name, value in known.items() if value is not None}, sort_keys=True)


def _content_id(made: ConnectionLog) -> str:
    return str(uuid5(NAMESPACE, f"{_content(made)}{made.closing}"))
