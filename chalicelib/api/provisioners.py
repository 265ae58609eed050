"""Provisioner jobs and daemons of an organization: who waits, who works, who is silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from chalicelib import times
from chalicelib.access.decide import Reach, reach
from chalicelib.api import answer_limits, lookup, request_log
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.fit_rows import fit_rows
from chalicelib.api.http import Answer, Call, Encoded
from chalicelib.api.id_pages import page_answer
from chalicelib.api.platform_access import object_of
from chalicelib.api.strict_query import StrictQuery
from chalicelib.errors import BadRequest, NotFound
from chalicelib.models.provisioners import DaemonJSON, JobJSON, daemon_json, job_json
from chalicelib.platform import daemons, jobs
from chalicelib.platform.kinds import BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE
from chalicelib.search import values
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform import rows
from chalicelib.store.platform.daemon_reader import current_jobs, has_job, last_seen, read_daemons
from chalicelib.store.platform.job_reader import Wanted, last_jobs, queue_places, read_jobs
from chalicelib.store.platform.joins import known_beside
from chalicelib.store.platform.rows import Mirrored

_DEFAULT_LIMIT: Final = 50
_ANY: Final = daemons.Asked()
_OFFLINE_TOO: Final = daemons.Asked(offline=True)


@authenticated
def list_jobs(call: Call, caller: Caller, organization: str) -> Answer:
    """The provisioner jobs of an organization that the parameters ask for, newest first."""
    organization_id, readable = _readable(caller, organization)
    wanted = _jobs_wanted(call, organization_id)
    if wanted.ids is None and readable.ids is not None:
        wanted = replace(wanted, ids=sorted(readable.ids))
    budget = budget_of(call)
    one_more = replace(wanted, limit=wanted.limit + 1)
    listed = read_jobs(one_more, budget, lambda job: readable.includes(caller.user.id, object_of(job)))
    request_log.note(RowsRead=budget.rows_read)
    more = len(listed) > wanted.limit or (wanted.ids is None and not budget.left)
    return page_answer(
        call, listed[: wanted.limit], partial(_jobs_json, organization_id), more=more, partial=not budget.left
    )


@authenticated
def show_job(call: Call, caller: Caller, organization: str, job: str) -> Answer:
    """One provisioner job of an organization."""
    organization_id, readable = _readable(caller, organization)
    _jobs_wanted(call, organization_id)
    try:
        job_id = values.uuid(job)
    except values.WrongValue as error:
        raise BadRequest(f"Invalid UUID {values.quoted(job)}.") from error
    row = rows.get(JOB, job_id)
    if row is None or row.get("organization_id") != organization_id:
        raise NotFound
    if not readable.includes(caller.user.id, object_of(row)):
        raise NotFound
    return Answer(_jobs_json(organization_id, [row])[0])


@authenticated
def list_daemons(call: Call, caller: Caller, organization: str) -> Answer:
    """The provisioner daemons of an organization that the parameters ask for, newest first."""
    organization_id, readable = _readable(caller, organization)
    if readable.ids is not None:
        # A token that may read some jobs alone reads no daemons, which tell of others.
        raise NotFound
    query = StrictQuery(call)
    limit = query.limit("limit", _DEFAULT_LIMIT) or answer_limits.MOST_ROWS
    ids, tags, after_id = query.uuids("ids"), query.tags("tags"), query.uuid("after_id")
    asked = daemons.Asked(query.boolean("offline"), query.words("status", daemons.STATUSES), query.duration("max_age"))
    query.check()
    now, budget = times.now(), budget_of(call)
    listed = read_daemons(organization_id, asked, ids or None, tags, now, budget)
    labelled = [
        (daemon, label)
        for daemon in listed
        if (label := daemons.label(asked, last_seen(daemon), now, has_job=has_job(daemon)))
    ]
    request_log.note(RowsRead=budget.rows_read)
    start = next((number for number, (daemon, _) in enumerate(labelled, 1) if daemon.id == after_id), 0)
    end = start + min(limit, answer_limits.MOST_ROWS)
    labels = {daemon.id: label for daemon, label in labelled}

    def bodies(listed: Sequence[Mirrored]) -> list[DaemonJSON]:
        previous = last_jobs([daemon.id for daemon in listed])
        current = {str(job.get("worker_id")): job for job in current_jobs(listed)}
        known = known_beside([*current.values(), *previous.values()], (BUILD, VERSION, WORKSPACE, TEMPLATE))
        return [
            daemon_json(daemon, labels[daemon.id], current.get(daemon.id), previous.get(daemon.id), known)
            for daemon in listed
        ]

    return page_answer(
        call, [daemon for daemon, _ in labelled[start:end]], bodies, more=end < len(labelled), partial=not budget.left
    )


def budget_of(call: Call) -> Budget:
    """The budget of a query of the directory."""
    return answer_limits.reading_budget(call)


def fitted(listed: Sequence[Any], *, partial: bool = False) -> Answer:
    """A list as an answer that is not too large; a header says so where it is cut, or was not read to its end."""
    texts, number = fit_rows(listed, answer_limits.LARGEST_ANSWER) if listed else ([], 0)
    headers = {"Gatebook-Partial": "true"} if partial or number < len(listed) else {}
    return Answer(Encoded(f"[{','.join(texts)}]"), headers=headers)


def jobs_beside(listed: Sequence[Mirrored]) -> tuple[dict[str, int], list[Mirrored]]:
    """The queue of the deployment, and the daemons that could take a job which has not begun, oldest first."""
    return queue_places(), _daemons_of([job for job in listed if not job.get("started_at")], _ANY)


def queue_beside(
    listed: Sequence[Mirrored], known: rows.Known, *, alone: bool
) -> tuple[dict[str, int], list[Mirrored] | None]:
    """The queue of the deployment, and the daemons of the organizations of jobs in it, there or not.

    Args:
        listed: objects that name a job each.
        known: the jobs.
        alone: whether one object was asked for; for a list no daemons are read, as they may be many, and None.
    """
    places = queue_places() if listed else {}
    if not alone:
        return places, None
    of = [job for row in listed if (job := known.get(JOB, row.get("job_id"))) and job.id in places]
    return places, _daemons_of(of, _OFFLINE_TOO)


def _daemons_of(of: Iterable[Mirrored], asked: daemons.Asked) -> list[Mirrored]:
    """The daemons of the organizations of jobs, oldest first."""
    listed: list[Mirrored] = []
    now = times.now()
    for organization_id in sorted({str(job.get("organization_id")) for job in of}):
        listed += reversed(read_daemons(organization_id, asked, None, None, now, Budget()))
    return listed


def _jobs_json(organization_id: str, listed: Sequence[Mirrored]) -> list[JobJSON]:
    assert all(job.get("organization_id") == organization_id for job in listed)  # noqa: S101 - the reader has looked
    known = known_beside(listed, (BUILD, VERSION, WORKSPACE, TEMPLATE, DAEMON))
    places, able = jobs_beside(listed)
    return [job_json(job, known, places, able) for job in listed]


def _jobs_wanted(call: Call, organization_id: str) -> Wanted:
    query = StrictQuery(call)
    wanted = Wanted(
        organization_id,
        min(query.limit("limit", _DEFAULT_LIMIT) or answer_limits.MOST_ROWS, answer_limits.MOST_ROWS),
        query.uuids("ids") or None,
        query.words("status", jobs.STATUSES),
        query.tags("tags"),
        query.uuid("initiator"),
    )
    after_id = query.uuid("after_id")
    query.check()
    after = rows.get(JOB, after_id) if after_id else None
    if after is None or after.get("organization_id") != organization_id:
        return wanted
    return replace(wanted, after=after.place)


def _readable(caller: Caller, organization: str) -> tuple[str, Reach]:
    """The id of an organization of which the caller may read jobs, and the jobs that they may read.

    Raises:
        NotFound: there is none.
    """
    listed = lookup.organization(caller, organization)
    readable = reach(caller.subject, "read", JOB.resource)
    if readable.nothing or not (readable.site or listed.id in readable.organizations):
        raise NotFound
    return listed.id, readable
