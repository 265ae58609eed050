"""Members of organizations and roles on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NotRequired

from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.access.policy import Permission
from chalicelib.access.roles import Role
from chalicelib.models.directory import RoleJSON, UserPageJSON, role_json
from chalicelib.records import User


class MemberJSON(TypedDict):
    """codersdk.OrganizationMember; the directory keeps no times of a membership, so they are those of the user."""

    user_id: str
    organization_id: str
    created_at: str
    updated_at: str
    roles: list[RoleJSON]


class MemberWithUserJSON(MemberJSON):
    """codersdk.OrganizationMemberWithUserData; `name`, `avatar_url` and `is_service_account` only where they are so."""

    username: str
    name: NotRequired[str]
    avatar_url: NotRequired[str]
    email: str
    status: str
    login_type: str
    last_seen_at: str
    user_created_at: str
    user_updated_at: str
    is_service_account: NotRequired[bool]
    global_roles: list[RoleJSON]
    has_ai_seat: bool


class MembersJSON(UserPageJSON):
    """A page of the members of an organization, by username."""

    members: list[MemberWithUserJSON]


class PermissionJSON(TypedDict):
    """codersdk.Permission."""

    negate: bool
    resource_type: str
    action: str


class AssignableRoleJSON(TypedDict):
    """codersdk.AssignableRoles; there are no custom roles here."""

    name: str
    organization_id: NotRequired[str]
    display_name: str
    site_permissions: list[PermissionJSON]
    user_permissions: list[PermissionJSON]
    organization_permissions: list[PermissionJSON]
    organization_member_permissions: list[PermissionJSON]
    assignable: bool
    built_in: bool


def member_json(user: User, organization_id: str) -> MemberJSON:
    """A member of an organization as clients read one."""
    return {
        "user_id": user.id,
        "organization_id": organization_id,
        "created_at": times.wire(user.created_at),
        "updated_at": times.wire(user.updated_at),
        "roles": [
            {**role_json(role), "organization_id": organization_id}
            for role in user.organization_roles.get(organization_id, ())
        ],
    }


def member_with_user_json(user: User, organization_id: str) -> MemberWithUserJSON:
    """The JSON of a member with the fields of the user."""
    member = member_json(user, organization_id)
    body: MemberWithUserJSON = {
        "user_id": member["user_id"],
        "organization_id": member["organization_id"],
        "created_at": member["created_at"],
        "updated_at": member["updated_at"],
        "roles": member["roles"],
        "username": user.username,
        "email": user.email,
        "status": user.status,
        "login_type": user.login_type,
        "last_seen_at": times.wire(user.last_seen_at),
        "user_created_at": times.wire(user.created_at),
        "user_updated_at": times.wire(user.updated_at),
        "global_roles": [role_json(role) for role in user.roles],
        "has_ai_seat": False,
    }
    if user.name:
        body["name"] = user.name
    if user.avatar_url:
        body["avatar_url"] = user.avatar_url
    if user.is_service_account:
        body["is_service_account"] = True
    return body


def assignable_role_json(role: Role, organization_id: str, *, assignable: bool) -> AssignableRoleJSON:
    """A role that can be granted, everywhere or in one organization.

    Args:
        role: the role.
        organization_id: the organization that it is asked about in; "" for a site role.
        assignable: whether the one who asks may grant it.
    """
    body: AssignableRoleJSON = {
        "name": role.name,
        "display_name": role.display_name,
        "site_permissions": _permissions(role.site),
        "user_permissions": _permissions(role.user),
        "organization_permissions": _permissions(role.organization),
        "organization_member_permissions": _permissions(role.member),
        "assignable": assignable,
        "built_in": True,
    }
    if organization_id:
        body["organization_id"] = organization_id
    return body


def _permissions(granted: Iterable[Permission]) -> list[PermissionJSON]:
    return [
        {"negate": permission.negate, "resource_type": permission.resource, "action": permission.action}
        for permission in granted
    ]
