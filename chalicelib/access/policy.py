"""The policy table: every kind of resource and what can be done to it, and how a permission matches an action.

Resource and action names are those of Coder's policy, so that scopes written for its clients mean the same here.
The table is data: following another release means changing rows, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

WILDCARD: Final = "*"

_CRUD: Final = ("create", "read", "update", "delete")
_SHARED: Final = (*_CRUD, "share")
_WORKSPACE: Final = (
    *_CRUD,
    "start",
    "stop",
    "ssh",
    "application_connect",
    "create_agent",
    "delete_agent",
    "update_agent",
    "share",
    "use_shared",
)

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ai_gateway_key": _CRUD,
    "ai_model_price": ("read", "update"),
    "ai_provider": _CRUD,
    "ai_seat": ("create", "read"),
    "aibridge_interception": ("create", "read", "update"),
    "api_key": _CRUD,
    "assign_org_role": ("assign", "unassign", *_CRUD),
    "assign_role": ("assign", "unassign", "read"),
    "audit_log": ("read", "create"),
    "boundary_log": ("create", "read", "delete"),
    "boundary_usage": ("read", "update", "delete"),
    "chat": _SHARED,
    "chat_automation": _CRUD,
    "chat_model_config": _SHARED,
    "chat_project": _SHARED,
    "chat_project_memory": ("create", "read", "delete"),
    "connection_log": ("read", "update"),
    "crypto_key": _CRUD,
    "debug_info": ("read",),
    "deployment_config": ("read", "update"),
    "deployment_stats": ("read",),
    "file": ("create", "read"),
    "group": _CRUD,
    "group_member": ("read",),
    "idpsync_settings": ("read", "update"),
    "inbox_notification": ("create", "read", "update"),
    "license": ("create", "read", "delete"),
    "mcp_server_config": _SHARED,
    "notification_message": _CRUD,
    "notification_preference": ("read", "update"),
    "notification_template": ("read", "update"),
    "oauth2_app": _CRUD,
    "oauth2_app_code_token": ("create", "read", "delete"),
    "oauth2_app_secret": _CRUD,
    "organization": _CRUD,
    "organization_member": _CRUD,
    "organization_skill": _SHARED,
    "prebuilt_workspace": ("update", "delete"),
    "provisioner_daemon": _CRUD,
    "provisioner_jobs": ("read", "update", "create"),
    "replicas": ("read",),
    "system": _CRUD,
    "tailnet_coordinator": _CRUD,
    "task": _CRUD,
    "template": (*_CRUD, "use", "view_insights"),
    "usage_event": ("create", "read", "update"),
    "user": (*_CRUD, "read_personal", "update_personal"),
    "user_secret": _CRUD,
    "user_skill": _CRUD,
    "webpush_subscription": ("create", "read", "delete"),
    "workspace": _WORKSPACE,
    "workspace_agent_devcontainers": ("create",),
    "workspace_agent_resource_monitor": ("create", "read", "update"),
    "workspace_build_orchestration": _CRUD,
    "workspace_dormant": _WORKSPACE,
    "workspace_proxy": _CRUD,
}
"""Resource name -> the actions that can be asked for on it."""

LOGS: Final = frozenset({"audit_log", "connection_log"})
"""The resource types that an allow list binds to the organizations that it names."""

Vote = Literal[-1, 0, 1]


class Permission(NamedTuple):
    """One action on one kind of resource, granted or, with `negate`, taken away; `*` stands for every one."""

    resource: str
    action: str
    negate: bool = False

    def matches(self, resource: str, action: str) -> bool:
        """Whether this permission speaks about the action; `*` in the question is matched by `*` alone."""
        return self.resource in (resource, WILDCARD) and self.action in (action, WILDCARD)

    def __str__(self) -> str:
        return f"{self.resource}:{self.action}"


def exists(resource: str, action: str) -> bool:
    """Whether the table has this action on this resource; wildcards are not actions."""
    return action in ACTIONS.get(resource, ())


def permissions(*grants: str, negate: bool = False) -> tuple[Permission, ...]:
    """Permissions written the short way, `"template:read,use"`, in the order given."""
    written = (grant.partition(":") for grant in grants)
    return tuple(
        Permission(resource, action, negate) for resource, _, actions in written for action in actions.split(",")
    )


def vote(granted: Iterable[Permission], resource: str, action: str) -> Vote:
    """The vote of a set of permissions on one action: -1 refused, 0 none, 1 granted. One refusal outweighs all."""
    outcome: Vote = 0
    for permission in granted:
        if permission.matches(resource, action):
            if permission.negate:
                return -1
            outcome = 1
    return outcome
