"""Writes a user or an organization in one transaction with its claims, its trail, and the set of active owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chalicelib.casing import lowered
from chalicelib.records import Organization, User
from chalicelib.store.directory.claims import Changed, DirectoryItem, Taken, forget, hold, leave, release
from chalicelib.store.directory.owners import LastOwner, owner_change, repair
from chalicelib.store.dynamodb.client import TransactionCancelled
from chalicelib.store.dynamodb.tables import OrganizationItem, UserItem
from chalicelib.store.dynamodb.transaction import Write, transact

Writes = Sequence[tuple[str, Write]]
"""Writes of one transaction, each with what is wrong where its condition fails: a field that is taken, `_LAST_OWNER`,
or "" where the row has changed."""

_LAST_OWNER = "last owner"


def writes_of(
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


def transact_user(
    rows: Writes,
    trail: Sequence[Write],
    before: User | None,
    after: User,
    users: Callable[[], Iterable[User]],
) -> None:
    """Write a user, and whether they are an active owner, with the trail.

    Args:
        rows: the writes of the user and its claims.
        trail: the writes of the trail.
        before: the user as stored; None for a new one.
        after: the user as it will be.
        users: lists all users, for a deployment whose set of active owners lacks one.

    Raises:
        Taken: the username or e-mail address belongs to another user.
        Changed: the stored user is no longer `before`.
        LastOwner: no active owner would be left.
    """
    write = owner_change(before, after)
    if write is None:
        transact_rows(rows, trail)
        return
    owned = [*rows, (_LAST_OWNER, write)]
    try:
        transact_rows(owned, trail)
    except LastOwner:
        if not repair(users(), before):
            raise
        transact_rows(owned, trail)


def transact_rows(rows: Writes, trail: Sequence[Write]) -> None:
    """Write rows, claims and the trail, all or nothing.

    Raises:
        Taken, Changed, LastOwner: as the writes say where their conditions fail.
    """
    try:
        transact([*(write for _, write in rows), *trail])
    except TransactionCancelled as error:
        wrong = [rows[index][0] for index in error.failed if index < len(rows)]
        taken = [field for field in wrong if field not in ("", _LAST_OWNER)]
        if taken:
            raise Taken(taken) from error
        raise (LastOwner() if wrong == [_LAST_OWNER] else Changed()) from error
