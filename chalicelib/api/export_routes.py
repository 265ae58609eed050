"""The routes of exports, as a table."""

from __future__ import annotations

from chalicelib.api.later import Later, blueprint

ROUTES = (
    Later("POST", "/exports", "exports", "create"),
    Later("GET", "/exports/{id}", "exports", "show"),
    Later("DELETE", "/exports/{id}", "exports", "delete"),
)

routes = blueprint(ROUTES)
