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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import BadRequest, TooLarge
from chalicelib.logs import service_log
from chalicelib.models.base import read

MAX_EVENTS = 1_000
MAX_BYTES = 5_000_000

_MOST_DIGITS = 4_300
_TOO_LONG = 10 ** (2 * _MOST_DIGITS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was sent.

    Attributes:
        index: its place: in the batch, or among the lines that are not blank.
        value: the object that should be an event; None when it could not even be read.
        problem: why it could not be read.
    """

    index: int
    value: Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a body holds: entries, and how many lines of other messages were passed over."""

    entries: tuple[Entry, ...]
    skipped: int


def read_events(body: bytes, message: str) -> Sent:
    """The events of a body.

    Args:
        body: as it was sent.
        message: `msg` of the service-log lines that are events here; other lines are skipped and counted.

    Raises:
        BadRequest: the body is no JSON, and none of its lines is.
        TooLarge: over 5 MB, or over 1,000 events.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge(
            "The request is too large.",
            f"A request may have {MAX_BYTES} bytes; this one has {len(body)}. Send less at a time.",
        )
    given = list(_values(body.removeprefix(codecs.BOM_UTF8)))
    entries: list[Entry] = []
    for index, value in enumerate(given):
        entry = _entry(index, value, message)
        if entry is not None:
            entries.append(entry)
    if len(entries) > MAX_EVENTS:
        raise TooLarge(
            "There are too many events in the request.",
            f"A request may have {MAX_EVENTS} events; this one has {len(entries)}. Send less at a time.",
        )
    return Sent(tuple(entries), len(given) - len(entries))


def _values(body: bytes) -> Iterator[Any]:
    """The JSON values that should be events; a line that is no JSON comes as the ValueError or text that it is."""
    try:
        whole = _document(body)
    except BadRequest as error:
        lines = [_line(line) for line in body.split(b"\n") if line.strip()]
        if not any(isinstance(line, dict) or (isinstance(line, str) and _is_human(line)) for line in lines):
            raise
        if isinstance(lines[0], ValueError) and _opens_document(body):
            # Lines that happen to be JSON, in the middle of a broken document, are not a list of lines.
            raise error from None
        yield from lines
        return
    if isinstance(whole, dict) and isinstance(whole.get("events"), list):
        yield from whole["events"]
    elif isinstance(whole, list):
        yield from whole
    else:
        yield whole


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
    """Whether the first line begins a JSON value that goes on after it; a log's line is whole or cut at its front."""
    first = body.lstrip().partition(b"\n")[0].rstrip()
    return first.startswith((b"{", b"[")) and first.endswith((b"{", b"[", b",", b":"))


def _line(line: bytes) -> Any:  # noqa: ANN401 - any JSON value, a human line, or what is wrong with it
    stripped = line.strip()
    try:
        return read(stripped)
    except BadRequest as error:
        text = stripped.decode(errors="replace")
        return text if _is_human(text) else ValueError(error.detail)


def _is_human(text: str) -> bool:
    try:
        service_log.event_of_human(text, "")
    except ValueError:
        return False
    return True


def _entry(index: int, value: Any, message: str) -> Entry | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, ValueError):
        return Entry(index, None, f"The line is not JSON: {value}")
    if isinstance(value, str) and _is_human(value):
        value = service_log.event_of_human(value, message)
        return None if value is None else Entry(index, value)
    if not isinstance(value, dict):
        return Entry(index, None, "An event must be a JSON object.")
    if service_log.is_service_log(value):
        value = service_log.event_of(value, message)
        return None if value is None else Entry(index, value)
    return Entry(index, value)
