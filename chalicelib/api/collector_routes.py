"""The routes of collectors of logs, as a table. They are not below the path of the API: collectors choose them."""

from __future__ import annotations

from chalicelib.api.later import Later, blueprint

ROUTES = (
    Later("POST", "/services/collector", "collectors", "collect"),
    Later("POST", "/services/collector/event", "collectors", "collect_events"),
    Later("GET", "/services/collector/health", "collectors", "collector_health"),
    Later("POST", "/v1/logs", "collectors", "export_logs"),
)

routes = blueprint(ROUTES, below="")
