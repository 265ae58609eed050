"""Writes an event as the line that a Coder server prints of it, JSON or human: what `service_log` reads.

An absent value is written as Coder does: null, an empty text, Go's `<nil>` or the nil UUID, each field its own way. The
parts of a JSON line that say where in Coder's code it was printed, `caller` and `func`, are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.logs.go_quoting import quoted
from chalicelib.logs.service_log import FIELDS
from chalicelib.records import AuditLog, ConnectionLog

_LOGGER = "coderd"
_NIL_UUID = "00000000-0000-0000-0000-000000000000"
_WHEN_ABSENT: Mapping[str, Any] = {
    "code": None,
    "connection_id": None,
    "user_id": None,
    "ip": "<nil>",
    "organization_id": _NIL_UUID,
    "request_id": _NIL_UUID,
    "diff": {},
    "additional_fields": {},
}
_BARE = re.compile(r"[A-Za-z0-9_./@+<>-]+")


def event_of(row: ConnectionLog | AuditLog) -> dict[str, Any]:
    """The fields of the event that alone made a row; a session is called by the id of its row."""
    event = {field.name: getattr(row, field.name) for field in fields(row)}
    if isinstance(row, ConnectionLog):
        event |= {"connection_method": row.connection_method}
        event |= {"time": row.connect_time, "connection_status": "disconnected" if row.closing else "connected"}
        if row.closing is not None:
            event["disconnect_reason"] = row.closing.reason and row.closing.reason.value
            event["code"] = row.closing.code and row.closing.code.value
    return event


def json_line(message: str, event: Mapping[str, Any], now: datetime, request_id: str = "") -> str:
    """The line as `--log-json` prints it.

    Args:
        message: CONNECTION_LOG or AUDIT_LOG.
        event: field of the event -> value; what is missing or None is absent.
        now: when the line is printed.
        request_id: of the request that brought the event, which stands before its fields.
    """
    line = {
        "ts": times.wire(now),
        "level": "INFO",
        "msg": message,
        "logger_names": [_LOGGER],
        "fields": _fields(message, event, request_id),
    }
    return json.dumps(line, separators=(",", ":"))


def human_line(message: str, event: Mapping[str, Any], now: datetime, request_id: str = "") -> str:
    """The line as `--log-human` prints it."""
    moment = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1_000:03d}"
    pairs = [f"{name}={_plain(value)}" for name, value in _fields(message, event, request_id).items()]
    return "  ".join([f"{moment} [info]  {_LOGGER}: {message}", *pairs])


def _fields(message: str, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    before = {"request_id": request_id} if request_id else {}
    fields = before | {name: _written(field, event.get(field)) for name, field in FIELDS[message].items()}
    if event.get("app_name"):
        # The type does not say it: the names of newer servers do.
        fields |= {"ConnectionMethod": event["connection_method"], "AppNameOrPort": event["app_name"]}
    return fields


def _written(field: str, value: Any) -> Any:  # noqa: ANN401 - any value of an event
    if value is None:
        return _WHEN_ABSENT.get(field, "")
    return times.wire(value) if isinstance(value, datetime) else value


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return "<nil>"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _BARE.fullmatch(text) else quoted(text)
