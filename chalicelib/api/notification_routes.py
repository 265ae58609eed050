"""The routes of notifications, as a table, and what sends them by schedule."""

from __future__ import annotations

from typing import Any

from chalicelib.api.later import Later, blueprint

ROUTES = (
    Later("POST", "/notifications/custom", "notifications", "send_custom"),
    Later("POST", "/notifications/test", "notifications", "send_test"),
    Later("GET", "/notifications/templates/custom", "notifications", "list_custom_templates"),
    Later("GET", "/notifications/templates/system", "notifications", "list_system_templates"),
    Later("PUT", "/notifications/templates/{id}/method", "notifications", "set_method"),
    Later("GET", "/notifications/dispatch-methods", "notifications", "list_methods"),
    Later("GET", "/notifications/settings", "notifications", "show_settings"),
    Later("PUT", "/notifications/settings", "notifications", "change_settings"),
    Later("GET", "/users/{user}/notifications/preferences", "preferences", "show_all"),
    Later("PUT", "/users/{user}/notifications/preferences", "preferences", "change"),
    Later("GET", "/notifications/inbox", "inbox", "list_rows"),
    Later("PUT", "/notifications/inbox/{id}/read-status", "inbox", "mark"),
    Later("PUT", "/notifications/inbox/mark-all-as-read", "inbox", "mark_all"),
    Later("GET", "/notifications/inbox/watch", "inbox", "watch"),
)

routes = blueprint(ROUTES)

_ENDING_SECONDS = 30.0
"""Kept back, of the time that a scheduled run has, for the attempt under way."""


def scheduled(context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own, or what stands in for it
    """Send the waiting notifications, on a schedule, for as long as the function may run."""
    # Imported here: no request sends anything.
    from chalicelib.dispatch.sweep import sweep  # noqa: PLC0415

    return {"ended": sweep(context.get_remaining_time_in_millis() / 1_000 - _ENDING_SECONDS)}
