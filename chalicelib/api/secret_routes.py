"""The routes of user secrets, as a table."""

from __future__ import annotations

from chalicelib.api.later import Later, blueprint

ROUTES = (
    Later("POST", "/users/{user}/secrets", "user_secrets", "create"),
    Later("GET", "/users/{user}/secrets", "user_secrets", "list_all"),
    Later("GET", "/users/{user}/secrets/{name}", "user_secrets", "show"),
    Later("PATCH", "/users/{user}/secrets/{name}", "user_secrets", "change"),
    Later("DELETE", "/users/{user}/secrets/{name}", "user_secrets", "delete"),
    Later("GET", "/users/{user}/secrets/{name}/value", "user_secrets", "release"),
)

routes = blueprint(ROUTES)
