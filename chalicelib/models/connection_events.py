"""Connection logs on the wire: an event that comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from chalicelib.logs import applications, connection
from chalicelib.logs.addresses import address
from chalicelib.logs.connection import ConnectionEvent
from chalicelib.logs.fitting import with_fitting_texts
from chalicelib.logs.vocabulary import WEB_TYPES
from chalicelib.models.base import (
    LONG_TEXT,
    SHORT_TEXT,
    EventTime,
    Int32,
    Model,
    OptionalUuid,
    Uuid,
    absent,
    checked,
)
from chalicelib.records import ConnectionLog


def _may_end(value: str, info: ValidationInfo) -> str:
    if value == "disconnected" and info.data.get("type") in WEB_TYPES:
        raise ValueError(f"must be connected: a {info.data['type']} event has no end")
    return value


Text = Annotated[str | None, BeforeValidator(absent)]


class ConnectionEventIn(Model):
    """One event of `POST /api/v2/connectionlog`, with the type and the application that its names come to."""

    id: OptionalUuid = None
    time: EventTime
    type: str
    connection_status: Annotated[Literal["connected", "disconnected"], AfterValidator(_may_end)]
    organization_id: Uuid
    workspace_owner_id: Uuid
    workspace_id: Uuid
    workspace_name: str
    agent_name: str
    code: Int32 | None = None
    ip: Annotated[str | None, BeforeValidator(address)] = None
    user_agent: Text = None
    user_id: OptionalUuid = None
    slug_or_port: Text = None
    connection_id: OptionalUuid = None
    disconnect_reason: Text = None
    app_name: Text = None


_LONGEST: Mapping[str, int] = {
    **dict.fromkeys(("type", "connection_method", "workspace_name", "agent_name"), SHORT_TEXT),
    **dict.fromkeys(("app_name", "slug_or_port", "app_name_or_port", "user_agent", "disconnect_reason"), LONG_TEXT),
}
"""Texts that are cut, as an event refused for one would hide who can make it long."""


def parse_row(value: Mapping[str, Any]) -> ConnectionLog:
    """The row of an event as a sender wrote it; what is too long in it is cut.

    Raises:
        Invalid: values in it are wrong; names each.
    """
    value = with_fitting_texts(value, _LONGEST)
    names = applications.named(value)
    event = checked(ConnectionEventIn, {**value, **names._asdict()} if names else value)
    values = {name: getattr(event, name) for name in ConnectionEventIn.model_fields}
    return connection.row(ConnectionEvent(**values, spelled=names.spelled if names else None))
