"""The parts of a session that events add to its beginning: its end, and the conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from chalicelib.records.row import Receipt

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Mark(Generic[T]):
    """A value and the moment of the event that carried it. Marks order by moment, then by value."""

    time: datetime
    value: T


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a session. Each part is of the first disconnect that was accepted with it.

    Attributes:
        receipt: of the disconnect that `time` is of. It is no part of what a closing says, nor of its text, which ids
            are made of.
    """

    time: datetime
    reason: Mark[str] | None = None
    code: Mark[int] | None = None
    receipt: Receipt | None = field(default=None, compare=False, repr=False)


class Origin(StrEnum):
    """The kind of event that said when a session began."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    """No connect has been received: the session's own end stands for its beginning."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The fields in which one event contradicts the session that it belongs to.

    Attributes:
        kind: of the event.
        time: of the event.
        said: field of the event -> the value that the session does not take.
        receipt: of the event; the same event of another sender is the same conflict.
    """

    kind: Origin
    time: datetime
    said: Mapping[str, Any]
    receipt: Receipt | None = field(default=None, compare=False)


class Conflicts(NamedTuple):
    """The conflicts of a session: how many different events contradict it, and the newest of them, oldest first."""

    number: int = 0
    newest: tuple[Conflict, ...] = ()


NO_CONFLICTS = Conflicts()
