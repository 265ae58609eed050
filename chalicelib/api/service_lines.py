"""Prints each event that is taken in as a Coder server would have, where the deployment asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.api import request_log
from chalicelib.logs.service_line import event_of, human_line, json_line
from chalicelib.records import AuditLog, ConnectionLog
from chalicelib.settings import current

_WRITTEN: Mapping[str, Callable[[str, Mapping[str, Any], datetime, str], str]] = {
    "json": json_line,
    "human": human_line,
}


def emit(request_id: str, message: str, row: ConnectionLog | AuditLog) -> None:
    """Print the line of one event that is stored (`GATEBOOK_SERVICE_LOG`).

    Args:
        request_id: of the request that brought it.
        message: CONNECTION_LOG or AUDIT_LOG.
        row: what the event alone makes.
    """
    written = _WRITTEN.get(current().service_log)
    if written is not None:
        request_log.write(written(message, event_of(row), times.now(), request_id))
