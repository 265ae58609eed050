"""The requests and answers of the routes of notifications."""

from __future__ import annotations

from chalicelib.errors import ErrorJSON
from chalicelib.models.notifications import (
    CustomNotification,
    InboxJSON,
    MarkedNotificationJSON,
    NotificationMethodsJSON,
    NotificationPreferenceJSON,
    NotificationSettingsJSON,
    NotificationTemplateJSON,
    ReadStatus,
    SetNotificationMethod,
    SetNotificationPreferences,
    SetNotificationSettings,
)
from scripts.openapi.operation import NOTHING, Body, Operation

_NOTIFICATIONS = "/api/v2/notifications"
_INBOX = f"{_NOTIFICATIONS}/inbox"
_PREFERENCES = "/api/v2/users/{user}/notifications/preferences"
_FILTERS = ("targets", "notification_templates", "read_status")

OPERATIONS = {
    f"POST {_NOTIFICATIONS}/custom": Operation(
        {204: NOTHING},
        body=Body(CustomNotification, example={"content": {"title": "Done", "message": "The job has ended."}}),
    ),
    f"POST {_NOTIFICATIONS}/test": Operation({204: NOTHING}),
    f"GET {_NOTIFICATIONS}/templates/custom": Operation({200: list[NotificationTemplateJSON]}),
    f"GET {_NOTIFICATIONS}/templates/system": Operation({200: list[NotificationTemplateJSON]}),
    f"PUT {_NOTIFICATIONS}/templates/{{id}}/method": Operation(
        {200: NotificationTemplateJSON, 304: NOTHING}, body=Body(SetNotificationMethod)
    ),
    f"GET {_NOTIFICATIONS}/dispatch-methods": Operation({200: NotificationMethodsJSON}),
    f"GET {_NOTIFICATIONS}/settings": Operation({200: NotificationSettingsJSON}),
    f"PUT {_NOTIFICATIONS}/settings": Operation(
        {200: NotificationSettingsJSON, 304: NOTHING}, body=Body(SetNotificationSettings)
    ),
    f"GET {_PREFERENCES}": Operation({200: list[NotificationPreferenceJSON] | None}),
    f"PUT {_PREFERENCES}": Operation(
        {200: list[NotificationPreferenceJSON] | None}, body=Body(SetNotificationPreferences)
    ),
    f"GET {_INBOX}": Operation({200: InboxJSON}, query=(*_FILTERS, "starting_before"), headers=("Link",)),
    f"PUT {_INBOX}/{{id}}/read-status": Operation({200: MarkedNotificationJSON}, body=Body(ReadStatus)),
    f"PUT {_INBOX}/mark-all-as-read": Operation({204: NOTHING}),
    f"GET {_INBOX}/watch": Operation({501: ErrorJSON}, query=(*_FILTERS, "watch_format")),
}
