"""The names of users and organizations in a query of a log: their ids, as far as the caller may know them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from chalicelib.access.decide import Object, decide
from chalicelib.api.caller import Caller
from chalicelib.api.log_resource import known_by, knows_everybody
from chalicelib.search.filter import UserReference
from chalicelib.store.directory import people
from chalicelib.store.directory.claims import Claims


def organizations_of(caller: Caller) -> Callable[[str], str | None]:
    """A function from the name of an organization to its id, among the organizations that the caller may read."""

    def organization(name: str) -> str | None:
        row_id = people.organization_id(name, caller.names)
        seen = row_id and decide(caller.subject, "read", Object("organization", row_id, organization=row_id))
        return row_id if seen else None

    return organization


def user_ids(reference: UserReference, known: Claims = MappingProxyType({})) -> Sequence[str]:
    """The ids of the users that a reference names; what is known already is not looked up."""
    return people.user_ids(reference.by, reference.text, deleted=reference.deleted, known=known)


def known_user_ids(caller: Caller, reference: UserReference) -> Sequence[str]:
    """The ids of the users that a reference names, as far as the caller may know that it does.

    A row shows nothing of a stranger but the id and the username: so none is found by a guess of their address.
    """
    ids = user_ids(reference, caller.names)
    if not ids or reference.by != "email" or knows_everybody(caller.subject):
        return ids
    users, knows = people.get_users(ids), known_by(caller.subject)
    return [user_id for user_id in ids if user_id in users and knows(users[user_id])]
