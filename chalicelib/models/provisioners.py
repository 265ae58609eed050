"""Provisioner jobs, their daemons and their logs as clients read them, with codersdk's field names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, NotRequired, get_args

from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.platform.daemons import is_stale
from chalicelib.platform.jobs import contains, status
from chalicelib.platform.kinds import BUILD, DAEMON, TEMPLATE, VERSION, WORKSPACE
from chalicelib.search.values import NIL_UUID
from chalicelib.store.platform.rows import Known, Mirrored

_Omitted = Literal["started_at", "completed_at", "canceled_at", "error", "error_code", "worker_id"]
_OMITTED: Final[tuple[_Omitted, ...]] = get_args(_Omitted)
_OfWork = Literal["template_version_id", "workspace_build_id", "error"]
_OF_WORK: Final[tuple[_OfWork, ...]] = get_args(_OfWork)
_BUILT_IN_KEYS: Final[Mapping[str, str]] = {
    "00000000-0000-0000-0000-000000000001": "built-in",
    "00000000-0000-0000-0000-000000000002": "user-auth",
    "00000000-0000-0000-0000-000000000003": "psk",
}


class WorkOfJobJSON(TypedDict):
    """codersdk.ProvisionerJobInput."""

    template_version_id: NotRequired[str]
    workspace_build_id: NotRequired[str]
    error: NotRequired[str]


class JobMetadataJSON(TypedDict):
    """codersdk.ProvisionerJobMetadata."""

    template_version_name: str
    template_id: str
    template_name: str
    template_display_name: str
    template_icon: str
    workspace_id: NotRequired[str]
    workspace_name: NotRequired[str]
    workspace_build_transition: NotRequired[str]


class JobJSON(TypedDict):
    """codersdk.ProvisionerJob."""

    id: str
    created_at: str
    organization_id: str
    initiator_id: str
    file_id: str
    status: str
    tags: dict[str, str]
    queue_position: int
    queue_size: int
    input: WorkOfJobJSON
    type: str
    metadata: JobMetadataJSON
    logs_overflowed: bool
    started_at: NotRequired[str]
    completed_at: NotRequired[str]
    canceled_at: NotRequired[str]
    error: NotRequired[str]
    error_code: NotRequired[str]
    worker_id: NotRequired[str]
    worker_name: NotRequired[str]
    available_workers: NotRequired[list[str]]


class BriefJobJSON(TypedDict):
    """codersdk.ProvisionerDaemonJob."""

    id: str
    status: str
    template_name: str
    template_icon: str
    template_display_name: str


class MatchedProvisionersJSON(TypedDict):
    """codersdk.MatchedProvisioners."""

    count: int
    available: int
    most_recently_seen: str | None


class DaemonJSON(TypedDict):
    """codersdk.ProvisionerDaemon."""

    id: str
    organization_id: str
    key_id: str
    created_at: str
    last_seen_at: str | None
    name: str
    version: str
    api_version: str
    provisioners: list[str]
    tags: dict[str, str]
    key_name: str | None
    status: str
    current_job: BriefJobJSON | None
    previous_job: BriefJobJSON | None


def job_json(job: Mirrored, known: Known, places: Mapping[str, int], daemons: Iterable[Mirrored] = ()) -> JobJSON:
    """codersdk.ProvisionerJob.

    Args:
        job: the row.
        known: what stands beside it.
        places: the waiting jobs of the deployment, each with its place in the queue.
        daemons: of its organization, oldest first, to tell which could do a job that has not begun.
    """
    body: JobJSON = {
        "id": job.id,
        "created_at": job.get("created_at"),
        "organization_id": job.get("organization_id"),
        "initiator_id": job.get("initiator_id"),
        "file_id": job.get("file_id") or NIL_UUID,
        "status": status(job.values),
        "tags": job.get("tags"),
        "queue_position": places.get(job.id, 0),
        "queue_size": len(places),
        "input": _work(job),
        "type": job.get("type"),
        "metadata": _metadata(job, known),
        "logs_overflowed": bool(job.logs.get("overflowed")),
    }
    for field in _OMITTED:
        if job.get(field):
            body[field] = job.get(field)
    worker = known.get(DAEMON, job.get("worker_id"))
    if name := (worker.get("name") if worker else job.get("worker_name")):
        body["worker_name"] = name
    if not job.get("started_at") and (able := _able(job, daemons)):
        body["available_workers"] = [daemon.id for daemon in able]
    return body


def matched_json(job: Mirrored, daemons: Iterable[Mirrored], now: datetime) -> MatchedProvisionersJSON:
    """The number of daemons that could do a job which waits, and of those among them that are there.

    Args:
        job: the row.
        daemons: of its organization.
        now: the time of the query.
    """
    heartbeats = [times.from_wire(text) for one in _able(job, daemons) if (text := one.get("last_seen_at"))]
    return {
        "count": len(heartbeats),
        "available": sum(not is_stale(heartbeat, now) for heartbeat in heartbeats),
        "most_recently_seen": times.wire(max(heartbeats)) if heartbeats else None,
    }


def daemon_json(
    daemon: Mirrored, label: str, current: Mirrored | None, previous: Mirrored | None, known: Known
) -> DaemonJSON:
    """codersdk.ProvisionerDaemon, as the list of an organization has it."""
    key_id = daemon.get("key_id") or NIL_UUID
    return {
        "id": daemon.id,
        "organization_id": daemon.get("organization_id"),
        "key_id": key_id,
        "created_at": daemon.get("created_at"),
        "last_seen_at": daemon.get("last_seen_at"),
        "name": daemon.get("name"),
        "version": daemon.get("version"),
        "api_version": daemon.get("api_version"),
        "provisioners": daemon.get("provisioners"),
        "tags": daemon.get("tags"),
        "key_name": daemon.get("key_name") or _BUILT_IN_KEYS.get(key_id),
        "status": label,
        "current_job": _brief(current, known),
        "previous_job": _brief(previous, known),
    }


def template_of(job: Mirrored, known: Known) -> Mirrored | None:
    """The template that a job works on; None where it is not known."""
    version = _version_of(job, known)
    template = known.get(TEMPLATE, version.get("template_id")) if version else None
    workspace = _workspace_of(job, known)
    return template or (known.get(TEMPLATE, workspace.get("template_id")) if workspace else None)


def _work(job: Mirrored) -> WorkOfJobJSON:
    work: WorkOfJobJSON = {}
    for field in _OF_WORK:
        if value := (job.get("input") or {}).get(field):
            work[field] = value
    return work


def _brief(job: Mirrored | None, known: Known) -> BriefJobJSON | None:
    if job is None:
        return None
    template = template_of(job, known)
    return {
        "id": job.id,
        "status": status(job.values),
        "template_name": template.get("name") if template else "",
        "template_icon": template.get("icon") if template else "",
        "template_display_name": template.get("display_name") if template else "",
    }


def _metadata(job: Mirrored, known: Known) -> JobMetadataJSON:
    version, template, workspace = _version_of(job, known), template_of(job, known), _workspace_of(job, known)
    build = _build_of(job, known)
    body: JobMetadataJSON = {
        "template_version_name": version.get("name") if version else "",
        "template_id": template.id if template else NIL_UUID,
        "template_name": template.get("name") if template else "",
        "template_display_name": template.get("display_name") if template else "",
        "template_icon": template.get("icon") if template else "",
    }
    if workspace is not None:
        body["workspace_id"] = workspace.id
        body["workspace_name"] = workspace.get("name")
    if build is not None:
        body["workspace_build_transition"] = build.get("transition")
    return body


def _build_of(job: Mirrored, known: Known) -> Mirrored | None:
    return known.get(BUILD, (job.get("input") or {}).get("workspace_build_id"))


def _version_of(job: Mirrored, known: Known) -> Mirrored | None:
    build = _build_of(job, known)
    own = (job.get("input") or {}).get("template_version_id")
    return known.get(VERSION, own or (build.get("template_version_id") if build else None))


def _workspace_of(job: Mirrored, known: Known) -> Mirrored | None:
    build = _build_of(job, known)
    return known.get(WORKSPACE, build.get("workspace_id")) if build else None


def _able(job: Mirrored, daemons: Iterable[Mirrored]) -> list[Mirrored]:
    """The daemons that could do a job: of its organization, with its kind of provisioner and its tags."""
    tags = job.get("tags") or {}
    return [
        daemon
        for daemon in daemons
        if daemon.get("organization_id") == job.get("organization_id")
        and job.get("provisioner") in (daemon.get("provisioners") or ())
        and contains(daemon.get("tags") or {}, tags)
    ]
