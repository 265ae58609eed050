"""Audit logs on the wire: a row that goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.logs import audit_text
from chalicelib.models.directory import Beside, MinimalOrganizationJSON, UserJSON
from chalicelib.platform.kinds import BUILD, KINDS, TEMPLATE, VERSION, WORKSPACE
from chalicelib.records import AuditLog
from chalicelib.search.values import NIL_UUID
from chalicelib.store.platform.rows import Mirrored


class ChangeJSON(TypedDict):
    """A changed field: its values before and after, either left out where it was null; of a secret neither is told."""

    old: NotRequired[Any]
    new: NotRequired[Any]
    secret: bool


class AuditLogJSON(TypedDict):
    """codersdk.AuditLog, and what owners and auditors see of where it comes from."""

    id: str
    request_id: str
    time: str
    ip: str
    user_agent: str
    resource_type: str
    resource_id: str
    resource_target: str
    resource_icon: str
    action: str
    diff: Mapping[str, ChangeJSON]
    status_code: int
    additional_fields: Mapping[str, Any]
    description: str
    resource_link: str
    is_deleted: bool
    organization_id: str
    organization: NotRequired[MinimalOrganizationJSON]
    user: UserJSON | None
    received_at: NotRequired[str]
    written_by: NotRequired[str]
    revision: NotRequired[int]


def audit_log_json(row: AuditLog, beside: Beside) -> AuditLogJSON:
    """A row as clients read it: users and organizations are those of today, deleted users included."""
    organization = beside.organizations.get(row.organization_id) if row.organization_id else None
    deleted = is_deleted(row, beside)
    names = {"organization": organization.name} if organization else {}
    link = audit_text.resource_link(row, deleted=deleted, names={**names, **_names(row, beside)})
    body: AuditLogJSON = {
        "id": row.id,
        "request_id": row.request_id,
        "time": times.wire(row.time),
        "ip": row.ip or "",
        "user_agent": row.user_agent or "",
        "resource_type": row.as_sent("resource_type"),
        "resource_id": row.resource_id,
        "resource_target": row.resource_target,
        "resource_icon": row.resource_icon,
        "action": row.as_sent("action"),
        "diff": row.diff,
        "status_code": row.status_code,
        "additional_fields": _additional_fields(row, beside),
        "description": audit_text.description(row),
        "resource_link": link,
        "is_deleted": deleted,
        "organization_id": row.organization_id or NIL_UUID,
        # What the platform did by itself has no user.
        "user": None if row.user_id == NIL_UUID else beside.user(row.user_id),
    }
    if row.organization_id:
        body["organization"] = beside.organization(row.organization_id)
    return body


def sourced_json(row: AuditLog, beside: Beside) -> AuditLogJSON:
    """A row as owners and auditors read it: with the token that wrote it, and when."""
    body = audit_log_json(row, beside)
    if row.receipt is not None:
        body["received_at"] = times.wire(row.receipt.received_at)
        body["written_by"] = row.receipt.written_by
    return body


def is_deleted(row: AuditLog, beside: Beside) -> bool:
    """Whether the resource is gone, as far as Gatebook knows without asking for each row.

    A user is looked up among those of the page, and a template, a version or a workspace among what the platform
    mirrors in. What is known of any other is that the row at hand deleted it.
    """
    if row.resource_type == VERSION.name:
        version = beside.mirrored.get(VERSION.id(row.resource_id))
        template = beside.mirrored.get(TEMPLATE.id(str(version.get("template_id")))) if version else None
        return any(one is not None and one.get("deleted") for one in (version, template))
    about = audit_text.looked_up(row)
    if about is None:
        workspace = _workspace_of(row, beside)
        return workspace is not None and bool(workspace.get("deleted"))
    if about.type == "user":
        user = beside.users.get(about.id)
        return user is None or user.deleted
    known = beside.mirrored.get(KINDS[about.type].id(about.id)) if about.type in KINDS else None
    return audit_text.deletes(row) if known is None else bool(known.get("deleted"))


def _build_of(row: AuditLog, beside: Beside) -> Mirrored | None:
    return beside.mirrored.get(BUILD.id(row.resource_id)) if row.resource_type == BUILD.name else None


def _workspace_of(row: AuditLog, beside: Beside) -> Mirrored | None:
    """The workspace that a row says that it is about, or that the build of the row is of."""
    about = audit_text.looked_up(row)
    if about is not None:
        return beside.mirrored.get(WORKSPACE.id(about.id)) if about.type == WORKSPACE.name else None
    build = _build_of(row, beside)
    return beside.mirrored.get(WORKSPACE.id(str(build.get("workspace_id")))) if build else None


def _additional_fields(row: AuditLog, beside: Beside) -> Mapping[str, Any]:
    """The additional fields; of a build whose sender gave none, those that the platform mirrors in."""
    build, workspace = _build_of(row, beside), _workspace_of(row, beside)
    if row.additional_fields or build is None:
        return audit_text.additional_fields(row)
    names = _names(row, beside)
    known = {
        "workspace_name": names.get("workspace_name"),
        "workspace_owner": names.get("owner"),
        "workspace_id": workspace.id if workspace else None,
        "build_number": names.get("build_number"),
        "build_reason": build.get("reason"),
    }
    return {name: value for name, value in known.items() if value}


def _names(row: AuditLog, beside: Beside) -> dict[str, str]:
    """The parts of a link that the platform's objects tell: of a build, of its workspace, of its owner."""
    if not beside.mirrored:
        return {}
    workspace, build = _workspace_of(row, beside), _build_of(row, beside)
    template = beside.mirrored.get(TEMPLATE.id(row.resource_id)) if row.resource_type == TEMPLATE.name else None
    parts: dict[str, object] = {}
    if build is not None:
        parts["build_number"] = build.get("build_number")
    if workspace is not None:
        owner = beside.username(str(workspace.get("owner_id"))) or workspace.joined.get("owner")
        parts |= {"owner": owner, "workspace_name": workspace.get("name")}
        if row.resource_type == WORKSPACE.name:
            parts["target"] = workspace.get("name")
    if template is not None:
        parts["target"] = template.get("name")
    return {name: str(part) for name, part in parts.items() if part}
