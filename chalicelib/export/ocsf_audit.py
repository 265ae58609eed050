"""Rows of the audit log as OCSF events: which class and activity a change is, by tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.export.ocsf import (
    ACCOUNT_CHANGE,
    API_ACTIVITY,
    AUTHENTICATION,
    ENTITY_MANAGEMENT,
    OTHER,
    USER_ACCESS,
    Activity,
    Class,
    event,
    filled,
    is_failure,
    organization,
    user,
)

_ASSIGN, _REVOKE = Activity(1, "Assign Privileges"), Activity(2, "Revoke Privileges")
_CHANGES: Final = {"create": Activity(1, "Create"), "write": Activity(3, "Update"), "delete": Activity(4, "Delete")}

_BY_ACTION: Final[Mapping[str, tuple[Class, Activity]]] = {
    "login": (AUTHENTICATION, Activity(1, "Logon")),
    "logout": (AUTHENTICATION, Activity(2, "Logoff")),
    "register": (ACCOUNT_CHANGE, Activity(1, "Create")),
    "request_password_reset": (ACCOUNT_CHANGE, Activity(4, "Password Reset")),
}
"""Action -> its activity, for any resource."""

_OF_USERS: Final[Mapping[str, tuple[Class, Activity]]] = {
    "create": (ACCOUNT_CHANGE, Activity(1, "Create")),
    "delete": (ACCOUNT_CHANGE, Activity(6, "Delete")),
}

_OF_STATUSES: Final = {"suspended": Activity(5, "Disable"), "active": Activity(2, "Enable")}
"""Status of a user -> the activity of giving it."""

_ENTITIES: Final = frozenset(
    {
        "ai_gateway_key",
        "ai_provider",
        "ai_provider_key",
        "api_key",
        "custom_role",
        "external_auth_link",
        "git_ssh_key",
        "group",
        "oauth2_provider_app",
        "oauth2_provider_app_secret",
        "organization",
        "template",
        "template_version",
        "user_secret",
        "workspace_proxy",
    }
)
"""The types of resources whose changes are those of an entity."""

_ROLES: Final = ("roles", "rbac_roles")
"""The fields of a diff that hold roles."""
_MEMBERSHIP = "organization_member"
_MAPPED: Final = frozenset({"time", "user", "ip", "status_code", "description", "resource_id", "resource_target"})


def audit_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a row, as the API answers it."""
    of, activity = _kind(row)
    fields = {
        "message": row.get("description"),
        "status_code": str(row.get("status_code", "")),
        "src_endpoint": {"ip": row["ip"]} if row.get("ip") else {"name": "unknown"},
        "http_request": filled({"user_agent": row.get("user_agent"), "uid": row.get("request_id")}),
        **_own(of, row),
    }
    return event(
        of, activity, row, row["time"], mapped=_MAPPED, fields=fields, failed=is_failure(row.get("status_code") or 0)
    )


def _kind(row: Mapping[str, Any]) -> tuple[Class, Activity]:
    """Which class and which activity a row is."""
    action, resource = row["action"], row["resource_type"]
    if action in _BY_ACTION:
        return _BY_ACTION[action]
    diff = row.get("diff") or {}
    if resource == "user" and action in _OF_USERS:
        return _OF_USERS[action]
    if resource in ("user", _MEMBERSHIP):
        if action == "delete" or (action == "write" and _taken(diff) and not _given(diff)):
            return USER_ACCESS, _REVOKE
        if action == "create" or any(name in diff for name in _ROLES):
            return USER_ACCESS, _ASSIGN
        status = (diff.get("status") or {}).get("new")
        if resource == "user" and isinstance(status, str) and status in _OF_STATUSES:
            return ACCOUNT_CHANGE, _OF_STATUSES[status]
    of = ENTITY_MANAGEMENT if resource in _ENTITIES else API_ACTIVITY
    return of, _CHANGES.get(action, Activity(OTHER, action))


def _own(of: Class, row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that only the class of the event requires."""
    by = user(row.get("user"))
    about = {"uid": row["resource_id"], **filled({"name": row["resource_target"], "type": row["resource_type"]})}
    # What the platform does by itself, nobody does.
    actor = {"actor": {"user": by} if by else {"app_name": "Coder"}}
    if of is AUTHENTICATION:
        return {"user": by or {"name": row["resource_target"] or "unknown"}, "service": {"name": "Coder"}}
    named = {"user": {"uid": row["resource_id"], **filled({"name": row["resource_target"]})}}
    if of is ACCOUNT_CHANGE:
        return {**actor, **named}
    org = organization(row.get("organization"))
    if of is USER_ACCESS:
        diff = row.get("diff") or {}
        privileges = sorted({*_given(diff), *_taken(diff)}) or [_MEMBERSHIP]
        return {
            **actor,
            **named,
            "privileges": privileges,
            "resources": [{"type": "organization", **org}] if org else [],
        }
    if of is ENTITY_MANAGEMENT:
        return {**actor, "entity": {**about, **({"org": org} if org else {})}}
    operation = {"operation": f"{row['resource_type']}:{row['action']}", "request": {"uid": row["request_id"]}}
    return {**actor, "api": operation, "resources": [about]}


def _given(diff: Mapping[str, Any]) -> set[str]:
    return _roles(diff, "new") - _roles(diff, "old")


def _taken(diff: Mapping[str, Any]) -> set[str]:
    return _roles(diff, "old") - _roles(diff, "new")


def _roles(diff: Mapping[str, Any], side: str) -> set[str]:
    """The names of the roles on one side of a diff; a sender may have written anything there."""
    changes = [diff[name] for name in _ROLES if isinstance(diff.get(name), Mapping)]
    held = [role for change in changes if isinstance(change.get(side), list) for role in change[side]]
    names = [role.get("name") if isinstance(role, Mapping) else role for role in held]
    return {name for name in names if isinstance(name, str)}
