"""The routes of the platform's directory, as a table: what is mirrored in, and what is answered from it."""

from __future__ import annotations

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
)

routes = blueprint(ROUTES)
