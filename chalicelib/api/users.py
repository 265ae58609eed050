"""Users: listed and looked up, with their organizations."""

from __future__ import annotations

from chalicelib.access.decide import reach
from chalicelib.api import lookup, user_pages
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.user_pages import Rows
from chalicelib.models.directory import organization_json, user_json
from chalicelib.search import user_query
from chalicelib.search.user_filters import USER_FILTERS
from chalicelib.store.directory import people


@authenticated
def list_all(call: Call, caller: Caller) -> Answer:
    """The users that `q` asks for and the caller may read, by username."""
    asked = user_query.parse(call.query("q"), USER_FILTERS)
    return user_pages.answer(call, Rows("users", user_json), asked, user_pages.readable(caller))


@authenticated
def show(_call: Call, caller: Caller, user: str) -> Answer:
    """One user; by id also one who was deleted."""
    return Answer(user_json(lookup.user(caller, user, deleted=True)))


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


@authenticated
def organization_of(_call: Call, caller: Caller, user: str, organization: str) -> Answer:
    """One organization, asked for beside a user."""
    lookup.user(caller, user)
    return Answer(organization_json(lookup.organization(caller, organization)))
