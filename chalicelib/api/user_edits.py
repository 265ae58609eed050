"""Users: mirrored in by the platform or created by clients, and deleted."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import uuid4

from chalicelib import times
from chalicelib.access.decide import Object
from chalicelib.access.roles import IMPLICIT_ORGANIZATION_ROLE, IMPLICIT_SITE_ROLE, ORGANIZATION_ROLES, SITE_ROLES
from chalicelib.api import belongings, lookup, user_changes
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.granted_roles import known, supported
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import uuid
from chalicelib.api.saving import saved
from chalicelib.api.trail import delete_tokens
from chalicelib.errors import BadRequest, Forbidden, NotFound, Validation
from chalicelib.models.base import parse
from chalicelib.models.directory import stored_user_json, user_json
from chalicelib.models.directory_bodies import NewUser, PutUser
from chalicelib.models.service import MessageJSON
from chalicelib.records import User
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.owners import OWNER

_ANSWERING_SECONDS = 5.0
"""Kept back, of the time that there is to delete a user, for what comes after their inbox."""

_LOGIN_TYPES = ("none", "github", "oidc")
"""That a new user may have: nobody has a password here, and tokens are minted, not logged in with."""


@authenticated
def create(call: Call, caller: Caller) -> Answer:
    """Create a user, who has no password, and is dormant until a token of theirs is used."""
    asked = parse(NewUser, call.body)
    if not caller.may("create", Object("user")):
        raise Forbidden("You are not authorized to create users.")
    made = _new(asked)
    _check_organizations(made)
    return saved(lambda: Answer(user_json(user_changes.change(call, caller, 201, None, made)), 201))


@authenticated
def put(call: Call, caller: Caller, user: str) -> Answer:
    """Create or replace a user: 201 when it is new, 200 when it was there.

    A role that is not known here is left out, and the answer says so in `warnings`: the user is stored without it.
    """
    row_id = uuid("user", user)
    asked = parse(PutUser, call.body)

    def write() -> Answer:
        before = people.get_user(row_id, consistent=True)
        new = before is None or before.deleted
        lookup.check_may_put(caller, lookup.user_object(row_id), new=new)
        after, warnings = _merged(row_id, asked, before)
        status = 201 if new else 200
        stored = user_changes.change(call, caller, status, before, after)
        return Answer(stored_user_json(stored, warnings), status)

    return saved(write)


@authenticated
def delete(call: Call, caller: Caller, user: str) -> Answer:
    """Delete a user: the name is free again, the tokens stop at once, and old log rows still show who it was.

    The user goes last. Until then a request that failed half-way can be repeated, and goes on where it stopped.
    """

    def write() -> Answer:
        before = lookup.user(caller, user, consistent=True)
        user_changes.check_delete(caller, before)
        if OWNER in before.roles:
            # While nothing is lost yet: of two owners who delete each other at once one stays, with their tokens.
            others = tuple(role for role in before.roles if role != OWNER)
            demoted = replace(before, roles=others, updated_at=times.now())
            user_changes.save(call, caller, 200, before, demoted)
            before = demoted
        # A token that is made meanwhile opens nothing for a deleted user, nor for one who comes back, who is younger.
        delete_tokens(call, caller, api_keys.of_user(before.id), "delete")
        belongings.delete(before.id, time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS)
        after = replace(before, deleted=True, organization_roles={}, updated_at=times.now())
        user_changes.save(call, caller, 200, before, after)
        # What was minted or kept between the two is as dead, and goes too; nothing is for a deleted user.
        delete_tokens(call, caller, api_keys.of_user(before.id), "delete")
        belongings.delete_secrets(before.id)
        return Answer(MessageJSON(message="User has been deleted!"))

    return saved(write)


def _new(asked: NewUser) -> User:
    """The user that a client asks for.

    Raises:
        BadRequest: the way to log in is none that a user may have here, or a role is unknown.
    """
    wanted = "none" if asked.disable_login else asked.login_type
    login_type = wanted or ("password" if asked.password else "none")
    if asked.service_account and login_type != "none":
        raise BadRequest("Service accounts must use login type 'none'.")
    if login_type not in _LOGIN_TYPES:
        detail = f"Create the user with login type {', '.join(_LOGIN_TYPES[:-1])} or {_LOGIN_TYPES[-1]}."
        problem = Validation("login_type", f'"{login_type}" is not a login type that a user can have here')
        raise BadRequest("There are no passwords here.", detail, [problem])
    now = times.now()
    organization_ids = {*(asked.organization_ids or ()), *([asked.organization_id] if asked.organization_id else ())}
    return User(
        id=str(uuid4()),
        username=asked.username,
        email=asked.email,
        name=asked.name,
        avatar_url="",
        status=asked.user_status or "dormant",
        login_type=login_type,
        roles=supported(asked.roles or (), SITE_ROLES, IMPLICIT_SITE_ROLE),
        organization_roles=dict.fromkeys(sorted(organization_ids), ()),
        created_at=now,
        updated_at=now,
        is_service_account=asked.service_account,
    )


def _check_organizations(user: User) -> None:
    there = people.get_organizations(user.organization_roles)
    for key in user.organization_roles:
        if key not in there or there[key].deleted:
            raise NotFound(f'Organization does not exist with the provided id "{key}".')


def _merged(row_id: str, asked: PutUser, before: User | None) -> tuple[User, list[Validation]]:
    """The user after a PUT, and the roles in it that are not known here."""
    now = times.now()
    # Who comes back after a deletion comes as new: without roles, and younger than any token from before.
    kept = None if before is None or before.deleted else before
    base = kept or User(
        id=row_id,
        username=asked.username,
        email=asked.email,
        name="",
        avatar_url="",
        status="active",
        login_type="none",
        roles=(),
        organization_roles={},
        created_at=now,
        updated_at=now,
    )
    given = asked.model_dump(exclude_none=True, exclude={"roles", "organization_ids", "organization_roles"})
    warnings: list[Validation] = []
    roles = base.roles
    if asked.roles is not None:
        roles = known(asked.roles, SITE_ROLES, IMPLICIT_SITE_ROLE, "roles", warnings)
    memberships = _memberships(asked, base, warnings)
    return replace(base, **given, roles=roles, organization_roles=memberships, deleted=False), warnings


def _memberships(asked: PutUser, base: User, warnings: list[Validation]) -> dict[str, tuple[str, ...]]:
    members = base.organization_roles if asked.organization_ids is None else asked.organization_ids
    if asked.organization_roles is None:
        return {key: base.organization_roles.get(key, ()) for key in sorted(members)}
    named = asked.organization_roles
    return {
        key: known(
            named.get(key, ()), ORGANIZATION_ROLES, IMPLICIT_ORGANIZATION_ROLE, f"organization_roles.{key}", warnings
        )
        for key in sorted({*members, *named})
    }
