"""Turns audit events into rows, and joins two events with one id.

A row is written once and never changed. The same event again is the same row; another event under a used id is kept
beside it, under an id made from its content, because evidence is never overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from chalicelib import times
from chalicelib.casing import lowered, spellings
from chalicelib.logs.connection import NAMESPACE
from chalicelib.logs.diff import Diff, diff, sanitised
from chalicelib.records import AuditLog

_NIL_UUID = str(UUID(int=0))
_FIRST_FAILURE = 400
_WITHOUT_DIFF = ("login", "logout")

USER_AGENT_LENGTH = 256
"""Characters that are kept of a user agent, as Coder's table does."""

OWN_MARK = "gatebook"
"""The additional field that marks rows which Gatebook wrote about itself. No event that is sent may have it."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event as a sender reports it; ids are lower-case UUID texts, absent values are None.

    Attributes:
        diff: what changed, in the API's form or in that of Coder's table.
        old: the resource before, for the diff to be computed where none is sent.
        new: the resource after.
    """

    id: str | None
    time: datetime
    user_id: str
    organization_id: str | None
    ip: str | None
    user_agent: str | None
    resource_type: str
    resource_id: str
    resource_target: str
    resource_icon: str | None
    action: str
    status_code: int
    request_id: str | None
    additional_fields: Mapping[str, Any] | None = None
    diff: Mapping[str, Any] | None = None
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None


def row(event: AuditEvent) -> AuditLog:
    """The row that an event makes, under the event's own id or, where it has none, one made from its content.

    Raises:
        ValueError: its diff is none; the text says why.
    """
    kind, action = lowered(event.resource_type), lowered(event.action)
    made = AuditLog(
        id=event.id or "",
        time=event.time,
        user_id=event.user_id,
        organization_id=event.organization_id,
        ip=event.ip,
        user_agent=event.user_agent,
        resource_type=kind,
        resource_id=event.resource_id,
        resource_target=event.resource_target,
        resource_icon=event.resource_icon or "",
        action=action,
        status_code=event.status_code,
        request_id=event.request_id or _NIL_UUID,
        diff=_diff(event, kind, action),
        additional_fields=dict(event.additional_fields or {}),
        spelled=spellings(resource_type=event.resource_type, action=event.action),
    )
    return made if made.id else beside(made)


def beside(made: AuditLog) -> AuditLog:
    """The event under an id made from its content, its earlier id included, and so the same at every retry."""
    return replace(made, id=str(uuid5(NAMESPACE, _content(made))))


def join(stored: AuditLog, incoming: AuditLog) -> AuditLog:
    """The row of a stored row and another event under the same id.

    Returns:
        `stored` where they are the same event; otherwise `incoming` under another id, to be kept beside it.
    """
    return stored if _content(stored) == _content(incoming) else beside(incoming)


def computed_diff(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, resource_type: str, action: str, status_code: int
) -> Diff:
    """The diff of an event that succeeded and is no login or logout; empty for others, of which Coder computes none."""
    if status_code >= _FIRST_FAILURE or action in _WITHOUT_DIFF:
        return {}
    return diff(old, new, resource_type)


def _diff(event: AuditEvent, resource_type: str, action: str) -> Diff:
    """The diff as sent, or else as it is computed from the resource before and after."""
    if event.diff is not None:
        return sanitised(event.diff, resource_type)
    return computed_diff(event.old, event.new, resource_type, action, event.status_code)


def _content(made: AuditLog) -> str:
    # As text, because Python takes true for 1. What is absent is left out, so that a field added later changes no id.
    # Nor is the receipt in it: the same event again comes later, and may come from another token.
    known = {field.name: getattr(made, field.name) for field in fields(made) if field.name != "receipt"}
    known["time"] = times.fixed(made.time)
    return json.dumps({name: value for name, value in known.items() if value is not None}, sort_keys=True, default=dict)
