"""OTLP over HTTP as JSON, logs alone: what an OpenTelemetry collector or SDK sends, and what it wants to be answered.

{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "<line of a log>"}, "attributes": [...]}]}]}]}
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from chalicelib.errors import BadRequest
from chalicelib.logs.service_log import FIELDS
from chalicelib.models import json_values
from chalicelib.models.bodies import of_logs, read_values
from chalicelib.models.results import ResultsJSON
from chalicelib.models.sent import Sent, require_size

_DEEPEST = 100
_INTEGER = re.compile(r"-?[0-9]{1,19}")
"""64 bits, which JSON of Protocol Buffers has as a text."""


class PartialSuccessJSON(TypedDict):
    """The records that are refused for good; empty when there are none."""

    rejectedLogRecords: NotRequired[str]
    errorMessage: NotRequired[str]


class ExportLogsJSON(TypedDict):
    """ExportLogsServiceResponse."""

    partialSuccess: PartialSuccessJSON


class StatusJSON(ResultsJSON):
    """google.rpc.Status: what is answered where records are to be sent again, with what became of each."""

    code: int


UNAVAILABLE = 14
"""google.rpc.Code: sending again helps."""
INTERNAL = 13
"""google.rpc.Code: it does not."""


def answer(rejected: int, first: str = "") -> ExportLogsJSON:
    """The answer to records of which so many are refused for good.

    Args:
        rejected: how many.
        first: what is wrong with the first of them.
    """
    if not rejected:
        return {"partialSuccess": {}}
    return {"partialSuccess": {"rejectedLogRecords": str(rejected), "errorMessage": first}}


def read_events(body: bytes, messages: Collection[str], begin: int = 0) -> Sent:
    """The events of a body, each with the message of its log.

    Args:
        body: ExportLogsServiceRequest as JSON.
        messages: as in `chalicelib.models.bodies.read_events`.
        begin: as there.

    Raises:
        BadRequest: it is no such request.
        TooLarge: it has too many bytes.
    """
    require_size(body)
    if body.strip() and not body.lstrip().startswith(b"{"):
        # As exporters send it where they are not asked for JSON.
        raise BadRequest("Request body must be valid JSON.", "Protocol Buffers are not read: set the encoding to json")
    value = json_values.document(body)
    if not isinstance(value, dict) or (value and "resourceLogs" not in value):
        raise BadRequest("Request body must be valid JSON.", "a JSON object with resourceLogs is expected")
    records = (
        record
        for resource in _objects(value, "resourceLogs")
        for scope in _objects(resource, "scopeLogs")
        for record in _objects(scope, "logRecords")
    )
    return of_logs(read_values(map(_reported, records), messages, begin))


def _reported(record: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """The event of a record: its body, or its attributes where the body is the name of a message alone, or none."""
    body = _value(record.get("body"))
    if isinstance(body, str) and body in FIELDS:
        return {"message": body, "attributes": _pairs(record.get("attributes"))}
    if body in (None, ""):
        return _pairs(record.get("attributes"))
    return body if isinstance(body, str | dict) else None


def _objects(value: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    given = value.get(key, [])
    if not isinstance(given, list) or not all(isinstance(inner, dict) for inner in given):
        raise BadRequest("Request body must be valid JSON.", f"{key} must be a list of objects")
    yield from given


def _value(given: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of an AnyValue; None for one that is absent, of another kind, or nested too deep."""
    match given:
        case {"stringValue": str() as plain} | {"bytesValue": str() as plain} | {"boolValue": bool() as plain}:
            return plain
        case {"doubleValue": int() | float() as plain}:
            return plain
        case {"intValue": int() | str() as number} if _INTEGER.fullmatch(str(number)):
            return int(number)
        case {"arrayValue": {"values": list() as values}} if depth < _DEEPEST:
            return [_value(inner, depth + 1) for inner in values]
        case {"kvlistValue": {"values": list() as pairs}} if depth < _DEEPEST:
            return _pairs(pairs, depth + 1)
    return None


def _pairs(given: Any, depth: int = 0) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    pairs = given if isinstance(given, list) else []
    return {
        pair["key"]: _value(pair.get("value"), depth)
        for pair in pairs
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }
