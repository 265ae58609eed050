"""The routes of collectors of logs, as a table. They are not below the path of the API: collectors choose them."""

from __future__ import annotations

from chalicelib.api.later import Later, blueprint

ROUTES = (
    Later("POST", "/services/collector", "collectors", "collect"),
    Later("POST", "/services/collector/event", "collectors", "collect_events"),
    Later("POST", "/services/collector/event/1.0", "collectors", "collect"),
    Later("POST", "/services/collector/raw", "collectors", "collect_lines"),
    Later("POST", "/services/collector/raw/1.0", "collectors", "collect_lines"),
    Later("POST", "/services/collector/ack", "collectors", "acknowledge"),
    Later("GET", "/services/collector/health", "collectors", "collector_health"),
    Later("GET", "/services/collector/health/1.0", "collectors", "collector_health"),
    Later("POST", "/v1/logs", "collectors", "export_logs"),
)

routes = blueprint(ROUTES, below="")
