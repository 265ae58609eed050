"""Tokens that have ended, longest ago first, as the purge deletes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.records import APIKey
from chalicelib.store.directory.api_keys import EXPIRES, delete_ended, from_item, kept
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import APIKeyItem

_DELETED_AT_ONCE = 30
"""Tokens that one transaction deletes with their claims, of the 100 writes that it may have."""


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
        "ExpressionAttributeValues": {":expires": {"S": EXPIRES}, ":before": {"S": times.fixed(before)}},
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
    keys = [from_item(item) for _, item in batch_get({table: key_ids}, consistent=True) if "hashed_secret" in item]
    over = [key for key in keys if not kept(key, before)]
    starts = range(0, len(over), _DELETED_AT_ONCE)
    return sum(_deleted(over[start : start + _DELETED_AT_ONCE], before) for start in starts)


def _deleted(keys: Sequence[APIKey], before: datetime) -> int:
    try:
        delete_ended(keys, before)
    except Changed:
        # One of them has been used or deleted in between; the others go without it.
        return sum(_deleted([key], before) for key in keys) if len(keys) > 1 else 0
    return len(keys)
