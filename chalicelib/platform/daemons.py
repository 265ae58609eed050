"""Provisioner daemons: which of them a query shows, and what each is called, by their last heartbeat and their job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

STATUSES: Final = ("idle", "busy", "offline")
STALE_AFTER: Final = timedelta(seconds=90)
"""Heartbeats come every sixty seconds; a daemon that is silent for longer than this is offline."""
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""A daemon that is silent for so long is gone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The conditions of a query on daemons.

    Attributes:
        offline: whether those that are offline are wanted too.
        statuses: those that are wanted; none means any.
        max_age: how long ago the last heartbeat may be; None for any time.
    """

    offline: bool = False
    statuses: frozenset[str] = frozenset()
    max_age: timedelta | None = None

    @property
    def shows_offline(self) -> bool:
        """Whether a daemon that is offline may be in the answer."""
        return self.offline or "offline" in self.statuses

    @property
    def work(self) -> str | None:
        """Whether every daemon in the answer has a job, `busy`, or none has, `idle`; None where both are wanted."""
        return next(iter(self.statuses)) if len(self.statuses) == 1 and not self.shows_offline else None

    def oldest(self, now: datetime) -> datetime | None:
        """The last heartbeat of every daemon in the answer is not before this; None where it may be."""
        if self.shows_offline:
            # One that was never seen is of any age.
            return None
        return now - (STALE_AFTER if self.max_age is None else min(STALE_AFTER, self.max_age))

    def newest(self, now: datetime) -> datetime | None:
        """The last heartbeat of every daemon in the answer is not after this; None where it may be."""
        return now - STALE_AFTER if self.statuses == {"offline"} else None


def is_stale(last_seen: datetime | None, now: datetime, limit: timedelta = STALE_AFTER) -> bool:
    """Whether a daemon has been silent for too long."""
    return last_seen is None or last_seen < now - limit


def label(
    asked: Asked, last_seen: datetime | None, now: datetime, *, has_job: bool, limit: timedelta = STALE_AFTER
) -> str | None:
    """The status of a daemon in the answer to a query; None where it is not in it.

    Args:
        asked: the query.
        last_seen: the last heartbeat; None where there was none.
        now: the time of the query.
        has_job: whether it has a job that has not ended.
        limit: after how long a silent daemon is offline.
    """
    stale = is_stale(last_seen, now, limit)
    if stale and not asked.shows_offline:
        return None
    if asked.statuses and not (("busy" if has_job else "idle") in asked.statuses or (stale and asked.shows_offline)):
        return None
    if asked.max_age is not None and last_seen is not None and last_seen < now - asked.max_age:
        return None
    if has_job:
        return "busy"
    return "offline" if stale else "idle"
