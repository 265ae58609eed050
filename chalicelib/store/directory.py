"""Users and organizations: who the log rows, the tokens and the filters speak of.

Rows are mirrored in by the platform. Names and e-mail addresses are unique whatever their case; a row and its claims
are written in one transaction. Deleting is soft, so that old log rows keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast

from chalicelib.casing import lowered
from chalicelib.store.batch_get import batch_get
from chalicelib.store.claims import (
    Changed,
    DirectoryItem,
    Known,
    Taken,
    claim_id,
    fits,
    forget,
    hold,
    holders,
    leave,
    release,
)
from chalicelib.store.engine import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.records import Organization, User
from chalicelib.store.tables import OrganizationItem, UserItem, decoded
from chalicelib.store.transaction import Write, transact

_USER = "user"
_ORGANIZATION = "organization"
_USER_CLAIMS = ("username", "email")
_ORGANIZATION_CLAIMS = ("name",)


def get_user(user_id: str, *, consistent: bool = False) -> User | None:
    """The user with this id, deleted or not."""
    item = _get(UserItem, user_id, consistent=consistent)
    return _user(item) if item else None


def get_user_and_claims(user_id: str, names: Iterable[tuple[str, str]]) -> tuple[User | None, Known]:
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
    found = {item["id"]["S"]: item for _, item in batch_get(wanted, consistent=True)}
    own = found.pop(user_id, None)
    known = {key: found.get(key, {}) for keys in wanted.values() for key in keys if key != user_id}
    return _user(own) if own and "kind" in own else None, known


def get_organization(organization_id: str, *, consistent: bool = False) -> Organization | None:
    """The organization with this id, deleted or not."""
    item = _get(OrganizationItem, organization_id, consistent=consistent)
    return _organization(item) if item else None


def user_ids(field: str, value: str, *, deleted: bool = False, known: Known = MappingProxyType({})) -> tuple[str, ...]:
    """The ids of users by `username` or `email`, whatever the case; with `deleted`, former holders too."""
    return holders(UserItem, field, value, former=deleted, known=known)


def organization_id(name: str, known: Known = MappingProxyType({})) -> str | None:
    """The id of the organization that has this name now, whatever the case."""
    found = holders(OrganizationItem, "name", name, known=known)
    return found[0] if found else None


def get_users(ids: Iterable[str]) -> dict[str, User]:
    """Users by id, deleted ones included, in one call per hundred; unknown ids are left out."""
    return users_and_organizations(ids, ())[0]


def get_organizations(ids: Iterable[str]) -> dict[str, Organization]:
    """Organizations by id, deleted ones included, in one call per hundred; unknown ids are left out."""
    return users_and_organizations((), ids)[1]


def users_and_organizations(
    user_ids: Iterable[str], organization_ids: Iterable[str]
) -> tuple[dict[str, User], dict[str, Organization]]:
    """Users and organizations by id, deleted ones included, in one call per hundred of both; unknown ids are left out.

    Raises:
        Unavailable: the store did not give all of them.
    """
    users: dict[str, User] = {}
    organizations: dict[str, Organization] = {}
    wanted = {UserItem.Meta.table_name: user_ids, OrganizationItem.Meta.table_name: organization_ids}
    for table, item in batch_get(wanted):
        if "kind" not in item:
            continue
        if table == UserItem.Meta.table_name:
            users[item["id"]["S"]] = _user(item)
        else:
            organizations[item["id"]["S"]] = _organization(item)
    return users, organizations


def list_users() -> Iterator[User]:
    """All users that are not deleted, by username."""
    return (_user(item) for item in _listing(UserItem, _USER))


def list_organizations() -> Iterator[Organization]:
    """All organizations that are not deleted, by name."""
    return (_organization(item) for item in _listing(OrganizationItem, _ORGANIZATION))


def touch_user(user: User, now: datetime, status: str) -> None:
    """Note that a user was seen, and their status by that; nothing happens when the user has changed meanwhile."""
    condition = (UserItem.updated_at == user.updated_at) & (UserItem.last_seen_at == user.last_seen_at)
    request = UserItem(user.id).get_update_kwargs_from_instance(
        actions=[UserItem.last_seen_at.set(now), UserItem.status.set(status)], condition=condition
    )
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return


def save_user(user: User, before: User | None) -> None:
    """Create (`before` is None) or replace a user together with its claims.

    Raises:
        Taken: the username or e-mail address belongs to another user.
        Changed: the stored user is no longer `before`.
    """
    _save(UserItem, _user_item(user), user, before, _USER_CLAIMS)


def save_organization(organization: Organization, before: Organization | None) -> None:
    """Create (`before` is None) or replace an organization together with its claim.

    Raises:
        Taken: the name belongs to another organization.
        Changed: the stored organization is no longer `before`.
    """
    _save(OrganizationItem, _organization_item(organization), organization, before, _ORGANIZATION_CLAIMS)


def _save(
    table: DirectoryItem,
    item: UserItem | OrganizationItem,
    after: User | Organization,
    before: User | Organization | None,
    claimed: Sequence[str],
) -> None:
    unchanged = table.id.does_not_exist() if before is None else table.updated_at == before.updated_at
    writes = [Write("Put", item.get_save_kwargs_from_instance(condition=unchanged))]
    fields = [""]
    for field in claimed:
        old = lowered(getattr(before, field)) if before and not before.deleted else None
        new = lowered(getattr(after, field)) if not after.deleted else None
        if old == new:
            continue
        if old is not None:
            writes.append(release(table, field, old, after.id) if new else leave(table, field, old, after.id))
            fields.append("")
        elif before and lowered(getattr(before, field)) != new:
            writes.append(forget(table, field, getattr(before, field), after.id))
            fields.append("")
        if new is not None:
            writes.append(hold(table, field, new, after.id))
            fields.append(field)
    try:
        transact(writes)
    except TransactionCancelled as error:
        taken = [fields[index] for index in error.failed if fields[index]]
        raise (Taken(taken) if taken else Changed()) from error


def _get(table: DirectoryItem, row_id: str, *, consistent: bool) -> Item | None:
    request = {"TableName": table.Meta.table_name, "Key": {"id": {"S": row_id}}, "ConsistentRead": consistent}
    item = cast("Item | None", call("GetItem", request).get("Item"))
    return item if item and "kind" in item else None


def _listing(table: DirectoryItem, kind: str) -> Iterator[Item]:
    request: dict[str, Any] = {
        "TableName": table.Meta.table_name,
        "IndexName": "listing",
        "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": {":kind": {"S": kind}},
    }
    while True:
        answer = call("Query", request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _user(item: Item) -> User:
    values = decoded(UserItem, item)
    values["roles"] = tuple(values["roles"])
    values["organization_roles"] = {key: tuple(roles) for key, roles in values["organization_roles"].items()}
    return User(**{name: values[name] for name in User.__slots__})


def _organization(item: Item) -> Organization:
    values = decoded(OrganizationItem, item)
    return Organization(**{name: values[name] for name in Organization.__slots__})


def _user_item(user: User) -> UserItem:
    values = {name: getattr(user, name) for name in User.__slots__}
    values["roles"] = list(user.roles)
    values["organization_roles"] = {key: list(roles) for key, roles in user.organization_roles.items()}
    return UserItem(**values, kind=_USER, sort=_sort(user.username, user.id, deleted=user.deleted))


def _organization_item(row: Organization) -> OrganizationItem:
    values = {name: getattr(row, name) for name in Organization.__slots__}
    return OrganizationItem(**values, kind=_ORGANIZATION, sort=_sort(row.name, row.id, deleted=row.deleted))


def _sort(name: str, row_id: str, *, deleted: bool) -> str | None:
    # Without its RANGE key a row leaves the listing: deleted rows cost nothing there.
    return None if deleted else f"{lowered(name)}#{row_id}"
