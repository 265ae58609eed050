"""Slices of what callers may do in a window of time, taken from one item by every process of the service.

A process takes a slice by one conditional write and uses it up by itself: a request costs a fraction of a write.
An item is named by the hash of what it limits, and DynamoDB deletes it when its window is long over.
"""

from __future__ import annotations

from hashlib import sha256

from chalicelib.store.dynamodb.client import ConditionFailed, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import APIKeyItem

_KEPT_SECONDS = 3_600


def take(name: str, window: int, *, size: int, most: int, ends_at: int) -> bool:
    """Take a slice; False where the window has none left.

    Args:
        name: of what is limited, and of whom.
        window: the number of the window.
        size: of the slice.
        most: how much the window has.
        ends_at: when the window ends, in seconds.

    Raises:
        Unavailable: the store did not answer.
    """
    request = {
        "TableName": APIKeyItem.Meta.table_name,
        "Key": {"id": {"S": f"limit#{sha256(f'{name}#{window}'.encode()).hexdigest()}"}},
        "UpdateExpression": "ADD #taken :size SET #forget_at = :forget_at",
        "ConditionExpression": "attribute_not_exists(#taken) OR #taken <= :left",
        "ExpressionAttributeNames": {"#taken": "taken", "#forget_at": FORGET_AT},
        "ExpressionAttributeValues": {
            ":size": {"N": str(size)},
            ":left": {"N": str(most - size)},
            ":forget_at": {"N": str(ends_at + _KEPT_SECONDS)},
        },
    }
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return False
    return True
