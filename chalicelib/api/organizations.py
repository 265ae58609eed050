"""Organizations: mirrored in by the platform, listed and looked up by clients."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from chalicelib import times
from chalicelib.access.decide import Object, decide, reach
from chalicelib.api import lookup, user_changes
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import uuid
from chalicelib.api.saving import saved
from chalicelib.api.trail import organization_trail, user_trail
from chalicelib.errors import BadRequest, Conflict, Forbidden, Validation
from chalicelib.models.base import parse
from chalicelib.models.directory import organization_json
from chalicelib.models.directory_bodies import MirroredOrganization, PatchOrganization, PutOrganization
from chalicelib.models.service import MessageJSON
from chalicelib.records import Organization
from chalicelib.store.directory import people
from chalicelib.store.directory.claims import Taken
from chalicelib.store.directory.default_organization import default_organization_id, displaced_by, is_the_default


@authenticated
def list_all(_call: Call, caller: Caller) -> Answer:
    """Every organization that the caller may read, by name."""
    readable = reach(caller.subject, "read", "organization")
    rows = (
        row
        for row in people.list_organizations()
        if readable.includes(caller.user.id, lookup.organization_object(row.id))
    )
    return Answer([organization_json(row) for row in rows])


@authenticated
def show(_call: Call, caller: Caller, organization: str) -> Answer:
    """One organization."""
    return Answer(organization_json(lookup.organization(caller, organization)))


@authenticated
def create(call: Call, caller: Caller) -> Answer:
    """Create an organization, with the caller as its first member."""
    asked = parse(PutOrganization, call.body)
    if not caller.may("create", Object("organization")):
        raise Forbidden
    row = _merged(str(uuid4()), asked, None)

    def write() -> Answer:
        before = people.get_user(caller.user.id, consistent=True) or caller.user
        member = replace(before, organization_roles={**before.organization_roles, row.id: ()}, updated_at=times.now())
        user_changes.check_change(caller, before, member)
        trail = [*organization_trail(call, caller, 201, None, row), *user_trail(call, caller, 201, before, member)]
        try:
            people.save_organization_and_member(row, member, before, *trail)
        except Taken as error:
            raise _name_taken(row.name) from error
        return Answer(organization_json(row), 201)

    return saved(write)


@authenticated
def change(call: Call, caller: Caller, organization: str) -> Answer:
    """Change what the body names of an organization, and nothing else."""
    asked = parse(PatchOrganization, call.body)

    def write() -> Answer:
        before = lookup.organization(caller, organization, consistent=True)
        if not decide(caller.subject, "update", lookup.organization_object(before.id)):
            raise Forbidden
        after = _merged(before.id, asked, before)
        if after != before:
            try:
                people.save_organization(after, before, *organization_trail(call, caller, 200, before, after))
            except Taken as error:
                raise _name_taken(after.name) from error
        return Answer(organization_json(after))

    return saved(write)


@authenticated
def put(call: Call, caller: Caller, organization: str) -> Answer:
    """Make an organization what the body says: 201 when it is new, 200 when it was there."""
    row_id = uuid("organization", organization)
    asked = parse(MirroredOrganization, call.body)

    def write() -> Answer:
        before = people.get_organization(row_id, consistent=True)
        new = before is None or before.deleted
        lookup.check_may_put(caller, lookup.organization_object(row_id), new=new)
        after = _merged(row_id, asked, before)
        if after != before:
            present = _present_default(caller, before, after)
            audit_writes = organization_trail(call, caller, 201 if new else 200, before, after)
            if present:
                audit_writes += organization_trail(call, caller, 200, present, displaced_by(after, present))
            try:
                people.save_organization(after, before, *audit_writes, present=present)
            except Taken as error:
                raise _name_taken(asked.name) from error
        return Answer(organization_json(after), 201 if new else 200)

    return saved(write)


@authenticated
def delete(call: Call, caller: Caller, organization: str) -> Answer:
    """Delete an organization; its name is free again, and old log rows still show it."""

    def write() -> Answer:
        before = lookup.organization(caller, organization, consistent=True)
        if not decide(caller.subject, "delete", lookup.organization_object(before.id)):
            raise Forbidden
        if before.is_default:
            raise BadRequest("Default organization cannot be deleted.")
        after = replace(before, deleted=True, updated_at=times.now())
        people.save_organization(after, before, *organization_trail(call, caller, 200, before, after))
        return Answer(MessageJSON(message="Organization has been deleted."))

    return saved(write)


def _present_default(caller: Caller, before: Organization | None, after: Organization) -> Organization | None:
    """The organization whose place as the default one is taken, if any.

    Raises:
        Forbidden: the default one would be another, and the caller may not make organizations.
    """
    if is_the_default(after) == is_the_default(before):
        return None
    if not caller.may("create", Object("organization")):
        raise Forbidden
    present = default_organization_id() if after.is_default else None
    return people.get_organization(present, consistent=True) if present and present != after.id else None


def _merged(row_id: str, asked: PutOrganization | PatchOrganization, before: Organization | None) -> Organization:
    now = times.now()
    name = asked.name or (before.name if before else "")
    base = before or Organization(
        id=row_id,
        name=name,
        display_name=name,
        description="",
        icon="",
        is_default=False,
        created_at=now,
        updated_at=now,
    )
    given = asked.model_dump(exclude_none=True, exclude={"name"})
    after = replace(base, **given, name=name, deleted=False)
    return after if after == before else replace(after, updated_at=now)


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f'Organization already exists with the name "{name}".',
        validations=[Validation("name", "This value is already in use and should be unique.")],
    )
