"""Which rows of a log are kept: those within their retention, and those that a hold matches. Pure.

The same rule in three forms: of one row (`keeps`), as the plans that a query is answered by (`plans`), and as what the
purge may delete (`disposable`). A session that is still open is kept, where the policy says so, by a hold that stands
for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from chalicelib.lanes.catalogue import Lane
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import (
    AUDIT_CONNECTION_EVENTS,
    AUDIT_LOGS,
    CONNECTION_EVENT_ACTIONS,
    CONNECTION_LOGS,
    AuditLog,
    ConnectionLog,
)
from chalicelib.retention.policy import CutOffs

ONGOING = Criteria({"status": frozenset({"ongoing"})}, implied={"type": frozenset(SESSION_TYPES)})
"""The hold on the connection log that keeps open sessions."""

DATA_SETS_OF = {"connection": (CONNECTION_LOGS,), "audit": (AUDIT_LOGS, AUDIT_CONNECTION_EVENTS)}
"""Log -> the data sets that its rows fall under."""

_EVERYTHING = Criteria()
_COMPLETED = frozenset({"app"})
"""Fields of a session that may have another value once an event completes it; any other is filled in once."""
OF_DATA_SET = {
    CONNECTION_LOGS: _EVERYTHING,
    AUDIT_LOGS: Criteria({"data_set": frozenset({AUDIT_LOGS})}),
    AUDIT_CONNECTION_EVENTS: Criteria({"connection_event": CONNECTION_EVENT_ACTIONS}),
}
"""Log rows by data set, as the planner finds them."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The rows of one log that are kept.

    Attributes:
        log: `connection` or `audit`.
        cut_offs: of its data sets, at one moment; nothing older is kept but what is held.
        holds: what each hold on the log matches.
    """

    log: str
    cut_offs: CutOffs
    holds: tuple[Criteria, ...] = ()

    def keeps(self, row: ConnectionLog | AuditLog) -> bool:
        """Whether a row is within its retention, or matches a hold."""
        return self.recent(row) or self.holds_row(row)

    def recent(self, row: ConnectionLog | AuditLog) -> bool:
        """Whether a row is within its retention."""
        cut_off = self.cut_offs[row.data_set]
        return cut_off is None or row.moment >= cut_off

    def holds_row(self, row: ConnectionLog | AuditLog) -> bool:
        """Whether a row matches a hold, or did before an event completed it.

        Whoever wrote the event may not have known of a hold that was placed at that moment.
        """
        return any(hold.ever_matched(row) for hold in self.holds)

    def frees(self, before: ConnectionLog, after: ConnectionLog) -> bool:
        """Whether a hold matches a row as it was and does not match it as it would be."""
        return any(hold.match(before) and not hold.match(after) for hold in self.holds)

    def plans(self, asked: Criteria, lanes: tuple[Lane, ...], shards: int) -> list[Plan]:
        """The plans for what is asked and kept, newest rows first; no row is of two of them.

        Time is split at each cut-off. Every row since the latest one is kept, and answered as if there were no
        retention; between two of them it is the rows of the data sets that are kept so long, and those that are held:

            oldest rows    older cut-off         later cut-off            now
                |  held only     |  one data set, held  |  every row        |

        Where nothing is held, and connection events are all that is not kept as long as other rows, one plan leaves
        out the older ones of them.
        """
        data_sets = DATA_SETS_OF[self.log]
        events = self.cut_offs[AUDIT_CONNECTION_EVENTS]
        if AUDIT_CONNECTION_EVENTS in data_sets and not self.holds and _reaches(self.cut_offs[AUDIT_LOGS], events):
            return [plan(asked & Criteria(after=self.cut_offs[AUDIT_LOGS]), lanes, shards, events_since=events)]
        cut_offs = sorted({moment for name in data_sets if (moment := self.cut_offs[name])}, reverse=True)
        plans: list[Plan] = []
        for begin, end in pairwise([None, *cut_offs, None]):
            # The time from `end`, or the beginning of all time, to the moment before `begin`, or to now.
            before = begin and begin - timedelta.resolution
            plans.append(self._plan(asked & Criteria(after=end, before=before), end, lanes, shards))
        return [segment for segment in plans if not segment.nothing] or plans[:1]

    def _plan(self, asked: Criteria, begin: datetime | None, lanes: tuple[Lane, ...], shards: int) -> Plan:
        """The plan for a segment of time, which begins at a moment; None is the beginning of all time."""
        data_sets = DATA_SETS_OF[self.log]
        kept = [name for name in data_sets if _reaches(self.cut_offs[name], begin)]
        if len(kept) == len(data_sets):
            return plan(asked, lanes, shards)
        allowed = (*map(OF_DATA_SET.__getitem__, kept), *self.holds)
        past = frozenset(data_sets).difference(kept) if self.holds else frozenset()
        if len(allowed) == 1:
            # Of rows that must be one thing the best lane may be that of this thing.
            lasting = allowed[0] if self.log == "audit" else _lasting(allowed[0])
            planned = plan(asked & lasting, lanes, shards).held(past)
            return planned if lasting == allowed[0] else planned.restricted(allowed)
        planned = plan(asked, lanes, shards)
        return planned.restricted(allowed).held(past) if allowed else replace(planned, keys=(), alternatives=())


def _lasting(hold: Criteria) -> Criteria:
    """The criteria of a hold that stay true of a session: an event may complete it, with an earlier time too."""
    fields = {name: allowed for name, allowed in hold.fields.items() if name not in _COMPLETED}
    return Criteria(fields, implied=hold.implied)


def _reaches(cut_off: datetime | None, moment: datetime | None) -> bool:
    """Whether a data set is kept from a moment on; None is the beginning of time for both."""
    return cut_off is None or (moment is not None and cut_off <= moment)
