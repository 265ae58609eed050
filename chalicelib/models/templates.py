"""Templates, their versions and presets as clients read them, with codersdk's field names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import times
from chalicelib.models.platform_answers import (
    MinimalUserJSON,
    TemplateAccessJSON,
    TemplateGroupJSON,
    TemplateJSON,
    TemplateVersionJSON,
    VersionPresetJSON,
)
from chalicelib.models.provisioners import JobJSON, job_json, matched_json
from chalicelib.platform.kinds import JOB
from chalicelib.records import Organization, User
from chalicelib.search.values import NIL_UUID
from chalicelib.store.platform.rows import Known, Mirrored


def template_json(
    template: Mirrored, updated_at: str, organizations: Mapping[str, Organization], users: Mapping[str, User]
) -> TemplateJSON:
    """codersdk.Template."""
    organization = organizations.get(str(template.get("organization_id")))
    author = users.get(str(template.get("created_by_id")))
    return {
        "id": template.id,
        "updated_at": updated_at,
        "active_version_id": template.get("active_version_id") or NIL_UUID,
        "organization_name": organization.name if organization else "",
        "organization_display_name": organization.display_name if organization else "",
        "organization_icon": organization.icon if organization else "",
        "created_by_id": template.get("created_by_id") or NIL_UUID,
        "created_by_name": author.username if author else template.get("created_by_name"),
        "deprecated": bool(template.get("deprecation_message")),
        "created_at": template.get("created_at"),
        "organization_id": template.get("organization_id"),
        "name": template.get("name"),
        "display_name": template.get("display_name"),
        "provisioner": template.get("provisioner"),
        "active_user_count": template.get("active_user_count"),
        "build_time_stats": template.get("build_time_stats"),
        "description": template.get("description"),
        "deprecation_message": template.get("deprecation_message"),
        "deleted": template.get("deleted"),
        "icon": template.get("icon"),
        "default_ttl_ms": template.get("default_ttl_ms"),
        "activity_bump_ms": template.get("activity_bump_ms"),
        "time_til_autostop_notify_ms": template.get("time_til_autostop_notify_ms"),
        "autostop_requirement": template.get("autostop_requirement"),
        "autostart_requirement": template.get("autostart_requirement"),
        "allow_user_autostart": template.get("allow_user_autostart"),
        "allow_user_autostop": template.get("allow_user_autostop"),
        "allow_user_cancel_workspace_jobs": template.get("allow_user_cancel_workspace_jobs"),
        "failure_ttl_ms": template.get("failure_ttl_ms"),
        "time_til_dormant_ms": template.get("time_til_dormant_ms"),
        "time_til_dormant_autodelete_ms": template.get("time_til_dormant_autodelete_ms"),
        "require_active_version": template.get("require_active_version"),
        "max_port_share_level": template.get("max_port_share_level"),
        "cors_behavior": template.get("cors_behavior"),
        "use_classic_parameter_flow": template.get("use_classic_parameter_flow"),
        "disable_module_cache": template.get("disable_module_cache"),
    }


def access_json(template: Mirrored, organization: Organization | None) -> TemplateAccessJSON:
    """codersdk.TemplateACL; the group of everybody in an organization has the id of the organization."""
    if organization is None or template.get("disable_everyone_group_access"):
        return {"users": [], "group": []}
    everybody: TemplateGroupJSON = {
        "id": organization.id,
        "name": "Everyone",
        "display_name": "",
        "organization_id": organization.id,
        "organization_name": organization.name,
        "organization_display_name": organization.display_name,
        "avatar_url": "",
        "quota_allowance": 0,
        "source": "user",
        "role": "use",
    }
    return {"users": [], "group": [everybody]}


def version_json(
    version: Mirrored,
    updated_at: str,
    known: Known,
    users: Mapping[str, User],
    places: Mapping[str, int],
    daemons: Sequence[Mirrored] | None,
) -> TemplateVersionJSON:
    """codersdk.TemplateVersion; the daemons are those of the organization of a job that waits."""
    job = known.get(JOB, version.get("job_id"))
    body: TemplateVersionJSON = {
        "id": version.id,
        "organization_id": version.get("organization_id"),
        "created_at": version.get("created_at"),
        "updated_at": updated_at,
        "name": version.get("name"),
        "message": version.get("message"),
        "job": job_json(job, known, places) if job else unknown_job(version),
        "readme": version.get("readme"),
        "created_by": minimal_user(str(version.get("created_by_id") or NIL_UUID), users),
        "archived": version.get("archived"),
        "has_external_agent": version.get("has_external_agent"),
    }
    if version.get("template_id"):
        body["template_id"] = version.get("template_id")
    if version.get("warnings"):
        body["warnings"] = version.get("warnings")
    if job and job.id in places and daemons is not None:
        body["matched_provisioners"] = matched_json(job, daemons, times.now())
    return body


def presets_json(version: Mirrored) -> list[VersionPresetJSON] | None:
    """The presets of a version, with the capital keys that clients know; None where there is none."""
    presets = version.get("presets")
    return [_preset(preset) for preset in presets] if presets else None


def minimal_user(user_id: str, users: Mapping[str, User]) -> MinimalUserJSON:
    """codersdk.MinimalUser; of a user that is not known, the id."""
    user = users.get(user_id)
    body: MinimalUserJSON = {"id": user_id, "username": user.username if user else ""}
    if user and user.name:
        body["name"] = user.name
    if user and user.avatar_url:
        body["avatar_url"] = user.avatar_url
    return body


def unknown_job(row: Mirrored) -> JobJSON:
    """A job of which no more is known than that a row names it."""
    return {
        "id": row.get("job_id") or NIL_UUID,
        "created_at": row.get("created_at"),
        "organization_id": row.get("organization_id") or NIL_UUID,
        "initiator_id": row.get("initiator_id") or NIL_UUID,
        "file_id": NIL_UUID,
        "status": "unknown",
        "tags": {},
        "queue_position": 0,
        "queue_size": 0,
        "input": {},
        "type": "workspace_build" if row.get("workspace_id") else "template_version_import",
        "metadata": {
            "template_version_name": "",
            "template_id": NIL_UUID,
            "template_name": "",
            "template_display_name": "",
            "template_icon": "",
        },
        "logs_overflowed": False,
    }


def _preset(preset: Mapping[str, Any]) -> VersionPresetJSON:
    parameters = preset.get("parameters")
    return {
        "ID": preset["id"],
        "Name": preset["name"],
        "Parameters": [{"Name": one["name"], "Value": one["value"]} for one in parameters] if parameters else None,
        "Default": preset["default"],
        "DesiredPrebuildInstances": preset["desired_prebuild_instances"],
        "Description": preset["description"],
        "Icon": preset["icon"],
    }
