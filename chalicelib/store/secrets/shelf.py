"""The secrets of a user as they are kept: one item that describes all of them, and one for each value.

    <user id>      the *shelf*: what is known of every secret of the user, and a revision
    <secret id>    a value, encrypted, with its data key, wrapped

Every change is one transaction of the shelf, the value and the trail, conditional on the revision that was read: so
names stay unique and limits hold, whoever else writes. No value is on the shelf, so no list reads one.

The values of a file are too many for one transaction with their trail. They are stored before the shelf names their
secrets, and until then it has their ids as *pending*: whoever writes next deletes what an import left behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib import times
from chalicelib.errors import BadRequest
from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded, commit
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.tables import UserSecretItem
from chalicelib.store.dynamodb.transaction import Write, delete_together, transact
from chalicelib.store.secrets.data_keys import Context, opened, sealed, wrapper
from chalicelib.vault.secret import Secret

_MAX_SHELF_BYTES = 350_000
"""The limit of a shelf; that of an item is 400 KB."""
_DELETED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """The secrets of a user, by name, without their values; the revision counts their changes.

    Attributes:
        pending: ids of values that are stored for an import that has not ended.
    """

    user_id: str
    revision: int
    secrets: Mapping[str, Secret]
    pending: tuple[str, ...] = ()


def read(user_id: str) -> Shelf:
    """The shelf of a user as it is now; one without secrets where there is none."""
    item = _get(user_id)
    if item is None:
        return Shelf(user_id, 0, {})
    held = (_secret(fields) for fields in unpacked(item)["secrets"])
    pending = tuple(item["pending"]["SS"]) if "pending" in item else ()
    return Shelf(user_id, int(item["revision"]["N"]), {secret.name: secret for secret in held}, pending)


def put(shelf: Shelf, secret: Secret, value: str | None, *trail: Write, guards: Sequence[Guarded] = ()) -> None:
    """Keep a secret in the place of the one of its name, or beside the others, with its trail.

    Args:
        shelf: as it was read.
        secret: as it is to be.
        value: the new one; None leaves it as it is.
        trail: the rows that tell of it.
        guards: what else must hold when it is written.

    Raises:
        Changed: the shelf is no longer the one that was read.
        Exception: the failure of a guard.
        BadRequest: the descriptions of all secrets are too long together.
        Unavailable, StoreRefused: by the store, or by the key service.
    """
    writes = [*guards, *_saving(shelf, {**shelf.secrets, secret.name: secret})]
    if value is not None:
        writes.append(Guarded(_value(shelf.user_id, secret.id, value), Changed))
    commit(writes, trail)


def put_all(shelf: Shelf, values: Mapping[Secret, str], *trail: Write, guards: Sequence[Guarded] = ()) -> None:
    """Keep new secrets beside the others, all of them or none, with their trail.

    Args:
        shelf: as it was read.
        values: of each of the secrets.
        trail: the rows that tell of it.
        guards: what else must hold when they are written.

    Raises:
        Changed: the shelf is no longer the one that was read.
        Exception: the failure of a guard.
        BadRequest: the names of all secrets are too long together.
        Unavailable, StoreRefused: by the store, or by the key service.
    """
    ids = tuple(secret.id for secret in values)
    commit(_saving(shelf, shelf.secrets, ids))
    transact([_value(shelf.user_id, secret.id, value) for secret, value in values.items()])
    secrets = {**shelf.secrets, **{secret.name: secret for secret in values}}
    try:
        commit([*guards, *_saving(replace(shelf, revision=shelf.revision + 1, pending=()), secrets)], trail)
    except Changed:
        # Another writer came in between, and no longer knows of values that were stored after it.
        delete_together(_table(), ids)
        raise


def remove(shelf: Shelf, name: str, *trail: Write) -> None:
    """Delete a secret with its value, with its trail.

    Raises:
        Changed: the shelf is no longer the one that was read.
    """
    secrets = {**shelf.secrets}
    gone = secrets.pop(name)
    deletion = Write("Delete", {"TableName": _table(), "Key": {"id": {"S": gone.id}}})
    commit([*_saving(shelf, secrets), Guarded(deletion, Changed)], trail)


def value_of(user_id: str, secret: Secret) -> str | None:
    """The value of a secret; None where it was deleted meanwhile.

    Raises:
        Unavailable, StoreRefused: by the store, or by the key service.
    """
    item = _get(secret.id)
    if item is None:
        return None
    context = _context(user_id, secret.id)
    key = wrapper().unwrapped(item["wrapped"]["B"], context)
    return opened(key, item["sealed"]["B"], context).decode()


def clear(user_id: str) -> None:
    """Delete whatever a user has kept."""
    shelf = read(user_id)
    if shelf.revision == 0:
        return
    ids = [user_id, *shelf.pending, *(secret.id for secret in shelf.secrets.values())]
    for start in range(0, len(ids), _DELETED_AT_ONCE):
        delete_together(_table(), ids[start : start + _DELETED_AT_ONCE])


def _saving(shelf: Shelf, secrets: Mapping[str, Secret], pending: tuple[str, ...] = ()) -> list[Guarded]:
    """The writes that put the shelf as it is to be in the place of the one that was read, without what that left."""
    fields = [_fields(secret) for secret in secrets.values()]
    attributes = packed({"secrets": fields})
    ((kind, value),) = next(iter(attributes.values())).items()
    size = len(value) if kind == "B" else len(value.encode())
    if size > _MAX_SHELF_BYTES:
        raise BadRequest("User secrets limit reached.", "Names, descriptions and paths are too long together.")
    request: dict[str, Any] = {
        "TableName": _table(),
        "Item": {"id": {"S": shelf.user_id}, "revision": {"N": str(shelf.revision + 1)}, **attributes},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    if shelf.revision:
        request |= {
            "ConditionExpression": "revision = :read",
            "ExpressionAttributeValues": {":read": {"N": str(shelf.revision)}},
        }
    if pending:
        request["Item"]["pending"] = {"SS": [*pending]}
    left = [Write("Delete", {"TableName": _table(), "Key": {"id": {"S": own}}}) for own in shelf.pending]
    return [Guarded(write, Changed) for write in (Write("Put", request), *left)]


def _value(user_id: str, secret_id: str, value: str) -> Write:
    context = _context(user_id, secret_id)
    key = wrapper().new(context)
    item = {
        "id": {"S": secret_id},
        "wrapped": {"B": key.wrapped},
        "sealed": {"B": sealed(key.plain, value.encode(), context)},
    }
    return Write("Put", {"TableName": _table(), "Item": item})


def _get(item_id: str) -> Item | None:
    item: Item | None = call(
        "GetItem", {"TableName": _table(), "Key": {"id": {"S": item_id}}, "ConsistentRead": True}
    ).get("Item")
    return item


def _table() -> str:
    name: str = UserSecretItem.Meta.table_name
    return name


def _context(user_id: str, secret_id: str) -> Context:
    return {"user": user_id, "secret": secret_id}


def _fields(secret: Secret) -> dict[str, Any]:
    fields = {name: getattr(secret, name) for name in Secret.__slots__}
    return fields | {name: times.fixed(fields[name]) for name in ("created_at", "updated_at")}


def _secret(fields: Mapping[str, Any]) -> Secret:
    moments = {name: times.from_fixed(fields[name]) for name in ("created_at", "updated_at")}
    return Secret(**{**fields, **moments})
