"""Tokens that have ended, as the purge deletes them: by their end, or by going unused where a setting has them do so.

The index by expiry has the first, longest ago first. The others keep in it the end that they were given: a setting that
is taken back gives it back to them, and a use writes no index. They are read from the list of all tokens, oldest first,
up to the age from which one can have ended so. DynamoDB reads about 2,000 tokens a call there, and passes on the ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib import times
from chalicelib.records import APIKey
from chalicelib.store.directory.api_keys import EXPIRES, LISTED, delete_ended, from_item, kept, unused_since
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import APIKeyItem

_DELETED_AT_ONCE = 30
"""Tokens that one transaction deletes with their claims, of the 100 writes that it may have."""


class Ended(NamedTuple):
    """A token or session key that has ended, as an index has it.

    Attributes:
        id: its id.
        at: when it ended.
    """

    id: str
    at: datetime


Page = tuple[list[Ended], Item | None]
"""A page of tokens that have ended, and the key to continue after; None at the end."""


def expired(before: datetime, most: int, after: Item | None = None) -> Page:
    """Tokens and session keys that expired before a moment, longest ago first, at most so many."""
    request: dict[str, Any] = {
        "TableName": APIKeyItem.Meta.table_name,
        "IndexName": "expiry",
        "KeyConditionExpression": "#expires = :expires AND #end < :before",
        "ExpressionAttributeNames": {"#expires": "expires", "#end": "expires_at"},
        "ExpressionAttributeValues": {":expires": {"S": EXPIRES}, ":before": {"S": times.fixed(before)}},
        "Limit": most,
    }
    answer = call("Query", request | ({"ExclusiveStartKey": after} if after else {}))
    ended = [Ended(item["id"]["S"], times.from_fixed(item["expires_at"]["S"])) for item in answer["Items"]]
    return ended, answer.get("LastEvaluatedKey")


def unused(before: datetime, after: Item | None = None) -> Page:
    """Tokens that ended before a moment by going unused, and not by their own end; those made first come first."""
    since = unused_since(before)
    if since is None:
        return [], None
    request: dict[str, Any] = {
        "TableName": APIKeyItem.Meta.table_name,
        "IndexName": "listing",
        "KeyConditionExpression": "#kind = :listed AND #sort < :since",
        "FilterExpression": "#end >= :before AND #used < :since AND #updated < :since",
        "ExpressionAttributeNames": {
            "#kind": "kind",
            "#sort": "sort",
            "#end": "expires_at",
            "#used": "last_used",
            "#updated": "updated_at",
        },
        "ExpressionAttributeValues": {
            ":listed": {"S": LISTED},
            ":since": {"S": times.fixed(since)},
            ":before": {"S": times.fixed(before)},
        },
    }
    answer = call("Query", request | ({"ExclusiveStartKey": after} if after else {}))
    keys = map(from_item, answer["Items"])
    return [Ended(key.id, key.expires_at) for key in keys], answer.get("LastEvaluatedKey")


def count_ended(before: datetime, most: int) -> int:
    """How many ended before a moment, at most so many."""
    number = len(expired(before, most)[0])
    after: Item | None = None
    while number < most:
        ended, after = unused(before, after)
        number += len(ended)
        if after is None:
            break
    return min(number, most)


def delete_expired(key_ids: Iterable[str], before: datetime) -> int:
    """Delete tokens with their claims, those that still have ended before a moment, and answer how many.

    Raises:
        Unavailable: the store did not answer; of each token either all is deleted or nothing.
    """
    table = APIKeyItem.Meta.table_name
    keys = [from_item(item) for _, item in batch_get({table: key_ids}, consistent=True) if "hashed_secret" in item]
    over = [key for key in keys if not kept(key, before)]
    starts = range(0, len(over), _DELETED_AT_ONCE)
    return sum(_deleted(over[start : start + _DELETED_AT_ONCE]) for start in starts)


def _deleted(keys: Sequence[APIKey]) -> int:
    try:
        delete_ended(keys)
    except Changed:
        # One of them has been used or deleted in between; the others go without it.
        return sum(_deleted([key]) for key in keys) if len(keys) > 1 else 0
    return len(keys)
