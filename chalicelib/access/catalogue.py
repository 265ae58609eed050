"""The catalogue of scopes: names that bundle permissions, names a client may ask for, and what they say to people.

The public list is the one Coder's newest clients know, the task scopes that older ones know, and what readers and
writers of the two logs need. A name outside it may be valid in a stored token and still not be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from chalicelib.access.policy import ACTIONS, Permission, permissions

ALIASES: Final[Mapping[str, str]] = {"all": "coder:all", "application_connect": "coder:application_connect"}
"""Name of the first release -> the scope it means. Accepted from clients, never stored, never expanded."""


class Bundle(NamedTuple):
    """A scope that is more than one name's worth of permissions: a line for people, and the permissions."""

    description: str
    permissions: tuple[Permission, ...]


SPECIALS: Final[Mapping[str, Bundle]] = {
    "coder:all": Bundle("Everything the user may do", permissions("*:*")),
    "coder:application_connect": Bundle(
        "Open the applications of workspaces, nothing else", permissions("workspace:application_connect")
    ),
}

INTERNAL: Final[Mapping[str, Bundle]] = {
    "no_user_data": Bundle(
        "Everything except the data of users",
        tuple(Permission(resource, "*") for resource in ACTIONS if resource != "user"),
    ),
}
"""Scopes that the service may give and no client may ask for."""

COMPOSITES: Final[Mapping[str, Bundle]] = {
    "coder:apikeys.manage_self": Bundle(
        "Create, read, change and delete the user's own API keys", permissions("api_key:read,create,update,delete")
    ),
    "coder:logs.ingest": Bundle(
        "Write to the audit log and the connection log, read nothing",
        permissions("audit_log:create", "connection_log:update"),
    ),
    "coder:logs.read": Bundle(
        "Read the audit log and the connection log, with the users and organizations they name",
        permissions("audit_log:read", "connection_log:read", "user:read", "organization:read"),
    ),
    "coder:templates.author": Bundle(
        "Create, change and delete templates, and see how they are used",
        permissions("template:read,create,update,delete,view_insights", "file:create,read"),
    ),
    "coder:templates.build": Bundle(
        "Upload template files and follow the jobs that build them",
        permissions("template:read", "file:create,read", "provisioner_jobs:read"),
    ),
    "coder:workspaces.access": Bundle(
        "Connect to workspaces and open their applications",
        permissions("workspace:read,ssh,application_connect", "template:read", "organization_member:read"),
    ),
    "coder:workspaces.create": Bundle(
        "Create workspaces from templates, change, start and stop them",
        permissions("template:read,use", "workspace:create,update,read,start,stop", "organization_member:read"),
    ),
    "coder:workspaces.delete": Bundle(
        "Find workspaces and delete them",
        permissions("workspace:read,delete", "template:read,use", "organization_member:read"),
    ),
    "coder:workspaces.operate": Bundle(
        "Change, start and stop workspaces that exist",
        permissions("workspace:read,update,start,stop", "template:read", "organization_member:read"),
    ),
}

BUNDLES: Final[Mapping[str, Bundle]] = {**SPECIALS, **INTERNAL, **COMPOSITES}

_PUBLIC_ACTIONS: Final[Mapping[str, str]] = {
    "api_key": "* create delete read update",
    "audit_log": "* create read",
    "chat_model_config": "read share",
    "connection_log": "* read update",
    "file": "* create read",
    "group": "read",
    "inbox_notification": "read update",
    "organization": "* delete read update",
    "organization_member": "read",
    "organization_skill": "* create delete read share update",
    "task": "* create delete read update",
    "template": "* create delete read update use",
    "user": "* read read_personal update_personal",
    "user_secret": "* create delete read update",
    "user_skill": "* create delete read update",
    "workspace": "* application_connect create delete read ssh start stop update",
}

PUBLIC: Final[tuple[str, ...]] = tuple(
    sorted(
        [
            *(f"{resource}:{action}" for resource, actions in _PUBLIC_ACTIONS.items() for action in actions.split()),
            *SPECIALS,
            *COMPOSITES,
        ]
    )
)
"""Every scope a client may ask for by its own name, in the order of the catalogue: ascending by bytes."""

_VERBS: Final[Mapping[str, str]] = {
    "*": "Do everything with {}",
    "application_connect": "Open the applications of {}",
    "assign": "Grant {}",
    "create": "Create {}",
    "create_agent": "Create the agents of {}",
    "delete": "Delete {}",
    "delete_agent": "Delete the agents of {}",
    "read": "Read {}",
    "read_personal": "Read the personal data of {}",
    "share": "Share {}",
    "ssh": "Connect by SSH to {}",
    "start": "Start {}",
    "stop": "Stop {}",
    "unassign": "Take away {}",
    "update": "Change {}",
    "update_agent": "Change the agents of {}",
    "update_personal": "Change the personal data of {}",
    "use": "Use {}",
    "use_shared": "Use {} shared by others",
    "view_insights": "See how {} are used",
}

_NOUNS: Final[Mapping[str, str]] = {
    "api_key": "API keys",
    "audit_log": "audit log entries",
    "chat_model_config": "chat model configurations",
    "connection_log": "connection log entries",
    "file": "uploaded files",
    "group": "groups",
    "inbox_notification": "inbox notifications",
    "organization": "organizations",
    "organization_member": "members of organizations",
    "organization_skill": "skills of organizations",
    "task": "tasks",
    "template": "templates",
    "user": "users",
    "user_secret": "secrets of users",
    "user_skill": "skills of users",
    "workspace": "workspaces",
}

_SENTENCES: Final[Mapping[str, str]] = {
    "audit_log:create": "Add entries to the audit log",
    "connection_log:update": "Record connects and disconnects in the connection log",
}


def sentence(resource: str, action: str) -> str:
    """A line that describes one action on one kind of resource; names without a noun are spelled out."""
    special = _SENTENCES.get(f"{resource}:{action}")
    return special or _VERBS[action].format(_NOUNS.get(resource, resource.replace("_", " ")))
