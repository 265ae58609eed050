"""The parts of a body: of its lines, or of the values of a batch, each an event or none.

Lines hold values, values hold texts, and texts hold lines, as deep as collectors wrap them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.errors import BadRequest
from chalicelib.logs import human_line, service_log, text_lines
from chalicelib.logs.lines_below import WholeLines
from chalicelib.models import broken_json, json_values
from chalicelib.models.broken_json import BATCH_KEYS, Broken
from chalicelib.models.sent import MAX_BYTES, Event, Part, Skipped, Stop, Unreadable, too_large

MAX_LINES_OF_TEXT = 10_000
"""Of one text in a batch or a wrapper, in which a collector puts one line."""
_LIST = re.compile(r'\[\s*[{\["]')
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
    "full_message",
    "short_message",
    "entry",
    "LogEntry",
    "record",
    "json",
)
"""The keys under which collectors wrap the line of a program; each may hold something else of theirs."""
_DEEPEST_WRAPPER = 4
NAMES_AN_EVENT = re.compile(
    r'connection_log|audit_log|"(?:connection_status|resource_type|agent_name|(?:organization|workspace)_id)"'
)
"""Text that is no JSON counts as a broken event only if it has this: all else is nobody's loss."""


def of_values(values: Iterable[Any]) -> Iterator[Part]:
    """The parts of a batch, of which a long line may be divided among several values."""
    whole = WholeLines()
    index = 0
    for index, given in enumerate(values):
        if isinstance(given, Broken):
            yield from _of_pairs(whole.released())
            yield _of_broken(index, given)
        else:
            yield from _of_pairs(whole.passed(index, given))
    yield from _of_pairs(whole.unended(index))


def batch_of(value: object) -> list[Any] | None:
    """The values of a batch; None for anything else."""
    if isinstance(value, dict):
        value = next((value[key] for key in BATCH_KEYS if isinstance(value.get(key), list)), None)
    return value if isinstance(value, list) else None


def of_lines(body: bytes, depth: int = 0, begin: int = 0) -> Iterator[Part | Stop]:
    """The parts of a body that is lines, as many bytes as a request may have; where lines were taken before, all.

    Raises:
        TooLarge: its first line has too many bytes.
    """
    index = 0
    whole_lines = body if begin or len(body) <= MAX_BYTES else body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]
    if body and not whole_lines:
        raise too_large(body)
    whole = WholeLines()
    last = 0
    for entry in text_lines.entries(whole_lines):
        yield from _of_entry(index, entry, whole, depth)
        last = index
        index += entry.lines if entry.moves is None else entry.moves
    yield from _of_pairs(whole.unended(last), depth)
    if len(whole_lines) < len(body):
        yield Stop(index)


def _of_pairs(pairs: Iterable[tuple[int, Any]], depth: int = 0) -> Iterator[Part]:
    for index, value in pairs:
        yield from _of_value(index, value, depth)


def _of_entry(index: int, entry: text_lines.Entry, whole: WholeLines, depth: int) -> Iterator[Part]:
    if not entry.text.startswith("{"):
        yield from _of_pairs(whole.released(), depth)
    if entry.text.startswith('"') and depth < _DEEPEST_WRAPPER:
        yield from _of_quoted(index, entry, depth)
        return
    if not entry.text.startswith("{") and not _LIST.match(entry.text):
        reported = service_log.read_human(entry.text, entry.below) if entry.text else None
        yield Event(index, reported.event, reported.message) if reported else Skipped(index, entry.lines)
        return
    is_telling = False
    for value in _values_of(entry.text):
        is_telling = True
        if isinstance(value, Broken):
            yield from _of_pairs(whole.released(), depth)
            yield _of_broken(index, value)
            continue
        reported = service_log.read_object(value) if isinstance(value, dict) else None
        if reported is not None:
            yield from _of_pairs(whole.released(), depth)
            yield Event(index, reported.event, reported.message)
            continue
        # An empty batch is a value too, as what is read is counted by these.
        for given in batch_of(value) or [value]:
            yield from _of_pairs(whole.passed(index, given), depth)
    if not is_telling:
        yield Skipped(index, entry.lines)


def _values_of(line: str) -> Iterable[Any]:
    try:
        return json_values.sequence(line)
    except BadRequest:
        return broken_json.values_of(line)


def _of_broken(index: int, broken: Broken) -> Part:
    if NAMES_AN_EVENT.search(broken.text):
        return Unreadable(index, f"It is not JSON: {broken.problem}")
    return Skipped(index)


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
        case list() if value and depth < _DEEPEST_WRAPPER:
            for inner in value:
                yield from _of_value(index, inner, depth + 1)
        case _:
            yield Skipped(index)


def _of_object(index: int, value: dict[str, Any], depth: int) -> Iterator[Part]:
    reported = service_log.read_object(value)
    if reported is not None:
        yield Event(index, reported.event, reported.message)
        return
    if service_log.message_by_fields(value) or depth == _DEEPEST_WRAPPER:
        yield Event(index, value) if service_log.log_meant(value) else Skipped(index)
        return
    is_wrapper = False
    for wrapped in _wrapped(value):
        is_wrapper, is_telling = True, False
        for part in _of_value(index, wrapped, depth + 1):
            if not isinstance(part, Skipped):
                is_telling = True
                yield part
            elif not part.lines:
                yield part
        if is_telling:
            return
    yield Event(index, value) if not is_wrapper and service_log.log_meant(value) else Skipped(index)


def _wrapped(value: Mapping[str, Any]) -> Iterator[str | dict[str, Any]]:
    """The texts and objects that may be the line that a collector wrapped."""
    for key in _WRAPPERS:
        match value.get(key):
            case str() | dict() as line:
                yield line
            case [int(), *_] as octets if key == "MESSAGE" and all(_is_byte(octet) for octet in octets):
                # journald's form of a text that is not printable throughout.
                yield bytes(octets).decode(errors="replace")


def _is_byte(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= 0xFF  # noqa: PLR2004 - the largest byte


def _of_line(line: str, depth: int) -> Iterator[Part]:
    """The events of a line of JSON in a batch or a wrapper."""
    whole = WholeLines()
    yield from _of_entry(0, text_lines.Entry(1, line), whole, depth)
    yield from _of_pairs(whole.unended(0), depth)


def _of_text(index: int, text: str, depth: int) -> Iterator[Part]:
    """The events of a text in a batch or a wrapper: together they are one thing that was sent."""
    line = text.strip("\x00 \t\r\n")
    one_line = line.startswith("{") and "\n" not in line and not text.startswith(human_line.INDENT)
    parts = _of_line(line, depth) if one_line else of_lines(text.encode(errors="replace"), depth)
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
