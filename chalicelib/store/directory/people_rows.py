"""The layout of users and organizations as items, and their reader; a listed row has a place by its name."""

from __future__ import annotations

from typing import Any

from chalicelib.casing import lowered
from chalicelib.records import Organization, User
from chalicelib.store.directory.claims import DirectoryItem
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import decoded
from chalicelib.store.dynamodb.tables import OrganizationItem, UserItem

USER = "user"
"""The kind of the items that hold a user."""
ORGANIZATION = "organization"
"""The kind of the items that hold an organization."""
_RARE = ("is_service_account", "github_com_user_id")
"""Attributes of a user that are stored only where they say something."""


def listing_request(table: DirectoryItem, kind: str) -> dict[str, Any]:
    """The query for all rows of a kind that are listed, in the order of their names."""
    return {
        "TableName": table.Meta.table_name,
        "IndexName": "listing",
        "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": {":kind": {"S": kind}},
    }


def user_of(item: Item) -> User:
    """The user that an item of the table holds."""
    values = decoded(UserItem, item)
    values["roles"] = tuple(values["roles"])
    values["organization_roles"] = {key: tuple(roles) for key, roles in values["organization_roles"].items()}
    # Items of an earlier version lack fields, which then have their defaults.
    return User(**{name: values[name] for name in User.__slots__ if values[name] is not None})


def organization_of(item: Item) -> Organization:
    """The organization that an item of the table holds."""
    values = decoded(OrganizationItem, item)
    return Organization(**{name: values[name] for name in Organization.__slots__})


# Without its RANGE key `sort` a row leaves the listing: rows that nobody lists cost nothing there.
def user_item(user: User) -> UserItem:
    """The item of a user."""
    values = {name: getattr(user, name) for name in User.__slots__}
    values["roles"] = list(user.roles)
    values["organization_roles"] = {key: list(roles) for key, roles in user.organization_roles.items()}
    for name in _RARE:
        values[name] = values[name] or None
    return UserItem(**values, kind=USER, sort=place(user) if user.is_listed else None)


def organization_item(row: Organization) -> OrganizationItem:
    """The item of an organization."""
    values = {name: getattr(row, name) for name in Organization.__slots__}
    return OrganizationItem(**values, kind=ORGANIZATION, sort=None if row.deleted else _place(row.name, row.id))


def place(user: User) -> str:
    """Where a user stands in the listing, or stood before it was deleted: users are in the order of these texts."""
    return _place(user.username, user.id)


def _place(name: str, row_id: str) -> str:
    return f"{lowered(name)}#{row_id}"
