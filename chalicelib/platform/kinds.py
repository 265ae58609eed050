"""The kinds of objects that the platform mirrors in, and their lanes, declared once.

A lane is an index of the one table of the platform that answers one filter. Its HASH is the kind and the values of its
fields; its RANGE is the place of the row among the others. What a kind has no value for is not in the lane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from chalicelib.platform import facts
from chalicelib.platform.facts import PLACE
from chalicelib.platform.jobs import Values

LANES: Final[Mapping[str, str]] = {
    "listing": PLACE,
    "organization": PLACE,
    "by_owner": "state_place",
    "name": PLACE,
    "by_display_name": "state_place",
    "parent": PLACE,
    "by_status": "state_place",
    "by_external_agent": "state_place",
    "by_use": "state_place",
    "by_words": "state_place",
    "queue": "queue_place",
    "by_worker": "worker_place",
    "seen": "seen_place",
    "version": "version_place",
}
"""Lane -> the attribute that it is sorted by.

`by_use` parts what is out of use, deprecated templates and dormant workspaces, and what is deleted from all others;
`by_owner` has deleted workspaces apart from others. `seen` has workspaces by their last use; `queue` jobs
that wait, and daemons by their tags and their heartbeat; `by_words` jobs by their tags, and workspaces by the statuses
of their agents; `by_worker` jobs that ended by who did them, and daemons by whether they have a job and their
heartbeat; `version` workspaces of a template by the version that they were built from. Where templates and workspaces
stand by their state, those of an organization stand together: its section has no others.
"""

COARSE: Final = (
    "listing",
    "organization",
    "by_status",
    "by_external_agent",
    "by_use",
    "by_words",
    "queue",
    "by_worker",
    "seen",
)
"""The lanes in which many rows share a key: a partition takes 1,000 writes a second."""

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


# A list of templates has either those that are deprecated or all others, by whatever else it chooses.
TEMPLATE: Final = Kind(
    "template",
    "template",
    facts.template,
    {
        "listing": ("state",),
        "by_owner": ("created_by_id", "is_deprecated"),
        "name": ("exact_name", "is_deprecated"),
        "by_display_name": ("exact_display_name", "is_deprecated"),
        "by_use": ("use",),
    },
    {"by_external_agent": ("has_external_agent", "is_deprecated")},
    {"name": ("exact_name", "is_deprecated"), "display_name": ("exact_display_name", "is_deprecated")},
)
VERSION: Final = Kind(
    "template_version",
    "template",
    facts.version,
    {"parent": ("template_id",), "name": ("template_id", "exact_name")},
)
WORKSPACE: Final = Kind(
    "workspace",
    "workspace",
    facts.workspace,
    {
        "listing": ("state",),
        "organization": ("organization_id",),
        "by_owner": ("owned_by",),
        "name": ("owner_id", "exact_name"),
        "parent": ("template_id",),
        "by_use": ("use",),
        "seen": ("in_use",),
    },
    {
        "by_status": ("status",),
        "by_external_agent": ("has_external_agent",),
        "by_words": ("agent_statuses",),
        "version": ("template_id",),
    },
    {"name": ("exact_name", "in_use")},
)
BUILD: Final = Kind("workspace_build", "workspace", facts.build, {"parent": ("workspace_id",)})
AGENT: Final = Kind(
    "workspace_agent",
    "workspace",
    facts.agent,
    {"parent": ("workspace_build_id",)},
)
DAEMON: Final = Kind(
    "provisioner_daemon",
    "provisioner_daemon",
    facts.daemon,
    {"queue": ("organization_id", "tag_set")},
    {"by_worker": ("organization_id", "work")},
)
JOB: Final = Kind(
    "provisioner_job",
    "provisioner_jobs",
    facts.job,
    {
        "organization": ("organization_id",),
        "by_status": ("organization_id", "status"),
        "by_owner": ("organization_id", "initiator_id"),
        "by_words": ("organization_id", "tag_set"),
        "queue": ("waiting",),
        "by_worker": ("worked_by",),
    },
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (TEMPLATE, VERSION, WORKSPACE, BUILD, AGENT, DAEMON, JOB)
}
"""By name."""
