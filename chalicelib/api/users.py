"""Users: mirrored in by the platform, listed and looked up by clients."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from chalicelib import times
from chalicelib.access.decide import reach
from chalicelib.access.roles import IMPLICIT_ORGANIZATION_ROLE, IMPLICIT_SITE_ROLE
from chalicelib.api import lookup, user_changes
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.api.parameters import page, uuid
from chalicelib.api.saving import saved
from chalicelib.api.trail import delete_tokens
from chalicelib.models.base import parse
from chalicelib.models.directory import PutUser, organization_json, user_json
from chalicelib.records import User
from chalicelib.store.directory import api_keys, people

routes = Routes(__name__)


@routes.view("/api/v2/users")
@authenticated
def list_all(call: Call, caller: Caller) -> Answer:
    """The users that the caller may read, by username; `limit` and `offset` page them."""
    wanted = page(call)
    limit = wanted.limit if call.query("limit") else None
    readable = reach(caller.subject, "read", "user")
    rows = [row for row in people.list_users() if readable.includes(caller.user.id, lookup.user_object(row.id))]
    shown = islice(rows, wanted.offset, None if limit is None else wanted.offset + limit)
    return Answer({"users": [user_json(row) for row in shown], "count": len(rows)})


@routes.view("/api/v2/users/{user}")
@authenticated
def show(_call: Call, caller: Caller, user: str) -> Answer:
    """One user."""
    return Answer(user_json(lookup.user(caller, user)))


@routes.view("/api/v2/users/{user}/organizations")
@authenticated
def organizations(_call: Call, caller: Caller, user: str) -> Answer:
    """The organizations of a user, as far as the caller may read them, by name."""
    member = lookup.user(caller, user)
    readable = reach(caller.subject, "read", "organization")
    rows = [
        row
        for row in people.get_organizations(member.organization_roles).values()
        if not row.deleted and readable.includes(caller.user.id, lookup.organization_object(row.id))
    ]
    return Answer([organization_json(row) for row in sorted(rows, key=lambda row: row.name.lower())])


@routes.view("/api/v2/users/{user}/organizations/{organization}")
@authenticated
def organization_of(_call: Call, caller: Caller, user: str, organization: str) -> Answer:
    """One organization, asked for beside a user."""
    lookup.user(caller, user)
    return Answer(organization_json(lookup.organization(caller, organization)))


@routes.view("/api/v2/users/{user}", methods=["PUT"])
@authenticated
def put(call: Call, caller: Caller, user: str) -> Answer:
    """Make a user what the body says: 201 when it is new, 200 when it was there."""
    row_id = uuid("user", user)
    asked = parse(PutUser, call.body)

    def write() -> Answer:
        before = people.get_user(row_id, consistent=True)
        new = before is None or before.deleted
        lookup.check_may_put(caller, lookup.user_object(row_id), new=new)
        after = _merged(row_id, asked, before)
        # One who was deleted holds nothing: what comes back with the row is granted anew.
        user_changes.check_change(caller, None if new else before, after)
        user_changes.save(call, caller, 201 if new else 200, before, after)
        return Answer(user_json(after), 201 if new else 200)

    return saved(write)


@routes.view("/api/v2/users/{user}", methods=["DELETE"])
@authenticated
def delete(call: Call, caller: Caller, user: str) -> Answer:
    """Delete a user: the name is free again, the tokens stop at once, and old log rows still show who it was.

    The user goes last. Until then a request that failed half-way can be repeated, and goes on where it stopped.
    """

    def write() -> Answer:
        before = lookup.user(caller, user, consistent=True)
        user_changes.check_delete(caller, before)
        # A token that is made meanwhile opens nothing for a deleted user, nor for one who comes back, who is younger.
        delete_tokens(call, caller, api_keys.of_user(before.id), "delete")
        after = replace(before, deleted=True, organization_roles={}, updated_at=times.now())
        user_changes.save(call, caller, 200, before, after)
        # What was minted between the two is as dead, and goes too; nothing is minted for a deleted user.
        delete_tokens(call, caller, api_keys.of_user(before.id), "delete")
        return Answer({"message": "User has been deleted!"})

    return saved(write)


def _merged(row_id: str, asked: PutUser, before: User | None) -> User:
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
    roles = base.roles if asked.roles is None else _granted(asked.roles, IMPLICIT_SITE_ROLE)
    after = replace(base, **given, roles=roles, organization_roles=_memberships(asked, base), deleted=False)
    return after if after == before else replace(after, updated_at=now)


def _memberships(asked: PutUser, base: User) -> dict[str, tuple[str, ...]]:
    members = base.organization_roles if asked.organization_ids is None else asked.organization_ids
    if asked.organization_roles is None:
        return {key: base.organization_roles.get(key, ()) for key in sorted(members)}
    roles = asked.organization_roles
    return {key: _granted(roles.get(key, ()), IMPLICIT_ORGANIZATION_ROLE) for key in sorted({*members, *roles})}


def _granted(names: list[str] | tuple[str, ...], implied: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name != implied))
