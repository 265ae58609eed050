"""The table of all routes: the method and the path, and where in `chalicelib` the view that answers them is.

`app.py` registers it with Chalice. No view is imported before the first of its requests comes.
"""

from __future__ import annotations

from typing import NamedTuple


class Route(NamedTuple):
    """One route.

    Attributes:
        method: of HTTP; HEAD is answered wherever GET is.
        path: as Chalice writes it, its parameters in braces.
        module: below `chalicelib`, where the view is.
        function: the name of the view.
    """

    method: str
    path: str
    module: str
    function: str


ROUTES = (
    # The service itself
    Route("GET", "/healthz", "api.service", "health"),
    Route("GET", "/api/v2/buildinfo", "api.service", "build_info"),
    Route("GET", "/api/v2/auth/scopes", "api.service", "list_scopes"),
    Route("GET", "/api/v2/users/first", "api.service", "first_user"),
    Route("GET", "/api/v2/openapi.json", "api.specification", "show"),
    # Logging in and out, and checks of rights
    Route("GET", "/api/v2/users/authmethods", "api.sessions", "auth_methods"),
    Route("POST", "/api/v2/users/first", "api.sessions", "create_first_user"),
    Route("POST", "/api/v2/users/login", "api.sessions", "log_in"),
    Route("POST", "/api/v2/users/logout", "api.sessions", "log_out"),
    Route("GET", "/api/v2/users/{user}/login-type", "api.sessions", "login_type"),
    Route("POST", "/api/v2/authcheck", "api.sessions", "check"),
    # Users
    Route("GET", "/api/v2/users", "api.users", "list_all"),
    Route("GET", "/api/v2/users/{user}", "api.users", "show"),
    Route("GET", "/api/v2/users/{user}/organizations", "api.users", "organizations"),
    Route("GET", "/api/v2/users/{user}/organizations/{organization}", "api.users", "organization_of"),
    Route("POST", "/api/v2/users", "api.user_edits", "create"),
    Route("PUT", "/api/v2/users/{user}", "api.user_edits", "put"),
    Route("DELETE", "/api/v2/users/{user}", "api.user_edits", "delete"),
    Route("PUT", "/api/v2/users/{user}/status/suspend", "api.profiles", "suspend"),
    Route("PUT", "/api/v2/users/{user}/status/activate", "api.profiles", "activate"),
    Route("PUT", "/api/v2/users/{user}/profile", "api.profiles", "change_profile"),
    # Roles
    Route("GET", "/api/v2/users/roles", "api.roles", "list_site_roles"),
    Route("GET", "/api/v2/organizations/{organization}/members/roles", "api.roles", "list_organization_roles"),
    Route("GET", "/api/v2/users/{user}/roles", "api.roles", "show"),
    Route("PUT", "/api/v2/users/{user}/roles", "api.roles", "set_site_roles"),
    Route("PUT", "/api/v2/organizations/{organization}/members/{user}/roles", "api.roles", "set_organization_roles"),
    # Organizations
    Route("GET", "/api/v2/organizations", "api.organizations", "list_all"),
    Route("GET", "/api/v2/organizations/{organization}", "api.organizations", "show"),
    Route("POST", "/api/v2/organizations", "api.organizations", "create"),
    Route("PATCH", "/api/v2/organizations/{organization}", "api.organizations", "change"),
    Route("PUT", "/api/v2/organizations/{organization}", "api.organizations", "put"),
    Route("DELETE", "/api/v2/organizations/{organization}", "api.organizations", "delete"),
    Route("GET", "/api/v2/organizations/{organization}/members", "api.members", "list_all"),
    Route("GET", "/api/v2/organizations/{organization}/paginated-members", "api.members", "list_pages"),
    Route("GET", "/api/v2/organizations/{organization}/members/{user}", "api.members", "show"),
    Route("POST", "/api/v2/organizations/{organization}/members/{user}", "api.members", "add"),
    Route("DELETE", "/api/v2/organizations/{organization}/members/{user}", "api.members", "remove"),
    # Tokens
    Route("POST", "/api/v2/users/{user}/keys/tokens", "api.tokens", "create_token"),
    Route("POST", "/api/v2/users/{user}/keys", "api.tokens", "create_session"),
    Route("POST", "/api/v2/users/{user}/keys/{keyid}/rotate", "api.tokens", "rotate"),
    Route("GET", "/api/v2/users/{user}/keys/tokens", "api.keys", "list_tokens"),
    Route("GET", "/api/v2/users/{user}/keys/tokens/tokenconfig", "api.keys", "token_config"),
    Route("GET", "/api/v2/users/{user}/keys/tokens/{keyname}", "api.keys", "show_by_name"),
    Route("GET", "/api/v2/users/{user}/keys/{keyid}", "api.keys", "show"),
    Route("PATCH", "/api/v2/users/{user}/keys/{keyid}", "api.keys", "narrow"),
    Route("PUT", "/api/v2/users/{user}/keys/{keyid}/expire", "api.keys", "expire"),
    Route("DELETE", "/api/v2/users/{user}/keys/{keyid}", "api.keys", "delete"),
    # User secrets
    Route("POST", "/api/v2/users/{user}/secrets", "api.user_secrets", "create"),
    Route("POST", "/api/v2/users/{user}/secrets/batch", "api.secret_files", "import_all"),
    Route("GET", "/api/v2/users/{user}/secrets", "api.user_secrets", "list_all"),
    Route("GET", "/api/v2/users/{user}/secrets/{name}", "api.user_secrets", "show"),
    Route("PATCH", "/api/v2/users/{user}/secrets/{name}", "api.user_secrets", "change"),
    Route("DELETE", "/api/v2/users/{user}/secrets/{name}", "api.user_secrets", "delete"),
    Route("GET", "/api/v2/users/{user}/secrets/{name}/value", "api.user_secrets", "release"),
    # The connection log
    Route("POST", "/api/v2/connectionlog", "api.connection_ingest", "ingest"),
    Route("GET", "/api/v2/connectionlog", "api.connection_logs", "list_rows"),
    Route("GET", "/api/v2/connectionlog/filters", "api.connection_logs", "list_filters"),
    Route("GET", "/api/v2/connectionlog/summary", "api.connection_logs", "summarize"),
    Route("GET", "/api/v2/connectionlog/{id}", "api.connection_logs", "show_row"),
    # The audit log
    Route("POST", "/api/v2/audit", "api.audit_ingest", "ingest"),
    Route("POST", "/api/v2/audit/testgenerate", "api.audit_ingest", "generate"),
    Route("GET", "/api/v2/audit", "api.audit_logs", "list_rows"),
    Route("GET", "/api/v2/audit/filters", "api.audit_logs", "list_filters"),
    Route("GET", "/api/v2/audit/summary", "api.audit_logs", "summarize"),
    Route("GET", "/api/v2/audit/{id}", "api.audit_logs", "show_row"),
    # Collectors of logs, which choose the paths
    Route("POST", "/services/collector", "api.collectors", "collect"),
    Route("POST", "/services/collector/event", "api.collectors", "collect_events"),
    Route("POST", "/services/collector/event/1.0", "api.collectors", "collect"),
    Route("POST", "/services/collector/raw", "api.collectors", "collect_lines"),
    Route("POST", "/services/collector/raw/1.0", "api.collectors", "collect_lines"),
    Route("POST", "/services/collector/ack", "api.collectors", "acknowledge"),
    Route("GET", "/services/collector/health", "api.collectors", "collector_health"),
    Route("GET", "/services/collector/health/1.0", "api.collectors", "collector_health"),
    Route("POST", "/v1/logs", "api.collectors", "export_logs"),
    # Rejected events
    Route("GET", "/api/v2/rejections", "api.rejections", "list_hours"),
    # Exports
    Route("POST", "/api/v2/exports", "api.exports", "create"),
    Route("GET", "/api/v2/exports/{id}", "api.exports", "show"),
    Route("DELETE", "/api/v2/exports/{id}", "api.exports", "delete"),
    # Retention
    Route("GET", "/api/v2/retention", "api.retention", "show"),
    Route("POST", "/api/v2/retention/runs", "api.retention", "start"),
    Route("GET", "/api/v2/retention/holds", "api.retention", "list_holds"),
    Route("PUT", "/api/v2/retention/holds/{name}", "api.retention", "put_hold"),
    Route("DELETE", "/api/v2/retention/holds/{name}", "api.retention", "lift_hold"),
    # The directory of the platform
    Route("PUT", "/api/v2/directory", "api.mirror", "put_batch"),
    Route("PUT", "/api/v2/templates/{template}", "api.mirror", "put_template"),
    Route("PUT", "/api/v2/templateversions/{templateversion}", "api.mirror", "put_version"),
    Route("PUT", "/api/v2/workspaces/{workspace}", "api.mirror", "put_workspace"),
    Route("PUT", "/api/v2/workspacebuilds/{workspacebuild}", "api.mirror", "put_build"),
    Route("PUT", "/api/v2/workspaceagents/{workspaceagent}", "api.mirror", "put_agent"),
    Route("PUT", "/api/v2/provisionerdaemons/{daemon}", "api.mirror", "put_daemon"),
    Route("PUT", "/api/v2/provisionerjobs/{job}", "api.mirror", "put_job"),
    Route("GET", "/api/v2/organizations/{organization}/provisionerjobs", "api.provisioners", "list_jobs"),
    Route("GET", "/api/v2/organizations/{organization}/provisionerjobs/{job}", "api.provisioners", "show_job"),
    Route("GET", "/api/v2/organizations/{organization}/provisionerdaemons", "api.provisioners", "list_daemons"),
    Route("PUT", "/api/v2/provisionerjobs/{job}/logs", "api.job_logs", "put_logs"),
    Route("GET", "/api/v2/workspacebuilds/{workspacebuild}/logs", "api.job_logs", "of_build"),
    Route("GET", "/api/v2/templateversions/{templateversion}/logs", "api.job_logs", "of_version"),
    Route("GET", "/api/v2/templateversions/{templateversion}/dry-run/{job}/logs", "api.job_logs", "of_dry_run"),
    Route("GET", "/api/v2/templates", "api.templates", "list_all"),
    Route("GET", "/api/v2/templates/{template}", "api.templates", "show"),
    Route("GET", "/api/v2/templates/{template}/acl", "api.templates", "show_access"),
    Route("GET", "/api/v2/templates/{template}/versions", "api.templates", "versions"),
    Route("GET", "/api/v2/templates/{template}/versions/{version}", "api.templates", "version_by_name"),
    Route("GET", "/api/v2/templateversions/{templateversion}", "api.templates", "show_version"),
    Route("GET", "/api/v2/templateversions/{templateversion}/presets", "api.templates", "presets"),
    Route("GET", "/api/v2/organizations/{organization}/templates", "api.templates", "list_of_organization"),
    Route("GET", "/api/v2/organizations/{organization}/templates/{template}", "api.templates", "show_by_name"),
    Route(
        "GET",
        "/api/v2/organizations/{organization}/templates/{template}/versions/{version}",
        "api.templates",
        "version_by_names",
    ),
    Route("GET", "/api/v2/workspaces", "api.workspaces", "list_all"),
    Route("GET", "/api/v2/workspaces/{workspace}", "api.workspaces", "show"),
    Route("GET", "/api/v2/workspaces/{workspace}/builds", "api.workspaces", "builds"),
    Route("GET", "/api/v2/workspacebuilds/{workspacebuild}", "api.workspaces", "show_build"),
    Route("GET", "/api/v2/workspaceagents/{workspaceagent}", "api.workspaces", "show_agent"),
    Route("GET", "/api/v2/users/{user}/workspace/{workspacename}", "api.workspaces", "show_by_name"),
    Route(
        "GET",
        "/api/v2/users/{user}/workspace/{workspacename}/builds/{buildnumber}",
        "api.workspaces",
        "build_by_number",
    ),
    Route("PUT", "/api/v2/workspaces/{workspace}/autostart", "api.prebuilds", "autostart"),
    Route("PUT", "/api/v2/workspaces/{workspace}/ttl", "api.prebuilds", "ttl"),
    Route("PUT", "/api/v2/workspaces/{workspace}/dormant", "api.prebuilds", "dormant"),
    Route("PUT", "/api/v2/workspaces/{workspace}/extend", "api.prebuilds", "extend"),
    Route("POST", "/api/v2/usage/events", "api.usage_events", "put_events"),
    Route("GET", "/api/v2/usage/daily", "api.usage_events", "daily"),
    Route("PUT", "/api/v2/licenses/{license}", "api.usage_events", "put_license"),
    Route("PUT", "/api/v2/users/{user}/external-auth/{provider}", "api.external_auth", "put"),
    Route("GET", "/api/v2/external-auth", "api.external_auth", "list_own"),
    Route("DELETE", "/api/v2/external-auth/{provider}", "api.external_auth", "unlink"),
    Route("GET", "/api/v2/entitlements", "api.usage_events", "entitlements"),
    Route("GET", "/api/v2/prebuilds/settings", "api.prebuilds", "show_settings"),
    Route("PUT", "/api/v2/prebuilds/settings", "api.prebuilds", "change_settings"),
    Route("GET", "/api/v2/init-script/{os}/{arch}", "api.external_agents", "script"),
    Route(
        "GET", "/api/v2/workspaces/{workspace}/external-agent/{agent}/credentials", "api.external_agents", "credentials"
    ),
    Route("PUT", "/api/v2/workspaces/{workspace}/external-agent/{agent}/credentials", "api.external_agents", "deposit"),
    # Left to the platform
    Route("POST", "/api/v2/users/{user}/workspaces", "api.control_plane", "of_user"),
    Route("POST", "/api/v2/workspaces/{workspace}/builds", "api.control_plane", "of_workspace"),
    Route("PATCH", "/api/v2/workspaces/{workspace}", "api.control_plane", "of_workspace"),
    Route("PUT", "/api/v2/workspaces/{workspace}/autoupdates", "api.control_plane", "of_workspace"),
    Route("PUT", "/api/v2/workspaces/{workspace}/favorite", "api.control_plane", "of_workspace"),
    Route("DELETE", "/api/v2/workspaces/{workspace}/favorite", "api.control_plane", "of_workspace"),
    Route("PATCH", "/api/v2/workspacebuilds/{workspacebuild}/cancel", "api.control_plane", "of_build"),
    Route("GET", "/api/v2/workspacebuilds/{workspacebuild}/parameters", "api.control_plane", "parameters_of_build"),
    Route("GET", "/api/v2/workspacebuilds/{workspacebuild}/state", "api.control_plane", "of_build"),
    Route("GET", "/api/v2/workspaceagents/{workspaceagent}/connection", "api.control_plane", "of_agent"),
    Route("GET", "/api/v2/workspaceagents/{workspaceagent}/coordinate", "api.control_plane", "of_agent"),
    Route("GET", "/api/v2/workspaceagents/{workspaceagent}/listening-ports", "api.control_plane", "of_agent"),
    Route("GET", "/api/v2/workspaceagents/{workspaceagent}/containers", "api.control_plane", "of_agent"),
    Route("PATCH", "/api/v2/templates/{template}", "api.control_plane", "of_template"),
    Route("DELETE", "/api/v2/templates/{template}", "api.control_plane", "of_template"),
    Route("PATCH", "/api/v2/templates/{template}/versions", "api.control_plane", "of_template"),
    Route("POST", "/api/v2/templates/{template}/versions/archive", "api.control_plane", "of_template"),
    Route("PATCH", "/api/v2/templateversions/{templateversion}", "api.control_plane", "of_version"),
    Route("PATCH", "/api/v2/templateversions/{templateversion}/cancel", "api.control_plane", "job_of_version"),
    Route("POST", "/api/v2/templateversions/{templateversion}/archive", "api.control_plane", "of_version"),
    Route("POST", "/api/v2/templateversions/{templateversion}/unarchive", "api.control_plane", "of_version"),
    Route(
        "GET",
        "/api/v2/templateversions/{templateversion}/rich-parameters",
        "api.control_plane",
        "parameters_of_version",
    ),
    Route(
        "POST",
        "/api/v2/templateversions/{templateversion}/dynamic-parameters/evaluate",
        "api.control_plane",
        "parameters_of_version",
    ),
    Route("POST", "/api/v2/templateversions/{templateversion}/dry-run", "api.control_plane", "job_of_version"),
    Route(
        "PATCH", "/api/v2/templateversions/{templateversion}/dry-run/{job}/cancel", "api.control_plane", "of_dry_run"
    ),
    Route("POST", "/api/v2/organizations/{organization}/templates", "api.control_plane", "of_organization"),
    Route("POST", "/api/v2/organizations/{organization}/templateversions", "api.control_plane", "of_organization"),
    Route("POST", "/api/v2/files", "api.control_plane", "put_file"),
    Route("GET", "/api/v2/files/{file}", "api.control_plane", "show_file"),
    Route("GET", "/api/v2/users/{user}/gitsshkey", "api.control_plane", "key_of_user"),
    Route("PUT", "/api/v2/users/{user}/gitsshkey", "api.control_plane", "key_of_user"),
    Route("GET", "/api/v2/workspaceagents/connection", "api.control_plane", "of_any_agent"),
    Route("GET", "/api/v2/groups", "api.control_plane", "settings_of_site"),
    Route("GET", "/api/v2/settings/idpsync/organization", "api.control_plane", "settings_of_site"),
    Route("PATCH", "/api/v2/settings/idpsync/organization", "api.control_plane", "settings_of_site"),
    Route("GET", "/api/v2/organizations/{organization}/groups", "api.control_plane", "settings_of_organization"),
    Route("POST", "/api/v2/organizations/{organization}/groups", "api.control_plane", "settings_of_organization"),
    Route("GET", "/api/v2/organizations/{organization}/groups/{group}", "api.control_plane", "group_of_organization"),
    Route(
        "POST", "/api/v2/organizations/{organization}/members/roles", "api.control_plane", "settings_of_organization"
    ),
    Route("PUT", "/api/v2/organizations/{organization}/members/roles", "api.control_plane", "settings_of_organization"),
    Route(
        "GET",
        "/api/v2/organizations/{organization}/settings/idpsync/groups",
        "api.control_plane",
        "settings_of_organization",
    ),
    Route(
        "PATCH",
        "/api/v2/organizations/{organization}/settings/idpsync/groups",
        "api.control_plane",
        "settings_of_organization",
    ),
    Route(
        "GET",
        "/api/v2/organizations/{organization}/settings/idpsync/roles",
        "api.control_plane",
        "settings_of_organization",
    ),
    Route(
        "PATCH",
        "/api/v2/organizations/{organization}/settings/idpsync/roles",
        "api.control_plane",
        "settings_of_organization",
    ),
    Route("GET", "/api/v2/organizations/{organization}/provisionerkeys", "api.control_plane", "keys_of_organization"),
    Route("POST", "/api/v2/organizations/{organization}/provisionerkeys", "api.control_plane", "keys_of_organization"),
    Route("GET", "/api/v2/workspaceproxies", "api.control_plane", "proxies"),
    Route("PATCH", "/api/v2/templates/{template}/acl", "api.control_plane", "of_template"),
    Route("GET", "/api/v2/groups/{group}", "api.control_plane", "group_of_site"),
    Route("PATCH", "/api/v2/groups/{group}", "api.control_plane", "group_of_site"),
    Route("DELETE", "/api/v2/groups/{group}", "api.control_plane", "group_of_site"),
    Route("PATCH", "/api/v2/settings/idpsync/organization/config", "api.control_plane", "settings_of_site"),
    Route("PATCH", "/api/v2/settings/idpsync/organization/mapping", "api.control_plane", "settings_of_site"),
    Route("POST", "/api/v2/workspaceproxies", "api.control_plane", "proxies"),
    Route("GET", "/api/v2/workspaceproxies/{proxy}", "api.control_plane", "proxy"),
    Route("PATCH", "/api/v2/workspaceproxies/{proxy}", "api.control_plane", "proxy"),
    Route("DELETE", "/api/v2/workspaceproxies/{proxy}", "api.control_plane", "proxy"),
    Route("GET", "/api/v2/licenses", "api.control_plane", "licenses"),
    Route("POST", "/api/v2/licenses", "api.control_plane", "licenses"),
    Route("DELETE", "/api/v2/licenses/{license}", "api.control_plane", "license_of_site"),
    # Notifications
    Route("POST", "/api/v2/notifications/custom", "api.notifications", "send_custom"),
    Route("POST", "/api/v2/notifications/test", "api.notifications", "send_test"),
    Route("GET", "/api/v2/notifications/templates/custom", "api.notifications", "list_custom_templates"),
    Route("GET", "/api/v2/notifications/templates/system", "api.notifications", "list_system_templates"),
    Route("PUT", "/api/v2/notifications/templates/{id}/method", "api.notifications", "set_method"),
    Route("GET", "/api/v2/notifications/dispatch-methods", "api.notifications", "list_methods"),
    Route("GET", "/api/v2/notifications/settings", "api.notifications", "show_settings"),
    Route("PUT", "/api/v2/notifications/settings", "api.notifications", "change_settings"),
    Route("GET", "/api/v2/users/{user}/notifications/preferences", "api.preferences", "show_all"),
    Route("PUT", "/api/v2/users/{user}/notifications/preferences", "api.preferences", "change"),
    Route("GET", "/api/v2/notifications/inbox", "api.inbox", "list_rows"),
    Route("PUT", "/api/v2/notifications/inbox/{id}/read-status", "api.inbox", "mark"),
    Route("PUT", "/api/v2/notifications/inbox/mark-all-as-read", "api.inbox", "mark_all"),
    Route("GET", "/api/v2/notifications/inbox/watch", "api.inbox", "watch"),
    # The page
    Route("GET", "/", "ui.page", "root"),
    Route("GET", "/ui", "ui.page", "page"),
    Route("GET", "/ui/{version}/{asset}", "ui.page", "file"),
    Route("GET", "/cli-auth", "ui.page", "cli_auth"),
    Route("GET", "/ui/session", "ui.session", "show"),
    Route("POST", "/ui/session", "ui.session", "sign_in"),
    Route("DELETE", "/ui/session", "ui.session", "sign_out"),
)
"""Every route of the service."""
