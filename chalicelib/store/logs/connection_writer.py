"""Writes connection log rows so that any repetition and any number of writers at once give the same row.

What a stored row and an event make together is not decided here: the caller gives a `Join`. This module makes the join
atomic without a lock. It guesses what is stored, writes on the condition that the guess is right, and where it is wrong
takes the stored row from the refusal, joins, and writes on the condition that nothing has changed since:

    put       nothing is stored       a first connect, a web event
    close     an open session is      a disconnect: touches the row and the lanes of open sessions, no other
    replace   exactly this revision   everything else

The first two are right nearly always, so an event costs one call. A write that was committed but not acknowledged is
met by its own retry as a stored row that the join leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple, assert_never

from chalicelib.errors import Unavailable
from chalicelib.logs.session import Joined, remembering
from chalicelib.records import ConnectionLog, Origin
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.contention import back_off
from chalicelib.store.dynamodb.tables import ConnectionLogItem
from chalicelib.store.logs import connection_requests as requests
from chalicelib.store.logs.connection_requests import Closed, Done, Missing, State, Stored, Tombstone
from chalicelib.store.logs.write_pool import NotWritten, Written, write_all_of

Join = Callable[[ConnectionLog, ConnectionLog], Joined]
"""A function that joins a stored row and an event; under another id where the event is of another session."""

Group = Sequence[ConnectionLog]
"""Events of one row, in the order in which they are taken, each as the row that it alone would make."""

Keeps = Callable[[ConnectionLog], bool]

_ATTEMPTS = 10


def _everything(_row: ConnectionLog) -> bool:
    return True


class Rule(NamedTuple):
    """The rules of a write: how rows are joined, and which are kept.

    Attributes:
        join: the rule of the log.
        keeps: whether a row would be kept. No write makes one that would not: where there is no row none is made, and
            one that is kept is not made one that is not.
        recent: whether a row is within its retention, held or not. Only such a one takes the place of a tombstone:
            any other is of the session that was purged.
    """

    join: Join
    keeps: Keeps = _everything
    recent: Keeps = _everything


def write_all(groups: Sequence[Group], rule: Rule, *, give_up_at: float) -> list[Written[ConnectionLog] | NotWritten]:
    """Write rows with different ids in parallel; the answers stand in the order of the groups.

    Args:
        groups: the events of each row. A row that lost its id to another of them is written after that one, so that it
            is known by then who has the id.
        rule: what decides about them.
        give_up_at: on the clock of `time.monotonic`; rows not begun by then are answered as Unavailable.
    """
    answers: dict[str, Written[ConnectionLog] | NotWritten] = {}
    for moved in (False, True):
        wave = [group for group in groups if (group[0].given_id is not None) is moved]
        rows = [_Writing.of(group, rule) for group in wave]
        written = write_all_of(ConnectionLogItem.Meta.table_name, rows, give_up_at=give_up_at)
        answers |= zip((group[0].id for group in wave), written, strict=True)
    return [answers[group[0].id] for group in groups]


def write(group: Group, rule: Rule) -> Written[ConnectionLog]:
    """Write the row of one or several events.

    Raises:
        Unavailable: the store did not answer, or other writers changed the row at every attempt.
    """
    return _Writing.of(group, rule).write(None)


@dataclass(frozen=True, slots=True)
class _Writing:
    """One row to be written.

    Attributes:
        group: its events.
        row: what they make by themselves.
        rule: what decides about it.
    """

    group: Group
    row: ConnectionLog
    rule: Rule

    @classmethod
    def of(cls, group: Group, rule: Rule) -> _Writing:
        """The row of one or several events, to be written by a rule."""
        first, *others = group
        return cls(group, reduce(lambda row, event: rule.join(row, event).row, others, first), rule)

    def insertion(self) -> Item | None:
        """The item of a row that only an insertion is likely to write; rows that lost their id are looked for first."""
        if self.row.given_id is not None or _only_ends(self.row) or not self.rule.keeps(self.row):
            return None
        return requests.new_item(self.row)

    def write(self, stored: Item | None) -> Written[ConnectionLog]:
        """Write it by calls of its own, given what an insertion has met."""
        if self.row.given_id is None:
            return self.begin() if stored is None else self._settled(requests.state_of(stored))
        # A row that lost its id may be stored under it: there it is looked for first.
        return self._as(replace(self.row, id=self.row.given_id, given_id=None)).begin()

    def begin(self) -> Written[ConnectionLog]:
        """Make the write that is right nearly always, and go on with what it has met."""
        if not _only_ends(self.row):
            return self._settled(Missing() if self.rule.keeps(self.row) else requests.read(self.row.id))
        state = requests.close(self.row)
        if not isinstance(state, Closed):
            return self._settled(state)
        assert self.row.closing is not None  # noqa: S101 - the session was ended by it
        before = state.before.row
        closed = Stored(before.closed(self.row.closing), state.before.revision + 1)
        if self._joined(before) == closed.row:
            return Written(before, closed.row)
        # What else the disconnects say is written too.
        return self._settled(closed)._replace(before=before)

    def _settled(self, state: State) -> Written[ConnectionLog]:
        for attempt in range(_ATTEMPTS):
            match state:
                case Missing() | Tombstone():
                    # Where a session was purged neither its disconnect nor its own beginning makes a row; another
                    # beginning does.
                    if not self.rule.keeps(self.row) or (isinstance(state, Tombstone) and not self._begins):
                        return Written(None, self.row, kept=False)
                    written = Written(None, self.row)
                    outcome = requests.put(self.row, over_tombstone=self._begins)
                case Stored(before):
                    after = self._joined(before)
                    if after == before:
                        return Written(before, before)
                    if after.id != before.id:
                        return self._as(after).begin()
                    # A session may end, whatever it was kept for; it may not be aged.
                    if self.rule.keeps(before) and not self.rule.keeps(replace(after, closing=before.closing)):
                        return Written(None, self.row, kept=False)
                    written = Written(before, after)
                    outcome = requests.replace(state, remembering(before, after))
                case _:
                    assert_never(state)
            if isinstance(outcome, Done):
                return written
            if isinstance(state, Stored):
                back_off(attempt)
            state = outcome
        raise Unavailable("The row was changed by others at every attempt.")

    @property
    def _begins(self) -> bool:
        return not _only_ends(self.row) and self.rule.recent(self.row)

    def _joined(self, before: ConnectionLog) -> ConnectionLog:
        return reduce(lambda row, event: self.rule.join(row, event).row, self.group, before)

    def _as(self, row: ConnectionLog) -> _Writing:
        return _Writing([row], row, self.rule)


def _only_ends(row: ConnectionLog) -> bool:
    """Whether the session of a row has had disconnects only."""
    return row.connection_id is not None and row.origin is Origin.DISCONNECT
