"""Prints each event that is taken in as a Coder server would have, where the deployment asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.api import request_log
from chalicelib.api.http import Call
from chalicelib.logs.connection import ConnectionEvent
from chalicelib.logs.service_line import human_line, json_line
from chalicelib.settings import current
from chalicelib.store.records import AuditLog

_WRITTEN: Mapping[str, Callable[[str, Mapping[str, Any], datetime, str], str]] = {
    "json": json_line,
    "human": human_line,
}


def emit(call: Call, message: str, event: ConnectionEvent | AuditLog, row_id: str) -> None:
    """Print the line of one event that is stored (`GATEBOOK_SERVICE_LOG`).

    Args:
        call: the request that brought it.
        message: CONNECTION_LOG or AUDIT_LOG.
        event: what was reported; of the audit log, the row that it made.
        row_id: the id of its row, for an event that came without one.
    """
    written = _WRITTEN.get(current().service_log)
    if written is None:
        return
    known = {field.name: value for field in fields(event) if (value := getattr(event, field.name)) is not None}
    request_log.write(written(message, {"id": row_id, **known}, times.now(), call.request_id))
