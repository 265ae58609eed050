"""The events of one request gathered by row, so that each row is written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from chalicelib import times
from chalicelib.logs.connection import is_keyed
from chalicelib.logs.session import Joined, join
from chalicelib.records import ConnectionLog, Origin

EventStatus = Literal["created", "updated", "unchanged"]

Join = Callable[[ConnectionLog, ConnectionLog], Joined]


class Outcome(NamedTuple):
    """The result of one event.

    Attributes:
        place: its place in the request.
        contradicts: whether it says otherwise than what is stored.
    """

    place: int
    status: EventStatus
    contradicts: bool = False


class Batch:
    """Events by row; those of a session in the order of time, the others as they came."""

    def __init__(self) -> None:
        self._events: dict[str, list[tuple[int, ConnectionLog]]] = {}

    def __bool__(self) -> bool:
        return bool(self._events)

    def add(self, index: int, event: ConnectionLog) -> None:
        """Gather the event at this place in the request, given as the row that it alone makes."""
        events = self._events.setdefault(event.id, [])
        if events and not is_keyed(event):
            other = join(events[0][1], event).row
            if other.id != event.id:
                self.add(index, other)
                return
        events.append((index, event))

    def groups(self) -> Mapping[str, list[ConnectionLog]]:
        """Row id -> the events of the row."""
        return {row_id: [event for _, event in self._taken(row_id)] for row_id in self._events}

    def indexes(self, row_id: str) -> list[int]:
        """The places in the request of a row's events."""
        return [index for index, _ in self._events[row_id]]

    def outcomes(self, row_id: str, before: ConnectionLog | None, join: Join = join) -> Iterator[Outcome]:
        """The result of each event of a row, in the order in which they were taken.

        Args:
            row_id: of the row, as in `groups`.
            before: what was stored under the id that the row was written to.
            join: the rule by which the row was written.
        """
        state = before
        for index, event in self._taken(row_id):
            if state is None:
                yield Outcome(index, "created")
                state = event
                continue
            after, conflict = join(state, replace(event, id=state.id, given_id=state.given_id))
            same = replace(after, conflicts=state.conflicts) == state
            yield Outcome(index, "unchanged" if same else "updated", conflict is not None)
            state = after

    def _taken(self, row_id: str) -> list[tuple[int, ConnectionLog]]:
        return sorted(self._events[row_id], key=_order)


def _order(entry: tuple[int, ConnectionLog]) -> tuple[bool, object, bool, int]:
    index, event = entry
    never = event.connect_time == times.NEVER
    return never, event.connect_time, event.origin is Origin.DISCONNECT, index
