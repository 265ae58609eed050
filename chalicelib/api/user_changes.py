"""Changes of users: what nobody may do to whom, and the writes that make the change with everything that follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib import times
from chalicelib.access.assignment import irremovable
from chalicelib.access.decide import Object
from chalicelib.access.roles import assignable
from chalicelib.api import lookup
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.lifetimes import as_timedelta, max_token_lifetime
from chalicelib.api.saving import saved
from chalicelib.api.trail import changed_memberships, key_trail, user_trail
from chalicelib.errors import BadRequest, Conflict, Forbidden, Invalid, Validation
from chalicelib.records import User
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.claims import Taken
from chalicelib.store.directory.owners import OWNER, LastOwner

_MEMBERSHIPS_AT_ONCE = 90
"""That change in one transaction, each with a row of its own, of the 100 writes that it may have."""


def change(call: Call, caller: Caller, status: int, before: User | None, after: User) -> User:
    """Check the change of a user and write it, where there is anything to write.

    Args:
        call: the request.
        caller: who sent it.
        status: of the answer, for the trail.
        before: the stored user, who may be deleted and come back; None for one who was never there.
        after: the user as it is to be, with the time of the change that `before` has.

    Returns:
        The user as stored now.

    Raises:
        Invalid: the user is no service account, and has no e-mail address.
        Forbidden, BadRequest: as `check_change` and `save`.
        Conflict, Changed: as `save`.
    """
    if after == before:
        return after
    if not after.email and not after.is_service_account:
        raise Invalid([Validation("email", "must be there for everybody but service accounts")])
    # One who was deleted holds nothing: what comes back with the row is granted anew.
    held = None if before is None or before.deleted else before
    if held is not None:
        after = replace(after, updated_at=times.now())
    check_change(caller, held, after)
    save(call, caller, status, before, after)
    return after


def check_change(caller: Caller, before: User | None, after: User) -> None:
    """Make sure that the caller may make this change of a user; `before` is None for one who is new.

    Raises:
        Forbidden: a role is not theirs to give or take, or the user has a role that is not.
        BadRequest: they would suspend themselves.
    """
    if before is not None:
        _check_standing(caller, before, after)
    _check_assignable(caller, Object("assign_role"), {*(before.roles if before else ())} ^ {*after.roles})
    memberships = before.organization_roles if before else {}
    for key in {*memberships} | {*after.organization_roles}:
        changed = {*memberships.get(key, ())} ^ {*after.organization_roles.get(key, ())}
        _check_assignable(caller, Object("assign_org_role", organization=key), changed)
        if (key in memberships) != (key in after.organization_roles):
            action = "create" if key in after.organization_roles else "delete"
            member = Object("organization_member", "" if action == "create" else after.id, after.id, key)
            if not caller.may(action, member):
                raise Forbidden("Forbidden.", f"You may not change who is a member of organization {key}.")


def check_owner(caller: Caller, user: User) -> None:
    """Make sure that nothing of an owner is changed by who is none.

    Raises:
        Forbidden: it would be.
    """
    if OWNER in user.roles and OWNER not in caller.subject.roles:
        raise Forbidden


def check_delete(caller: Caller, user: User) -> None:
    """Make sure that the caller may delete a user.

    Raises:
        Forbidden: they may not, or it is themselves, or the user has a role that they may not take away.
    """
    if user.id == caller.user.id:
        raise Forbidden("You cannot delete yourself!", "Let another owner do it.")
    if not caller.may("delete", lookup.user_object(user.id)):
        raise Forbidden
    _check_removable(caller, user)


def save(call: Call, caller: Caller, status: int, before: User | None, after: User) -> None:
    """Write the change of a user with its trail, and bound the tokens of one whose roles bound lifetimes.

    A change of many memberships takes several transactions. What has been written when one fails stays, and the same
    request goes on from there.

    Args:
        call: the request.
        caller: who sent it.
        status: of the answer, for the trail.
        before: the stored user; None for one who was never there.
        after: the user to be stored.

    Raises:
        Conflict: another user has the username or e-mail address.
        BadRequest: no active owner would be left.
        Changed: the stored user is no longer `before`.
    """
    last = before
    kept = None if before is None or before.deleted else before
    for step in _steps(kept, after) if after != before else ():
        try:
            people.save_user(step, last, *user_trail(call, caller, status, last, step))
        except Taken as error:
            raise _taken(error) from error
        except LastOwner as error:
            raise BadRequest(
                f"{after.username} is the last active owner.", "Give the role to another active user first."
            ) from error
        last = step
    if OWNER in after.roles and not after.deleted:
        _bound_tokens(call, caller, after)


def _bound_tokens(call: Call, caller: Caller, user: User) -> None:
    """Let no token of a user live longer from now on than a new one may."""
    end = times.now() + as_timedelta(max_token_lifetime(user))
    for key in api_keys.of_user(user.id):
        if key.expires_at > end:
            saved(partial(_bounded, call, caller, key.id, end))


def _bounded(call: Call, caller: Caller, key_id: str, end: datetime) -> Answer:
    before = api_keys.get(key_id)
    if before is not None and before.expires_at > end:
        after = replace(before, expires_at=end, updated_at=times.now())
        api_keys.change(after, before, *key_trail(call, caller, "write", 200, before=before, after=after))
    return Answer(None)


def _steps(before: User | None, after: User) -> Iterator[User]:
    """The way from one state of a user to another, in steps that each fit one transaction with their trail.

    Who is deleted is so in the last step.
    """
    changed = changed_memberships(before, after)
    held = before.organization_roles if before else {}
    for done in range(_MEMBERSHIPS_AT_ONCE, len(changed), _MEMBERSHIPS_AT_ONCE):
        waiting = {*changed[done:]}
        now = {key: roles for key, roles in after.organization_roles.items() if key not in waiting}
        before_now = {key: roles for key, roles in held.items() if key in waiting}
        yield replace(after, organization_roles=now | before_now, deleted=False)
    yield after


def _check_standing(caller: Caller, before: User, after: User) -> None:
    """An owner is changed by owners alone, and nobody's status by who may not take their roles."""
    if before != after:
        check_owner(caller, before)
    if after.status == before.status:
        return
    if after.status == "suspended" and after.id == caller.user.id:
        raise BadRequest("You cannot suspend yourself.", "Let another owner do it; the last active owner stays.")
    _check_removable(caller, before)
    # It decides whether the user's tokens open anything, and lasts longer than a grace.
    caller.require_current_secret()


def _check_removable(caller: Caller, user: User) -> None:
    kept = irremovable(caller.subject, user.roles, user.organization_roles)
    if kept:
        raise Forbidden("Forbidden.", f"You may not take away {', '.join(kept)}, nor suspend or delete who has it.")


def _check_assignable(caller: Caller, obj: Object, changed: set[str]) -> None:
    if not changed:
        return
    subject = caller.subject
    refused = sorted(changed - assignable((*subject.roles, *subject.organization_roles.get(obj.organization, ()))))
    if refused or not caller.may("assign", obj):
        raise Forbidden("Forbidden.", f"You may not grant or take away {', '.join(refused or sorted(changed))}.")


def _taken(error: Taken) -> Conflict:
    return Conflict(
        "User already exists.",
        validations=[Validation(name, "This value is already in use and should be unique.") for name in error.fields],
    )
