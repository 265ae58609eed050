"""The routes of the platform's directory, as a table: what is mirrored in, and what is answered from it."""

from __future__ import annotations

from chalicelib import times
from chalicelib.api.later import Later, blueprint

ROUTES = (
    Later("PUT", "/directory", "mirror", "put_batch"),
    Later("PUT", "/templates/{template}", "mirror", "put_template"),
    Later("PUT", "/templateversions/{templateversion}", "mirror", "put_version"),
    Later("PUT", "/workspaces/{workspace}", "mirror", "put_workspace"),
    Later("PUT", "/workspacebuilds/{workspacebuild}", "mirror", "put_build"),
    Later("PUT", "/workspaceagents/{workspaceagent}", "mirror", "put_agent"),
    Later("PUT", "/provisionerdaemons/{daemon}", "mirror", "put_daemon"),
    Later("PUT", "/provisionerjobs/{job}", "mirror", "put_job"),
    Later("GET", "/organizations/{organization}/provisionerjobs", "provisioners", "list_jobs"),
    Later("GET", "/organizations/{organization}/provisionerjobs/{job}", "provisioners", "show_job"),
    Later("GET", "/organizations/{organization}/provisionerdaemons", "provisioners", "list_daemons"),
    Later("PUT", "/provisionerjobs/{job}/logs", "job_logs", "put_logs"),
    Later("GET", "/workspacebuilds/{workspacebuild}/logs", "job_logs", "of_build"),
    Later("GET", "/templateversions/{templateversion}/logs", "job_logs", "of_version"),
    Later("GET", "/templateversions/{templateversion}/dry-run/{job}/logs", "job_logs", "of_dry_run"),
    Later("GET", "/templates", "templates", "list_all"),
    Later("GET", "/templates/{template}", "templates", "show"),
    Later("GET", "/templates/{template}/versions", "templates", "versions"),
    Later("GET", "/templates/{template}/versions/{version}", "templates", "version_by_name"),
    Later("GET", "/templateversions/{templateversion}", "templates", "show_version"),
    Later("GET", "/templateversions/{templateversion}/presets", "templates", "presets"),
    Later("GET", "/organizations/{organization}/templates", "templates", "list_of_organization"),
    Later("GET", "/organizations/{organization}/templates/{template}", "templates", "show_by_name"),
    Later(
        "GET", "/organizations/{organization}/templates/{template}/versions/{version}", "templates", "version_by_names"
    ),
    Later("GET", "/workspaces", "workspaces", "list_all"),
    Later("GET", "/workspaces/{workspace}", "workspaces", "show"),
    Later("GET", "/workspaces/{workspace}/builds", "workspaces", "builds"),
    Later("GET", "/workspacebuilds/{workspacebuild}", "workspaces", "show_build"),
    Later("GET", "/workspaceagents/{workspaceagent}", "workspaces", "show_agent"),
    Later("GET", "/users/{user}/workspace/{workspacename}", "workspaces", "show_by_name"),
    Later("GET", "/users/{user}/workspace/{workspacename}/builds/{buildnumber}", "workspaces", "build_by_number"),
    Later("PUT", "/workspaces/{workspace}/autostart", "prebuilds", "autostart"),
    Later("PUT", "/workspaces/{workspace}/ttl", "prebuilds", "ttl"),
    Later("PUT", "/workspaces/{workspace}/dormant", "prebuilds", "dormant"),
    Later("PUT", "/workspaces/{workspace}/extend", "prebuilds", "extend"),
    Later("POST", "/usage/events", "usage_events", "put_events"),
    Later("GET", "/usage/daily", "usage_events", "daily"),
    Later("PUT", "/licenses/{license}", "usage_events", "put_license"),
    Later("PUT", "/users/{user}/external-auth/{provider}", "external_auth", "put"),
    Later("GET", "/external-auth", "external_auth", "list_own"),
    Later("DELETE", "/external-auth/{provider}", "external_auth", "unlink"),
    Later("GET", "/entitlements", "usage_events", "entitlements"),
    Later("GET", "/prebuilds/settings", "prebuilds", "show_settings"),
    Later("PUT", "/prebuilds/settings", "prebuilds", "change_settings"),
    Later("GET", "/init-script/{os}/{arch}", "external_agents", "script"),
    Later("GET", "/workspaces/{workspace}/external-agent/{agent}/credentials", "external_agents", "credentials"),
    Later("PUT", "/workspaces/{workspace}/external-agent/{agent}/credentials", "external_agents", "deposit"),
)

routes = blueprint(ROUTES)


def scheduled() -> int:
    """The number of usage events that were sent on, where a round is due."""
    # Imported here: no request sends anything.
    from chalicelib.dispatch import usage  # noqa: PLC0415

    return usage.run(times.now())
