"""The objects of a platform of any size, of which each filter of the directory matches a small part.

Every filter has a part of its own, spread over organizations, templates and statuses, so that a lane that leaves the
filter to be tested row by row shows. The others match what is common: they run, are not dormant, are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from bench.events import NOON, made_id, wire
from chalicelib.platform.agents import STATUSES as AGENT_STATUSES
from chalicelib.platform.workspaces import STATUSES as WORKSPACE_STATUSES

PART: Final = 24
"""Objects of each part."""
OTHERS: Final = 96
"""Objects of each kind that are of no part, in the smaller of two platforms."""
ORGANIZATIONS: Final = tuple(made_id("tenant", number) for number in range(PART))
HOME: Final = ORGANIZATIONS[0]
"""The organization that is asked for, whose administrator and whose member ask too."""
ADMINISTRATOR, MEMBER, SOMEBODY = (made_id("person", number) for number in range(3))
Object = dict[str, Any]

TEMPLATE_PARTS: Final[Mapping[str, Object]] = {
    "organization": {"organization_id": HOME},
    "exact_name": {"name": "exact"},
    "exact_display_name": {"display_name": "Exact-Display"},
    "name": {"name": "t{number}-partial"},
    "display_name": {"display_name": "T{number}-Sought"},
    "author": {"created_by_id": MEMBER},
    "author:me": {"created_by_id": "{owner}"},
    "external": {"active_version_id": "{version}"},
    "deprecated": {"deprecation_message": "Use another."},
    "deleted": {"deleted": True},
}
"""Part -> the fields by which its templates differ from the others."""
WORKSPACE_PARTS: Final[Mapping[str, Object]] = {
    "owner": {"organization_id": HOME, "owner_id": MEMBER},
    "owner:me": {"owner_id": "{owner}"},
    "name": {"name": "w{number}-partial"},
    "template": {"template_id": made_id("base", 1)},
    "organization": {"organization_id": HOME},
    "external": {},
    "connecting": {},
    "disconnected": {},
    "timeout": {},
    "dormant": {"dormant_at": wire(NOON - timedelta(days=2))},
    "outdated": {},
    "deleted": {"deleted": True},
    "lately": {"last_used_at": wire(NOON - timedelta(minutes=5))},
    "long ago": {"last_used_at": wire(NOON - timedelta(days=60))},
}
"""Likewise of workspaces; other parts differ by their builds and agents."""
JOB_STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "pending": (),
    "running": ("started_at",),
    "succeeded": ("started_at", "completed_at"),
    "canceling": ("started_at", "canceled_at"),
    "canceled": ("started_at", "canceled_at", "completed_at"),
    "failed": ("started_at", "completed_at", "error"),
}
"""Status of a job -> the fields that it follows from."""
JOB_PARTS: Final[Mapping[str, Object]] = {
    **{status: {} for status in JOB_STATES},
    "tags": {"tags": {"cluster": "wanted"}},
    "initiator": {"initiator_id": MEMBER},
}
DAEMON_PARTS: Final[Mapping[str, Object]] = {
    "busy": {},
    "idle": {},
    "fresh": {"last_seen_at": wire(NOON - timedelta(seconds=10))},
    "offline": {"last_seen_at": wire(NOON - timedelta(hours=1))},
    "tags": {"tags": {"cluster": "wanted"}},
}
"""Of those that are in no part every other one is busy, and so it is in the parts `fresh` and `tags`."""
_BUILDS: Final[Mapping[str, tuple[str, str]]] = {
    "starting": ("start", "running"),
    "stopping": ("stop", "running"),
    "deleting": ("delete", "running"),
    "running": ("start", "succeeded"),
    "stopped": ("stop", "succeeded"),
    "deleted": ("delete", "succeeded"),
}
"""Status of a workspace -> the transition of its latest build and the status of its job, where it is no job's own."""


def base() -> Iterator[Object]:
    """The templates of workspaces, and their active versions."""
    for number in range(3):
        template, version = made_id("base", number), made_id("base version", number)
        named = {"organization_id": ORGANIZATIONS[1], "name": f"base-{number}"}
        yield {"kind": "template", "id": template, **named, "active_version_id": version}
        yield {"kind": "template_version", "id": version, "template_id": template, **named}


def parts(owner_id: str) -> Iterator[Object]:
    """The objects of every part; `owner_id` is who asks as owner."""
    for named, make in _KINDS:
        for index, (part, fields) in enumerate(named.items()):
            for turn in range(PART):
                number = turn * len(named) + index
                yield from make(number, turn, part, _filled(fields, number, owner_id))


def others(first: int, end: int) -> Iterator[Object]:
    """The objects of no part, of each kind, from one number to another."""
    for number in range(first, end):
        for _, make in _KINDS:
            yield from make(_FIRST_OTHER + number, number, "", {})


def ids_of(kind: str, part: str) -> frozenset[str]:
    """The ids of the objects of a part."""
    named = {"template": TEMPLATE_PARTS, "workspace": WORKSPACE_PARTS, "provisioner_job": JOB_PARTS}
    of = named.get(kind, DAEMON_PARTS)
    index = [*of].index(part)
    return frozenset(made_id(kind.removeprefix("provisioner_"), turn * len(of) + index) for turn in range(PART))


def _filled(fields: Mapping[str, Any], number: int, owner_id: str) -> Object:
    names = {"number": number, "owner": owner_id, "version": made_id("version", number)}
    return {name: value.format(**names) if isinstance(value, str) else value for name, value in fields.items()}


def _template(number: int, turn: int, part: str, fields: Object) -> Iterator[Object]:
    template = {
        "kind": "template",
        "id": made_id("template", number),
        "organization_id": ORGANIZATIONS[turn] if part == "exact_name" else _organization(turn),
        "name": f"template-{number}",
        "display_name": f"Template {number}",
        "created_by_id": SOMEBODY,
        **fields,
    }
    yield template
    if part == "external":
        named = {"organization_id": template["organization_id"], "name": "v1", "has_external_agent": True}
        yield {
            "kind": "template_version",
            "id": template["active_version_id"],
            "template_id": template["id"],
            **named,
        }


def _workspace(number: int, turn: int, part: str, fields: Object) -> Iterator[Object]:
    status = WORKSPACE_STATUSES[turn % len(WORKSPACE_STATUSES)] if part else "running"
    base_number = 1 if part == "template" else 2 * (turn % 2)
    workspace = {
        "kind": "workspace",
        "id": made_id("workspace", number),
        "organization_id": _organization(turn),
        "owner_id": SOMEBODY,
        "template_id": made_id("base", base_number),
        "name": f"workspace-{number}",
        "last_used_at": wire(NOON - timedelta(days=3)),
        **fields,
    }
    build, job = made_id("build", number), made_id("build job", number)
    transition, job_status = _BUILDS.get(status, ("start", status))
    yield workspace
    yield {
        "kind": "workspace_build",
        "id": build,
        "workspace_id": workspace["id"],
        "template_version_id": made_id("old version" if part == "outdated" else "base version", base_number),
        "job_id": job,
        "build_number": 1,
        "transition": transition,
        "has_external_agent": part == "external",
    }
    yield {
        "kind": "provisioner_job",
        "id": job,
        "organization_id": workspace["organization_id"],
        "initiator_id": workspace["owner_id"],
        "type": "workspace_build",
        "input": {"workspace_build_id": build},
        **_state(job_status),
    }
    agent = part if part in AGENT_STATUSES else "" if part else "connected"
    if agent:
        agent_id = made_id("agent", number)
        yield {"kind": "workspace_agent", "id": agent_id, "workspace_build_id": build, "name": "main", "status": agent}


def _job(number: int, turn: int, part: str, fields: Object) -> Iterator[Object]:
    status = part if part in JOB_STATES else [*JOB_STATES][turn % len(JOB_STATES)] if part else "succeeded"
    yield {
        "kind": "provisioner_job",
        "id": made_id("job", number),
        "organization_id": HOME if part or turn % 2 else _elsewhere(turn),
        "initiator_id": SOMEBODY,
        "type": "template_version_import",
        **_state(status),
        **fields,
    }


def _daemon(number: int, turn: int, part: str, fields: Object) -> Iterator[Object]:
    daemon = {
        "kind": "provisioner_daemon",
        "id": made_id("daemon", number),
        "organization_id": HOME,
        "name": f"daemon-{number}",
        "last_seen_at": wire(NOON - timedelta(seconds=60)),
        **fields,
    }
    yield daemon
    if part == "busy" or (part not in ("idle", "offline") and turn % 2):
        yield {
            "kind": "provisioner_job",
            "id": made_id("work", number),
            "organization_id": HOME,
            "initiator_id": SOMEBODY,
            "type": "template_version_import",
            "worker_id": daemon["id"],
            **_state("running"),
        }


def _state(status: str) -> Object:
    fields = {name: wire(NOON - timedelta(minutes=1)) for name in JOB_STATES[status]}
    return {**fields, "error": "no"} if "error" in fields else fields


def _organization(turn: int) -> str:
    """That which is asked for, for every third object, and another one for the others."""
    return _elsewhere(turn) if turn % 3 else HOME


def _elsewhere(turn: int) -> str:
    return ORGANIZATIONS[1 + turn % (len(ORGANIZATIONS) - 1)]


_FIRST_OTHER: Final = 10_000
_KINDS: Final = (
    (TEMPLATE_PARTS, _template),
    (WORKSPACE_PARTS, _workspace),
    (JOB_PARTS, _job),
    (DAEMON_PARTS, _daemon),
)
