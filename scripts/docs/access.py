"""Who may call which route: the rights that each route needs, as data.

`tests/api/test_matrix.py` sends every request of this table as every caller of it, and fails where a route or a role is
not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PREFIX = "/api/v2"
_USERS = f"{_PREFIX}/users"
_USER = f"{_USERS}/{{user}}"
_KEYS = f"{_USER}/keys"
_ORGANIZATIONS = f"{_PREFIX}/organizations"
_ORGANIZATION = f"{_ORGANIZATIONS}/{{organization}}"
_MEMBER = f"{_ORGANIZATION}/members/{{user}}"
_SECRETS = f"{_USER}/secrets"
_SECRET = f"{_SECRETS}/{{name}}"
_NOTIFICATIONS = f"{_PREFIX}/notifications"
_INBOX = f"{_NOTIFICATIONS}/inbox"
_PREFERENCES = f"{_USER}/notifications/preferences"
_EXPORTS = f"{_PREFIX}/exports"
_RETENTION = f"{_PREFIX}/retention"
_HOLDS = f"{_RETENTION}/holds"

_WORKSPACE = f"{_PREFIX}/workspaces/{{workspace}}"

MIRRORS: Final[Mapping[str, str]] = {
    f"PUT {_PREFIX}/directory": "template:update",
    f"PUT {_PREFIX}/templates/{{template}}": "template:update",
    f"PUT {_PREFIX}/templateversions/{{templateversion}}": "template:update",
    f"PUT {_PREFIX}/workspaces/{{workspace}}": "workspace:update",
    f"PUT {_PREFIX}/workspacebuilds/{{workspacebuild}}": "workspace:update",
    f"PUT {_PREFIX}/workspaceagents/{{workspaceagent}}": "workspace:update",
    f"PUT {_PREFIX}/provisionerdaemons/{{daemon}}": "provisioner_daemon:update",
    f"PUT {_PREFIX}/provisionerjobs/{{job}}": "provisioner_jobs:update",
    f"PUT {_PREFIX}/provisionerjobs/{{job}}/logs": "provisioner_jobs:update",
    f"PUT {_WORKSPACE}/external-agent/{{agent}}/credentials": "workspace:update",
}
"""The routes that the platform sends objects to: a right must hold everywhere, for a batch that of each kind in it."""

_LEFT_TO_THE_PLATFORM: Final[Mapping[str, str]] = {
    f"POST {_PREFIX}/users/{{user}}/workspaces": "user:read",
    f"POST {_PREFIX}/workspaces/{{workspace}}/builds": "workspace:read",
    f"PATCH {_PREFIX}/workspaces/{{workspace}}": "workspace:read",
    f"PUT {_PREFIX}/workspaces/{{workspace}}/autoupdates": "workspace:read",
    f"PUT {_PREFIX}/workspaces/{{workspace}}/favorite": "workspace:read",
    f"DELETE {_PREFIX}/workspaces/{{workspace}}/favorite": "workspace:read",
    f"PATCH {_PREFIX}/workspacebuilds/{{workspacebuild}}/cancel": "workspace:read",
    f"GET {_PREFIX}/workspacebuilds/{{workspacebuild}}/parameters": "workspace:read",
    f"GET {_PREFIX}/workspacebuilds/{{workspacebuild}}/state": "workspace:read",
    f"GET {_PREFIX}/workspaceagents/{{workspaceagent}}/connection": "workspace:read",
    f"GET {_PREFIX}/workspaceagents/{{workspaceagent}}/coordinate": "workspace:read",
    f"GET {_PREFIX}/workspaceagents/{{workspaceagent}}/listening-ports": "workspace:read",
    f"GET {_PREFIX}/workspaceagents/{{workspaceagent}}/containers": "workspace:read",
    f"PATCH {_PREFIX}/templates/{{template}}": "template:read",
    f"DELETE {_PREFIX}/templates/{{template}}": "template:read",
    f"PATCH {_PREFIX}/templates/{{template}}/versions": "template:read",
    f"POST {_PREFIX}/templates/{{template}}/versions/archive": "template:read",
    f"PATCH {_PREFIX}/templateversions/{{templateversion}}": "template:read",
    f"PATCH {_PREFIX}/templateversions/{{templateversion}}/cancel": "template:read",
    f"POST {_PREFIX}/templateversions/{{templateversion}}/archive": "template:read",
    f"POST {_PREFIX}/templateversions/{{templateversion}}/unarchive": "template:read",
    f"GET {_PREFIX}/templateversions/{{templateversion}}/rich-parameters": "template:read",
    f"POST {_PREFIX}/templateversions/{{templateversion}}/dynamic-parameters/evaluate": "template:read",
    f"POST {_PREFIX}/templateversions/{{templateversion}}/dry-run": "template:read",
    f"PATCH {_PREFIX}/templateversions/{{templateversion}}/dry-run/{{job}}/cancel": "template:read",
    f"POST {_PREFIX}/organizations/{{organization}}/templates": "organization:read",
    f"POST {_PREFIX}/organizations/{{organization}}/templateversions": "organization:read",
    f"POST {_PREFIX}/files": "",
    f"GET {_PREFIX}/files/{{file}}": "",
    f"GET {_PREFIX}/workspaces/{{workspace}}/acl": "workspace:read",
    f"PATCH {_PREFIX}/workspaces/{{workspace}}/acl": "workspace:read",
    f"DELETE {_PREFIX}/workspaces/{{workspace}}/acl": "workspace:read",
    f"GET {_PREFIX}/workspaceagents/{{workspaceagent}}/logs": "workspace:read",
    f"DELETE {_PREFIX}/organizations/{{organization}}/provisionerkeys/{{provisionerkey}}": "organization:read",
    f"GET {_PREFIX}/users/{{user}}/gitsshkey": "user:read",
    f"PUT {_PREFIX}/users/{{user}}/gitsshkey": "user:read",
    f"GET {_PREFIX}/workspaceagents/connection": "",
    f"GET {_PREFIX}/groups": "",
    f"GET {_PREFIX}/settings/idpsync/organization": "",
    f"PATCH {_PREFIX}/settings/idpsync/organization": "",
    f"GET {_PREFIX}/organizations/{{organization}}/groups": "organization:read",
    f"POST {_PREFIX}/organizations/{{organization}}/groups": "organization:read",
    f"GET {_PREFIX}/organizations/{{organization}}/groups/{{group}}": "organization:read",
    f"POST {_PREFIX}/organizations/{{organization}}/members/roles": "organization:read",
    f"PUT {_PREFIX}/organizations/{{organization}}/members/roles": "organization:read",
    f"GET {_PREFIX}/organizations/{{organization}}/settings/idpsync/groups": "organization:read",
    f"PATCH {_PREFIX}/organizations/{{organization}}/settings/idpsync/groups": "organization:read",
    f"GET {_PREFIX}/organizations/{{organization}}/settings/idpsync/roles": "organization:read",
    f"PATCH {_PREFIX}/organizations/{{organization}}/settings/idpsync/roles": "organization:read",
    f"GET {_PREFIX}/organizations/{{organization}}/provisionerkeys": "organization:read",
    f"POST {_PREFIX}/organizations/{{organization}}/provisionerkeys": "organization:read",
    f"GET {_PREFIX}/workspaceproxies": "",
    f"PATCH {_PREFIX}/templates/{{template}}/acl": "template:read",
    f"GET {_PREFIX}/groups/{{group}}": "",
    f"PATCH {_PREFIX}/groups/{{group}}": "",
    f"DELETE {_PREFIX}/groups/{{group}}": "",
    f"PATCH {_PREFIX}/settings/idpsync/organization/config": "",
    f"PATCH {_PREFIX}/settings/idpsync/organization/mapping": "",
    f"POST {_PREFIX}/workspaceproxies": "",
    f"GET {_PREFIX}/workspaceproxies/{{proxy}}": "",
    f"PATCH {_PREFIX}/workspaceproxies/{{proxy}}": "",
    f"DELETE {_PREFIX}/workspaceproxies/{{proxy}}": "",
    f"GET {_PREFIX}/licenses": "",
    f"POST {_PREFIX}/licenses": "",
    f"DELETE {_PREFIX}/licenses/{{license}}": "",
}
"""The routes that are refused to all who may know of the thing that they are about: only the platform does that."""

RIGHTS: Final[Mapping[str, str]] = {
    "GET /ui/session": "",
    "POST /ui/session": "",
    f"POST {_PREFIX}/authcheck": "",
    f"POST {_USERS}/logout": "",
    f"GET {_USERS}": "user:read",
    f"POST {_USERS}": "user:create",
    f"GET {_USER}": "user:read",
    f"PUT {_USER} (new)": "user:create",
    f"PUT {_USER}": "user:update",
    f"DELETE {_USER}": "user:read user:delete",
    f"GET {_USER}/login-type": "user:read",
    f"GET {_USER}/organizations": "user:read organization:read",
    f"GET {_USER}/organizations/{{organization}}": "user:read organization:read",
    f"PUT {_USER}/status/suspend": "user:read user:update",
    f"PUT {_USER}/status/activate": "user:read user:update",
    f"PUT {_USER}/profile": "user:read user:update",
    f"GET {_USERS}/roles": "assign_role:read",
    f"GET {_USER}/roles": "user:read",
    f"PUT {_USER}/roles": "user:read assign_role:assign",
    f"GET {_ORGANIZATIONS}": "organization:read",
    f"POST {_ORGANIZATIONS}": "organization:create organization_member:create",
    f"GET {_ORGANIZATION}": "organization:read",
    f"PUT {_ORGANIZATION} (new)": "organization:create",
    f"PUT {_ORGANIZATION}": "organization:update",
    f"PATCH {_ORGANIZATION}": "organization:read organization:update",
    f"DELETE {_ORGANIZATION}": "organization:read organization:delete",
    f"GET {_ORGANIZATION}/members": "organization:read organization_member:read",
    f"GET {_ORGANIZATION}/paginated-members": "organization:read organization_member:read",
    f"GET {_ORGANIZATION}/members/roles": "organization:read assign_org_role:read",
    f"GET {_MEMBER}": "organization:read organization_member:read",
    f"POST {_MEMBER}": "organization:read user:read organization_member:create",
    f"DELETE {_MEMBER}": "organization:read organization_member:read organization_member:delete",
    f"PUT {_MEMBER}/roles": "organization:read organization_member:read assign_org_role:assign",
    f"POST {_KEYS}": "user:read api_key:create",
    f"POST {_KEYS}/tokens": "user:read api_key:create",
    f"GET {_KEYS}/tokens": "user:read api_key:read",
    f"GET {_KEYS}/tokens/tokenconfig": "user:read",
    f"GET {_KEYS}/tokens/{{keyname}}": "user:read api_key:read",
    f"GET {_KEYS}/{{keyid}}": "user:read api_key:read",
    f"PATCH {_KEYS}/{{keyid}}": "user:read api_key:read api_key:update",
    f"PUT {_KEYS}/{{keyid}}/expire": "user:read api_key:read api_key:update",
    f"POST {_KEYS}/{{keyid}}/rotate": "user:read api_key:read api_key:update",
    f"DELETE {_KEYS}/{{keyid}}": "user:read api_key:delete",
    f"GET {_PREFIX}/deployment/user-secrets/capabilities": "",
    f"POST {_SECRETS}": "user_secret:create",
    f"POST {_SECRETS}/batch": "user_secret:create",
    f"GET {_SECRETS}": "user_secret:read",
    f"GET {_SECRET}": "user_secret:read",
    f"PATCH {_SECRET}": "user_secret:update",
    f"DELETE {_SECRET}": "user_secret:delete",
    f"GET {_SECRET}/value": "user_secret:read",
    f"GET {_PREFIX}/connectionlog": "connection_log:read",
    f"POST {_PREFIX}/connectionlog": "connection_log:update",
    f"GET {_PREFIX}/connectionlog/{{id}}": "connection_log:read",
    f"GET {_PREFIX}/connectionlog/summary": "connection_log:read",
    f"GET {_PREFIX}/connectionlog/filters": "",
    f"GET {_PREFIX}/audit": "audit_log:read",
    f"GET {_PREFIX}/audit/{{id}}": "audit_log:read",
    f"GET {_PREFIX}/audit/summary": "audit_log:read",
    f"GET {_PREFIX}/audit/filters": "",
    f"POST {_PREFIX}/audit": "audit_log:create",
    f"POST {_PREFIX}/audit/testgenerate": "audit_log:create",
    "POST /services/collector": "connection_log:update audit_log:create",
    "POST /services/collector/event": "connection_log:update audit_log:create",
    "POST /services/collector/event/1.0": "connection_log:update audit_log:create",
    "POST /services/collector/raw": "connection_log:update audit_log:create",
    "POST /services/collector/raw/1.0": "connection_log:update audit_log:create",
    "POST /v1/logs": "connection_log:update audit_log:create",
    f"GET {_PREFIX}/rejections": "deployment_config:read",
    f"POST {_EXPORTS}": "connection_log:read",
    f"GET {_EXPORTS}/{{id}}": "connection_log:read",
    f"DELETE {_EXPORTS}/{{id}}": "connection_log:read",
    f"GET {_RETENTION}": "deployment_config:read",
    f"POST {_RETENTION}/runs": "deployment_config:update",
    f"GET {_HOLDS}": "deployment_config:update",
    f"PUT {_HOLDS}/{{name}}": "deployment_config:update",
    f"DELETE {_HOLDS}/{{name}}": "deployment_config:update",
    f"POST {_NOTIFICATIONS}/custom": "inbox_notification:update",
    f"POST {_NOTIFICATIONS}/test": "deployment_config:update",
    f"GET {_NOTIFICATIONS}/templates/custom": "",
    f"GET {_NOTIFICATIONS}/templates/system": "",
    f"PUT {_NOTIFICATIONS}/templates/{{id}}/method": "notification_template:update",
    f"GET {_NOTIFICATIONS}/dispatch-methods": "",
    f"GET {_NOTIFICATIONS}/settings": "",
    f"PUT {_NOTIFICATIONS}/settings": "deployment_config:update",
    f"GET {_PREFERENCES}": "user:read notification_preference:read",
    f"PUT {_PREFERENCES}": "user:read notification_preference:update",
    f"GET {_INBOX}": "inbox_notification:read",
    f"PUT {_INBOX}/{{id}}/read-status": "inbox_notification:update",
    f"PUT {_INBOX}/mark-all-as-read": "inbox_notification:update",
    f"GET {_INBOX}/watch": "inbox_notification:read",
    **MIRRORS,
    **_LEFT_TO_THE_PLATFORM,
    f"GET {_ORGANIZATION}/provisionerjobs": "organization:read provisioner_jobs:read",
    f"GET {_ORGANIZATION}/provisionerjobs/{{job}}": "organization:read provisioner_jobs:read",
    f"GET {_ORGANIZATION}/provisionerdaemons": "organization:read provisioner_jobs:read",
    f"GET {_PREFIX}/templates": "template:read",
    f"GET {_PREFIX}/templates/{{template}}": "template:read",
    f"GET {_PREFIX}/templates/{{template}}/acl": "template:read template:update",
    f"GET {_PREFIX}/templates/{{template}}/versions": "template:read",
    f"GET {_PREFIX}/templates/{{template}}/versions/{{version}}": "template:read",
    f"GET {_PREFIX}/templateversions/{{templateversion}}": "template:read",
    f"GET {_PREFIX}/templateversions/{{templateversion}}/presets": "template:read",
    f"GET {_PREFIX}/templateversions/{{templateversion}}/logs": "template:read",
    f"GET {_PREFIX}/templateversions/{{templateversion}}/dry-run/{{job}}/logs": "template:read",
    f"GET {_ORGANIZATION}/templates": "organization:read template:read",
    f"GET {_ORGANIZATION}/templates/{{template}}": "organization:read template:read",
    f"GET {_ORGANIZATION}/templates/{{template}}/versions/{{version}}": "organization:read template:read",
    f"GET {_PREFIX}/workspaces": "workspace:read",
    f"PUT {_WORKSPACE}/autostart": "workspace:read",
    f"PUT {_WORKSPACE}/ttl": "workspace:read",
    f"PUT {_WORKSPACE}/dormant": "workspace:read",
    f"PUT {_WORKSPACE}/extend": "workspace:read",
    f"GET {_WORKSPACE}/external-agent/{{agent}}/credentials": "workspace:read",
    f"POST {_PREFIX}/usage/events": "deployment_config:update",
    f"GET {_PREFIX}/usage/daily": "deployment_config:read",
    f"PUT {_PREFIX}/licenses/{{license}}": "deployment_config:update",
    f"GET {_PREFIX}/entitlements": "",
    f"PUT {_USER}/external-auth/{{provider}}": "user:read user:update",
    f"GET {_PREFIX}/external-auth": "",
    f"GET {_PREFIX}/external-auth/{{provider}}": "",
    f"DELETE {_PREFIX}/external-auth/{{provider}}": "",
    f"GET {_PREFIX}/prebuilds/settings": "",
    f"PUT {_PREFIX}/prebuilds/settings": "deployment_config:update",
    f"GET {_PREFIX}/workspaces/{{workspace}}": "workspace:read",
    f"GET {_PREFIX}/workspaces/{{workspace}}/builds": "workspace:read",
    f"GET {_PREFIX}/workspacebuilds/{{workspacebuild}}": "workspace:read",
    f"GET {_PREFIX}/workspacebuilds/{{workspacebuild}}/logs": "workspace:read",
    f"GET {_PREFIX}/workspaceagents/{{workspaceagent}}": "workspace:read",
    f"GET {_USER}/workspace/{{workspacename}}": "user:read workspace:read",
    f"GET {_USER}/workspace/{{workspacename}}/builds/{{buildnumber}}": "user:read workspace:read",
}
"""Method and path of each route that asks for a token -> the rights that it needs, all of them.

`(new)` is a request for something that is not there yet. A collector that sends events of one log needs
the right of that log alone; an export needs the right to read its log.
"""

WITHOUT_OLD_SECRETS: Final = frozenset(
    {f"POST {_USERS}/logout", f"PUT {_USER}/status/suspend", f"PUT {_USER}/status/activate"}
)
"""The routes whose rights are open to a replaced secret, and that take the current secret of a token all the same."""

BY_NAME: Final = frozenset({f"GET {_SECRET}/value"})
"""The routes that open only for a token whose allow list names the object by its id: `*` is not enough."""
