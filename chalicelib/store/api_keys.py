"""Tokens as they are kept: by id, listed by user, with a claim that makes (user, token name) unique.

Every change is one transaction with the audit row that tells of it: if the row cannot be written, the change does not
happen. A change is conditional on the revision that was read, so that of two changes at once the second is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from chalicelib import times
from chalicelib.store.claims import Changed
from chalicelib.store.engine import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.records import APIKey
from chalicelib.store.tables import APIKeyItem, decoded
from chalicelib.store.transaction import Write, transact

_KIND = "token"
_MAX_KEY_BYTES = 2_048
"""DynamoDB refuses to look for a longer key; what a client names by one is not there."""


class NameTaken(Exception):
    """The user has a token of this name, expired ones included."""


def get(key_id: str) -> APIKey | None:
    """The token with this id, read consistently: a revocation takes effect on the next request."""
    item = _get(key_id)
    return _record(item) if item and "hashed_secret" in item else None


def get_by_name(user_id: str, token_name: str) -> APIKey | None:
    """The token of this name of a user, expired or not."""
    claim = _get(_claim_id(user_id, token_name)) if token_name else None
    return get(claim["holder"]["S"]) if claim and "holder" in claim else None


def of_user(user_id: str, after: APIKey | None = None) -> Iterator[APIKey]:
    """A user's tokens, oldest first, behind the one given; session keys are left out."""
    return _listing("user", "token_of", user_id, after)


def list_all(after: APIKey | None = None) -> Iterator[APIKey]:
    """Everybody's tokens, oldest first, behind the one given; session keys are left out."""
    return _listing("listing", "kind", _KIND, after)


def add(key: APIKey, *trail: Write) -> None:
    """Keep a new token, claim its name and write its trail.

    Raises:
        NameTaken: the user has a token of this name.
        Changed: there is a token with this id already.
    """
    writes = [Write("Put", _item(key).get_save_kwargs_from_instance(condition=APIKeyItem.id.does_not_exist()))]
    if key.token_name:
        writes.append(_claim(key))
    _transact(writes, trail, key.token_name)


def change(after: APIKey, before: APIKey, *trail: Write) -> None:
    """Replace a token, move its claim if its name has changed, and write its trail.

    Raises:
        NameTaken: the user has another token of the new name.
        Changed: the stored token is no longer `before`.
    """
    unchanged = APIKeyItem.revision == before.revision
    changed = replace(after, revision=before.revision + 1)
    writes = [Write("Put", _item(changed).get_save_kwargs_from_instance(condition=unchanged))]
    if after.token_name != before.token_name:
        writes.append(_claim(after))
        if before.token_name:
            writes.append(_unclaim(before))
    _transact(writes, trail, after.token_name)


def delete(keys: Sequence[APIKey], *trail: Write) -> None:
    """Delete tokens of one user with their claims, and write the trail: all of it or nothing.

    Raises:
        Changed: one of the stored tokens is no longer as given.
    """
    writes: list[Write] = []
    for key in keys:
        condition = APIKeyItem.revision == key.revision
        writes.append(Write("Delete", APIKeyItem(key.id).get_delete_kwargs_from_instance(condition=condition)))
        if key.token_name:
            writes.append(_unclaim(key))
    _transact(writes, trail, "")


def touch(key: APIKey, now: datetime, expires_at: datetime) -> None:
    """Note that a token is in use, and when it ends by that; done by whichever of many requests comes first."""
    try:
        call(
            "UpdateItem",
            {
                "TableName": APIKeyItem.Meta.table_name,
                "Key": {"id": {"S": key.id}},
                "UpdateExpression": "SET last_used = :now, expires_at = :end",
                "ConditionExpression": "last_used = :seen AND expires_at = :seen_end",
                "ExpressionAttributeValues": {
                    ":now": {"S": times.fixed(now)},
                    ":end": {"S": times.fixed(expires_at)},
                    ":seen": {"S": times.fixed(key.last_used)},
                    ":seen_end": {"S": times.fixed(key.expires_at)},
                },
            },
        )
    except ConditionFailed:
        return


def _get(item_id: str) -> Item | None:
    if len(item_id.encode()) > _MAX_KEY_BYTES:
        return None
    request = {"TableName": APIKeyItem.Meta.table_name, "Key": {"id": {"S": item_id}}, "ConsistentRead": True}
    return cast("Item | None", call("GetItem", request).get("Item"))


def _listing(index: str, key: str, value: str, after: APIKey | None) -> Iterator[APIKey]:
    request: dict[str, Any] = {
        "TableName": APIKeyItem.Meta.table_name,
        "IndexName": index,
        "KeyConditionExpression": "#key = :value AND #sort > :after",
        "ExpressionAttributeNames": {"#key": key, "#sort": "sort"},
        "ExpressionAttributeValues": {":value": {"S": value}, ":after": {"S": _sort(after) if after else " "}},
    }
    while True:
        answer = call("Query", request)
        yield from map(_record, answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _transact(writes: list[Write], trail: Sequence[Write], token_name: str) -> None:
    try:
        transact([*writes, *trail])
    except TransactionCancelled as error:
        if 0 in error.failed or not token_name:
            raise Changed from error
        raise NameTaken(token_name) from error


def _claim(key: APIKey) -> Write:
    claim = APIKeyItem(_claim_id(key.user_id, key.token_name), holder=key.id)
    return Write("Put", claim.get_save_kwargs_from_instance(condition=APIKeyItem.id.does_not_exist()))


def _unclaim(key: APIKey) -> Write:
    claim = APIKeyItem(_claim_id(key.user_id, key.token_name))
    return Write("Delete", claim.get_delete_kwargs_from_instance(condition=APIKeyItem.holder == key.id))


def _claim_id(user_id: str, token_name: str) -> str:
    return f"name#{user_id}#{token_name}"


def _item(key: APIKey) -> APIKeyItem:
    values = {name: getattr(key, name) for name in APIKey.__slots__}
    values |= {name: list(getattr(key, name)) for name in ("scopes", "allow_list", "allowed_ips")}
    # Session keys stay out of the listings: Coder's clients list tokens only.
    listed = key.login_type == _KIND
    values |= {
        "token_of": key.user_id if listed else None,
        "kind": _KIND if listed else None,
        "sort": _sort(key) if listed else None,
    }
    return APIKeyItem(**values)


def _sort(key: APIKey) -> str:
    return f"{times.fixed(key.created_at)}#{key.id}"


def _record(item: Item) -> APIKey:
    values = decoded(APIKeyItem, item)
    values |= {name: tuple(values.get(name) or ()) for name in ("scopes", "allow_list", "allowed_ips")}
    values |= {name: int(values[name]) for name in ("lifetime_seconds", "revision")}
    fields: dict[str, Any] = {name: values.get(name) for name in APIKey.__slots__}
    return APIKey(**fields)
