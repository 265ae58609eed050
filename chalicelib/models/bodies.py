"""The forms in which events arrive, all read to one list: JSON batch, single event, NDJSON, service-log lines.

    {"events": [...]}    [...]                       a batch
    {"time": ...}                                    one event
    {"msg": "connection_log", "fields": {...}}       one line of a service log
    one of the last two per line, or a human line    NDJSON

What form it is follows from the body, not from the Content-Type, which shippers and curl set to anything.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import BadRequest, TooLarge
from chalicelib.logs import service_log
from chalicelib.models.base import read

MAX_BYTES = 5_000_000

_MOST_DIGITS = 4_300
_BATCH = re.compile(rb'\[\s*[{\["]|\{\s*"(?:events|logs)"\s*:')
_TOO_LONG = 10 ** (2 * _MOST_DIGITS)


@dataclass(frozen=True, slots=True)
class Event:
    """An object that should be an event; `index` is its place in the batch, or among the lines that are not blank."""

    index: int
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that should be an event and cannot be read; `problem` says why."""

    index: int
    problem: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line or an object that reports something else."""

    index: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What a body holds: events or what should be some, and how many lines and objects are none."""

    entries: tuple[Event | Unreadable, ...]
    skipped: int


def read_events(body: bytes, message: str) -> Sent:
    """The events of a body.

    Args:
        body: as it was sent.
        message: `msg` of the service-log lines that are events here; other lines are skipped and counted.

    Raises:
        BadRequest: the body is a JSON document that breaks off or has an error, or it is no text in UTF-8.
        TooLarge: over 5 MB.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge(
            "The request is too large.",
            f"A request may have {MAX_BYTES} bytes; this one has {len(body)}. Send less at a time.",
        )
    entries = [_entry(index, value, message) for index, value in enumerate(_values(body.removeprefix(codecs.BOM_UTF8)))]
    sent = tuple(entry for entry in entries if not isinstance(entry, Skipped))
    return Sent(sent, len(entries) - len(sent))


def _values(body: bytes) -> Iterator[Any]:
    """The JSON values that should be events; a line that is none comes as the ValueError or text that it is."""
    try:
        whole = _document(body)
    except BadRequest:
        if _opens_document(body) or body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise
        yield from (_line(line) for line in body.split(b"\n") if line.strip())
        return
    if isinstance(whole, dict) and isinstance(whole.get("events"), list):
        yield from whole["events"]
    elif isinstance(whole, list):
        yield from whole
    else:
        yield whole if isinstance(whole, dict) else ""


def _document(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The one JSON value of a body.

    What is JSON and too much for most readers (half a surrogate pair, a number of thousands of digits, lists nested in
    hundreds) is left to be found in the event that has it: it costs no other.
    """
    try:
        return read(body)
    except BadRequest as error:
        try:
            return json.loads(body.decode(), parse_constant=_no_number, parse_int=_integer)
        except (ValueError, RecursionError):
            raise error from None


def _no_number(text: str) -> Any:  # noqa: ANN401 - it never answers
    raise ValueError(text)


def _integer(text: str) -> int:
    """The number, or in the place of one that Python does not read another that it does not write."""
    return int(text) if len(text) <= _MOST_DIGITS else _TOO_LONG


def _opens_document(body: bytes) -> bool:
    """Whether the first line begins a batch, or a JSON value that goes on after it; a log's line does neither."""
    first = body.lstrip().partition(b"\n")[0].rstrip()
    return bool(_BATCH.match(first)) or (first.startswith((b"{", b"[")) and first.endswith((b"{", b"[", b",", b":")))


def _line(line: bytes) -> Any:  # noqa: ANN401 - any JSON value, a text, or what is wrong with it
    stripped = line.strip()
    try:
        value = read(stripped)
        return value if isinstance(value, dict) else ""
    except BadRequest as error:
        return ValueError(error.detail) if stripped.startswith(b"{") else stripped.decode(errors="replace")


def _entry(index: int, value: Any, message: str) -> Event | Skipped | Unreadable:  # noqa: ANN401 - any JSON value
    match value:
        case ValueError():
            return Unreadable(index, f"The line is not JSON: {value}")
        case str():
            return _human(index, value, message)
        case dict() if service_log.is_service_log(value):
            event = service_log.event_of(value, message)
            return Skipped(index) if event is None else Event(index, event)
        case dict():
            return Event(index, value)
        case _:
            return Unreadable(index, "An event must be a JSON object.")


def _human(index: int, text: str, message: str) -> Event | Skipped:
    try:
        event = service_log.event_of_human(text, message)
    except ValueError:
        return Skipped(index)
    return Skipped(index) if event is None else Event(index, event)
