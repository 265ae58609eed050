"""Provisioner jobs by filter, and where the waiting ones stand in the queue of the whole deployment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.platform.jobs import contains, status
from chalicelib.platform.kinds import JOB
from chalicelib.platform.section import whole
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Request, send
from chalicelib.store.platform import tag_sets
from chalicelib.store.platform.lane_reader import Range, items, rows
from chalicelib.store.platform.rows import TABLE, Mirrored, from_item, get_many

_MOST_WAITING: Final = 20_000
"""Places in the queue that are answered; beyond them a job has none."""
_IDS: Final = ("id",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of a list of the jobs of an organization.

    Attributes:
        ids: those jobs alone; None for any.
        statuses: those alone; none means any.
        tags: that the tags of a job satisfy; None for any.
        initiator: who began it; None for anybody.
        limit: how many at most.
        after: the place of a job, after which to begin; "" for the newest.
    """

    organization_id: str
    limit: int
    ids: Sequence[str] | None = None
    statuses: frozenset[str] = frozenset()
    tags: Mapping[str, str] | None = None
    initiator: str | None = None
    after: str = ""

    def matches(self, job: Mirrored) -> bool:
        """Whether a job is as asked."""
        return (
            job.get("organization_id") == self.organization_id
            and (not self.statuses or status(job.values) in self.statuses)
            and (self.initiator is None or job.get("initiator_id") == self.initiator)
            and (self.tags is None or contains(job.get("tags") or {}, self.tags))
        )


def read_jobs(wanted: Wanted, budget: Budget, test: Callable[[Mirrored], bool]) -> list[Mirrored]:
    """The jobs that are wanted and pass a test, newest first.

    Raises:
        Unavailable: the store did not answer.
    """
    if wanted.ids is not None:
        jobs_read = [job for job in get_many((JOB, job_id) for job_id in wanted.ids) if wanted.matches(job)]
        budget.rows_read += len(jobs_read)
        beyond = [job for job in jobs_read if test(job) and (not wanted.after or job.place < wanted.after)]
        return sorted(beyond, key=lambda job: job.place, reverse=True)[: wanted.limit]
    lane, keys = _lane(wanted)
    part = Range(lane, whole(keys), newest_first=True, after=wanted.after)
    return rows(part, wanted.limit, budget, lambda job: wanted.matches(job) and test(job))


def queue_places() -> dict[str, int]:
    """The place of each waiting job of the deployment, from 1, by id."""
    places: dict[str, int] = {}
    waiting = items(Range("queue", whole((JOB.key("queue", "waiting"),))), lambda: 1_000, Budget(_MOST_WAITING), _IDS)
    for number, item in enumerate(waiting, 1):
        places[item["id"]["S"].partition("#")[2]] = number
    return places


def last_jobs(daemon_ids: Sequence[str]) -> dict[str, Mirrored]:
    """The job that each daemon has ended last, by the daemon's id."""
    requests = [Request("Query", _last_of(daemon_id)) for daemon_id in daemon_ids]
    last: dict[str, Mirrored] = {}
    for daemon_id, answer in zip(daemon_ids, send(requests), strict=True):
        job = from_item(answer["Items"][0]) if answer["Items"] else None
        if job is not None:
            last[daemon_id] = job
    return last


def _last_of(daemon_id: str) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "IndexName": "by_worker",
        "KeyConditionExpression": "by_worker = :worker",
        "ExpressionAttributeValues": {":worker": {"S": JOB.key("by_worker", daemon_id)}},
        "ScanIndexForward": False,
        "Limit": 1,
    }


def _lane(wanted: Wanted) -> tuple[str, list[str | None]]:
    """The lane that has the fewest rows beside those that are wanted, and its keys."""
    organization = wanted.organization_id
    keys: list[str | None] = [JOB.key("organization", organization)]
    lane = "organization"
    if wanted.initiator is not None:
        lane, keys = "by_owner", [JOB.key("by_owner", organization, wanted.initiator)]
    elif wanted.tags is not None and (sets := tag_sets.satisfying(JOB, organization, wanted.tags)) is not None:
        lane, keys = "by_words", [JOB.key("by_words", organization, tags) for tags in sets]
    elif wanted.statuses:
        lane, keys = "by_status", [JOB.key("by_status", organization, word) for word in sorted(wanted.statuses)]
    return lane, keys
