"""Connection logs on the wire: a row that goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired

from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.logs import applications
from chalicelib.models.directory import Beside, MinimalOrganizationJSON, UserJSON
from chalicelib.records import Conflict, ConnectionLog, Origin
from chalicelib.search.values import NIL_UUID


class WebInfoJSON(TypedDict):
    """The fields that only web events have."""

    user_agent: str
    user: UserJSON | None
    slug_or_port: str
    status_code: int


class SSHInfoJSON(TypedDict):
    """The fields that only sessions have."""

    connection_id: str
    disconnect_time: NotRequired[str]
    disconnect_reason: NotRequired[str]
    exit_code: NotRequired[int]


class ConflictJSON(TypedDict):
    """One event that contradicts its session: the fields of the event that were not accepted."""

    connection_status: str
    time: str
    said: Mapping[str, str | int]
    received_at: NotRequired[str]
    written_by: NotRequired[str]


class ConflictsJSON(TypedDict):
    """How many events said otherwise, and the newest of them, newest first."""

    count: int
    newest: list[ConflictJSON]


class ConnectionLogJSON(TypedDict):
    """codersdk.ConnectionLog, and what owners and auditors see of where it comes from."""

    id: str
    connect_time: str
    organization: MinimalOrganizationJSON
    workspace_owner_id: str
    workspace_owner_username: str
    workspace_id: str
    workspace_name: str
    agent_name: str
    ip: NotRequired[str]
    type: str
    type_display_name: str
    connection_method: str
    app_name: str
    app_display_name: str
    web_info: NotRequired[WebInfoJSON]
    ssh_info: NotRequired[SSHInfoJSON]
    received_at: NotRequired[str]
    written_by: NotRequired[str]
    disconnect_received_at: NotRequired[str]
    disconnect_written_by: NotRequired[str]
    conflicts: NotRequired[ConflictsJSON]
    revision: NotRequired[int]


def connection_log_json(row: ConnectionLog, beside: Beside) -> ConnectionLogJSON:
    """A row as clients read it: with today's names, and the bare id of a user or organization that is unknown."""
    kind = row.as_sent("type")
    body: ConnectionLogJSON = {
        "id": row.id,
        "connect_time": times.wire(row.connect_time),
        "organization": beside.organization(row.organization_id),
        "workspace_owner_id": row.workspace_owner_id,
        "workspace_owner_username": beside.username(row.workspace_owner_id),
        "workspace_id": row.workspace_id,
        "workspace_name": row.workspace_name,
        "agent_name": row.agent_name,
        "type": kind,
        "type_display_name": applications.display_name(row.app or kind),
        "connection_method": kind if row.spelled else row.connection_method,
        "app_name": row.app or "",
        "app_display_name": applications.display_name(row.app) if row.app else "",
    }
    if row.ip is not None:
        body["ip"] = row.ip
    if row.session:
        body["ssh_info"] = _ssh_info(row)
    else:
        body["web_info"] = {
            "user_agent": row.user_agent or "",
            "user": None if row.user_id is None else beside.user(row.user_id),
            "slug_or_port": row.slug_or_port or "",
            "status_code": row.code or 0,
        }
    return body


def sourced_json(row: ConnectionLog, beside: Beside) -> ConnectionLogJSON:
    """A row as owners and auditors read it: with the tokens that wrote it, and when."""
    body = connection_log_json(row, beside)
    if row.receipt is not None:
        body["received_at"] = times.wire(row.receipt.received_at)
        body["written_by"] = row.receipt.written_by
    if row.closing is not None and row.closing.receipt is not None:
        body["disconnect_received_at"] = times.wire(row.closing.receipt.received_at)
        body["disconnect_written_by"] = row.closing.receipt.written_by
    return body


def contradicted_json(row: ConnectionLog, beside: Beside) -> ConnectionLogJSON:
    """A row with its conflicts, as clients read it."""
    body = sourced_json(row, beside)
    body["conflicts"] = {
        "count": row.conflicts.number,
        "newest": [_conflict_json(conflict) for conflict in reversed(row.conflicts.newest)],
    }
    return body


def _conflict_json(conflict: Conflict) -> ConflictJSON:
    body: ConflictJSON = {
        "connection_status": _STATUSES[conflict.kind],
        "time": times.wire(conflict.time),
        "said": conflict.said,
    }
    if conflict.receipt is not None:
        body["received_at"] = times.wire(conflict.receipt.received_at)
        body["written_by"] = conflict.receipt.written_by
    return body


_STATUSES = {Origin.CONNECT: "connected", Origin.DISCONNECT: "disconnected"}


def _ssh_info(row: ConnectionLog) -> SSHInfoJSON:
    info: SSHInfoJSON = {"connection_id": row.connection_id or NIL_UUID}
    if row.closing is not None:
        info["disconnect_time"] = times.wire(row.closing.time)
        if row.closing.reason is not None:
            info["disconnect_reason"] = row.closing.reason.value
        if row.closing.code is not None:
            info["exit_code"] = row.closing.code.value
    return info
