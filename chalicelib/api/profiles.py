"""Changes of one user: status and profile."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.api import lookup, user_changes
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.errors import BadRequest, Conflict, Forbidden, NotFound
from chalicelib.models.base import parse
from chalicelib.models.directory import user_json
from chalicelib.models.directory_bodies import Profile
from chalicelib.records import UserStatus
from chalicelib.store.directory.owners import OWNER


@authenticated
def suspend(call: Call, caller: Caller, user: str) -> Answer:
    """Suspend a user: none of their tokens opens anything until they are activated again."""
    return _with_status(call, caller, user, "suspended")


@authenticated
def activate(call: Call, caller: Caller, user: str) -> Answer:
    """Let the tokens of a user open again what they opened before the user was suspended."""
    return _with_status(call, caller, user, "active")


@authenticated
def change_profile(call: Call, caller: Caller, user: str) -> Answer:
    """Change the name for people and the picture of a user, and the username, which takes the right to change users."""
    asked = parse(Profile, call.body)

    def write() -> Answer:
        before = lookup.user(caller, user, consistent=True)
        obj = lookup.user_object(before.id)
        may_update = caller.may("update", obj)
        if not may_update and not caller.may("update_personal", obj):
            raise Forbidden
        if asked.username != before.username and not may_update:
            raise NotFound
        picture = before.avatar_url if asked.avatar_url is None else asked.avatar_url
        after = replace(before, username=asked.username, name=asked.name, avatar_url=picture)
        try:
            return Answer(user_json(user_changes.change(call, caller, 200, before, after)))
        except Conflict as error:
            raise Conflict("A user with this username already exists.", validations=error.validations) from error

    return saved(write)


def _with_status(call: Call, caller: Caller, user: str, status: UserStatus) -> Answer:
    def write() -> Answer:
        before = lookup.user(caller, user, consistent=True)
        if not caller.may("update", lookup.user_object(before.id)):
            raise Forbidden
        caller.require_current_secret()
        if status == "suspended" and OWNER in before.roles and before.id != caller.user.id:
            raise BadRequest('You cannot suspend a user with the "owner" role. You must remove the role first.')
        after = replace(before, status=status)
        return Answer(user_json(user_changes.change(call, caller, 200, before, after)))

    return saved(write)
