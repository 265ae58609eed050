"""Users and organizations: who the log rows, the tokens and the filters speak of.

Rows are mirrored in by the platform. Names and e-mail addresses are unique whatever their case; a row and its claims
are written in one transaction. Deleting is soft, so that old log rows keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from chalicelib.casing import lowered
from chalicelib.records import Organization, User
from chalicelib.store.directory.claims import (
    Changed,
    Claims,
    DirectoryItem,
    Taken,
    claim_id,
    fits,
    forget,
    hold,
    holders,
    leave,
    release,
)
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.directory.owners import LastOwner, owner_change, repair
from chalicelib.store.dynamodb.batch_get import batch_get, batch_get_rounds
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.rounds import Rounds, run
from chalicelib.store.dynamodb.tables import OrganizationItem, UserItem, decoded
from chalicelib.store.dynamodb.transaction import Write, transact

USER = "user"
"""The kind of the items that hold a user."""
_ORGANIZATION = "organization"
_USER_CLAIMS = ("username", "email")
_ORGANIZATION_CLAIMS = ("name",)
_RARE = ("is_service_account", "github_com_user_id")
"""Attributes of a user that are stored only where they say something."""

Writes = Sequence[tuple[str, Write]]
"""Writes of one transaction, each with what is wrong where its condition fails: a field that is taken, `_LAST_OWNER`,
or "" where the row has changed."""

_LAST_OWNER = "last owner"


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
    """The user with this id, deleted or not."""
    item = _get(UserItem, user_id, consistent=consistent)
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
    return _organization(item) if item else None


def user_ids(field: str, value: str, *, deleted: bool = False, known: Claims = MappingProxyType({})) -> tuple[str, ...]:
    """The ids of users by `username` or `email`, whatever the case; with `deleted`, former holders too."""
    return holders(UserItem, field, value, former=deleted, known=known)


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
    own = {UserItem.Meta.table_name: user_ids, OrganizationItem.Meta.table_name: organization_ids}
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
            known.organizations[row_id] = _organization(item)
    return known


def has_users() -> bool:
    """Whether there is a user who is not deleted; one row is read to tell."""
    return bool(call("Query", listing_request(UserItem, USER) | {"Limit": 1})["Items"])


def list_users() -> Iterator[User]:
    """All users that are not deleted, by username."""
    return (user_of(item) for item in _listing(UserItem, USER))


def list_organizations() -> Iterator[Organization]:
    """All organizations that are not deleted, by name."""
    return (_organization(item) for item in _listing(OrganizationItem, _ORGANIZATION))


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
            _transact_user([("", Write("Update", request))], trail, user, replace(user, status=status))
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
    _transact_user(_saving(UserItem, _user_item(user), user, before, _USER_CLAIMS), trail, before, user)


def unchanged(user: User) -> Guarded:
    """The guard that a user is still as they were read: neither deleted nor given other roles meanwhile."""
    condition = (UserItem.updated_at == user.updated_at) & (UserItem.deleted == user.deleted)
    request = UserItem.get_operation_kwargs_from_class(user.id, condition=condition)
    return Guarded(Write("ConditionCheck", request), Changed)


def save_organization(organization: Organization, before: Organization | None, *trail: Write) -> None:
    """Create (`before` is None) or replace an organization with its claim, and write the trail: all or nothing.

    Raises:
        Taken: the name belongs to another organization.
        Changed: the stored organization is no longer `before`.
    """
    item = _organization_item(organization)
    _transact(_saving(OrganizationItem, item, organization, before, _ORGANIZATION_CLAIMS), trail)


def save_organization_and_member(organization: Organization, member: User, before: User, *trail: Write) -> None:
    """Create an organization together with the change of the user who becomes its first member, and write the trail.

    Raises:
        Taken: the name belongs to another organization.
        Changed: the stored user is no longer `before`.
    """
    rows = [
        *_saving(OrganizationItem, _organization_item(organization), organization, None, _ORGANIZATION_CLAIMS),
        *_saving(UserItem, _user_item(member), member, before, _USER_CLAIMS),
    ]
    _transact(rows, trail)


def _saving(
    table: DirectoryItem,
    item: UserItem | OrganizationItem,
    after: User | Organization,
    before: User | Organization | None,
    claimed: Sequence[str],
) -> Writes:
    """The writes of a row and its claims, each with the field that is taken where its condition fails."""
    unchanged = table.id.does_not_exist() if before is None else table.updated_at == before.updated_at
    writes = [("", Write("Put", item.get_save_kwargs_from_instance(condition=unchanged)))]
    for field in claimed:
        # A service account without an e-mail address has none to claim.
        old = (lowered(getattr(before, field)) or None) if before and not before.deleted else None
        new = (lowered(getattr(after, field)) or None) if not after.deleted else None
        if old == new:
            continue
        if old is not None:
            give_back = leave if after.deleted else release
            writes.append(("", give_back(table, field, old, after.id)))
        elif before and lowered(getattr(before, field)) not in ("", new):
            writes.append(("", forget(table, field, getattr(before, field), after.id)))
        if new is not None:
            writes.append((field, hold(table, field, new, after.id)))
    return writes


def _transact_user(saving: Writes, trail: Sequence[Write], before: User | None, after: User) -> None:
    """Write a user, and whether they are an active owner, with the trail.

    Raises:
        Taken, Changed, LastOwner: as `save_user`.
    """
    write = owner_change(before, after)
    if write is None:
        _transact(saving, trail)
        return
    owned = [*saving, (_LAST_OWNER, write)]
    try:
        _transact(owned, trail)
    except LastOwner:
        if not repair(list_users(), before):
            raise
        _transact(owned, trail)


def _transact(saving: Writes, trail: Sequence[Write]) -> None:
    try:
        transact([*(write for _, write in saving), *trail])
    except TransactionCancelled as error:
        wrong = [saving[index][0] for index in error.failed if index < len(saving)]
        taken = [field for field in wrong if field not in ("", _LAST_OWNER)]
        if taken:
            raise Taken(taken) from error
        raise (LastOwner() if wrong == [_LAST_OWNER] else Changed()) from error


def _get(table: DirectoryItem, row_id: str, *, consistent: bool) -> Item | None:
    request = {"TableName": table.Meta.table_name, "Key": {"id": {"S": row_id}}, "ConsistentRead": consistent}
    item = cast("Item | None", call("GetItem", request).get("Item"))
    return item if item and "kind" in item else None


def listing_request(table: DirectoryItem, kind: str) -> dict[str, Any]:
    """The query for all rows of a kind that are not deleted, in the order of their names."""
    return {
        "TableName": table.Meta.table_name,
        "IndexName": "listing",
        "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": {":kind": {"S": kind}},
    }


def _listing(table: DirectoryItem, kind: str) -> Iterator[Item]:
    request = listing_request(table, kind)
    while True:
        answer = call("Query", request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def user_of(item: Item) -> User:
    """The user that an item of the table holds."""
    values = decoded(UserItem, item)
    values["roles"] = tuple(values["roles"])
    values["organization_roles"] = {key: tuple(roles) for key, roles in values["organization_roles"].items()}
    # Items of an earlier version lack fields, which then have their defaults.
    return User(**{name: values[name] for name in User.__slots__ if values[name] is not None})


def _organization(item: Item) -> Organization:
    values = decoded(OrganizationItem, item)
    return Organization(**{name: values[name] for name in Organization.__slots__})


# Without its RANGE key `sort` a row leaves the listing: deleted rows cost nothing there.
def _user_item(user: User) -> UserItem:
    values = {name: getattr(user, name) for name in User.__slots__}
    values["roles"] = list(user.roles)
    values["organization_roles"] = {key: list(roles) for key, roles in user.organization_roles.items()}
    for name in _RARE:
        values[name] = values[name] or None
    return UserItem(**values, kind=USER, sort=None if user.deleted else place(user))


def _organization_item(row: Organization) -> OrganizationItem:
    values = {name: getattr(row, name) for name in Organization.__slots__}
    return OrganizationItem(**values, kind=_ORGANIZATION, sort=None if row.deleted else _place(row.name, row.id))


def place(user: User) -> str:
    """Where a user stands in the listing, or stood before it was deleted: users are in the order of these texts."""
    return _place(user.username, user.id)


def _place(name: str, row_id: str) -> str:
    return f"{lowered(name)}#{row_id}"
