"""The default organization of a deployment: one at most, which holds a claim that has no value.

The platform says which one it is. When it says so of another one, the earlier one is it no longer, in one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chalicelib.records import Organization
from chalicelib.store.directory.claims import hand_over, hold, holders, release
from chalicelib.store.directory.people_rows import organization_item
from chalicelib.store.directory.people_writes import Writes, writes_of
from chalicelib.store.dynamodb.tables import OrganizationItem

_FIELD: Final = "default"
_VALUE: Final = ""


def default_organization_id() -> str | None:
    """The id of the default organization; None where nobody has said which one it is."""
    ids = holders(OrganizationItem, _FIELD, _VALUE)
    return ids[0] if ids else None


def is_the_default(row: Organization | None) -> bool:
    """Whether an organization is the default one; a deleted one is not."""
    return row is not None and row.is_default and not row.deleted


def displaced_by(after: Organization, present: Organization) -> Organization:
    """The present default organization as it is once `after` has taken its place."""
    return replace(present, is_default=False, updated_at=after.updated_at)


def default_writes(after: Organization, before: Organization | None, present: Organization | None) -> Writes:
    """The writes by which an organization becomes the default one, or is it no longer.

    Args:
        after: the organization as it will be.
        before: the same as stored; None for a new one.
        present: the default organization as stored, where it is another one.
    """
    if is_the_default(after) == is_the_default(before):
        return []
    if is_the_default(before):
        return [("", release(OrganizationItem, _FIELD, _VALUE, after.id))]
    if present is None:
        return [("", hold(OrganizationItem, _FIELD, _VALUE, after.id))]
    displaced = displaced_by(after, present)
    return [
        ("", hand_over(OrganizationItem, _FIELD, _VALUE, present.id, after.id)),
        *writes_of(OrganizationItem, organization_item(displaced), displaced, present, ()),
    ]
