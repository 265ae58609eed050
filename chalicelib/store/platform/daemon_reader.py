"""Provisioner daemons of an organization: all that may be in an answer, by their last heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chalicelib import times
from chalicelib.platform.daemons import FORGOTTEN_AFTER, Asked
from chalicelib.platform.kinds import DAEMON
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform.lane_reader import Range, rows
from chalicelib.store.platform.rows import Mirrored, get_many

_MOST_DAEMONS: Final = 100_000


def read_daemons(
    organization_id: str, asked: Asked, ids: Sequence[str] | None, now: datetime, budget: Budget
) -> list[Mirrored]:
    """The daemons whose last heartbeat does not leave them out, newest first.

    Args:
        organization_id: whose daemons.
        asked: the query.
        ids: those alone; None for any.
        now: the time of the query.
        budget: what may be read.

    Raises:
        Unavailable: the store did not answer.
    """
    if ids is not None:
        named = get_many((DAEMON, daemon_id) for daemon_id in ids)
        matches = [row for row in named if row.get("organization_id") == organization_id]
        budget.rows_read += len(named)
    else:
        oldest = asked.oldest(now)
        key = DAEMON.key("seen", organization_id)
        least = times.fixed(oldest) if oldest else ""
        matches = rows(Range("seen", (key,), least=least), _MOST_DAEMONS, budget) if key else []
    kept = [row for row in matches if not is_forgotten(row, now)]
    return sorted(kept, key=lambda row: DAEMON.places(row.values)["place"], reverse=True)


def last_seen(daemon: Mirrored) -> datetime | None:
    """The last heartbeat of a daemon; None where there was none."""
    text = daemon.get("last_seen_at")
    return times.from_wire(text) if text else None


def is_forgotten(daemon: Mirrored, now: datetime) -> bool:
    """Whether a daemon has been silent for so long that it is gone, whatever is still stored of it."""
    moment = last_seen(daemon) or times.from_wire(str(daemon.get("created_at")))
    return moment < now - FORGOTTEN_AFTER
