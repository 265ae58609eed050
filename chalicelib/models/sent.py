"""The events of a body, and how many a request may have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import TooLarge

MAX_BYTES = 5_000_000
"""Of a body, after unpacking. Of lines the first are taken, and the answer says how many."""
MAX_EVENTS = 20_000
"""The limit of events and unreadable entries in a request: more than 5 MB hold of the smallest events."""
MAX_READ = 100_000
"""Objects and lines that are looked at, whatever they are."""


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
class Stop:
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

    @property
    def events(self) -> int:
        """How many of the entries are events."""
        return sum(isinstance(entry, Event) for entry in self.entries)


def collected(parts: Iterable[Part | Stop], messages: Collection[str], begin: int = 0) -> Sent:
    """The events of the parts of a body, as many as a request may have.

    Args:
        parts: in the order of the body.
        messages: of the events that are taken; others, unless they have none, are skipped and counted.
        begin: the place of the first part that is looked at.
    """
    entries: list[Event | Unreadable] = []
    skipped = 0
    for number, part in enumerate(part for part in parts if part.index >= begin):
        if isinstance(part, Stop) or number == MAX_READ or len(entries) == MAX_EVENTS:
            return Sent(tuple(entries), skipped, part.index)
        match part:
            case Skipped():
                skipped += part.lines
            case Event() if part.message and part.message not in messages:
                skipped += 1
            case _:
                entries.append(part)
    return Sent(tuple(entries), skipped)


def require_size(body: bytes) -> None:
    """Make sure that a body, which is taken whole or not at all, has no more bytes than a request may have.

    Raises:
        TooLarge: it has.
    """
    if len(body) > MAX_BYTES:
        raise too_large(body)


def too_large(body: bytes) -> TooLarge:
    """The refusal of a body that has too many bytes."""
    return TooLarge(
        "The request is too large.",
        f"A request may have {MAX_BYTES} bytes; this one has {len(body)}. Send less at a time, or send lines.",
    )
