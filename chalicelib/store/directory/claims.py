"""Unique values of the directory: a claim is an item that says which one row has a value now.

Timeline of a value: nobody → *held* by a row (`holder`) → released on rename, or *left* by a row that was deleted
(`former`), so that an auditor can search log rows by the e-mail address of a deleted user. A later row may hold
a value that others have left.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chalicelib.casing import lowered
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import OrganizationItem, UserItem
from chalicelib.store.dynamodb.transaction import Write

DirectoryItem = type[UserItem] | type[OrganizationItem]

Claims = Mapping[str, Item]
"""Claims that were read already: the key of each -> its item, empty where there is none."""

_MAX_KEY_BYTES = 1_024


class Taken(Exception):
    """Another row has a value that must be unique.

    Attributes:
        fields: the names of the fields whose values are taken.
    """

    def __init__(self, fields: list[str]) -> None:
        super().__init__(f"taken: {', '.join(fields)}")
        self.fields = fields


class Changed(Exception):
    """The row was changed by another request since it was read; read it again."""


def claim_id(field: str, value: str) -> str:
    """The key of the claim on a value; values are unique whatever their case."""
    return f"{field}#{lowered(value)}"


def hold(table: DirectoryItem, field: str, value: str, holder: str) -> Write:
    """Take a value; the condition fails while another row holds it."""
    claim = table(claim_id(field, value))
    return Write(
        "Update",
        claim.get_update_kwargs_from_instance(
            actions=[table.holder.set(holder), table.former.delete({holder})],
            condition=table.holder.does_not_exist() | (table.holder == holder),
        ),
    )


def hand_over(table: DirectoryItem, field: str, value: str, holder: str, heir: str) -> Write:
    """Give a value to another row; the condition fails when it is no longer the holder's."""
    claim = table(claim_id(field, value))
    return Write(
        "Update",
        claim.get_update_kwargs_from_instance(actions=[table.holder.set(heir)], condition=table.holder == holder),
    )


def release(table: DirectoryItem, field: str, value: str, holder: str) -> Write:
    """Give a value back, as on a rename."""
    claim = table(claim_id(field, value))
    return Write(
        "Update",
        claim.get_update_kwargs_from_instance(actions=[table.holder.remove()], condition=table.holder == holder),
    )


def leave(table: DirectoryItem, field: str, value: str, holder: str) -> Write:
    """Give a value back and stay findable by it, as on a deletion."""
    claim = table(claim_id(field, value))
    return Write(
        "Update",
        claim.get_update_kwargs_from_instance(
            actions=[table.holder.remove(), table.former.add({holder})], condition=table.holder == holder
        ),
    )


def forget(table: DirectoryItem, field: str, value: str, holder: str) -> Write:
    """Be no longer findable by a value that was left, as on a revival under another one."""
    claim = table(claim_id(field, value))
    return Write("Update", claim.get_update_kwargs_from_instance(actions=[table.former.delete({holder})]))


def holders(
    table: DirectoryItem, field: str, value: str, *, former: bool = False, known: Claims = MappingProxyType({})
) -> tuple[str, ...]:
    """The ids that answer to a value: who holds it now and, when asked, the deleted rows that left it.

    Args:
        table: of the rows.
        field: the name of the field.
        value: in any case.
        former: whether deleted rows count.
        known: claims that were read already; another one is read now.
    """
    key = claim_id(field, value)
    if not fits(key):
        return ()
    if key in known:
        item = known[key]
    else:
        item = call("GetItem", {"TableName": table.Meta.table_name, "Key": {"id": {"S": key}}}).get("Item", {})
    ids = [item["holder"]["S"]] if "holder" in item else []
    if former:
        ids += sorted(item.get("former", {}).get("SS", ()))
    return tuple(ids)


def fits(key: str) -> bool:
    """Whether a claim may have this key; on a longer value there is none."""
    return len(key.encode()) <= _MAX_KEY_BYTES
