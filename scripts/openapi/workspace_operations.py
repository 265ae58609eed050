"""The requests and answers of the routes of templates, workspaces and their jobs."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from chalicelib.api.external_agents import Deposit
from chalicelib.api.job_logs import Lines
from chalicelib.api.prebuilds import TTL, Autostart, Dormant, Extension, Settings
from chalicelib.errors import ErrorJSON
from scripts.openapi.operation import NOTHING, Body, Operation, Text

_API = "/api/v2"
_ORGANIZATION = f"{_API}/organizations/{{organization}}"
_TEMPLATE = f"{_API}/templates/{{template}}"
_VERSION = f"{_API}/templateversions/{{templateversion}}"
_WORKSPACE = f"{_API}/workspaces/{{workspace}}"
_OF_USER = f"{_API}/users/{{user}}/workspace/{{workspacename}}"
_PAGE = ("limit", "offset", "after_id")

CODERSDK = dict[str, Any]
"""An object whose fields are those that Coder's own document declares for it."""


class Workspaces(TypedDict):
    """A page of workspaces."""

    workspaces: list[CODERSDK]
    count: int
    next_offset: NotRequired[int]
    partial: NotRequired[bool]


class Appended(TypedDict):
    """The lines that were added to the log of a job."""

    stored: int
    known: int
    logs_length: int
    logs_overflowed: bool


class PrebuildsSettings(TypedDict):
    """Whether the platform is to stop making prebuilt workspaces."""

    reconciliation_paused: bool


class Credentials(TypedDict):
    """The command that starts an external agent, and its token."""

    command: str
    agent_token: str


_LOG = Operation(
    {200: (list[CODERSDK], Text())}, (501,), query=("log_format", "follow", "after"), headers=("Gatebook-Partial",)
)
_TEMPLATES = Operation({200: list[CODERSDK]}, query=("templates",), headers=("Gatebook-Partial",))
_ONE = Operation({200: CODERSDK})


def _refused(shape: object) -> Operation:
    """Nobody but the platform schedules a workspace."""
    return Operation({501: ErrorJSON}, (409,), Body(shape))


OPERATIONS = {
    f"PUT {_API}/provisionerjobs/{{job}}/logs": Operation({200: Appended}, body=Body(Lines)),
    f"GET {_API}/workspacebuilds/{{workspacebuild}}/logs": _LOG,
    f"GET {_VERSION}/logs": _LOG,
    f"GET {_VERSION}/dry-run/{{job}}/logs": _LOG,
    f"GET {_API}/templates": _TEMPLATES,
    f"GET {_ORGANIZATION}/templates": _TEMPLATES,
    f"GET {_ORGANIZATION}/templates/{{template}}": _ONE,
    f"GET {_ORGANIZATION}/templates/{{template}}/versions/{{version}}": _ONE,
    f"GET {_TEMPLATE}": _ONE,
    f"GET {_TEMPLATE}/versions": Operation(
        {200: list[CODERSDK]}, query=(*_PAGE, "include_archived"), headers=("Gatebook-Partial", "Link")
    ),
    f"GET {_TEMPLATE}/versions/{{version}}": _ONE,
    f"GET {_VERSION}": _ONE,
    f"GET {_VERSION}/presets": Operation({200: list[CODERSDK] | None}, headers=("Gatebook-Partial",)),
    f"GET {_API}/workspaces": Operation({200: Workspaces}, query=("workspaces", *_PAGE), headers=("Link",)),
    f"GET {_WORKSPACE}": Operation({200: CODERSDK}, (410,), query=("include_deleted",)),
    f"GET {_WORKSPACE}/builds": Operation(
        {200: list[CODERSDK]}, (410,), query=(*_PAGE, "since"), headers=("Gatebook-Partial", "Link")
    ),
    f"GET {_OF_USER}": Operation({200: CODERSDK}, (410,), query=("include_deleted",)),
    f"GET {_OF_USER}/builds/{{buildnumber}}": Operation({200: CODERSDK}, (410,), query=("include_deleted",)),
    f"GET {_API}/workspacebuilds/{{workspacebuild}}": _ONE,
    f"GET {_API}/workspaceagents/{{workspaceagent}}": _ONE,
    f"PUT {_WORKSPACE}/autostart": _refused(Autostart),
    f"PUT {_WORKSPACE}/ttl": _refused(TTL),
    f"PUT {_WORKSPACE}/dormant": _refused(Dormant),
    f"PUT {_WORKSPACE}/extend": _refused(Extension),
    f"GET {_API}/prebuilds/settings": Operation({200: PrebuildsSettings}),
    f"PUT {_API}/prebuilds/settings": Operation({200: PrebuildsSettings, 304: NOTHING}, body=Body(Settings)),
    f"GET {_API}/init-script/{{os}}/{{arch}}": Operation({200: Text()}),
    f"GET {_WORKSPACE}/external-agent/{{agent}}/credentials": Operation({200: Credentials}),
    f"PUT {_WORKSPACE}/external-agent/{{agent}}/credentials": Operation({204: NOTHING}, (501,), Body(Deposit)),
}
