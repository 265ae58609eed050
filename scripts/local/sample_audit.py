"""The audit events of the sample: workspaces made, started and stopped, templates changed, and logins."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.logs.audit_event import AuditEvent
from chalicelib.search.values import NIL_UUID
from scripts.local.sample_hours import DAYS, address_of, working_moment

_EVENTS = 120
_CLI = "coder-cli/v2.35.0 (linux/amd64)"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_KINDS = ("build", "build", "build", "login", "login", "template")
_CODES = (200, 200, 200, 200, 200, 200, 200, 200, 200, 500)
_BUILDS = (
    ("start", "initiator"),
    ("start", "autostart"),
    ("start", "cli"),
    ("stop", "initiator"),
    ("stop", "autostop"),
)
_BY_ITSELF = ("autostart", "autostop")
_TEMPLATES = {
    "docker": ("default_ttl", 28_800_000_000_000, 43_200_000_000_000),
    "kubernetes": ("description", "Develop in Kubernetes", "Develop in Kubernetes, with a GPU"),
}

Workspaces = Mapping[str, tuple[str, str]]
"""Workspace -> its owner and its organization."""


def events(
    now: datetime, chance: random.Random, workspaces: Workspaces, sample_id: Callable[[str, str], str]
) -> Iterator[AuditEvent]:
    """The events, in no order; ids are made of names by `sample_id`."""
    made = _Maker(chance, workspaces, sample_id)
    # Whatever chance does, the query of the README has an answer.
    yield made.build("linus-kernel", "start", "initiator", now - timedelta(minutes=21), 1)
    for number, workspace in enumerate(sorted(workspaces)):
        yield made.created(workspace, now - timedelta(days=DAYS, minutes=number))
    for number in range(_EVENTS):
        yield made.something(working_moment(now, chance), number + 2)


class _Maker:
    def __init__(self, chance: random.Random, workspaces: Workspaces, sample_id: Callable[[str, str], str]) -> None:
        self._chance = chance
        self._workspaces = workspaces
        self._id = sample_id

    def something(self, moment: datetime, number: int) -> AuditEvent:
        workspace = self._chance.choice(sorted(self._workspaces))
        match self._chance.choice(_KINDS):
            case "build":
                return self.build(workspace, *self._chance.choice(_BUILDS), moment, number)
            case "login":
                return self._login(workspace, moment)
            case _:
                return self._template(workspace, moment)

    def build(self, workspace: str, action: str, reason: str, moment: datetime, number: int) -> AuditEvent:
        owner = self._workspaces[workspace][0]
        return self._event(
            workspace,
            moment,
            NIL_UUID if reason in _BY_ITSELF else self._id("user", owner),
            resource_type="workspace_build",
            resource_id=self._id("build", str(number)),
            resource_target="",
            action=action,
            status_code=self._chance.choice(_CODES),
            additional_fields={
                "workspace_name": workspace,
                "build_number": str(number),
                "build_reason": reason,
                "workspace_owner": owner,
                "workspace_id": self._id("workspace", workspace),
            },
        )

    def created(self, workspace: str, moment: datetime) -> AuditEvent:
        owner = self._workspaces[workspace][0]
        row_id = self._id("workspace", workspace)
        after = {"id": row_id, "owner_id": self._id("user", owner), "name": workspace, "ttl": 28_800_000_000_000}
        return self._event(
            workspace,
            moment,
            self._id("user", owner),
            resource_type="workspace",
            resource_id=row_id,
            resource_target=workspace,
            action="create",
            status_code=201,
            additional_fields={"workspace_owner": owner, "workspace_name": workspace, "build_reason": "initiator"},
            new=after,
        )

    def _login(self, workspace: str, moment: datetime) -> AuditEvent:
        user = self._id("user", self._workspaces[workspace][0])
        return self._event(
            "",
            moment,
            user,
            resource_type="api_key",
            resource_id=user,
            resource_target="",
            action=self._chance.choice(["login", "login", "logout"]),
            status_code=201,
        )

    def _template(self, workspace: str, moment: datetime) -> AuditEvent:
        name = self._chance.choice(sorted(_TEMPLATES))
        field, old, new = _TEMPLATES[name]
        return self._event(
            workspace,
            moment,
            self._id("user", self._workspaces[workspace][0]),
            resource_type="template",
            resource_id=self._id("template", name),
            resource_target=name,
            action="write",
            status_code=200,
            old={"name": name, field: old},
            new={"name": name, field: new},
        )

    def _event(self, workspace: str, moment: datetime, user_id: str, **what: Any) -> AuditEvent:  # noqa: ANN401 - fields
        """The event of a workspace's organization, or of none; `what` has the other fields."""
        return AuditEvent(
            id=None,
            time=moment,
            user_id=user_id,
            organization_id=self._id("organization", self._workspaces[workspace][1]) if workspace else None,
            ip=None if user_id == NIL_UUID else address_of(user_id, self._chance),
            user_agent=None if user_id == NIL_UUID else self._chance.choice([_CLI, _BROWSER]),
            resource_icon=None,
            request_id=self._id("request", moment.isoformat()),
            **what,
        )
