"""Facts that follow from the fields of mirrored objects: their places in the lanes, and what the lanes hash on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib import times
from chalicelib.casing import lowered
from chalicelib.platform import jobs
from chalicelib.platform.jobs import Values

PLACE: Final = "place"
"""The fact that orders an object among its kind."""
UNBUILT: Final = "~"
"""Stands for the version of a workspace that was not built yet: it comes after every id."""

DELETED: Final = "deleted"

_VERSION: Final = "template_version_id"
_KEPT: Final = ("organization_id", "template_id", "created_by_id")
"""The fields by which nobody finds what is deleted."""


def use(*, out_of_use: bool) -> str:
    """The fact `use` of what is not deleted: out of use are templates that are deprecated, and dormant workspaces."""
    return "out_of_use" if out_of_use else "current"


def deleted_of(owner_id: object) -> str:
    """The fact `owned_by` of what is deleted."""
    return f"{DELETED}:{owner_id}"


def _moment(text: str | None) -> str:
    """A time as a text whose order is that of time; the beginning of all times for none."""
    return times.fixed(times.from_wire(text) if text else times.NEVER)


def _by_name(values: Values) -> str:
    return f"{lowered(str(values.get('name') or ''))}#{values['id']}"


def _in_organization(values: Values) -> str:
    return f"{values.get('organization_id')}#{_by_name(values)}"


def _by_time(values: Values) -> str:
    return f"{_moment(values.get('created_at'))}#{values['id']}"


def _deleted(values: Values) -> dict[str, Any]:
    places = {PLACE: _by_name(values), "state_place": _in_organization(values)}
    return {**places, "state": DELETED, "use": DELETED, **dict.fromkeys(_KEPT, None)}


def template(values: Values) -> Mapping[str, Any]:
    """The facts of a template."""
    if values.get("deleted"):
        return _deleted(values)
    return {
        PLACE: _by_name(values),
        "state_place": _in_organization(values),
        "state": "kept",
        "exact_name": lowered(str(values["name"])),
        "exact_display_name": lowered(str(values.get("display_name") or "")),
        "is_deprecated": bool(values.get("deprecation_message")),
        "use": use(out_of_use=bool(values.get("deprecation_message"))),
    }


def version(values: Values) -> Mapping[str, Any]:
    """The facts of a version of a template."""
    return {PLACE: _by_time(values), "exact_name": lowered(str(values["name"]))}


def workspace(values: Values) -> Mapping[str, Any]:
    """The facts of a workspace; of one of which it is known what it was built from, its place by version too."""
    if values.get("deleted"):
        return {**_deleted(values), "owned_by": deleted_of(values.get("owner_id"))}
    return {
        PLACE: _by_name(values),
        "state_place": _in_organization(values),
        "state": "kept",
        "exact_name": lowered(str(values["name"])),
        "owned_by": values.get("owner_id"),
        "use": use(out_of_use=bool(values.get("dormant_at"))),
        "in_use": "kept",
        "seen_place": f"{_moment(values.get('last_used_at'))}#{values['id']}",
        **({"version_place": f"{values[_VERSION] or UNBUILT}#{_by_name(values)}"} if _VERSION in values else {}),
    }


def build(values: Values) -> Mapping[str, Any]:
    """The facts of a build."""
    return {PLACE: f"{int(values['build_number']):012d}#{values['id']}"}


def job(values: Values) -> Mapping[str, Any]:
    """The facts of a provisioner job."""
    rank = jobs.queue_rank(values)
    ended = values.get("completed_at")
    return {
        **dict.fromkeys((PLACE, "state_place"), _by_time(values)),
        "status": jobs.status(values),
        "tag_set": jobs.tag_set(values.get("tags") or {}),
        "waiting": "waiting" if rank else None,
        "queue_place": f"{rank}#{_by_time(values)}" if rank else None,
        "worked_by": values.get("worker_id") if ended else None,
        "worker_place": f"{_moment(ended)}#{values['id']}" if ended else None,
    }


def daemon(values: Values) -> Mapping[str, Any]:
    """The facts of a provisioner daemon."""
    seen = f"{_moment(values.get('last_seen_at'))}#{values['id']}"
    tags = jobs.tag_set(values.get("tags") or {})
    return {
        PLACE: _by_time(values),
        **dict.fromkeys(("queue_place", "worker_place"), seen),
        "tag_set": tags,
    }


def agent(values: Values) -> Mapping[str, Any]:
    """The facts of an agent."""
    return {PLACE: _by_name(values)}
