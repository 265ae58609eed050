"""Users and organizations: who the log rows, the tokens and the filters speak of.

Rows are mirrored in by the platform. Names and e-mail addresses are unique whatever their case; a row and its claims
are written in one transaction. Deleting is soft, so that old log rows keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, cast

from chalicelib.casing import lowered
from chalicelib.records import Organization, User
from chalicelib.records.directory import PREBUILDS
from chalicelib.store.directory.claims import Changed, Claims, DirectoryItem, claim_id, fits, holders
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.directory.default_organization import default_writes
from chalicelib.store.directory.people_rows import (
    ORGANIZATION,
    USER,
    listing_request,
    organization_item,
    organization_of,
    user_item,
    user_of,
)
from chalicelib.store.directory.people_writes import transact_rows, transact_user, writes_of
from chalicelib.store.dynamodb.batch_get import batch_get, batch_get_rounds
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.rounds import Rounds, run
from chalicelib.store.dynamodb.tables import OrganizationItem, UserItem
from chalicelib.store.dynamodb.transaction import Write

_USER_CLAIMS = ("username", "email")
_ORGANIZATION_CLAIMS = ("name",)


class Known(NamedTuple):
    """The users, organizations and other items that were read by id.

    Attributes:
        users: deleted ones included.
        organizations: the same.
        others: the items of other tables.
    """

    users: dict[str, User]
    organizations: dict[str, Organization]
    others: dict[str, Item]


def get_user(user_id: str, *, consistent: bool = False) -> User | None:
    """The user with this id, deleted or not.

    The platform's own user is known before it is mirrored in. Until then it is no row that could be changed, and so not
    there for a consistent read, which goes before a change.
    """
    item = _get(UserItem, user_id, consistent=consistent)
    if item is None and user_id == PREBUILDS.id and not consistent:
        return PREBUILDS
    return user_of(item) if item else None


def get_user_and_claims(user_id: str, names: Iterable[tuple[str, str]]) -> tuple[User | None, Claims]:
    """The user with this id, read consistently, and in the same call the claims on names.

    Args:
        user_id: of the user.
        names: pairs of `username`, `email` or, for organizations, `name`, and the value in any case.
    """
    tables = {UserItem.Meta.table_name: {user_id}, OrganizationItem.Meta.table_name: set[str]()}
    for field, value in names:
        table = UserItem if field in _USER_CLAIMS else OrganizationItem
        tables[table.Meta.table_name].add(claim_id(field, value))
    wanted = {table: [key for key in keys if fits(key)] for table, keys in tables.items()}
    items = {item["id"]["S"]: item for _, item in batch_get(wanted, consistent=True)}
    own = items.pop(user_id, None)
    known = {key: items.get(key, {}) for keys in wanted.values() for key in keys if key != user_id}
    return user_of(own) if own and "kind" in own else None, known


def get_organization(organization_id: str, *, consistent: bool = False) -> Organization | None:
    """The organization with this id, deleted or not."""
    item = _get(OrganizationItem, organization_id, consistent=consistent)
    return organization_of(item) if item else None


def user_ids(field: str, value: str, *, deleted: bool = False, known: Claims = MappingProxyType({})) -> tuple[str, ...]:
    """The ids of users by `username` or `email`, whatever the case; with `deleted`, former holders too."""
    ids = holders(UserItem, field, value, former=deleted, known=known)
    return (PREBUILDS.id,) if not ids and field == "username" and lowered(value) == PREBUILDS.username else ids


def organization_id(name: str, known: Claims = MappingProxyType({})) -> str | None:
    """The id of the organization that has this name now, whatever the case."""
    ids = holders(OrganizationItem, "name", name, known=known)
    return ids[0] if ids else None


def get_users(ids: Iterable[str]) -> dict[str, User]:
    """Users by id, deleted ones included, in one call per hundred; unknown ids are left out."""
    return look_up(ids, ()).users


def get_organizations(ids: Iterable[str]) -> dict[str, Organization]:
    """Organizations by id, deleted ones included, in one call per hundred; unknown ids are left out."""
    return look_up((), ids).organizations


def look_up(user_ids: Iterable[str], organization_ids: Iterable[str]) -> Known:
    """Users and organizations by id; unknown ids are left out.

    Raises:
        Unavailable: the store did not give all of them.
    """
    return run(look_up_rounds(user_ids, organization_ids))


def look_up_rounds(
    user_ids: Iterable[str],
    organization_ids: Iterable[str],
    others: Mapping[str, Iterable[str]] = MappingProxyType({}),
    attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Rounds[Known]:
    """Users and organizations by id, and items of other tables, in one round; unknown ids are left out.

    Args:
        user_ids: of users.
        organization_ids: of organizations.
        others: table name -> ids, of what is wanted from other tables by the same requests.
        attributes: other table -> what is wanted of its items; none means all.

    Raises:
        Unavailable: the store did not give all of them.
    """
    known = Known({}, {}, {})
    wanted = frozenset(user_ids)
    if PREBUILDS.id in wanted:
        known.users[PREBUILDS.id] = PREBUILDS
    own = {UserItem.Meta.table_name: wanted, OrganizationItem.Meta.table_name: organization_ids}
    items = yield from batch_get_rounds({**own, **others}, attributes)
    for table, item in items:
        row_id = item["id"]["S"]
        if table not in own:
            known.others[row_id] = item
        elif "kind" not in item:
            continue
        elif table == UserItem.Meta.table_name:
            known.users[row_id] = user_of(item)
        else:
            known.organizations[row_id] = organization_of(item)
    return known


def has_users() -> bool:
    """Whether there is a user who is not deleted; one row is read to tell."""
    return bool(call("Query", listing_request(UserItem, USER) | {"Limit": 1})["Items"])


def list_users() -> Iterator[User]:
    """All users that are not deleted, by username."""
    return (user_of(item) for item in _listing(UserItem, USER))


def list_organizations() -> Iterator[Organization]:
    """All organizations that are not deleted, by name."""
    return (organization_of(item) for item in _listing(OrganizationItem, ORGANIZATION))


def touch_user(user: User, now: datetime, status: str, *trail: Write) -> None:
    """Note that a user was seen, and their status by that, and write the trail if there is one, all or nothing.

    Nothing happens when the user has changed meanwhile; an owner who becomes active is one of the active owners.
    """
    condition = (UserItem.updated_at == user.updated_at) & (UserItem.last_seen_at == user.last_seen_at)
    request = UserItem(user.id).get_update_kwargs_from_instance(
        actions=[UserItem.last_seen_at.set(now), UserItem.status.set(status)], condition=condition
    )
    try:
        if trail:
            transact_user([("", Write("Update", request))], trail, user, replace(user, status=status), list_users)
        else:
            call("UpdateItem", request)
    except (ConditionFailed, Changed):
        return


def save_user(user: User, before: User | None, *trail: Write) -> None:
    """Create (`before` is None) or replace a user together with its claims, and write the trail: all or nothing.

    Raises:
        Taken: the username or e-mail address belongs to another user.
        Changed: the stored user is no longer `before`.
        LastOwner: no active owner would be left.
    """
    transact_user(writes_of(UserItem, user_item(user), user, before, _USER_CLAIMS), trail, before, user, list_users)


def unchanged(user: User) -> Guarded:
    """The guard that a user is still as they were read: neither deleted nor given other roles meanwhile."""
    condition = (UserItem.updated_at == user.updated_at) & (UserItem.deleted == user.deleted)
    request = UserItem.get_operation_kwargs_from_class(user.id, condition=condition)
    return Guarded(Write("ConditionCheck", request), Changed)


def save_organization(
    organization: Organization, before: Organization | None, *trail: Write, present: Organization | None = None
) -> None:
    """Create (`before` is None) or replace an organization with its claims, and write the trail: all or nothing.

    Args:
        organization: as it will be.
        before: the same as stored.
        trail: the writes of the trail.
        present: the default organization as stored, where this one takes its place.

    Raises:
        Taken: the name belongs to another organization.
        Changed: a stored organization is no longer as it was read.
    """
    item = organization_item(organization)
    rows = writes_of(OrganizationItem, item, organization, before, _ORGANIZATION_CLAIMS)
    transact_rows([*rows, *default_writes(organization, before, present)], trail)


def save_organization_and_member(organization: Organization, member: User, before: User, *trail: Write) -> None:
    """Create an organization together with the change of the user who becomes its first member, and write the trail.

    Raises:
        Taken: the name belongs to another organization.
        Changed: the stored user is no longer `before`.
    """
    rows = [
        *writes_of(OrganizationItem, organization_item(organization), organization, None, _ORGANIZATION_CLAIMS),
        *writes_of(UserItem, user_item(member), member, before, _USER_CLAIMS),
    ]
    transact_rows(rows, trail)


def _get(table: DirectoryItem, row_id: str, *, consistent: bool) -> Item | None:
    request = {"TableName": table.Meta.table_name, "Key": {"id": {"S": row_id}}, "ConsistentRead": consistent}
    item = cast("Item | None", call("GetItem", request).get("Item"))
    return item if item and "kind" in item else None


def _listing(table: DirectoryItem, kind: str) -> Iterator[Item]:
    request = listing_request(table, kind)
    while True:
        answer = call("Query", request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
