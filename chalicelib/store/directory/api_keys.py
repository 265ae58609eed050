"""Tokens as they are kept: by id, listed by user, with a claim that makes (user, token name) unique.

Every change is one transaction with its audit row: if the row cannot be written, the change does not
happen. A change is conditional on the revision that was read, so that of two changes at once the second is made anew.
A write may have guards: what else must hold at the moment at which it happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from pynamodb.expressions.condition import Condition

from chalicelib import times
from chalicelib.access.lifetime import end_unused
from chalicelib.records import APIKey
from chalicelib.settings import current
from chalicelib.store.directory import token_counts, token_names
from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded, commit
from chalicelib.store.directory.token_counts import TooManyTokens
from chalicelib.store.directory.token_names import NOBODY, NameLost, NameTaken, claim, claim_id, unclaim
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.definitions import decoded
from chalicelib.store.dynamodb.tables import APIKeyItem
from chalicelib.store.dynamodb.transaction import Write

_KIND = "token"
LISTED: Final = _KIND
"""The HASH key of all tokens in the index that lists them; session keys have none."""
EXPIRES = "token"
"""The HASH key of all tokens and session keys in the index by expiry."""
_MAX_KEY_BYTES = 2_048
"""DynamoDB refuses to look for a longer key; what a client names by one is not there."""


REFUSALS_APART: Final = timedelta(hours=1)
"""How long after a refusal of a token was noted another is."""


class CallerChanged(Exception):
    """The token that a request came with was changed by another request meanwhile."""


def get(key_id: str) -> APIKey | None:
    """The token with this id, read consistently: a revocation takes effect on the next request.

    One that has been expired for longer than such tokens are kept is not there, here and in every other read.
    """
    item = _get(key_id)
    key = from_item(item) if item and "hashed_secret" in item else None
    return key if key is None or kept(key, cut_off()) else None


def get_by_name(user_id: str, token_name: str) -> APIKey | None:
    """The token of this name of a user, expired or not."""
    holder = token_names.holder(_get(claim_id(user_id, token_name))) if token_name else NOBODY
    return get(holder) if holder else None


def of_user(user_id: str, after: APIKey | None = None) -> Iterator[APIKey]:
    """A user's tokens, oldest first, behind the one given; session keys are left out."""
    return _listing("user", "token_of", user_id, after)


def list_all(after: APIKey | None = None) -> Iterator[APIKey]:
    """Everybody's tokens, oldest first, behind the one given; session keys are left out."""
    return _listing("listing", "kind", _KIND, after)


def add(key: APIKey, *trail: Write, guards: Sequence[Guarded] = ()) -> None:
    """Keep a new token, claim its name, count it and write its trail.

    Raises:
        NameTaken: the user has another token of this name that has not ended.
        TooManyTokens: the user has as many tokens as a user may have.
        Changed: there is a token with this id already.
        Exception: the failure of a guard.
    """
    new = Guarded(
        Write("Put", _item(key).get_save_kwargs_from_instance(condition=APIKeyItem.id.does_not_exist())), Changed
    )
    counts = [token_counts.more(key.user_id)] if key.login_type == _KIND else []
    try:
        _naming(key, [*guards, new], counts, trail)
    except TooManyTokens as error:
        if not _recounted(key.user_id, error.most):
            raise
        _naming(key, [*guards, new], counts, trail)


def change(after: APIKey, before: APIKey, *trail: Write, guards: Sequence[Guarded] = ()) -> None:
    """Replace a token, move its claim if its name has changed, and write its trail.

    Raises:
        NameTaken: the user has another token of the new name that has not ended.
        Changed: the stored token is no longer `before`.
        Exception: the failure of a guard.
    """
    changed = replace(after, revision=before.revision + 1)
    request = _item(changed).get_save_kwargs_from_instance(condition=APIKeyItem.revision == before.revision)
    writes = [*guards, Guarded(Write("Put", request), Changed)]
    ended = before.expires_at > after.updated_at >= after.expires_at
    counts = [_fewer([before])] if ended and before.login_type == _KIND else []
    if after.token_name == before.token_name:
        commit([*writes, *counts], trail)
        return
    released = [unclaim(before)] if before.token_name else []
    try:
        _naming(after, writes, [*released, *counts], trail)
    except NameLost:
        _naming(after, writes, counts, trail)


def delete(keys: Sequence[APIKey], *trail: Write, guards: Sequence[Guarded] = ()) -> None:
    """Delete tokens of one user with their claims, and write the trail: all of it or nothing.

    Raises:
        Changed: one of the stored tokens is no longer as given.
        Exception: the failure of a guard.
    """
    now = times.now()
    live = [key for key in keys if key.login_type == _KIND and key.expires_at > now]
    counts = [_fewer(live)] if live else []
    rows = [_removal(key, APIKeyItem.revision == key.revision) for key in keys]
    _releasing([*guards, *rows, *counts], keys, trail)


def delete_ended(keys: Sequence[APIKey]) -> None:
    """Delete tokens that have ended, those of several users among them, with their claims.

    Raises:
        Changed: one of them was used or changed since it was read, by which its end may have moved.
    """
    # A use moves the end of a session key, and that of a token that ends by going unused, and makes no revision.
    rows = [
        _removal(key, (APIKeyItem.revision == key.revision) & (APIKeyItem.last_used == key.last_used)) for key in keys
    ]
    _releasing(rows, keys, ())


def unchanged(key: APIKey) -> Guarded:
    """The guard that a token is still as it was read: not rotated, narrowed, ended or deleted meanwhile."""
    request = APIKeyItem.get_operation_kwargs_from_class(key.id, condition=APIKeyItem.revision == key.revision)
    return Guarded(Write("ConditionCheck", request), CallerChanged)


def touch(key: APIKey, now: datetime, expires_at: datetime) -> None:
    """Note that a token is in use, and when it ends by that; done by whichever of many requests comes first.

    A secret in use was received: from then on nobody may send the rotation again by which it was issued.
    """
    values = {":now": now, ":seen": key.last_used, ":seen_end": key.expires_at}
    if expires_at == key.expires_at:
        # A token that goes unused ends before its stored end, which then stays as it is.
        update, condition = "SET last_used = :now", "last_used = :seen AND expires_at >= :seen_end"
    else:
        update, condition = "SET last_used = :now, expires_at = :end", "last_used = :seen AND expires_at = :seen_end"
        values[":end"] = expires_at
    try:
        call(
            "UpdateItem",
            {
                "TableName": APIKeyItem.Meta.table_name,
                "Key": {"id": {"S": key.id}},
                "UpdateExpression": f"{update} REMOVE retry_secret",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {name: {"S": times.fixed(moment)} for name, moment in values.items()},
            },
        )
    except ConditionFailed:
        return


def note_refusal(key: APIKey, now: datetime, *trail: Write) -> None:
    """Note that a use of a token was refused, with the trail; nothing happens where one was noted within the hour."""
    stamp = APIKeyItem.refused_at
    condition = APIKeyItem.hashed_secret.exists() & (stamp.does_not_exist() | (stamp <= now - REFUSALS_APART))
    request = APIKeyItem(key.id).get_update_kwargs_from_instance(actions=[stamp.set(now)], condition=condition)
    try:
        commit([Guarded(Write("Update", request), Changed)], trail)
    except Changed:
        return


def _get(item_id: str) -> Item | None:
    if len(item_id.encode()) > _MAX_KEY_BYTES:
        return None
    request = {"TableName": APIKeyItem.Meta.table_name, "Key": {"id": {"S": item_id}}, "ConsistentRead": True}
    return cast("Item | None", call("GetItem", request).get("Item"))


def _naming(key: APIKey, writes: Sequence[Guarded], others: Sequence[Guarded], trail: Sequence[Write]) -> None:
    """Write a token that takes a name, from a token that has ended where one holds it."""
    if not key.token_name:
        commit([*writes, *others], trail)
        return
    try:
        commit([*writes, claim(key), *others], trail)
    except NameTaken:
        holder = token_names.holder(_get(claim_id(key.user_id, key.token_name)))
        item = _get(holder) if holder else None
        if item is not None and "hashed_secret" in item and from_item(item).expires_at > times.now():
            raise
        commit([*writes, claim(key, holder), *others], trail)


def _releasing(writes: Sequence[Guarded], keys: Sequence[APIKey], trail: Sequence[Write]) -> None:
    """Write what deletes tokens, with the claims on names that are still theirs."""
    named = {key.id: unclaim(key) for key in keys if key.token_name}
    while True:
        try:
            commit([*writes, *named.values()], trail)
        except NameLost as error:
            del named[error.key_id]
        else:
            return


def _removal(key: APIKey, condition: Condition) -> Guarded:
    return Guarded(Write("Delete", APIKeyItem(key.id).get_delete_kwargs_from_instance(condition=condition)), Changed)


def _fewer(keys: Sequence[APIKey]) -> Guarded:
    return Guarded(token_counts.fewer(keys[0].user_id, len(keys)), Changed)


def _recounted(user_id: str, most: int) -> bool:
    """Take the count of a user's tokens anew; whether there is room below the cap."""
    stood, now = token_counts.counted(user_id), times.now()
    live = sum(key.expires_at > now for key in of_user(user_id))
    if stood is not None:
        token_counts.correct(user_id, stood, live)
    return live < most


def _listing(index: str, key: str, value: str, after: APIKey | None) -> Iterator[APIKey]:
    request: dict[str, Any] = {
        "TableName": APIKeyItem.Meta.table_name,
        "IndexName": index,
        "KeyConditionExpression": "#key = :value AND #sort > :after",
        "ExpressionAttributeNames": {"#key": key, "#sort": "sort"},
        "ExpressionAttributeValues": {":value": {"S": value}, ":after": {"S": _sort(after) if after else " "}},
    }
    before = cut_off()
    while True:
        answer = call("Query", request)
        yield from (key for key in map(from_item, answer["Items"]) if kept(key, before))
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def cut_off() -> datetime | None:
    """The moment before which a token must have ended to be past its time; None where they are kept for ever."""
    return times.cut_off(current().api_keys_retention, times.now())


def kept(key: APIKey, before: datetime | None) -> bool:
    """Whether a token is not past its time."""
    return before is None or key.expires_at >= before


def unused_since(before: datetime) -> datetime | None:
    """The moment since which a token went unused that ended by that before another; None where none ends by that."""
    unused = current().unused_tokens_end
    return before - timedelta(microseconds=unused // 1_000) if unused > 0 else None


def _item(key: APIKey) -> APIKeyItem:
    values = {name: getattr(key, name) for name in APIKey.__slots__}
    values |= {name: list(getattr(key, name)) for name in ("scopes", "allow_list", "allowed_ips")}
    # Session keys stay out of the listings: Coder's clients list tokens only.
    listed = key.login_type == _KIND
    values |= {
        "expires": EXPIRES,
        "token_of": key.user_id if listed else None,
        "kind": _KIND if listed else None,
        "sort": _sort(key) if listed else None,
    }
    return APIKeyItem(**values)


def _sort(key: APIKey) -> str:
    return f"{times.fixed(key.created_at)}#{key.id}"


def from_item(item: Item) -> APIKey:
    """The token that an item holds."""
    values = decoded(APIKeyItem, item)
    values |= {name: tuple(values.get(name) or ()) for name in ("scopes", "allow_list", "allowed_ips")}
    values |= {name: int(values[name]) for name in ("lifetime_seconds", "revision")}
    if values["login_type"] == _KIND:
        used = max(values["last_used"], values["created_at"], values["updated_at"])
        values["expires_at"] = end_unused(values["expires_at"], used, current().unused_tokens_end)
    fields: dict[str, Any] = {name: values.get(name) for name in APIKey.__slots__}
    return APIKey(**fields)
