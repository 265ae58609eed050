"""Legal holds: rows of a log that match one are neither hidden nor purged until it is lifted.

The filter of a hold is resolved when the hold is made: names of users and organizations give way to ids. So a hold
goes on holding the same rows when a user is renamed or deleted, and one that names nobody is refused rather than kept
for nothing. A reader may go by holds that are up to 15 seconds old; the purge goes by those of this moment.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.lanes import saved_criteria
from chalicelib.lanes.criteria import Criteria
from chalicelib.records import AuditLog, ConnectionLog
from chalicelib.retention.keeping import ONGOING, Keeping
from chalicelib.retention.policy import CutOffs, Policy, policy, raised
from chalicelib.settings import current
from chalicelib.store.retention import state as retention_state
from chalicelib.store.retention.state import State

CACHE_SECONDS = 15.0
CHANGING = frozenset({"status"})
"""Fields of a row that change by themselves. No hold may ask about them: what it matches, it matches for ever."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold.

    Attributes:
        log: whose rows it holds, `connection` or `audit`.
        q: the filter as it was written.
        reason: why, in words.
        created_by: the id of the user who made it what it is.
        criteria: what the filter means.
    """

    name: str
    log: str
    q: str
    reason: str
    created_by: str
    created_at: datetime
    criteria: Criteria

    def saved(self) -> dict[str, Any]:
        """The hold as JSON, without its name."""
        return {
            "log": self.log,
            "q": self.q,
            "reason": self.reason,
            "created_by": self.created_by,
            "created_at": times.fixed(self.created_at),
            **saved_criteria.saved(self.criteria),
        }


def read(saved: Mapping[str, Mapping[str, Any]]) -> list[Hold]:
    """The holds of a state, by name."""
    return [_hold(name, saved[name]) for name in sorted(saved)]


def keeping(log: str) -> Keeping:
    """The rows of a log that are kept now, for readers."""
    return _keeping(_cache.known(), log)


def keeping_of(log: str, rows: Iterable[ConnectionLog | AuditLog]) -> Keeping:
    """The rows of a log that are kept, for writers: an unknown newer hold turns no event away."""
    known = replace(_cache.known(), holds={})
    by_age = _keeping(known, log)
    # Holds are asked for when there is something that only a hold could keep: nearly never, and then those of now.
    return by_age if all(map(by_age.keeps, rows)) else keeping_now(log)


def keeping_now(log: str) -> Keeping:
    """The rows of a log that are kept at this moment, by every hold that was placed."""
    return _keeping(retention_state.read(), log)


def keeping_by(rules: Policy, cut_offs: CutOffs, holds: Iterable[Hold], log: str) -> Keeping:
    """The rows of a log that are kept by a policy, its cut-offs and holds."""
    held = [hold.criteria for hold in holds if hold.log == log]
    if log == "connection" and rules.keep_ongoing:
        held.append(ONGOING)
    return Keeping(log, cut_offs, tuple(held))


def forget() -> None:
    """Have the next reader of this process read the holds and floors anew."""
    _cache.until = 0.0


def _keeping(known: State, log: str) -> Keeping:
    rules = policy(current())
    return keeping_by(rules, raised(rules.cut_offs(times.now()), known.floors), read(known.holds), log)


class _Cache:
    """The state of retention as this process knows it."""

    def __init__(self) -> None:
        self.until = 0.0
        self._known = State()

    def known(self) -> State:
        asked_at = time.monotonic()
        if asked_at >= self.until:
            self._known = retention_state.read(consistent=False)
            self.until = asked_at + CACHE_SECONDS
        return self._known


_cache = _Cache()


def _hold(name: str, saved: Mapping[str, Any]) -> Hold:
    return Hold(
        name=name,
        log=saved["log"],
        q=saved["q"],
        reason=saved["reason"],
        created_by=saved["created_by"],
        created_at=times.from_fixed(saved["created_at"]),
        criteria=saved_criteria.read(saved),
    )
