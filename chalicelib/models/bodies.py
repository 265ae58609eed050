"""The forms in which events arrive, all read to one list.

    {"events": [...]}    {"logs": [...]}    [...]      a batch
    {"time": ...}                                      one event
    {"msg": "connection_log", "fields": {...}}         one line of a service log, in any of its forms
    {"log": "..."}    {"message": "..."}               one line, as a collector wraps it
    "..."                                              one line, in a batch
    one of these, or a human line, per line            lines, with what a collector puts before each

What form it is follows from the body, not from the Content-Type, which shippers and curl set to anything.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.errors import BadRequest, TooLarge
from chalicelib.logs import human_line, service_log, text_lines
from chalicelib.logs.divided_lines import DividedLines
from chalicelib.models import json_values

MAX_BYTES = 5_000_000
"""Of a body, after unpacking. Of lines the first are taken, and the answer says how many."""
MAX_EVENTS = 20_000
"""The limit of events and unreadable entries in a request: more than 5 MB hold of the smallest events."""
MAX_READ = 100_000
"""Objects and lines that are looked at, whatever they are."""
MAX_LINES_OF_TEXT = 10_000
"""Of one text in a batch or a wrapper, in which a collector puts one line."""

_BATCH_KEYS = ("events", "logs", "logEvents", "records", "entries")
_LIST = re.compile(r'\[\s*[{\["]')
_BATCH = re.compile(rb'\[\s*[{\["]|\{\s*"(?:events|logs|logEvents|records|entries)"\s*:')
_WRAPPERS = (
    "log",
    "message",
    "MESSAGE",
    "msg",
    "event",
    "line",
    "body",
    "original",
    "textPayload",
    "jsonPayload",
    "Message",
    "@message",
    "_raw",
    "Body",
    "Log",
)
"""The keys under which collectors wrap the line of a program."""
_DEEPEST_WRAPPER = 4
_NO_TEXT = re.compile(
    rb"\xff\xfe|\xfe\xff|\x00\x00\xfe\xff|\x1f(?:\x8b|\xef\xbf\xbd)\x08|\x28(?:\xb5|\xef\xbf\xbd)\x2f(?:\xfd|\xef\xbf\xbd)"
    rb'|(?:\xef\xbf\xbd){0,2}\x00{0,3}["<\[{\w]\x00{1,3}[^\x00]\x00'
)
"""The beginning of a text in UTF-16 or UTF-32, with its mark or without, and of what gzip or zstd has compressed.

A gateway that takes a body for text has replaced the bytes that are none.
"""
_UNREADABLE = "the body is no text in UTF-8; a compressed one needs Content-Encoding: gzip or deflate"
_NAMES_AN_EVENT = re.compile(
    r'connection_log|audit_log|"(?:connection_status|resource_type|(?:organization|workspace)_id)"'
)
"""A text that is no JSON counts as a broken event only if it has this: other lines are nobody's loss."""


@dataclass(frozen=True, slots=True)
class Event:
    """An object that should be an event.

    Attributes:
        index: its place in the batch, or among the lines that are not blank.
        value: the event, or what should be one.
        message: of the service log, which says whose event it is; empty where the object does not say.
    """

    index: int
    value: Mapping[str, Any]
    message: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that should be an event and cannot be read; `problem` says why."""

    index: int
    problem: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Lines or an object that report something else."""

    index: int
    lines: int = 1


Part = Event | Unreadable | Skipped


@dataclass(frozen=True, slots=True)
class _Stop:
    """The body has more than a request may have, from here on."""

    index: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The events of a body.

    Attributes:
        entries: events, and entries that cannot be read as one.
        skipped: how many lines and objects are none.
        stopped_at: the place of the first line or object that was not read; None when all were.
    """

    entries: tuple[Event | Unreadable, ...]
    skipped: int
    stopped_at: int | None = None


def read_events(body: bytes, messages: Collection[str]) -> Sent:
    """The events of a body.

    Args:
        body: as it was sent.
        messages: `msg` of the service-log lines that are events here; other lines are skipped and counted.

    Raises:
        BadRequest: the body is a JSON document that breaks off or has an error, or it is no text in UTF-8.
        TooLarge: it is one JSON document or one line of more than 5 MB.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if _NO_TEXT.match(body):
        raise BadRequest("Request body must be valid JSON.", _UNREADABLE)
    whole, error = _whole(body)
    if whole is not None:
        batch = _batch(whole)
        return _of_values([whole] if batch is None else batch, messages)
    sent = _sent(_of_lines(body), messages)
    if error is not None and not sent.entries and _NAMES_AN_EVENT.search(body.decode(errors="replace")):
        # Events on several lines each, or one document of events that breaks off.
        values = _documents(body)
        if values is None:
            raise error
        return _of_values(values, messages)
    return sent


def read_values(values: Iterable[Any], messages: Collection[str]) -> Sent:
    """The events of a batch that is read already: objects, or the lines of a log as texts; nulls are skipped."""
    return _of_values(("" if value is None else value for value in values), messages)


def _of_values(values: Iterable[Any], messages: Collection[str]) -> Sent:
    return _sent(_parts_of(values), messages)


def _parts_of(values: Iterable[Any]) -> Iterator[Part]:
    divided = DividedLines()
    for index, given in enumerate(values):
        value = divided.whole(index, given) if isinstance(given, dict) else given
        if value is not None or given is None:
            yield from _of_value(index, value)
    for index, value in divided.unended():
        yield from _of_value(index, value)


def of_logs(sent: Sent) -> Sent:
    """Give each event the message of its log, by its own fields if not by name; others are skipped."""
    entries: list[Event | Unreadable] = []
    for entry in sent.entries:
        if isinstance(entry, Unreadable) or entry.message:
            entries.append(entry)
        elif message := service_log.message_by_fields(entry.value):
            entries.append(replace(entry, message=message))
    return replace(sent, entries=tuple(entries), skipped=sent.skipped + len(sent.entries) - len(entries))


def require_size(body: bytes) -> None:
    """Make sure that a body, which is taken whole or not at all, has no more bytes than a request may have.

    Raises:
        TooLarge: it has.
    """
    if len(body) > MAX_BYTES:
        raise _too_large(body)


def _sent(parts: Iterable[Part | _Stop], messages: Collection[str]) -> Sent:
    entries: list[Event | Unreadable] = []
    skipped = 0
    for number, part in enumerate(parts):
        if isinstance(part, _Stop) or number == MAX_READ or len(entries) == MAX_EVENTS:
            return Sent(tuple(entries), skipped, part.index)
        match part:
            case Skipped():
                skipped += part.lines
            case Event() if part.message and part.message not in messages:
                skipped += 1
            case _:
                entries.append(part)
    return Sent(tuple(entries), skipped)


def _whole(body: bytes) -> tuple[Any, BadRequest | None]:
    """The one JSON value of a body; None where the body is lines, and what is wrong where these may be a document.

    Raises:
        BadRequest: it begins as a batch does, and is no JSON; or it is no text in UTF-8.
        TooLarge: it is one JSON value of too many bytes.
    """
    first = body.lstrip(b" \t\r\n\x00").partition(b"\n")[0].rstrip()
    if not first.startswith((b"{", b"[")) or body.startswith(b"    "):
        return None, None
    # An opening alone may also be the first line of what another program prints, with events behind it.
    is_batch = bool(_BATCH.match(first)) and first not in (b"[{", b"[[")
    may_go_on = is_batch or first.endswith((b"{", b"[", b",", b":"))
    if not may_go_on and b"\n" in body.strip():
        # Lines: each is a value, so the whole is none.
        return None, None
    try:
        value = json_values.document(body.strip(b"\x00"))
    except BadRequest as error:
        if (is_batch or first.endswith(b"},")) and (values := _documents(body)) is not None:
            return values, None
        if is_batch:
            raise
        return None, error if may_go_on else None
    require_size(body)
    return value, None


def _documents(body: bytes) -> list[Any] | None:
    """The values of the JSON documents of a body, one after the other; None for any other body."""
    text = body[: MAX_BYTES + 1].decode(errors="replace").strip("\x00 \t\r\n")
    values, error = json_values.sequence_up_to_error(text)
    if error is not None or len(body) > MAX_BYTES:
        return None
    batches = ((value, _batch(value)) for value in values)
    return [inner for value, batch in batches for inner in ([value] if batch is None else batch)]


def _too_large(body: bytes) -> TooLarge:
    return TooLarge(
        "The request is too large.",
        f"A request may have {MAX_BYTES} bytes; this one has {len(body)}. Send less at a time, or send lines.",
    )


def _batch(value: object) -> list[Any] | None:
    if isinstance(value, dict):
        value = next((value[key] for key in _BATCH_KEYS if isinstance(value.get(key), list)), None)
    return value if isinstance(value, list) else None


def _of_lines(body: bytes, depth: int = 0) -> Iterator[Part | _Stop]:
    index = 0
    whole_lines = body if len(body) <= MAX_BYTES else body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]
    if body and not whole_lines:
        raise _too_large(body)
    divided = DividedLines()
    for entry in text_lines.entries(whole_lines):
        yield from _of_entry(index, entry, divided, depth)
        index += entry.lines
    for first, value in divided.unended():
        yield from _of_value(first, value, depth)
    if len(whole_lines) < len(body):
        yield _Stop(index)


def _of_entry(index: int, entry: text_lines.Entry, divided: DividedLines, depth: int) -> Iterator[Part]:
    if entry.text.startswith('"') and depth < _DEEPEST_WRAPPER:
        yield from _of_quoted(index, entry, depth)
        return
    if not entry.text.startswith("{") and not _LIST.match(entry.text):
        reported = service_log.read_human(entry.text, entry.below) if entry.text else None
        yield Event(index, reported.event, reported.message) if reported else Skipped(index, entry.lines)
        return
    try:
        values = json_values.sequence(entry.text)
    except BadRequest as error:
        if _NAMES_AN_EVENT.search(entry.text):
            yield Unreadable(index, f"The line is not JSON: {error.detail}")
        else:
            yield Skipped(index, entry.lines)
        return
    for value in values:
        reported = service_log.read_object(value) if isinstance(value, dict) else None
        if reported is not None:
            yield Event(index, reported.event, reported.message)
            continue
        batch = _batch(value)
        for given in [value] if batch is None else batch:
            inner = divided.whole(index, given) if isinstance(given, dict) else given
            if inner is not None or given is None:
                yield from _of_value(index, inner, depth)


def _of_quoted(index: int, entry: text_lines.Entry, depth: int) -> Iterator[Part]:
    """The events of a line that is a line as a JSON text."""
    try:
        value = json_values.document(entry.text)
    except BadRequest:
        value = None
    if isinstance(value, str):
        yield from _of_text(index, value, depth + 1)
    else:
        yield Skipped(index, entry.lines)


def _of_value(index: int, value: Any, depth: int = 0) -> Iterator[Part]:  # noqa: ANN401 - any JSON value
    match value:
        case str():
            yield from _of_text(index, value, depth)
        case dict():
            yield from _of_object(index, value, depth)
        case _:
            yield Unreadable(index, "An event must be a JSON object.")


def _of_object(index: int, value: dict[str, Any], depth: int) -> Iterator[Part]:
    reported = service_log.read_object(value)
    if reported is not None:
        yield Event(index, reported.event, reported.message)
        return
    wrapped = None if service_log.message_by_fields(value) else _wrapped(value)
    if wrapped is None or depth == _DEEPEST_WRAPPER:
        yield Event(index, value)
    else:
        yield from _of_value(index, wrapped, depth + 1)


def _wrapped(value: Mapping[str, Any]) -> str | dict[str, Any] | None:
    """The line that a collector wrapped, where it did."""
    for key in _WRAPPERS:
        match value.get(key):
            case str() as text:
                return text
            case dict() as line:
                return line
            case [int(), *_] as octets if key == "MESSAGE" and all(_is_byte(octet) for octet in octets):
                # journald's form of a text that is not printable throughout.
                return bytes(octets).decode(errors="replace")
    return None


def _is_byte(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= 0xFF  # noqa: PLR2004 - the largest byte


def _of_text(index: int, text: str, depth: int) -> Iterator[Part]:
    """The events of a text in a batch or a wrapper: together they are one thing that was sent."""
    line = text.strip("\x00 \t\r\n")
    one_line = line.startswith("{") and "\n" not in line and not text.startswith(human_line.INDENT)
    parts = (
        _of_entry(0, text_lines.Entry(1, line), DividedLines(), depth)
        if one_line
        else _of_lines(text.encode(errors="replace"), depth)
    )
    is_telling = False
    for number, part in enumerate(parts):
        if number == MAX_LINES_OF_TEXT:
            yield Unreadable(index, f"One text may have {MAX_LINES_OF_TEXT} lines; this one has more.")
            return
        match part:
            case Event():
                yield Event(index, part.value, part.message)
            case Unreadable():
                yield Unreadable(index, part.problem)
            case _:
                if number:
                    # More than a line was looked at, and the text counts once among what is skipped.
                    yield Skipped(index, 0)
                continue
        is_telling = True
    if not is_telling:
        yield Skipped(index)
