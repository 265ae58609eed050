"""Rows of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.casing import lowered
from chalicelib.records.row import AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, Receipt, Row

CONNECTION_EVENT_ACTIONS = frozenset({"connect", "disconnect", "open", "close"})
"""Audit actions that connection logs took over: no longer produced, kept for 90 days whatever the policy says."""


class Overflow(NamedTuple):
    """The size of the diff and the additional fields that a row has in an overflow, and that are not read yet.

    Attributes:
        bytes: how long they are in an answer.
        items: how many further items hold them; 0 where the row's own item does.
    """

    bytes: int
    items: int


_LONGEST_KEY_ID = 100


@dataclass(frozen=True)
class AuditLog(Row):
    """A row of the audit log: one per event, never changed.

    Attributes:
        user_id: who did it; the nil UUID for what the platform did by itself.
        organization_id: None for what concerns the whole deployment.
        status_code: the HTTP status of the request that did it.
        diff: field -> `{"old"?: any, "new"?: any, "secret": bool}`; a side that is null is left out.
        additional_fields: a JSON object, as it was sent.
        request_id: the nil UUID where there was no request.
        overflow: set on a row that was read without its diff and most of its additional fields; None on a whole row.
        receipt: of the event. It is no part of what the row says. None for what no token wrote, and on rows that are
            older than receipts.
    """

    id: str
    time: datetime
    user_id: str
    organization_id: str | None
    ip: str | None
    user_agent: str | None
    resource_type: str
    resource_id: str
    resource_target: str
    resource_icon: str
    action: str
    status_code: int
    request_id: str
    diff: Mapping[str, Any]
    additional_fields: Mapping[str, Any]
    overflow: Overflow | None = None
    spelled: Mapping[str, str] | None = None
    receipt: Receipt | None = field(default=None, compare=False)

    @property
    def target(self) -> str:
        """The target in lower case, for searches by `resource_target`."""
        return lowered(self.resource_target)

    @property
    def status(self) -> str:
        """The HTTP status, as searches by `status_code` compare it."""
        return str(self.status_code)

    @property
    def api_key_id(self) -> str | None:
        """The token that did it, in lower case as searches compare it; None where the event names none.

        Gatebook's own events name it, and those of senders who add it. A longer text than any id is none.
        """
        key_id = self.additional_fields.get("api_key_id")
        return lowered(key_id) if isinstance(key_id, str) and 0 < len(key_id) <= _LONGEST_KEY_ID else None

    @property
    def build_reason(self) -> str | None:
        """Why a workspace was built, by this event or, where it created the workspace, by the first, in lower case."""
        if self.resource_type != "workspace_build" and self.resource_type_action != "workspace:create":
            return None
        reason = self.additional_fields.get("build_reason")
        return lowered(reason) if isinstance(reason, str) and reason else None

    @property
    def resource_type_action(self) -> str:
        """Resource type and action together, as their common lane has them."""
        return f"{self.resource_type}:{self.action}"

    @property
    def connection_event(self) -> str | None:
        """The action of a deprecated connection event, which has a retention of its own; None for any other event."""
        return self.action if self.action in CONNECTION_EVENT_ACTIONS else None

    @property
    def resource_user_id(self) -> str | None:
        """The user that the event is about, where it is about one."""
        return self.resource_id if self.resource_type == "user" else None

    @property
    def data_set(self) -> str:
        """The data set whose retention it falls under."""
        return AUDIT_CONNECTION_EVENTS if self.connection_event else AUDIT_LOGS

    @property
    def moment(self) -> datetime:
        """The time that its age is counted from."""
        return self.time

    def received(self, receipt: Receipt) -> AuditLog:
        """The row of an event, with the receipt of the event."""
        return replace(self, receipt=receipt)
