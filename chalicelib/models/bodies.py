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
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from chalicelib.errors import BadRequest
from chalicelib.logs import service_log
from chalicelib.models import broken_json, json_values
from chalicelib.models.body_parts import NAMES_AN_EVENT, batch_of, of_lines, of_values
from chalicelib.models.sent import MAX_BYTES, Event, Sent, Unreadable, collected, require_size

_BATCH = re.compile(rb'\[\s*[{\["]|\{\s*"(?:events|logs|logEvents|records|entries)"\s*:')
_NO_TEXT = re.compile(
    rb"\xff\xfe|\xfe\xff|\x00\x00\xfe\xff|\x1f(?:\x8b|\xef\xbf\xbd)\x08|\x28(?:\xb5|\xef\xbf\xbd)\x2f(?:\xfd|\xef\xbf\xbd)"
    rb'|(?:\xef\xbf\xbd){0,2}\x00{0,3}["<\[{\w]\x00{1,3}[^\x00]\x00'
)
"""The beginning of a text in UTF-16 or UTF-32, with its mark or without, and of what gzip or zstd has compressed.

A gateway that takes a body for text has replaced the bytes that are none.
"""
_UNREADABLE = "the body is no text in UTF-8; a compressed one needs Content-Encoding: gzip or deflate"


def read_events(body: bytes, messages: Collection[str], begin: int = 0) -> Sent:
    """The events of a body.

    Args:
        body: as it was sent.
        messages: `msg` of the service-log lines that are events here; other lines are skipped and counted.
        begin: how many lines or objects, from the first, are not looked at.

    Raises:
        BadRequest: the body is no text in UTF-8.
        TooLarge: it is one JSON document or one line of more than 5 MB.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if _NO_TEXT.match(body):
        raise BadRequest("Request body must be valid JSON.", _UNREADABLE)
    whole, may_be_document = _whole(body)
    if whole is not None:
        batch = batch_of(whole)
        return _of_values([whole] if batch is None else batch, messages, begin)
    if may_be_document and b"\n" not in body.strip():
        documents = _of_values(_unbatched(_values_of(body)), messages, begin)
        if documents.entries:
            return documents
    sent = collected(of_lines(body, begin=begin), messages, begin)
    if may_be_document and begin and not sent.events and collected(of_lines(body), messages).events:
        # The places of what was taken before are those of lines.
        return sent
    if may_be_document and not sent.events and NAMES_AN_EVENT.search(body.decode(errors="replace")):
        # Events on several lines each, or one document of events that breaks off.
        documents = _of_values(_unbatched(_values_of(body)), messages, begin)
        return documents if documents.entries else sent
    return sent


def read_values(values: Iterable[Any], messages: Collection[str], begin: int = 0) -> Sent:
    """The events of a batch that is read already: objects, or the lines of a log as texts; nulls are skipped."""
    return _of_values(("" if value is None else value for value in values), messages, begin)


def _of_values(values: Iterable[Any], messages: Collection[str], begin: int) -> Sent:
    return collected(of_values(values), messages, begin)


def of_logs(sent: Sent) -> Sent:
    """Give each event the message of its log, by its own fields if not by name; others are skipped."""
    entries: list[Event | Unreadable] = []
    for entry in sent.entries:
        if isinstance(entry, Unreadable) or entry.message:
            entries.append(entry)
        elif message := service_log.message_by_fields(entry.value) or service_log.log_meant(entry.value):
            entries.append(replace(entry, message=message))
    return replace(sent, entries=tuple(entries), skipped=sent.skipped + len(sent.entries) - len(entries))


def _whole(body: bytes) -> tuple[Any, bool]:
    """The one JSON value of a body; where it is none, None and whether its lines may be parts of documents.

    Raises:
        TooLarge: it is one JSON value of too many bytes.
    """
    first = body.lstrip(b" \t\r\n\x00").partition(b"\n")[0].rstrip()
    if not first.startswith((b"{", b"[")) or body.startswith(b"    "):
        return None, False
    # An opening alone may also be the first line of what another program prints, with events behind it.
    is_batch = bool(_BATCH.match(first)) and first not in (b"[{", b"[[")
    may_go_on = is_batch or first.endswith((b"{", b"[", b",", b":"))
    if not may_go_on and b"\n" in body.strip():
        # Lines: each is a value, so the whole is none.
        return None, False
    try:
        value = json_values.document(body.strip(b"\x00"))
    except BadRequest:
        return (_documents(body) if is_batch or first.endswith(b"},") else None), may_go_on
    require_size(body)
    return value, False


def _values_of(body: bytes) -> Iterator[Any]:
    """The values of a body that breaks off or has an error.

    Raises:
        TooLarge: it has too many bytes.
    """
    require_size(body)
    return broken_json.values_of(body.decode(errors="replace").strip("\x00"))


def _documents(body: bytes) -> list[Any] | None:
    """The values of the JSON documents of a body, one after the other; None for any other body."""
    text = body[: MAX_BYTES + 1].decode(errors="replace").strip("\x00 \t\r\n")
    values, error = json_values.sequence_up_to_error(text)
    if error is not None or len(body) > MAX_BYTES:
        return None
    return [*_unbatched(values)]


def _unbatched(values: Iterable[Any]) -> Iterator[Any]:
    """The values, those of a batch in its place; an empty batch is one value, as what is read is counted by these."""
    for value in values:
        yield from batch_of(value) or [value]
