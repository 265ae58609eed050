"""Workspaces, their builds and agents as clients read them, with codersdk's field names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from chalicelib import times
from chalicelib.models.platform_answers import (
    AgentHealthJSON,
    AgentJSON,
    BuildJSON,
    WorkspaceJSON,
    WorkspaceResourceJSON,
)
from chalicelib.models.provisioners import MatchedProvisionersJSON, job_json, matched_json
from chalicelib.models.templates import unknown_job
from chalicelib.platform import workspaces
from chalicelib.platform.agents import complaint
from chalicelib.platform.kinds import BUILD, JOB, TEMPLATE, VERSION, WORKSPACE
from chalicelib.records import Organization, User
from chalicelib.search.values import NIL_UUID
from chalicelib.store.platform.rows import Known, Mirrored

_OmittedOfAgent = Literal[
    "first_connected_at", "last_connected_at", "disconnected_at", "started_at", "ready_at", "instance_id", "directory"
]
_OMITTED_OF_AGENT: Final[tuple[_OmittedOfAgent, ...]] = get_args(_OmittedOfAgent)


_UNMATCHED: Final[MatchedProvisionersJSON] = {"count": 0, "available": 0, "most_recently_seen": None}
"""Of a build that does not wait."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The objects beside workspaces and builds.

    Attributes:
        known: templates, versions, builds and jobs.
        users: by id.
        organizations: by id.
        agents: by the id of their build.
        places: the waiting jobs of the deployment, each with its place in the queue.
        daemons: of the organizations of those of their jobs that wait; None where they were not read.
        reader_id: who reads them, and sees which of their own they favor.
    """

    known: Known
    users: Mapping[str, User]
    organizations: Mapping[str, Organization]
    agents: Mapping[str, Sequence[Mirrored]]
    places: Mapping[str, int]
    daemons: Sequence[Mirrored] | None
    reader_id: str

    def username(self, user_id: object) -> str:
        """Today's name of a user; "" of one that is not known."""
        user = self.users.get(str(user_id))
        return user.username if user else ""


def workspace_json(workspace: Mirrored, beside: Beside) -> WorkspaceJSON:
    """codersdk.Workspace."""
    known = beside.known
    template = known.get(TEMPLATE, workspace.get("template_id"))
    build = known.get(BUILD, workspace.joined.get("latest_build_id"))
    organization = beside.organizations.get(str(workspace.get("organization_id")))
    owner = beside.users.get(str(workspace.get("owner_id")))
    agents = beside.agents.get(build.id, ()) if build else ()
    failing = [agent.id for agent in agents if complaint(agent.values)]
    may_cancel = bool(template and template.get("allow_user_cancel_workspace_jobs"))
    body: WorkspaceJSON = {
        "id": workspace.id,
        "created_at": workspace.get("created_at"),
        "updated_at": times.wire(workspace.updated_at),
        "owner_id": workspace.get("owner_id"),
        "owner_name": owner.username if owner else "",
        "owner_avatar_url": owner.avatar_url if owner else "",
        "organization_id": workspace.get("organization_id"),
        "organization_name": organization.name if organization else "",
        "template_id": workspace.get("template_id"),
        "template_name": template.get("name") if template else "",
        "template_display_name": template.get("display_name") if template else "",
        "template_icon": template.get("icon") if template else "",
        "template_allow_user_cancel_workspace_jobs": may_cancel,
        "template_active_version_id": (template.get("active_version_id") if template else None) or NIL_UUID,
        "template_require_active_version": bool(template and template.get("require_active_version")),
        "template_use_classic_parameter_flow": bool(template and template.get("use_classic_parameter_flow")),
        "latest_app_status": None,
        "latest_build": build_json(build, beside) if build else _no_build(workspace, beside),
        "outdated": is_outdated(workspace, template),
        "name": workspace.get("name"),
        "last_used_at": workspace.get("last_used_at") or times.wire(times.NEVER),
        "deleting_at": workspace.get("deleting_at"),
        "dormant_at": workspace.get("dormant_at"),
        "health": {"healthy": not failing, "failing_agents": failing},
        "automatic_updates": workspace.get("automatic_updates"),
        "allow_renames": workspace.get("allow_renames"),
        "favorite": bool(workspace.get("favorite")) and workspace.get("owner_id") == beside.reader_id,
        "next_start_at": workspace.get("next_start_at"),
        "is_prebuild": workspaces.is_prebuild(workspace.values),
    }
    if workspace.get("autostart_schedule") is not None:
        body["autostart_schedule"] = workspace.get("autostart_schedule")
    # Where a template lets nobody choose, its own time counts.
    fixed = template is not None and not template.get("allow_user_autostop")
    ttl = template.get("default_ttl_ms") if template and fixed else workspace.get("ttl_ms")
    if ttl is not None:
        body["ttl_ms"] = ttl
    return body


def is_outdated(workspace: Mirrored, template: Mirrored | None) -> bool:
    """Whether a workspace was built from another version than the active one of its template."""
    version = workspace.joined.get("template_version_id")
    return bool(version and template and template.get("active_version_id") not in (None, version))


def build_json(build: Mirrored, beside: Beside) -> BuildJSON:
    """codersdk.WorkspaceBuild."""
    known = beside.known
    job = known.get(JOB, build.get("job_id"))
    workspace = known.get(WORKSPACE, build.get("workspace_id"))
    version = known.get(VERSION, build.get("template_version_id"))
    owner_id = workspace.get("owner_id") if workspace else NIL_UUID
    body: BuildJSON = {
        "id": build.id,
        "created_at": build.get("created_at"),
        "updated_at": times.wire(build.updated_at),
        "workspace_id": build.get("workspace_id"),
        "workspace_name": workspace.get("name") if workspace else "",
        "workspace_owner_id": owner_id,
        "workspace_owner_name": beside.username(owner_id),
        "template_version_id": build.get("template_version_id"),
        "template_version_name": version.get("name") if version else "",
        "build_number": build.get("build_number"),
        "transition": build.get("transition"),
        "initiator_id": build.get("initiator_id") or NIL_UUID,
        "initiator_name": beside.username(build.get("initiator_id")),
        "job": job_json(job, known, beside.places) if job else unknown_job(build),
        "reason": build.get("reason"),
        "resources": _resources(build, beside.agents.get(build.id, ())),
        "deadline": build.get("deadline"),
        "max_deadline": build.get("max_deadline"),
        "status": workspaces.status(build.values, job.values if job else None),
        "daily_cost": build.get("daily_cost"),
        "template_version_preset_id": build.get("template_version_preset_id"),
    }
    if not job or job.id not in beside.places:
        body["matched_provisioners"] = _UNMATCHED
    elif beside.daemons is not None:
        body["matched_provisioners"] = matched_json(job, beside.daemons, times.now())
    if build.get("has_external_agent") is not None:
        body["has_external_agent"] = build.get("has_external_agent")
    return body


def agent_json(agent: Mirrored) -> AgentJSON:
    """codersdk.WorkspaceAgent, as far as it is mirrored."""
    body: AgentJSON = {
        "id": agent.id,
        "parent_id": agent.get("parent_id"),
        "created_at": agent.get("created_at"),
        "updated_at": times.wire(agent.updated_at),
        "status": agent.get("status"),
        "lifecycle_state": agent.get("lifecycle_state"),
        "name": agent.get("name"),
        "resource_id": agent.get("resource_id") or NIL_UUID,
        "architecture": agent.get("architecture"),
        "operating_system": agent.get("operating_system"),
        "environment_variables": {},
        "logs_length": agent.get("logs_length"),
        "logs_overflowed": agent.get("logs_overflowed"),
        "version": agent.get("version"),
        "api_version": agent.get("api_version"),
        "apps": [],
        "connection_timeout_seconds": 0,
        "troubleshooting_url": "",
        "subsystems": [],
        "health": _health(agent),
        "display_apps": [],
        "log_sources": [],
        "scripts": [],
        "startup_script_behavior": "non-blocking",
    }
    for name in _OMITTED_OF_AGENT:
        if agent.get(name):
            body[name] = agent.get(name)
    return body


def _health(agent: Mirrored) -> AgentHealthJSON:
    reason = complaint(agent.values)
    return {"healthy": False, "reason": reason} if reason else {"healthy": True}


def _resources(build: Mirrored, agents: Sequence[Mirrored]) -> list[WorkspaceResourceJSON]:
    """The resources of a build with their agents; agents that name none of them stand in one of their own."""
    resources = list(build.get("resources") or ())
    named = {resource["id"] for resource in resources}
    if any(agent.get("resource_id") not in named for agent in agents):
        resources.append({"id": NIL_UUID, "type": "", "name": "", "hide": False, "icon": "", "daily_cost": 0})
    return [
        {
            "id": resource["id"],
            "created_at": build.get("created_at"),
            "job_id": build.get("job_id") or NIL_UUID,
            "workspace_transition": build.get("transition"),
            "type": resource["type"],
            "name": resource["name"],
            "hide": resource["hide"],
            "icon": resource["icon"],
            "agents": [
                agent_json(agent)
                for agent in agents
                if (agent.get("resource_id") if agent.get("resource_id") in named else NIL_UUID) == resource["id"]
            ],
            "daily_cost": resource["daily_cost"],
        }
        for resource in resources
    ]


def _no_build(workspace: Mirrored, beside: Beside) -> BuildJSON:
    """The latest build of a workspace whose builds are not mirrored in yet: one that waits."""
    values = {
        "id": NIL_UUID,
        "created_at": workspace.get("created_at"),
        "workspace_id": workspace.id,
        "template_version_id": NIL_UUID,
        "build_number": 0,
        "transition": "start",
        "reason": "initiator",
        "daily_cost": 0,
    }
    return build_json(Mirrored(BUILD, NIL_UUID, values, workspace.updated_at, ""), beside)
