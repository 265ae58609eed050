"""The requests and answers of the routes of templates, workspaces and their jobs."""

from __future__ import annotations

from chalicelib.api.external_agents import CredentialsJSON, Deposit
from chalicelib.api.job_logs import Lines
from chalicelib.api.prebuilds import TTL, Autostart, Dormant, Extension, PrebuildsSettingsJSON, Settings
from chalicelib.errors import ErrorJSON
from chalicelib.models.job_logs import AppendedJSON, JobLogJSON
from chalicelib.models.platform_answers import (
    AgentJSON,
    BuildJSON,
    TemplateAccessJSON,
    TemplateJSON,
    TemplateVersionJSON,
    VersionPresetJSON,
    WorkspaceJSON,
    WorkspacesJSON,
)
from scripts.openapi.operation import NOTHING, Body, Operation, Text

_API = "/api/v2"
_ORGANIZATION = f"{_API}/organizations/{{organization}}"
_TEMPLATE = f"{_API}/templates/{{template}}"
_VERSION = f"{_API}/templateversions/{{templateversion}}"
_WORKSPACE = f"{_API}/workspaces/{{workspace}}"
_OF_USER = f"{_API}/users/{{user}}/workspace/{{workspacename}}"
_PAGE = ("limit", "offset", "after_id")

_LOG = Operation(
    {200: (list[JobLogJSON], Text())}, (501,), query=("log_format", "follow", "after"), headers=("Gatebook-Partial",)
)
_TEMPLATES = Operation({200: list[TemplateJSON]}, query=("templates",), headers=("Gatebook-Partial",))
_ONE_TEMPLATE = Operation({200: TemplateJSON})
_ONE_VERSION = Operation({200: TemplateVersionJSON})


def _refused(shape: object) -> Operation:
    """Nobody but the platform schedules a workspace."""
    return Operation({501: ErrorJSON}, (409,), Body(shape))


_LEFT_TO_THE_PLATFORM = (
    "POST /users/{user}/workspaces",
    "POST /workspaces/{workspace}/builds",
    "PATCH /workspaces/{workspace}",
    "PUT /workspaces/{workspace}/autoupdates",
    "PUT /workspaces/{workspace}/favorite",
    "DELETE /workspaces/{workspace}/favorite",
    "PATCH /workspacebuilds/{workspacebuild}/cancel",
    "GET /workspacebuilds/{workspacebuild}/parameters",
    "GET /workspacebuilds/{workspacebuild}/state",
    "GET /workspaceagents/{workspaceagent}/connection",
    "GET /workspaceagents/{workspaceagent}/coordinate",
    "GET /workspaceagents/{workspaceagent}/listening-ports",
    "GET /workspaceagents/{workspaceagent}/containers",
    "PATCH /templates/{template}",
    "DELETE /templates/{template}",
    "PATCH /templates/{template}/versions",
    "POST /templates/{template}/versions/archive",
    "PATCH /templateversions/{templateversion}",
    "PATCH /templateversions/{templateversion}/cancel",
    "POST /templateversions/{templateversion}/archive",
    "POST /templateversions/{templateversion}/unarchive",
    "GET /templateversions/{templateversion}/rich-parameters",
    "POST /templateversions/{templateversion}/dynamic-parameters/evaluate",
    "POST /templateversions/{templateversion}/dry-run",
    "PATCH /templateversions/{templateversion}/dry-run/{job}/cancel",
    "POST /organizations/{organization}/templates",
    "POST /organizations/{organization}/templateversions",
    "POST /files",
    "GET /files/{file}",
    "GET /workspaces/{workspace}/acl",
    "PATCH /workspaces/{workspace}/acl",
    "DELETE /workspaces/{workspace}/acl",
    "GET /workspaceagents/{workspaceagent}/logs",
    "DELETE /organizations/{organization}/provisionerkeys/{provisionerkey}",
    "GET /users/{user}/gitsshkey",
    "PUT /users/{user}/gitsshkey",
    "GET /workspaceagents/connection",
    "GET /groups",
    "GET /settings/idpsync/organization",
    "PATCH /settings/idpsync/organization",
    "GET /organizations/{organization}/groups",
    "POST /organizations/{organization}/groups",
    "GET /organizations/{organization}/groups/{group}",
    "POST /organizations/{organization}/members/roles",
    "PUT /organizations/{organization}/members/roles",
    "GET /organizations/{organization}/settings/idpsync/groups",
    "PATCH /organizations/{organization}/settings/idpsync/groups",
    "GET /organizations/{organization}/settings/idpsync/roles",
    "PATCH /organizations/{organization}/settings/idpsync/roles",
    "GET /organizations/{organization}/provisionerkeys",
    "POST /organizations/{organization}/provisionerkeys",
    "GET /workspaceproxies",
    "PATCH /templates/{template}/acl",
    "GET /groups/{group}",
    "PATCH /groups/{group}",
    "DELETE /groups/{group}",
    "PATCH /settings/idpsync/organization/config",
    "PATCH /settings/idpsync/organization/mapping",
    "POST /workspaceproxies",
    "GET /workspaceproxies/{proxy}",
    "PATCH /workspaceproxies/{proxy}",
    "DELETE /workspaceproxies/{proxy}",
    "GET /licenses",
    "POST /licenses",
    "DELETE /licenses/{license}",
)
"""The routes whose every answer is a refusal, whatever a request carries."""

OPERATIONS = {
    **{route.replace(" ", f" {_API}", 1): Operation({501: ErrorJSON}) for route in _LEFT_TO_THE_PLATFORM},
    f"PUT {_API}/provisionerjobs/{{job}}/logs": Operation({200: AppendedJSON}, body=Body(Lines)),
    f"GET {_API}/workspacebuilds/{{workspacebuild}}/logs": _LOG,
    f"GET {_VERSION}/logs": _LOG,
    f"GET {_VERSION}/dry-run/{{job}}/logs": _LOG,
    f"GET {_API}/templates": _TEMPLATES,
    f"GET {_ORGANIZATION}/templates": _TEMPLATES,
    f"GET {_ORGANIZATION}/templates/{{template}}": _ONE_TEMPLATE,
    f"GET {_ORGANIZATION}/templates/{{template}}/versions/{{version}}": _ONE_VERSION,
    f"GET {_TEMPLATE}": _ONE_TEMPLATE,
    f"GET {_TEMPLATE}/acl": Operation({200: TemplateAccessJSON}),
    f"GET {_TEMPLATE}/versions": Operation(
        {200: list[TemplateVersionJSON]}, query=(*_PAGE, "include_archived"), headers=("Gatebook-Partial", "Link")
    ),
    f"GET {_TEMPLATE}/versions/{{version}}": _ONE_VERSION,
    f"GET {_VERSION}": _ONE_VERSION,
    f"GET {_VERSION}/presets": Operation({200: list[VersionPresetJSON] | None}, headers=("Gatebook-Partial",)),
    f"GET {_API}/workspaces": Operation({200: WorkspacesJSON}, query=("workspaces", *_PAGE), headers=("Link",)),
    f"GET {_WORKSPACE}": Operation({200: WorkspaceJSON}, (410,), query=("include_deleted",)),
    f"GET {_WORKSPACE}/builds": Operation(
        {200: list[BuildJSON]}, (410,), query=(*_PAGE, "since"), headers=("Gatebook-Partial", "Link")
    ),
    f"GET {_OF_USER}": Operation({200: WorkspaceJSON}, (410,), query=("include_deleted",)),
    f"GET {_OF_USER}/builds/{{buildnumber}}": Operation({200: BuildJSON}, (410,), query=("include_deleted",)),
    f"GET {_API}/workspacebuilds/{{workspacebuild}}": Operation({200: BuildJSON}),
    f"GET {_API}/workspaceagents/{{workspaceagent}}": Operation({200: AgentJSON}),
    f"PUT {_WORKSPACE}/autostart": _refused(Autostart),
    f"PUT {_WORKSPACE}/ttl": _refused(TTL),
    f"PUT {_WORKSPACE}/dormant": _refused(Dormant),
    f"PUT {_WORKSPACE}/extend": _refused(Extension),
    f"GET {_API}/prebuilds/settings": Operation({200: PrebuildsSettingsJSON}),
    f"PUT {_API}/prebuilds/settings": Operation({200: PrebuildsSettingsJSON, 304: NOTHING}, body=Body(Settings)),
    f"GET {_API}/init-script/{{os}}/{{arch}}": Operation({200: Text()}),
    f"GET {_WORKSPACE}/external-agent/{{agent}}/credentials": Operation({200: CredentialsJSON}),
    f"PUT {_WORKSPACE}/external-agent/{{agent}}/credentials": Operation({204: NOTHING}, (501,), Body(Deposit)),
}
