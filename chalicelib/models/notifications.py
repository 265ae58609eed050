"""Notifications on the wire."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.models.base import Model
from chalicelib.notifications.inbox_row import InboxRow
from chalicelib.notifications.templates import Template

_MOST_PREFERENCES = 256


class CustomContent(Model):
    """The message of a user to themselves."""

    title: str = ""
    message: str = ""


class CustomNotification(Model):
    """The body of `POST /notifications/custom`."""

    content: CustomContent | None = None


class SetNotificationSettings(Model):
    """The body of `PUT /notifications/settings`."""

    notifier_paused: Annotated[bool, Field(strict=True)] = False


class SetNotificationMethod(Model):
    """The body of `PUT /notifications/templates/{id}/method`."""

    method: str = ""


class SetNotificationPreferences(Model):
    """The body of `PUT /users/{user}/notifications/preferences`: template id -> whether it is switched off."""

    template_disabled_map: Annotated[
        dict[str, Annotated[bool, Field(strict=True)]], Field(max_length=_MOST_PREFERENCES, default_factory=dict)
    ]


class ReadStatus(Model):
    """The body of `PUT /notifications/inbox/{id}/read-status`."""

    is_read: Annotated[bool, Field(strict=True)] = False


class NotificationTemplateJSON(TypedDict):
    """codersdk.NotificationTemplate; `actions` is a text that holds JSON."""

    id: str
    name: str
    title_template: str
    body_template: str
    actions: str
    group: str
    method: str
    kind: Literal["system", "custom"]
    enabled_by_default: bool


class NotificationActionJSON(TypedDict):
    """A link below a notification."""

    label: str
    url: str


class InboxRowJSON(TypedDict):
    """codersdk.InboxNotification."""

    id: str
    user_id: str
    template_id: str
    targets: list[str] | None
    title: str
    content: str
    icon: str
    actions: list[NotificationActionJSON]
    read_at: str | None
    created_at: str


class InboxJSON(TypedDict):
    """codersdk.ListInboxNotificationsResponse; where a page ended early, it says so and where the next one begins."""

    notifications: list[InboxRowJSON]
    unread_count: int
    partial: NotRequired[bool]
    next_starting_before: NotRequired[str]


class MarkedNotificationJSON(TypedDict):
    """A row that was marked, and how many are not read now."""

    notification: InboxRowJSON
    unread_count: int


class NotificationPreferenceJSON(TypedDict):
    """codersdk.NotificationPreference."""

    id: str
    disabled: bool
    updated_at: str


class NotificationMethodsJSON(TypedDict):
    """codersdk.NotificationMethodsResponse; `default` is "" where it is not configured."""

    available: list[str]
    default: str


class NotificationSettingsJSON(TypedDict):
    """codersdk.NotificationsSettings."""

    notifier_paused: bool


def template_json(template: Template, method: str) -> NotificationTemplateJSON:
    """A template; `method` is the one that was set for it, "" for that of the deployment."""
    return {
        "id": template.id,
        "name": template.name,
        "title_template": template.title,
        "body_template": template.body,
        "actions": "[]",
        "group": template.group,
        "method": method,
        "kind": template.kind,
        "enabled_by_default": template.is_on,
    }


def inbox_row_json(row: InboxRow) -> InboxRowJSON:
    """A row of the inbox."""
    return {
        "id": row.id,
        "user_id": row.user_id,
        "template_id": row.template_id,
        "targets": list(row.targets) or None,
        "title": row.title,
        "content": row.content,
        "icon": row.icon,
        "actions": [],
        "read_at": times.wire(row.read_at) if row.read_at else None,
        "created_at": times.wire(row.created_at),
    }
