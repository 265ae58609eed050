"""The questions about a platform whose cost is measured: every filter of its directory alone, by every value it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bench import platform_objects as platform
from bench.events import NOON, made_id, wire
from chalicelib.platform import agents, daemons, jobs, workspaces
from chalicelib.platform.kinds import DAEMON, JOB, TEMPLATE, WORKSPACE
from chalicelib.search.platform_filters import TEMPLATE_FILTERS, WORKSPACE_FILTERS
from chalicelib.search.user_filters import UserTable

_ORGANIZATION: Final = "/api/v2/organizations/{organization}"
_FLAG: Final = ("true", "false")
_TAGS: Final = json.dumps({"cluster": "wanted"})
Values = Mapping[str, Sequence[str]]
"""Filter -> the values that it is asked with."""


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """A list of the directory.

    Attributes:
        kind: of the objects that it lists.
        route: where it is asked.
        values: of its filters; the filter "" is a list without any.
        language: the table of its filters where they stand in `q`; None where each is a parameter.
        rows: the name of the list in the answer; empty where the answer is the list.
    """

    kind: str
    route: str
    values: Values
    language: UserTable | None = None
    rows: str = ""

    def questions(self) -> Iterator[Question]:
        """Every filter with every value."""
        for key, texts in self.values.items():
            for text in texts:
                yield Question(self, key, text)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One filter of a list with one value.

    Attributes:
        of: the list.
        filter: the key of `q` or the parameter; empty for none, and for words without a key.
        text: its value.
    """

    of: List = field(repr=False)
    filter: str
    text: str

    @property
    def name(self) -> str:
        """The question in short, as tables show it."""
        text = f"{self.text.count(',') + 1} ids" if self.filter in ("id", "ids") else self.text
        return f"{self.filter}{self._sign}{text}" if self.filter else text or "(everything)"

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the request, so that all that match are answered."""
        if self.of.language is None:
            return {"limit": "0", **({self.filter: self.text} if self.filter else {})}
        quoted = f'"{self.text}"' if ":" in self.text else self.text
        return {"q": f"{self.filter}:{quoted}" if self.filter else quoted} if self.text else {}

    @property
    def is_empty(self) -> bool:
        """Whether no object of a platform is like that."""
        none_is = (("has-ai-task", "true"), ("shared", "true"), ("status", "unknown"))
        return (self.filter, self.text) in none_is or self.filter.startswith("shared_with")

    @property
    def _sign(self) -> str:
        return "=" if self.of.language is None else ":"


def _ids(kind: str, parts: Mapping[str, object]) -> str:
    """The ids of objects of two parts, the second and the third."""
    return ",".join(made_id(kind, turn * len(parts) + 1 + turn % 2) for turn in range(platform.PART))


_TEMPLATE_VALUES: Final[Values] = {
    "": ("", "partial"),
    "organization": ("tenant-0",),
    "exact_name": ("exact",),
    "exact_display_name": ("exact-display",),
    "name": ("partial",),
    "display_name": ("sought",),
    "ids": (_ids("template", platform.TEMPLATE_PARTS),),
    "deleted": _FLAG,
    "deprecated": _FLAG,
    "has-ai-task": _FLAG,
    "author_id": (platform.MEMBER,),
    "author": ("member", "me"),
    "has_external_agent": _FLAG,
}
_WORKSPACE_VALUES: Final[Values] = {
    "": ("", "partial"),
    "owner": ("member", "me"),
    "name": ("partial",),
    "template": ("base-1",),
    "id": (_ids("workspace", platform.WORKSPACE_PARTS),),
    "organization": ("tenant-0",),
    "status": (*workspaces.STATUSES, "failed,canceled"),
    "has_external_agent": _FLAG,
    "has-agent": agents.STATUSES,
    "healthy": _FLAG,
    "has-ai-task": _FLAG,
    "shared": _FLAG,
    "shared_with_user": ("member",),
    "shared_with_group": ("member",),
    "dormant": _FLAG,
    "outdated": _FLAG,
    "deleted": _FLAG,
    "last_used_after": (wire(NOON - timedelta(hours=1)),),
    "last_used_before": (wire(NOON - timedelta(days=30)),),
}
TEMPLATES: Final = List(TEMPLATE.name, "/api/v2/templates", _TEMPLATE_VALUES, TEMPLATE_FILTERS)
WORKSPACES: Final = List(WORKSPACE.name, "/api/v2/workspaces", _WORKSPACE_VALUES, WORKSPACE_FILTERS, "workspaces")
JOBS: Final = List(
    JOB.name,
    f"{_ORGANIZATION}/provisionerjobs",
    {
        "": ("",),
        "status": (*jobs.STATUSES, "failed,canceled"),
        "ids": (_ids("job", platform.JOB_PARTS),),
        "tags": (_TAGS,),
        "initiator": (platform.MEMBER,),
        "limit": ("50",),
    },
)
DAEMONS: Final = List(
    DAEMON.name,
    f"{_ORGANIZATION}/provisionerdaemons",
    {
        "": ("",),
        "offline": _FLAG,
        "status": daemons.STATUSES,
        "max_age": ("30s",),
        "tags": (_TAGS,),
        "ids": (_ids("daemon", platform.DAEMON_PARTS),),
    },
)
LISTS: Final = (TEMPLATES, WORKSPACES, JOBS, DAEMONS)
QUESTIONS: Final = tuple(question for one in LISTS for question in one.questions())
