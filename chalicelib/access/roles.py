"""The roles: what each one grants at which level, and who may hand it out.

A role grants at four levels: everywhere (`site`), on everything inside an organization (`organization`), on the user's
own objects that belong to no organization (`user`), and on the user's own objects inside an organization (`member`).
The grants are those of Coder's built-in roles for the resources that this service keeps. Custom roles are not known
here and grant nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from chalicelib.access.policy import ACTIONS, WILDCARD, Permission, permissions

IMPLICIT_SITE_ROLE: Final = "member"
"""Every user has it; it is never listed among the roles granted."""

IMPLICIT_ORGANIZATION_ROLE: Final = "organization-member"
"""Every member of an organization has it there; it is never listed either."""
DEFAULT_ORGANIZATION_ROLES: Final = ("organization-workspace-access",)
"""Roles that each member of an organization has beside those granted: members know their own workspaces."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role: its name in the API, its name for people, and its grants by level."""

    name: str
    display_name: str
    site: tuple[Permission, ...] = ()
    organization: tuple[Permission, ...] = ()
    user: tuple[Permission, ...] = ()
    member: tuple[Permission, ...] = ()


# What not even an owner holds in full: other people's secrets, and records that only the service itself writes.
_OWNER_LIMITS: Final[Mapping[str, tuple[str, ...]]] = {
    "user_secret": (),
    "usage_event": (),
    "boundary_usage": (),
    "ai_seat": (),
    "user_skill": ("read", "delete"),
    "boundary_log": ("read",),
    "ai_gateway_key": ("create", "read", "delete"),
    "prebuilt_workspace": ("update", "delete"),
    "workspace_dormant": (
        "read",
        "delete",
        "create",
        "update",
        "stop",
        "create_agent",
        "delete_agent",
        "update_agent",
    ),
}

# An administrator of an organization runs its workspaces without stepping into them; users belong to no organization.
# What is done there is on record, and who is on record does not write it: only an owner puts rows in the logs.
_ORGANIZATION_LIMITS: Final[Mapping[str, tuple[str, ...]]] = {
    **_OWNER_LIMITS,
    "user": (),
    "audit_log": ("read",),
    "connection_log": ("read",),
    "workspace": tuple(action for action in ACTIONS["workspace"] if action not in ("ssh", "application_connect")),
}


def _everything_but(limits: Mapping[str, tuple[str, ...]]) -> tuple[Permission, ...]:
    return tuple(Permission(resource, action) for resource in ACTIONS for action in limits.get(resource, (WILDCARD,)))


SITE_ROLES: Final[Mapping[str, Role]] = {
    role.name: role
    for role in (
        Role("owner", "Owner", site=_everything_but(_OWNER_LIMITS)),
        Role(
            IMPLICIT_SITE_ROLE,
            "Member",
            site=permissions("assign_role:read", "oauth2_app:read", "workspace_proxy:read"),
            user=permissions(
                "api_key:*",
                "user:read,read_personal,update_personal",
                "user_secret:*",
                "inbox_notification:read,update",
                "notification_preference:read,update",
            ),
        ),
        Role(
            "auditor",
            "Auditor",
            site=permissions(
                "audit_log:read",
                "connection_log:read",
                "user:read",
                "organization:read",
                "template:read,view_insights",
                "assign_org_role:read",
                "group:read",
                "group_member:read",
                "organization_member:read",
                "deployment_stats:read",
                "deployment_config:read",
                "aibridge_interception:read",
                "boundary_log:read",
                "chat_model_config:read",
            ),
        ),
        Role(
            "template-admin",
            "Template Admin",
            site=permissions(
                "user:read",
                "organization:read",
                "workspace:read",
                "workspace_dormant:read",
                "prebuilt_workspace:update,delete",
                "template:*",
                "file:create,read",
                "provisioner_daemon:*",
                "group:read",
                "group_member:read",
                "organization_member:read",
                "assign_org_role:read",
            ),
        ),
        Role(
            "user-admin",
            "User Admin",
            site=permissions(
                "user:*",
                "organization:read",
                "assign_role:assign,unassign,read",
                "assign_org_role:assign,unassign,read",
                "group:*",
                "group_member:read",
                "organization_member:*",
                "idpsync_settings:read,update",
            ),
        ),
    )
}
"""Roles that hold everywhere, by name."""

ORGANIZATION_ROLES: Final[Mapping[str, Role]] = {
    role.name: role
    for role in (
        Role(
            "organization-admin",
            "Organization Admin",
            site=permissions("user:read"),
            organization=_everything_but(_ORGANIZATION_LIMITS),
        ),
        Role(
            "organization-auditor",
            "Organization Auditor",
            organization=permissions(
                "audit_log:read",
                "connection_log:read",
                "organization:read",
                "template:read,view_insights",
            ),
        ),
        Role(
            "organization-user-admin",
            "Organization User Admin",
            site=permissions("user:read"),
            organization=permissions(
                "organization:read",
                "assign_org_role:assign,unassign,read",
                "organization_member:*",
                "group:*",
                "group_member:read",
                "idpsync_settings:read,update",
            ),
        ),
        Role(
            "organization-template-admin",
            "Organization Template Admin",
            organization=permissions(
                "organization:read",
                "workspace:read",
                "prebuilt_workspace:update,delete",
                "template:*",
                "file:create,read",
                "provisioner_daemon:*",
                "provisioner_jobs:*",
                "group:read",
                "group_member:read",
                "organization_member:read",
            ),
        ),
        Role(
            IMPLICIT_ORGANIZATION_ROLE,
            "Organization Member",
            organization=permissions(
                "organization:read",
                "provisioner_daemon:read",
                "assign_org_role:read",
                "organization_member:read",
                "group:read",
            ),
            member=permissions("api_key:*"),
        ),
        Role("organization-workspace-access", "Organization Workspace Access", member=permissions("workspace:*")),
        Role(
            "organization-workspace-creation-ban",
            "Organization Workspace Creation Ban",
            organization=permissions("workspace:create,delete,create_agent,delete_agent", negate=True),
        ),
        Role(
            "organization-service-account",
            "Organization Service Account",
            organization=permissions("organization:read"),
            member=permissions("api_key:*"),
        ),
    )
}
"""Roles that hold inside the one organization they are granted in, by name."""

ROLES: Final[Mapping[str, Role]] = {**SITE_ROLES, **ORGANIZATION_ROLES}

_MEMBERSHIP: Final = frozenset({IMPLICIT_ORGANIZATION_ROLE, *DEFAULT_ORGANIZATION_ROLES})

ASSIGNABLE: Final[Mapping[str, frozenset[str]]] = {
    "owner": frozenset(ROLES),
    "user-admin": _MEMBERSHIP | {IMPLICIT_SITE_ROLE},
    "organization-admin": frozenset(ORGANIZATION_ROLES),
    "organization-user-admin": _MEMBERSHIP,
}
"""Role held -> the roles its holder may grant and take away; an organization role counts in its organization alone."""


def is_site_role(name: str) -> bool:
    """Whether the name is a role that can be granted everywhere."""
    return name in SITE_ROLES


def is_organization_role(name: str) -> bool:
    """Whether the name is a role that can be granted in an organization."""
    return name in ORGANIZATION_ROLES


def assignable(held: Iterable[str]) -> frozenset[str]:
    """The roles that a holder of these roles may grant and take away.

    Args:
        held: site roles and, when the question is about one organization, the roles held in that one.
    """
    return frozenset().union(*(ASSIGNABLE.get(name, frozenset()) for name in held))
