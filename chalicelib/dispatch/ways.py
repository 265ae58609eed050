"""The ways by which this deployment sends notifications: those that are configured, and no others."""

from __future__ import annotations

from chalicelib.notifications.message import SMTP, WEBHOOK
from chalicelib.settings import current


def available() -> tuple[str, ...]:
    """The methods that are configured; the inbox is none of them, for it always is there."""
    settings = current()
    configured = {SMTP: settings.email_smarthost and settings.email_from, WEBHOOK: settings.webhook_endpoint}
    return tuple(method for method, place in configured.items() if place)
