"""Operations that a client may send again: which token a request made or rotated, kept for a day under its key.

The item is written in the transaction of the operation, so that there is never one without the other. The secret that
the operation made is kept as its hash alone, which shows whether the token still has that one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from chalicelib import times
from chalicelib.records import APIKey
from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import decoded
from chalicelib.store.dynamodb.tables import APIKeyItem
from chalicelib.store.dynamodb.transaction import Write

KEPT_FOR: Final = timedelta(hours=24)


class UnderWay(Exception):
    """Another request has begun the same operation since this one looked for it."""


class Operation(NamedTuple):
    """One operation that was done.

    Attributes:
        id: made of the caller and of the key that the client gave it.
        fingerprint: of what was asked for.
        key_id: the token that it made or rotated.
        made: the SHA-256 of the secret that it issued last.
    """

    id: str
    fingerprint: bytes
    key_id: str
    made: bytes


def get(operation_id: str, now: datetime) -> Operation | None:
    """The operation with this id, for a day after it was done."""
    request = {"TableName": APIKeyItem.Meta.table_name, "Key": {"id": {"S": _id(operation_id)}}, "ConsistentRead": True}
    item = call("GetItem", request).get("Item")
    if item is None:
        return None
    values = decoded(APIKeyItem, item)
    if values["forget_at"] <= now.timestamp():
        return None
    return Operation(operation_id, values["fingerprint"], values["holder"], values["made"])


def begun(operation_id: str, fingerprint: bytes, key: APIKey) -> Guarded:
    """The write that keeps an operation, done now by giving a token its secret; it fails where it is kept already."""
    now = times.now()
    item = APIKeyItem(
        _id(operation_id),
        fingerprint=fingerprint,
        holder=key.id,
        made=key.hashed_secret,
        forget_at=int((now + KEPT_FOR).astimezone(UTC).timestamp()),
    )
    condition = APIKeyItem.id.does_not_exist() | (APIKeyItem.forget_at <= int(now.timestamp()))
    return Guarded(Write("Put", item.get_save_kwargs_from_instance(condition=condition)), UnderWay)


def repeated(operation: Operation, key: APIKey) -> Guarded:
    """The write that notes the secret which a repetition has issued; it fails where another repetition was faster."""
    request = APIKeyItem(_id(operation.id)).get_update_kwargs_from_instance(
        actions=[APIKeyItem.made.set(key.hashed_secret)], condition=APIKeyItem.made == operation.made
    )
    return Guarded(Write("Update", request), Changed)


def _id(operation_id: str) -> str:
    return f"operation#{operation_id}"
