"""Which notifications a user gets: what they have said of templates, and nothing of those they have not."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib import times
from chalicelib.access.decide import Object
from chalicelib.api import lookup
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Encoded
from chalicelib.api.saving import saved
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.models.base import parse
from chalicelib.models.notifications import NotificationPreferenceJSON, SetNotificationPreferences
from chalicelib.notifications.templates import TEMPLATES
from chalicelib.search import values
from chalicelib.store.notifications import choices
from chalicelib.store.notifications.choices import Preference


@authenticated
def show_all(_call: Call, caller: Caller, user: str) -> Answer:
    """The preferences that the user has set; null where there are none, as Coder answers."""
    user_id = _user_id(caller, user, "read")
    return Answer(_json(choices.read(user_id).preferences))


@authenticated
def change(call: Call, caller: Caller, user: str) -> Answer:
    """Switch templates off and on; what is not named stays."""
    given = parse(SetNotificationPreferences, call.body).template_disabled_map
    user_id = _user_id(caller, user, "update")
    asked = {_template(name): is_off for name, is_off in given.items()}

    def write() -> Answer:
        seen = choices.read(user_id)
        now = times.now()
        after = {**seen.preferences, **{name: Preference(is_off, now) for name, is_off in asked.items()}}
        if asked:
            choices.prefer(seen, user_id, after)
        return Answer(_json(after))

    return saved(write)


def _user_id(caller: Caller, name: str, action: str) -> str:
    """The id of the user of a path, for a caller who may do the action to their preferences."""
    user = lookup.user(caller, name)
    obj = Object("notification_preference", owner=user.id)
    if not caller.may(action, obj):
        raise Forbidden if caller.may("read", obj) else NotFound
    return user.id


def _template(text: str) -> str:
    try:
        template = values.uuid(text)
    except values.WrongValue as error:
        raise BadRequest("Unable to parse notification template UUID.", f"{values.quoted(text)} {error}") from error
    if template not in TEMPLATES:
        raise BadRequest("Unknown notification template.", f"There is no template {template}.")
    return template


def _json(preferences: Mapping[str, Preference]) -> list[NotificationPreferenceJSON] | Encoded:
    rows: list[NotificationPreferenceJSON] = [
        {"id": template, "disabled": one.disabled, "updated_at": times.wire(one.updated_at)}
        for template, one in sorted(preferences.items())
    ]
    return rows or Encoded("null")
