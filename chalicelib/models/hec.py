"""Splunk's HTTP Event Collector (HEC) on the wire: what its clients send, and the codes that they know.

A body is one JSON object after another, each with the thing that is reported under `event`:

    {"time": 1426279439, "host": "coder", "event": "<line of a log>"}{"event": {"msg": "audit_log", "fields": {...}}}

or, at another address, the lines of a log as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from itertools import islice
from typing import Any

from typing_extensions import TypedDict

from chalicelib.errors import (
    BadRequest,
    ErrorJSON,
    Forbidden,
    GatebookError,
    NoToken,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from chalicelib.models import bodies, broken_json, json_values
from chalicelib.models.bodies import of_logs, read_values
from chalicelib.models.broken_json import Broken
from chalicelib.models.results import QueuedJSON, ResultsJSON
from chalicelib.models.sent import MAX_READ, Sent, require_size


class Code(IntEnum):
    """The codes of answers, in the numbers of Splunk's documentation."""

    SUCCESS = 0
    TOKEN_DISABLED = 1
    NO_TOKEN = 2
    INVALID_AUTHORIZATION = 3
    INVALID_TOKEN = 4
    NO_DATA = 5
    INVALID_FORMAT = 6
    INTERNAL_ERROR = 8
    BUSY = 9
    EVENT_REQUIRED = 12
    NO_ACKNOWLEDGEMENTS = 14
    HEALTHY = 17


class NoData(BadRequest):
    """The body is empty."""


class NoAcknowledgements(BadRequest):
    """Acknowledgements are asked for, and there are none."""

    def __init__(self) -> None:
        super().__init__("There are no acknowledgements by id.", "What is answered with 200 is stored.")


class NoEvent(BadRequest):
    """No object of the body has the field `event`."""


_TEXTS = {
    Code.SUCCESS: "Success",
    Code.TOKEN_DISABLED: "Token disabled",
    Code.NO_TOKEN: "Token is required",
    Code.INVALID_AUTHORIZATION: "Invalid authorization",
    Code.INVALID_TOKEN: "Invalid token",
    Code.NO_DATA: "No data",
    Code.INVALID_FORMAT: "Invalid data format",
    Code.INTERNAL_ERROR: "Internal server error",
    Code.BUSY: "Server is busy",
    Code.EVENT_REQUIRED: "Event field is required",
    Code.NO_ACKNOWLEDGEMENTS: "ACK is disabled",
    Code.HEALTHY: "HEC is healthy",
}
_CODES: Mapping[type[GatebookError], Code] = {
    NoToken: Code.NO_TOKEN,
    Unauthorized: Code.INVALID_TOKEN,
    Forbidden: Code.TOKEN_DISABLED,
    NoData: Code.NO_DATA,
    NoEvent: Code.EVENT_REQUIRED,
    NoAcknowledgements: Code.NO_ACKNOWLEDGEMENTS,
    Unavailable: Code.BUSY,
    TooManyRequests: Code.BUSY,
}
"""Kind of an error -> its code; all else is a wrong format or, of the service itself, an internal error."""
_INVALID_TOKEN_STATUS = 403
_FIRST_SERVER_ERROR = 500


class HecJSON(TypedDict):
    """An answer to a client of HEC."""

    text: str
    code: int


class CollectedJSON(HecJSON, ResultsJSON):
    """The answer to a client of HEC."""


class WaitingJSON(HecJSON, QueuedJSON):
    """The answer to a client of HEC whose events are queued."""


class RefusalJSON(HecJSON, ErrorJSON):
    """An error, in the words of HEC and in the one shape of errors."""


def answer(code: Code) -> HecJSON:
    """The answer with this code."""
    return {"text": _TEXTS[code], "code": code.value}


def code_of(error: GatebookError) -> Code:
    """The code of an error."""
    otherwise = Code.INTERNAL_ERROR if error.status >= _FIRST_SERVER_ERROR else Code.INVALID_FORMAT
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), otherwise)


def status_of(error: GatebookError) -> int:
    """The status of an error, as Splunk has it: 401 is for requests without a token alone."""
    return _INVALID_TOKEN_STATUS if code_of(error) is Code.INVALID_TOKEN else error.status


def read_events(body: bytes, messages: Collection[str], begin: int = 0) -> Sent:
    """The events of a body, each with the message of its log.

    Where it breaks off or has an error, what is whole of it is read.

    Args:
        body: as it was sent.
        messages: as in `chalicelib.models.bodies.read_events`.
        begin: as there.

    Raises:
        BadRequest: it is no sequence of JSON objects with the field `event`.
        TooLarge: it has too many bytes.
    """
    require_size(body)
    text = body.decode(errors="replace").strip("\x00 \t\r\n")
    if not text:
        raise NoData("Request body must be valid JSON.", "EOF")
    values, error = json_values.sequence_up_to_error(text)
    if error is not None:
        values = [*islice(broken_json.values_of(text), MAX_READ + 1)]
        if all(isinstance(value, Broken) for value in values):
            raise error
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    if not any(isinstance(value, dict) and "event" in value for value in values):
        raise NoEvent("Request body must be valid JSON.", "each object must have the field event")
    return of_logs(read_values(map(_reported, values), messages, begin))


def read_lines(body: bytes, messages: Collection[str], begin: int = 0) -> Sent:
    """The events of a body of lines, each with the message of its log; arguments and errors as in `read_events`."""
    if not body.strip(b"\x00 \t\r\n"):
        raise NoData("Request body must have lines.", "EOF")
    return of_logs(bodies.read_events(body, messages, begin))


def _reported(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The event of an object, where it has one, or what is broken."""
    if isinstance(value, Broken):
        return value
    reported = value.get("event") if isinstance(value, dict) else None
    return reported if isinstance(reported, str | dict) else None
