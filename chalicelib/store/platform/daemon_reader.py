"""Provisioner daemons of an organization: all that may be in an answer, by their last heartbeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from chalicelib import times
from chalicelib.platform.daemons import FORGOTTEN_AFTER, Asked
from chalicelib.platform.jobs import contains
from chalicelib.platform.kinds import DAEMON, JOB
from chalicelib.platform.section import Section, just_after
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform import tag_sets
from chalicelib.store.platform.lane_reader import Range, rows
from chalicelib.store.platform.rows import Mirrored, get_many

_MOST_DAEMONS: Final = 100_000


def read_daemons(
    organization_id: str,
    asked: Asked,
    ids: Sequence[str] | None,
    tags: Mapping[str, str] | None,
    now: datetime,
    budget: Budget,
) -> list[Mirrored]:
    """The daemons whose last heartbeat does not leave them out, newest first.

    Args:
        organization_id: whose daemons.
        asked: the query.
        ids: those alone; None for any.
        tags: that theirs satisfy; None for any.
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
        matches = rows(_range(organization_id, asked, tags, now), _MOST_DAEMONS, budget)
    kept = [
        row for row in matches if (tags is None or contains(row.get("tags") or {}, tags)) and not is_forgotten(row, now)
    ]
    return sorted(kept, key=lambda row: row.place, reverse=True)


def _range(organization_id: str, asked: Asked, tags: Mapping[str, str] | None, now: datetime) -> Range:
    """The part of the lane that has the fewest daemons beside those that are wanted."""
    words = (asked.work,) if asked.work else ("busy", "idle")
    lane, keys = "by_worker", [DAEMON.key("by_worker", organization_id, word) for word in words]
    if tags is not None and (sets := tag_sets.satisfying(DAEMON, organization_id, tags)) is not None:
        lane, keys = "queue", [DAEMON.key("queue", organization_id, one) for one in sets]
    oldest, newest = asked.oldest(now), asked.newest(now)
    least = times.fixed(oldest) if oldest else ""
    most = just_after(times.fixed(newest)) if newest else ""
    return Range(lane, [Section(key, least, most) for key in keys if key is not None])


def last_seen(daemon: Mirrored) -> datetime | None:
    """The last heartbeat of a daemon; None where there was none."""
    text = daemon.get("last_seen_at")
    return times.from_wire(text) if text else None


def has_job(daemon: Mirrored) -> bool:
    """Whether a daemon has a job that has not ended."""
    return "job_id" in daemon.joined


def current_jobs(daemons: Iterable[Mirrored]) -> list[Mirrored]:
    """The jobs that daemons have; of several that one has, the newest."""
    return get_many((JOB, str(daemon.joined["job_id"])) for daemon in daemons if has_job(daemon))


def is_forgotten(daemon: Mirrored, now: datetime) -> bool:
    """Whether a daemon has been silent for so long that it is gone, whatever is still stored of it."""
    moment = last_seen(daemon) or times.from_wire(str(daemon.get("created_at")))
    return moment < now - FORGOTTEN_AFTER
