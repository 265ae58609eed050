"""Roles: which there are, which a user has, and the whole set of them given anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.access.decide import Object, decide
from chalicelib.access.roles import (
    IMPLICIT_ORGANIZATION_ROLE,
    IMPLICIT_SITE_ROLE,
    ORGANIZATION_ROLES,
    SITE_ROLES,
    Role,
    assignable,
)
from chalicelib.api import lookup, user_changes
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.granted_roles import supported
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.models.base import parse
from chalicelib.models.directory import UserRolesJSON, user_json
from chalicelib.models.directory_bodies import Roles
from chalicelib.models.members import AssignableRoleJSON, assignable_role_json, member_json


@authenticated
def list_site_roles(_call: Call, caller: Caller) -> Answer:
    """The roles that can be granted everywhere, and whether the caller may grant them."""
    if not caller.may("read", Object("assign_role")):
        raise Forbidden
    may_assign = decide(caller.subject, "assign", Object("assign_role"))
    grantable = assignable(caller.subject.roles) if may_assign else frozenset()
    roles = (role for name, role in SITE_ROLES.items() if name != IMPLICIT_SITE_ROLE)
    return Answer(_listed(roles, grantable))


@authenticated
def list_organization_roles(_call: Call, caller: Caller, organization: str) -> Answer:
    """The roles that can be granted in an organization, and whether the caller may grant them there."""
    place = lookup.organization(caller, organization)
    obj = Object("assign_org_role", organization=place.id)
    if not caller.may("read", obj):
        raise NotFound
    held = (*caller.subject.roles, *caller.subject.organization_roles.get(place.id, ()))
    grantable = assignable(held) if decide(caller.subject, "assign", obj) else frozenset()
    roles = (role for name, role in ORGANIZATION_ROLES.items() if name != IMPLICIT_ORGANIZATION_ROLE)
    return Answer(_listed(roles, grantable, place.id))


@authenticated
def show(_call: Call, caller: Caller, user: str) -> Answer:
    """The site roles of a user, and those in each organization where the caller may read who is a member."""
    holder = lookup.user(caller, user)
    memberships = {
        key: list(roles)
        for key, roles in holder.organization_roles.items()
        if caller.may("read", Object("organization_member", holder.id, holder.id, key))
    }
    body: UserRolesJSON = {"roles": list(holder.roles), "organization_roles": memberships}
    return Answer(body)


@authenticated
def set_site_roles(call: Call, caller: Caller, user: str) -> Answer:
    """Give a user these site roles and no others."""
    asked = parse(Roles, call.body)

    def write() -> Answer:
        before = lookup.user(caller, user, consistent=True)
        if before.id == caller.user.id:
            raise BadRequest("You cannot change your own roles.")
        if not caller.may("assign", Object("assign_role")):
            raise Forbidden
        after = replace(before, roles=supported(asked.roles, SITE_ROLES, IMPLICIT_SITE_ROLE))
        return Answer(user_json(user_changes.change(call, caller, 200, before, after)))

    return saved(write)


@authenticated
def set_organization_roles(call: Call, caller: Caller, organization: str, user: str) -> Answer:
    """Give a member of an organization these roles in it and no others."""
    asked = parse(Roles, call.body)
    place = lookup.organization(caller, organization)

    def write() -> Answer:
        before = lookup.member(caller, place.id, user, consistent=True)
        if before.id == caller.user.id:
            raise BadRequest("You cannot change your own organization roles.")
        if not caller.may("assign", Object("assign_org_role", organization=place.id)):
            raise Forbidden
        roles = supported(asked.roles, ORGANIZATION_ROLES, IMPLICIT_ORGANIZATION_ROLE)
        after = replace(before, organization_roles={**before.organization_roles, place.id: roles})
        return Answer(member_json(user_changes.change(call, caller, 200, before, after), place.id))

    return saved(write)


def _listed(roles: Iterable[Role], grantable: frozenset[str], organization_id: str = "") -> list[AssignableRoleJSON]:
    return [assignable_role_json(role, organization_id, assignable=role.name in grantable) for role in roles]
