"""Tokens as they are kept: by id, with a claim that makes (user, token name) unique."""

from __future__ import annotations

from typing import cast

from chalicelib.store.engine import Item, TransactionCancelled, call
from chalicelib.store.records import APIKey
from chalicelib.store.tables import APIKeyItem
from chalicelib.store.transaction import Write, transact


class NameTaken(Exception):
    """The user has a token of this name, expired ones included."""


def get(key_id: str) -> APIKey | None:
    """The token with this id, read consistently: a revocation takes effect on the next request."""
    request = {"TableName": APIKeyItem.Meta.table_name, "Key": {"id": {"S": key_id}}, "ConsistentRead": True}
    item = cast("Item | None", call("GetItem", request).get("Item"))
    return _record(item) if item and "hashed_secret" in item else None


def add(key: APIKey) -> None:
    """Keep a new token and claim its name, in one transaction.

    Raises:
        NameTaken: the user has a token of this name.
    """
    values = {name: getattr(key, name) for name in APIKey.__slots__}
    values |= {"scopes": list(key.scopes), "allow_list": list(key.allow_list)}
    row = APIKeyItem(**values)
    writes = [Write("Put", row.get_save_kwargs_from_instance(condition=APIKeyItem.id.does_not_exist()))]
    if key.token_name:
        claim = APIKeyItem(_claim_id(key.user_id, key.token_name), holder=key.id)
        writes.append(Write("Put", claim.get_save_kwargs_from_instance(condition=APIKeyItem.id.does_not_exist())))
    try:
        transact(writes)
    except TransactionCancelled as error:
        if 1 in error.failed:
            raise NameTaken(key.token_name) from error
        raise


def _claim_id(user_id: str, token_name: str) -> str:
    return f"name#{user_id}#{token_name}"


def _record(item: Item) -> APIKey:
    values = APIKeyItem.from_raw_data(item).attribute_values
    values["scopes"] = tuple(values["scopes"])
    values["allow_list"] = tuple(values["allow_list"])
    values["lifetime_seconds"] = int(values["lifetime_seconds"])
    return APIKey(**{name: values[name] for name in APIKey.__slots__})
