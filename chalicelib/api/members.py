"""Members of an organization: listed, added and removed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from chalicelib.access.decide import Object, reach
from chalicelib.api import lookup, user_changes, user_pages
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Encoded
from chalicelib.api.saving import saved
from chalicelib.api.user_pages import Rows, Visible
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.models.members import member_json, member_with_user_json
from chalicelib.records import User
from chalicelib.search import user_query
from chalicelib.search.user_filters import MEMBER_FILTERS, PAGED_MEMBER_FILTERS


@authenticated
def list_all(call: Call, caller: Caller, organization: str) -> Answer:
    """All members whom the caller may read, by username, for clients that know no pages."""
    place = lookup.organization(caller, organization)
    asked = user_query.parse(call.query("q"), MEMBER_FILTERS)
    readable = reach(caller.subject, "read", "organization_member")

    def visible(user: User) -> bool:
        belongs = place.id in user.organization_roles
        return belongs and readable.includes(caller.user.id, lookup.member_object(user.id, place.id))

    matching = user_pages.everybody(call, asked, Visible(visible))
    texts = user_pages.fitting(matching, _rows(place.id))
    if len(texts) < len(matching.users) or not matching.whole:
        raise BadRequest(
            "The organization has more members than one answer can list.",
            f"Read them by pages: GET /api/v2/organizations/{place.id}/paginated-members.",
        )
    return Answer(Encoded(f"[{','.join(texts)}]"))


@authenticated
def list_pages(call: Call, caller: Caller, organization: str) -> Answer:
    """A page of the members that `q` asks for, by username, for a caller who may read all of them."""
    place = lookup.organization(caller, organization)
    asked = user_query.parse(call.query("q"), PAGED_MEMBER_FILTERS)
    readable = reach(caller.subject, "read", "organization_member")
    if readable.ids is not None or not (readable.site or place.id in readable.organizations):
        raise NotFound
    visible = Visible(lambda user: place.id in user.organization_roles)
    return user_pages.answer(call, _rows(place.id), asked, visible)


@authenticated
def show(_call: Call, caller: Caller, organization: str, user: str) -> Answer:
    """One member."""
    place = lookup.organization(caller, organization)
    return Answer(member_with_user_json(lookup.member(caller, place.id, user), place.id))


@authenticated
def add(call: Call, caller: Caller, organization: str, user: str) -> Answer:
    """Make a user a member of an organization, without roles of their own in it."""
    place = lookup.organization(caller, organization)

    def write() -> Answer:
        before = lookup.user(caller, user, consistent=True)
        if not caller.may("create", Object("organization_member", "", before.id, place.id)):
            raise Forbidden
        if place.id in before.organization_roles:
            raise BadRequest("User is already an organization member")
        after = replace(before, organization_roles={**before.organization_roles, place.id: ()})
        return Answer(member_json(user_changes.change(call, caller, 200, before, after), place.id))

    return saved(write)


@authenticated
def remove(call: Call, caller: Caller, organization: str, user: str) -> Answer:
    """End the membership of a user, and with it the roles in the organization."""
    place = lookup.organization(caller, organization)

    def write() -> Answer:
        before = lookup.member(caller, place.id, user, consistent=True)
        if before.id == caller.user.id:
            raise BadRequest("cannot remove self from an organization")
        if not caller.may("delete", lookup.member_object(before.id, place.id)):
            raise Forbidden
        kept = {key: roles for key, roles in before.organization_roles.items() if key != place.id}
        user_changes.change(call, caller, 204, before, replace(before, organization_roles=kept))
        return Answer(None, 204)

    return saved(write)


def _rows(organization_id: str) -> Rows:
    return Rows("members", partial(member_with_user_json, organization_id=organization_id))
