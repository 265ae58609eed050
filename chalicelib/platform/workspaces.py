"""Workspaces: what their latest build makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.platform import jobs
from chalicelib.platform.jobs import Values
from chalicelib.records.directory import PREBUILDS_USER

_UNDER_WAY: Final[Mapping[str, str]] = {"start": "starting", "stop": "stopping", "delete": "deleting"}
_DONE: Final[Mapping[str, str]] = {"start": "running", "stop": "stopped", "delete": "deleted"}
STATUSES: Final = ("pending", *_UNDER_WAY.values(), *_DONE.values(), "failed", "canceling", "canceled")


def status(build: Values, job: Values | None) -> str:
    """The status of a workspace by its latest build; a build whose job is not known has not begun."""
    state = jobs.status(job) if job else "pending"
    transition = str(build.get("transition"))
    if state == "running":
        return _UNDER_WAY.get(transition, "pending")
    if state == "succeeded":
        return _DONE.get(transition, "pending")
    return state if state in STATUSES else "pending"


def is_prebuild(workspace: Values) -> bool:
    """Whether nobody has claimed the workspace yet: the platform's own user has it."""
    return bool(workspace.get("owner_id") == PREBUILDS_USER)
