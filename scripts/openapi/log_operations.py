"""The requests and answers of the routes of both logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from chalicelib.api.arrivals import SETTLED_TO
from chalicelib.api.log_files import KEPT_SINCE, ROWS
from chalicelib.errors import ErrorJSON
from chalicelib.export.formats import PAGE_FORMATS
from chalicelib.models.audit_events import AuditEventIn, GenerateIn
from chalicelib.models.audit_logs import AuditLogJSON
from chalicelib.models.connection_events import ConnectionEventIn
from chalicelib.models.connection_logs import ConnectionLogJSON
from chalicelib.models.exports import ExportJSON, NewExport
from chalicelib.models.filters import FiltersJSON
from chalicelib.models.hec import CollectedJSON, HecJSON, RefusalJSON, WaitingJSON
from chalicelib.models.log_answers import AuditLogsJSON, ConnectionLogsJSON, SummaryJSON
from chalicelib.models.otlp import ExportLogsJSON, StatusJSON
from chalicelib.models.results import QueuedJSON, ResultsJSON
from scripts.openapi.operation import NOTHING, Body, Link, Operation, Text

_CONNECTIONS = "/api/v2/connectionlog"
_AUDIT = "/api/v2/audit"
_EXPORTS = "/api/v2/exports"
_PAGE = ("limit", "offset", "after_id", "cursor", "count", "explain")
_FILES = tuple(Text(one.media_type) for one in PAGE_FORMATS.values())
_SUMMARY = ("from", "to", "buckets", "facets", "explain")


_SOMEBODY = "0c9f4e7a-1b2d-4c3e-8f5a-6b7c8d9e0f11"
_CONNECTED = {
    "time": "2025-07-10T10:14:38.942776Z",
    "connection_status": "connected",
    "type": "ssh",
    "organization_id": "5f0d1c5e-7d3f-4c1b-8a4e-2b9c3d4e5f60",
    "workspace_owner_id": _SOMEBODY,
    "workspace_id": "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
    "workspace_name": "dev",
    "agent_name": "main",
    "connection_id": "3e2d1c0b-9a8f-4e7d-8c6b-5a4f3e2d1c0b",
    "ip": "192.0.2.7",
}
_WRITTEN = {
    "time": "2025-07-10T10:14:38.942776Z",
    "user_id": _SOMEBODY,
    "resource_type": "template",
    "resource_id": "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
    "resource_target": "rust",
    "action": "write",
    "status_code": 200,
}


class ConnectionEvents(TypedDict):
    """A batch of events of the connection log."""

    events: list[ConnectionEventIn]


class AuditEvents(TypedDict):
    """A batch of events of the audit log."""

    events: list[AuditEventIn]


class ServiceLine(TypedDict):
    """A line of a Coder server's service log."""

    msg: str
    fields: dict[str, Any]


def _ingest(forms: object, row: str, example: Mapping[str, object]) -> Operation:
    """The bodies that the routes accept: they answer for each event, whatever its result."""
    return Operation(
        {200: ResultsJSON, 202: QueuedJSON, 500: ResultsJSON | ErrorJSON, 503: ResultsJSON | ErrorJSON},
        body=Body(forms, lines=True, example=example),
        query=("results", "queue"),
        headers=("Gatebook-Accepted-Lines",),
        links=(Link(row, {"id": "$response.body#/results/0/id"}),),
    )


_COLLECT = Operation(
    {
        200: CollectedJSON | WaitingJSON,
        **dict.fromkeys((400, 401, 403, 413, 429), RefusalJSON | ErrorJSON),
        **dict.fromkeys((500, 503), CollectedJSON | RefusalJSON | ErrorJSON),
    },
    body=Body(dict[str, Any], lines=True),
    query=("results", "queue"),
    headers=("Gatebook-Accepted-Lines", "WWW-Authenticate"),
)
OPERATIONS = {
    f"POST {_CONNECTIONS}": _ingest(
        ConnectionEvents | ConnectionEventIn | list[ConnectionEventIn] | ServiceLine,
        f"GET {_CONNECTIONS}/{{id}}",
        _CONNECTED,
    ),
    f"GET {_CONNECTIONS}": Operation(
        {200: (ConnectionLogsJSON, *_FILES)},
        query=("connections", *_PAGE, "conflicts", "format", "order"),
        headers=("Link", KEPT_SINCE, ROWS, SETTLED_TO),
        links=(
            Link(f"GET {_CONNECTIONS}/{{id}}", {"id": "$response.body#/connection_logs/0/id"}),
            Link(f"GET {_CONNECTIONS}", {"query.cursor": "$response.body#/next_cursor"}),
        ),
    ),
    f"GET {_CONNECTIONS}/filters": Operation({200: FiltersJSON}),
    f"GET {_CONNECTIONS}/summary": Operation({200: SummaryJSON}, query=("connections", *_SUMMARY)),
    f"GET {_CONNECTIONS}/{{id}}": Operation({200: ConnectionLogJSON}, query=("conflicts",)),
    f"POST {_AUDIT}": _ingest(
        AuditEvents | AuditEventIn | list[AuditEventIn] | ServiceLine, f"GET {_AUDIT}/{{id}}", _WRITTEN
    ),
    f"GET {_AUDIT}": Operation(
        {200: (AuditLogsJSON, *_FILES)},
        query=("audits", *_PAGE, "format", "order"),
        headers=("Link", KEPT_SINCE, ROWS, SETTLED_TO),
        links=(Link(f"GET {_AUDIT}/{{id}}", {"id": "$response.body#/audit_logs/0/id"}),),
    ),
    f"GET {_AUDIT}/filters": Operation({200: FiltersJSON}),
    f"GET {_AUDIT}/summary": Operation({200: SummaryJSON}, query=("audits", *_SUMMARY)),
    f"GET {_AUDIT}/{{id}}": Operation({200: AuditLogJSON}),
    "POST /services/collector": _COLLECT,
    "POST /services/collector/event": _COLLECT,
    "POST /services/collector/event/1.0": _COLLECT,
    "POST /services/collector/raw": _COLLECT,
    "POST /services/collector/raw/1.0": _COLLECT,
    "POST /services/collector/ack": Operation({400: RefusalJSON | ErrorJSON}),
    "GET /services/collector/health": Operation({200: HecJSON}),
    "GET /services/collector/health/1.0": Operation({200: HecJSON}),
    "POST /v1/logs": Operation(
        {200: ExportLogsJSON, 500: StatusJSON | ErrorJSON, 503: StatusJSON | ErrorJSON},
        body=Body(dict[str, Any]),
        query=("queue",),
        headers=("Gatebook-Accepted-Lines",),
    ),
    f"POST {_EXPORTS}": Operation(
        {202: ExportJSON},
        (403, 404, 422),
        body=Body(NewExport),
        headers=("Location", "Idempotency-Key"),
        links=(Link(f"GET {_EXPORTS}/{{id}}", {"id": "$response.body#/id"}),),
    ),
    f"GET {_EXPORTS}/{{id}}": Operation({200: ExportJSON}),
    f"DELETE {_EXPORTS}/{{id}}": Operation({204: NOTHING}),
    f"POST {_AUDIT}/testgenerate": Operation({204: NOTHING}, body=Body(GenerateIn)),
}
