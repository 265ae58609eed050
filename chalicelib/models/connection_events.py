"""Connection logs on the wire: an event that comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from chalicelib.logs import applications, connection
from chalicelib.logs.addresses import address
from chalicelib.logs.connection import ConnectionEvent
from chalicelib.logs.vocabulary import WEB_TYPES
from chalicelib.models.base import (
    LONG_TEXT,
    EventTime,
    Int32,
    Model,
    OptionalText,
    OptionalUuid,
    ShortText,
    Uuid,
    absent,
    checked,
)
from chalicelib.records import ConnectionLog


def _may_end(value: str, info: ValidationInfo) -> str:
    if value == "disconnected" and info.data.get("type") in WEB_TYPES:
        raise ValueError(f"must be connected: a {info.data['type']} event has no end")
    return value


CutText = Annotated[
    str | None, AfterValidator(lambda text: text[:LONG_TEXT] if text else None), BeforeValidator(absent)
]
"""A text that the one who connects makes as long as they like: cut, as an event refused for it would hide them."""


class ConnectionEventIn(Model):
    """One event of `POST /api/v2/connectionlog`, with the type and the application that its names come to."""

    id: OptionalUuid = None
    time: EventTime
    type: ShortText
    connection_status: Annotated[Literal["connected", "disconnected"], AfterValidator(_may_end)]
    organization_id: Uuid
    workspace_owner_id: Uuid
    workspace_id: Uuid
    workspace_name: ShortText
    agent_name: ShortText
    code: Int32 | None = None
    ip: Annotated[str | None, BeforeValidator(address)] = None
    user_agent: CutText = None
    user_id: OptionalUuid = None
    slug_or_port: OptionalText = None
    connection_id: OptionalUuid = None
    disconnect_reason: CutText = None
    app_name: OptionalText = None


def parse_row(value: Mapping[str, Any]) -> ConnectionLog:
    """The row of an event as a sender wrote it.

    Raises:
        Invalid: values in it are wrong; names each.
    """
    names = applications.named(value)
    event = checked(ConnectionEventIn, {**value, **names._asdict()} if names else value)
    values = {name: getattr(event, name) for name in ConnectionEventIn.model_fields}
    return connection.row(ConnectionEvent(**values, spelled=names.spelled if names else None))
