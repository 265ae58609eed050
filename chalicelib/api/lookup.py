"""The users and organizations that a path names and the caller may read; all others are answered as missing."""

from __future__ import annotations

from chalicelib.access.decide import Object, decide
from chalicelib.access.secret import is_key_id
from chalicelib.api.caller import Caller
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.records import APIKey, Organization, User
from chalicelib.search import values
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.default_organization import default_organization_id

_ME = "me"
_DEFAULT = "default"


def user_object(user_id: str) -> Object:
    """A user as the policy sees one: owned by itself."""
    return Object("user", user_id, owner=user_id)


def organization_object(organization_id: str) -> Object:
    """An organization as the policy sees one: belonging to itself."""
    return Object("organization", organization_id, organization=organization_id)


def member_object(user_id: str, organization_id: str) -> Object:
    """A membership as the policy sees one: owned by the member, belonging to the organization."""
    return Object("organization_member", user_id, owner=user_id, organization=organization_id)


def user(caller: Caller, name: str, *, consistent: bool = False, deleted: bool = False) -> User:
    """The user that `{user}` names: `me`, an id, or a username whatever its case.

    Args:
        caller: who asks.
        name: as in the path.
        consistent: whether the newest state is wanted, to change it.
        deleted: whether an id may be that of a deleted user; a name never is.

    Raises:
        NotFound: there is none, or the caller may not read it.
    """
    if not name:
        raise BadRequest('"user" must be provided.')
    named = caller.user if name == _ME else _by_name(name, consistent=consistent)
    if named is None or not decide(caller.subject, "read", user_object(named.id)):
        raise NotFound
    if named.deleted and not deleted:
        raise NotFound
    return named


def api_key(caller: Caller, key_id: str, *actions: str) -> APIKey:
    """The token that `{keyid}` names, for a caller who may do all of the actions to it.

    Raises:
        NotFound: there is none, or the caller may not.
        Forbidden: the caller may, with the current secret of the token that they bring.
    """
    key = api_keys.get(key_id) if is_key_id(key_id) else None
    if key is None:
        raise NotFound
    obj = Object("api_key", key.id, owner=key.user_id)
    if not all(caller.may(action, obj) for action in actions):
        raise NotFound
    return key


def organization(caller: Caller, name: str, *, consistent: bool = False) -> Organization:
    """The organization that `{organization}` names: `default`, an id, or a name whatever its case.

    The id of zeroes names the default organization too, as it does for Coder's clients.

    Raises:
        NotFound: there is none, or the caller may not read it.
    """
    is_default = name == _DEFAULT or _uuid(name) == values.NIL_UUID
    row_id = (is_default and default_organization_id()) or _uuid(name) or people.organization_id(name)
    named = people.get_organization(row_id, consistent=consistent) if row_id else None
    if named is None or named.deleted or not decide(caller.subject, "read", organization_object(named.id)):
        raise NotFound
    return named


def member(caller: Caller, organization_id: str, name: str, *, consistent: bool = False) -> User:
    """The member of an organization that `{user}` names: `me`, an id, or a username whatever its case.

    Raises:
        NotFound: there is none, or the caller may not read it.
    """
    named = caller.user if name == _ME else _by_name(name, consistent=consistent)
    if named is None or named.deleted or organization_id not in named.organization_roles:
        raise NotFound
    if not decide(caller.subject, "read", member_object(named.id, organization_id)):
        raise NotFound
    return named


def _by_name(name: str, *, consistent: bool) -> User | None:
    row_id = _uuid(name) or next(iter(people.user_ids("username", name)), None)
    return people.get_user(row_id, consistent=consistent) if row_id else None


def check_may_put(caller: Caller, obj: Object, *, new: bool) -> None:
    """Make sure that the caller may create the object, or change it.

    Raises:
        Forbidden: they may not, and may know that it is there.
        NotFound: they may not even read it.
    """
    if new:
        if not decide(caller.subject, "create", Object(obj.type)):
            raise Forbidden
        return
    if not decide(caller.subject, "update", obj):
        raise Forbidden if decide(caller.subject, "read", obj) else NotFound


def canonical(object_id: str) -> str:
    """An id as it is stored: a UUID in lower case and with hyphens, any other text as it is."""
    return _uuid(object_id) or object_id


def _uuid(text: str) -> str | None:
    try:
        return values.uuid(text)
    except values.WrongValue:
        return None
