"""Tokens as they are kept: by id, listed by user, with a claim that makes (user, token name) unique.

Every change is one transaction with the audit row that tells of it: if the row cannot be written, the change does not
happen. A change is conditional on the revision that was read, so that of two changes at once the second is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from chalicelib import times
from chalicelib.records import APIKey
from chalicelib.settings import current
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import APIKeyItem, decoded
from chalicelib.store.dynamodb.transaction import Write, transact

_KIND = "token"
_EXPIRES = "token"
"""What every token and session key has as the HASH key of the index by expiry."""
_DELETED_AT_ONCE = 30
"""Tokens that one transaction deletes with their claims, of the 100 writes that it may have."""
_MAX_KEY_BYTES = 2_048
"""DynamoDB refuses to look for a longer key; what a client names by one is not there."""


class NameTaken(Exception):
    """The user has a token of this name, expired ones included."""


def get(key_id: str) -> APIKey | None:
    """The token with this id, read consistently: a revocation takes effect on the next request.

    One that has been expired for longer than such tokens are kept is not there, here and in every other read.
    """
    item = _get(key_id)
    key = _record(item) if item and "hashed_secret" in item else None
    return key if key is None or _kept(key, _cut_off()) else None


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
    _claiming(key, writes, trail)


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
    _claiming(after, writes, trail)


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


def expired(before: datetime, most: int, after: Item | None = None) -> tuple[list[Item], Item | None]:
    """Tokens and session keys that expired before a moment, longest ago first.

    Returns:
        At most so many, as `id` and `expires_at`, and what to go on after; None at the end.
    """
    request: dict[str, Any] = {
        "TableName": APIKeyItem.Meta.table_name,
        "IndexName": "expiry",
        "KeyConditionExpression": "#expires = :expires AND #end < :before",
        "ExpressionAttributeNames": {"#expires": "expires", "#end": "expires_at"},
        "ExpressionAttributeValues": {":expires": {"S": _EXPIRES}, ":before": {"S": times.fixed(before)}},
        "Limit": most,
    }
    answer = call("Query", request | ({"ExclusiveStartKey": after} if after else {}))
    return answer["Items"], answer.get("LastEvaluatedKey")


def count_expired(before: datetime, most: int) -> int:
    """How many expired before a moment, at most so many."""
    return len(expired(before, most)[0])


def delete_expired(key_ids: Iterable[str], before: datetime) -> int:
    """Delete tokens with their claims, those that are still expired before a moment, and answer how many.

    Raises:
        Unavailable: the store did not answer; of each token either all is deleted or nothing.
    """
    table = APIKeyItem.Meta.table_name
    keys = [_record(item) for _, item in batch_get({table: key_ids}, consistent=True) if "hashed_secret" in item]
    over = [key for key in keys if not _kept(key, before)]
    starts = range(0, len(over), _DELETED_AT_ONCE)
    return sum(_deleted(over[start : start + _DELETED_AT_ONCE], before) for start in starts)


def _deleted(keys: Sequence[APIKey], before: datetime) -> int:
    try:
        transact([write for key in keys for write in _removal(key, before)])
    except TransactionCancelled as error:
        if len(keys) > 1:
            # Somebody came in between with one of them; the others go without it.
            return sum(_deleted([key], before) for key in keys)
        if 0 in error.failed:
            return 0
        # The name is another token's by now: this one goes without it.
        return _deleted([replace(keys[0], token_name="")], before)
    return len(keys)


def _removal(key: APIKey, before: datetime) -> list[Write]:
    # Not the revision: the end of a session key moves without one.
    condition = APIKeyItem.expires_at < before
    writes = [Write("Delete", APIKeyItem(key.id).get_delete_kwargs_from_instance(condition=condition))]
    return [*writes, _unclaim(key)] if key.token_name else writes


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
    cut_off = _cut_off()
    while True:
        answer = call("Query", request)
        yield from (key for key in map(_record, answer["Items"]) if _kept(key, cut_off))
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _claiming(key: APIKey, writes: list[Write], trail: Sequence[Write]) -> None:
    """Write a token that may claim a name. One that is past its time no longer holds its name, purged or not."""
    try:
        _transact(writes, trail, key.token_name)
    except NameTaken:
        claim = _get(_claim_id(key.user_id, key.token_name))
        cut_off = _cut_off()
        if cut_off is None or not claim or not delete_expired([claim["holder"]["S"]], cut_off):
            raise
        _transact(writes, trail, key.token_name)


def _cut_off() -> datetime | None:
    return times.cut_off(current().api_keys_retention, times.now())


def _kept(key: APIKey, cut_off: datetime | None) -> bool:
    return cut_off is None or key.expires_at >= cut_off


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
        "expires": _EXPIRES,
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
