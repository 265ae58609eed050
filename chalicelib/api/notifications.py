"""Notifications: users write to themselves, owners try and pause sending, and everybody hears what there is."""

from __future__ import annotations

from uuid import uuid5

from chalicelib import times
from chalicelib.access.decide import Object
from chalicelib.api import trail
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.dispatch.enqueue import enqueue
from chalicelib.dispatch.ways import available
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.logs.connection import NAMESPACE
from chalicelib.models.base import parse
from chalicelib.models.notifications import (
    CustomContent,
    CustomNotification,
    NotificationMethodsJSON,
    NotificationSettingsJSON,
    NotificationTemplateJSON,
    SetNotificationMethod,
    SetNotificationSettings,
    template_json,
)
from chalicelib.notifications.message import METHODS, Message, once_a_minute
from chalicelib.notifications.templates import CUSTOM, TEMPLATES, TEST, Kind, Template
from chalicelib.records.directory import PREBUILDS_USER
from chalicelib.search.values import cut
from chalicelib.settings import current
from chalicelib.store.logs.audit_rows import writes_of
from chalicelib.store.notifications import choices

_MOST_TITLE_BYTES = 120
_MOST_MESSAGE_BYTES = 2_000


@authenticated
def send_custom(call: Call, caller: Caller) -> Answer:
    """Send the caller what they have written; the same again only in another minute."""
    if not caller.may("update", Object("inbox_notification", owner=caller.user.id)):
        raise Forbidden
    content = _checked(parse(CustomNotification, call.body).content)
    if caller.user.id == PREBUILDS_USER:
        raise Forbidden("Forbidden", "System users cannot send custom notifications.")
    now = times.now()
    labels = {"custom_title": content.title, "custom_message": content.message}
    message = Message(CUSTOM.id, caller.user.id, labels, caller.user.id, now, once_a_minute(now))
    enqueue(message, _name(caller))
    return Answer(None, 204)


@authenticated
def send_test(_call: Call, caller: Caller) -> Answer:
    """Send the caller a notification, to see that it arrives; each time another one."""
    if not caller.may("update", Object("deployment_config")):
        raise Forbidden
    now = times.now()
    message = Message(TEST.id, caller.user.id, {}, caller.user.id, now, {"timestamp": times.fixed(now)})
    enqueue(message, _name(caller))
    return Answer(None, 204)


@authenticated
def list_custom_templates(_call: Call, _caller: Caller) -> Answer:
    """The templates of what users send themselves, by name."""
    return Answer(_templates("custom"))


@authenticated
def list_system_templates(_call: Call, _caller: Caller) -> Answer:
    """The templates of what the service sends, by name."""
    return Answer(_templates("system"))


@authenticated
def set_method(call: Call, caller: Caller, id: str) -> Answer:  # noqa: A002 - as the path has it
    """Set how the notifications of a template are sent: 304 where they are sent so already."""
    if not caller.may("update", Object("notification_template")):
        raise Forbidden
    method = parse(SetNotificationMethod, call.body).method
    if method not in METHODS:
        detail = f"{cut(method)!r} is not a method; there are {', '.join(METHODS)}"
        raise BadRequest("Invalid request to update notification template method", detail)
    template = TEMPLATES.get(id.lower())
    if template is None:
        raise NotFound

    def write() -> Answer:
        seen = choices.read()
        before = seen.methods.get(template.id, "")
        if method == before:
            return Answer(None, 304)
        about = trail.Resource("notification_template", template.id, template.name)
        fields = ({"name": template.name, "method": before}, {"name": template.name, "method": method})
        made = trail.row(call, caller, "write", 200, about, before=fields[0], after=fields[1])
        choices.set_method(seen, template.id, method, *writes_of(made))
        return Answer(template_json(template, method))

    return saved(write)


@authenticated
def list_methods(_call: Call, _caller: Caller) -> Answer:
    """The methods of sending notifications beside the inbox: the configured ones, and the default."""
    default = current().notifications_method
    ways = list(available())
    methods: NotificationMethodsJSON = {"available": ways, "default": default if default in ways else ""}
    return Answer(methods)


@authenticated
def show_settings(_call: Call, _caller: Caller) -> Answer:
    """Whether sending is paused."""
    return Answer(_settings(paused=choices.read().paused))


@authenticated
def change_settings(call: Call, caller: Caller) -> Answer:
    """Pause sending, or go on with it: 304 where it is so already. Meanwhile notifications wait."""
    if not caller.may("update", Object("deployment_config")):
        raise Forbidden
    paused = parse(SetNotificationSettings, call.body).notifier_paused

    def write() -> Answer:
        seen = choices.read()
        if paused == seen.paused:
            return Answer(None, 304)
        about = trail.Resource("notifications_settings", str(uuid5(NAMESPACE, "notifications_settings")))
        fields = ({"notifier_paused": seen.paused}, {"notifier_paused": paused})
        made = trail.row(call, caller, "write", 200, about, before=fields[0], after=fields[1])
        choices.pause(seen, *writes_of(made), paused=paused)
        return Answer(_settings(paused=paused))

    return saved(write)


def _checked(content: CustomContent | None) -> CustomContent:
    """The message of a user, where it can be sent.

    Raises:
        BadRequest: there is nothing, or it is too long.
    """
    wrong = ""
    if content is None:
        wrong = "content is required"
    elif not content.title.strip() or not content.message.strip():
        wrong = "provide a non-empty 'content.title' and 'content.message'"
    elif len(content.title.encode()) > _MOST_TITLE_BYTES:
        wrong = f"'content.title' must be less than {_MOST_TITLE_BYTES} characters"
    elif len(content.message.encode()) > _MOST_MESSAGE_BYTES:
        wrong = f"'content.message' must be less than {_MOST_MESSAGE_BYTES} characters"
    if wrong or content is None:
        raise BadRequest("Invalid request body", wrong)
    return content


def _templates(kind: Kind) -> list[NotificationTemplateJSON]:
    methods = choices.read().methods
    wanted: list[Template] = sorted(
        (template for template in TEMPLATES.values() if template.kind == kind), key=lambda template: template.name
    )
    return [template_json(template, methods.get(template.id, "")) for template in wanted]


def _settings(*, paused: bool) -> NotificationSettingsJSON:
    return {"notifier_paused": paused}


def _name(caller: Caller) -> str:
    return caller.user.name or caller.user.username
