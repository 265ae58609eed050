"""The kinds of objects that the platform mirrors in, and their lanes, declared once.

A lane is an index of the one table of the platform that answers one filter. Its HASH is the kind and the values of its
fields; its RANGE is the place of the row among the others. What a kind has no value for is not in the lane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from chalicelib import times
from chalicelib.casing import lowered
from chalicelib.platform import jobs
from chalicelib.platform.jobs import Values

PLACE: Final = "place"
LANES: Final[Mapping[str, str]] = {
    "listing": PLACE,
    "organization": PLACE,
    "owner": PLACE,
    "name": PLACE,
    "display_name": PLACE,
    "parent": PLACE,
    "status": "state_place",
    "external": "state_place",
    "deprecated": "state_place",
    "tags": "state_place",
    "queue": "queue_place",
    "worker": "worker_place",
    "seen": "seen_place",
    "version": "version_place",
}
"""Lane -> the attribute that it is sorted by.

What is out of use stands in `deprecated`: templates that are, and workspaces that are dormant. `seen` has workspaces by
their last use; `queue` jobs that wait, and daemons by their tags and their heartbeat; `tags` jobs by their tags, and
workspaces by the statuses of their agents; `worker` jobs that ended by who did them, and daemons by whether they have a
job and their heartbeat; `version` workspaces of a template by the version that they were built from. Where templates
and workspaces stand by their state, those of an organization stand together: its section has no others.
"""

COARSE: Final = ("listing", "organization", "status", "external", "deprecated", "tags", "queue", "worker", "seen")
"""The lanes in which many rows share a key: a partition takes 1,000 writes a second."""

UNBUILT: Final = "~"
"""Stands for the version of a workspace that was not built yet: it comes after every id."""

_VERSION: Final = "template_version_id"
_LONGEST_VALUE: Final = 300
Facts = Callable[[Values], Mapping[str, Any]]
"""A function from the fields of an object to further ones, which are indexed like fields."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of objects.

    Attributes:
        name: as a line of a batch names it.
        resource: what the policy calls it, or what it is a part of.
        facts: what follows from its fields.
        lanes: lane -> the fields and facts whose values it hashes on.
        joined: the lanes whose fields follow from other objects; they are written when one of those changes.
        named: the fields by whose parts it is found -> the facts that are its text and the state to be found in.
    """

    name: str
    resource: str
    facts: Facts
    lanes: Mapping[str, tuple[str, ...]]
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    named: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def id(self, object_id: str) -> str:
        """The id of its item."""
        return f"{self.name}#{object_id}"

    def keys(self, values: Values, lanes: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        """Lane -> HASH value, for the lanes that an object is in."""
        known = {**values, **self.facts(values)}
        made = {lane: self.key(lane, *(known.get(name) for name in fields)) for lane, fields in lanes.items()}
        return {lane: key for lane, key in made.items() if key is not None}

    def key(self, lane: str, *parts: object) -> str | None:
        """The HASH value under which objects with these values stand in a lane; None where one is missing."""
        texts = [_text(part) for part in parts]
        if lane not in {*self.lanes, *self.joined} or not all(texts):
            return None
        return ":".join([self.name, *texts])

    def places(self, values: Values) -> dict[str, str]:
        """The RANGE attributes of an object."""
        known = self.facts(values)
        return {name: str(known[name]) for name in {*LANES.values()} if known.get(name)}


def _text(part: object) -> str:
    if isinstance(part, bool):
        return "true" if part else "false"
    text = "" if part is None else str(part)
    if len(text) > _LONGEST_VALUE:
        return "blake2b:" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
    return text


def _moment(text: str | None) -> str:
    """A time as a text whose order is that of time; the beginning of all times for none."""
    return times.fixed(times.from_wire(text) if text else times.NEVER)


def _by_name(values: Values) -> str:
    return f"{lowered(str(values.get('name') or ''))}#{values['id']}"


def _in_organization(values: Values) -> str:
    return f"{values.get('organization_id')}#{_by_name(values)}"


def _by_time(values: Values) -> str:
    return f"{_moment(values.get('created_at'))}#{values['id']}"


def _template(values: Values) -> Mapping[str, Any]:
    if values.get("deleted"):
        return {PLACE: _by_name(values), "state": "deleted", **dict.fromkeys(_KEPT, None)}
    return {
        PLACE: _by_name(values),
        "state_place": _in_organization(values),
        "state": "kept",
        "exact_name": lowered(str(values["name"])),
        "exact_display_name": lowered(str(values.get("display_name") or "")),
        "is_deprecated": bool(values.get("deprecation_message")),
    }


def _version(values: Values) -> Mapping[str, Any]:
    return {PLACE: _by_time(values), "exact_name": lowered(str(values["name"]))}


def _workspace(values: Values) -> Mapping[str, Any]:
    if values.get("deleted"):
        return {PLACE: _by_name(values), "state": "deleted", **dict.fromkeys(_KEPT, None)}
    return {
        PLACE: _by_name(values),
        "state_place": _in_organization(values),
        "state": "kept",
        "exact_name": lowered(str(values["name"])),
        "is_dormant": bool(values.get("dormant_at")),
        "in_use": "kept",
        "seen_place": f"{_moment(values.get('last_used_at'))}#{values['id']}",
        **({"version_place": f"{values[_VERSION] or UNBUILT}#{_by_name(values)}"} if _VERSION in values else {}),
    }


def _build(values: Values) -> Mapping[str, Any]:
    return {PLACE: f"{int(values['build_number']):012d}#{values['id']}"}


def _job(values: Values) -> Mapping[str, Any]:
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


def _daemon(values: Values) -> Mapping[str, Any]:
    seen = f"{_moment(values.get('last_seen_at'))}#{values['id']}"
    tags = jobs.tag_set(values.get("tags") or {})
    return {
        PLACE: _by_time(values),
        **dict.fromkeys(("queue_place", "worker_place"), seen),
        "tag_set": tags,
    }


_KEPT: Final = ("organization_id", "owner_id", "template_id", "created_by_id")
"""The fields by which nobody finds what is deleted."""

# A list of templates has either those that are deprecated or all others, by whatever else it chooses.
TEMPLATE: Final = Kind(
    "template",
    "template",
    _template,
    {
        "listing": ("state",),
        "owner": ("created_by_id", "is_deprecated"),
        "name": ("exact_name", "is_deprecated"),
        "display_name": ("exact_display_name", "is_deprecated"),
        "deprecated": ("is_deprecated",),
    },
    {"external": ("has_external_agent", "is_deprecated")},
    {"name": ("exact_name", "is_deprecated"), "display_name": ("exact_display_name", "is_deprecated")},
)
VERSION: Final = Kind(
    "template_version",
    "template",
    _version,
    {"parent": ("template_id",), "name": ("template_id", "exact_name")},
)
WORKSPACE: Final = Kind(
    "workspace",
    "workspace",
    _workspace,
    {
        "listing": ("state",),
        "organization": ("organization_id",),
        "owner": ("owner_id",),
        "name": ("owner_id", "exact_name"),
        "parent": ("template_id",),
        "deprecated": ("is_dormant",),
        "seen": ("in_use",),
    },
    {
        "status": ("status",),
        "external": ("has_external_agent",),
        "tags": ("agent_statuses",),
        "version": ("template_id",),
    },
    {"name": ("exact_name", "in_use")},
)
BUILD: Final = Kind("workspace_build", "workspace", _build, {"parent": ("workspace_id",)})
AGENT: Final = Kind(
    "workspace_agent",
    "workspace",
    lambda values: {PLACE: _by_name(values)},
    {"parent": ("workspace_build_id",)},
)
DAEMON: Final = Kind(
    "provisioner_daemon",
    "provisioner_daemon",
    _daemon,
    {"queue": ("organization_id", "tag_set")},
    {"worker": ("organization_id", "work")},
)
JOB: Final = Kind(
    "provisioner_job",
    "provisioner_jobs",
    _job,
    {
        "organization": ("organization_id",),
        "status": ("organization_id", "status"),
        "owner": ("organization_id", "initiator_id"),
        "tags": ("organization_id", "tag_set"),
        "queue": ("waiting",),
        "worker": ("worked_by",),
    },
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (TEMPLATE, VERSION, WORKSPACE, BUILD, AGENT, DAEMON, JOB)
}
"""By name."""
