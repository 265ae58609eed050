"""Splunk's HTTP Event Collector (HEC) on the wire: what its clients send, and the codes that they know.

A body is one JSON object after another, each with the thing that is reported under `event`:

    {"time": 1426279439, "host": "coder", "event": "<line of a log>"}{"event": {"msg": "audit_log", "fields": {...}}}
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NotRequired, TypedDict

from chalicelib.errors import BadRequest
from chalicelib.models import json_values
from chalicelib.models.bodies import Sent, read_values


class Code(IntEnum):
    """The codes of answers, in the numbers of Splunk's documentation."""

    SUCCESS = 0
    NO_TOKEN = 2
    INVALID_AUTHORIZATION = 3
    INVALID_TOKEN = 4
    NO_DATA = 5
    INVALID_FORMAT = 6
    INTERNAL_ERROR = 8
    BUSY = 9
    EVENT_REQUIRED = 12
    HEALTHY = 17


TEXTS = {
    Code.SUCCESS: "Success",
    Code.NO_TOKEN: "Token is required",
    Code.INVALID_AUTHORIZATION: "Invalid authorization",
    Code.INVALID_TOKEN: "Invalid token",
    Code.NO_DATA: "No data",
    Code.INVALID_FORMAT: "Invalid data format",
    Code.INTERNAL_ERROR: "Internal server error",
    Code.BUSY: "Server is busy",
    Code.EVENT_REQUIRED: "Event field is required",
    Code.HEALTHY: "HEC is healthy",
}


class HecJSON(TypedDict):
    """An answer to a client of HEC; `message` says the same in the error shape of every other route."""

    text: str
    code: int
    message: NotRequired[str]


def answer(code: Code, message: str = "") -> HecJSON:
    """The answer with this code."""
    body: HecJSON = {"text": TEXTS[code], "code": code.value}
    if message:
        body["message"] = message
    return body


def read_events(body: bytes, messages: Collection[str]) -> Sent:
    """The events of a body.

    Args:
        body: as it was sent.
        messages: as in `chalicelib.models.bodies.read_events`.

    Raises:
        BadRequest: it is no sequence of JSON objects.
    """
    text = body.decode(errors="replace").strip("\x00 \t\r\n")
    values = json_values.sequence(text) if text else []
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    reported = []
    for value in values:
        if not isinstance(value, dict):
            raise BadRequest("Request body must be valid JSON.", "each object must have the field event")
        reported.append(value.get("event"))
    return read_values(reported, messages)
