"""How far a request was taken that has more than one may have, for a day: an item by the hash of the request."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import APIKeyItem

KEPT_FOR = timedelta(days=1)
_NUMBER = "taken"


def number(digest: str, now: datetime) -> int:
    """How many lines or objects, from the first, were taken of a request; 0 where nothing is known of it.

    Raises:
        Unavailable: the store did not answer.
    """
    item = call("GetItem", {"TableName": APIKeyItem.Meta.table_name, "Key": _key(digest)}).get("Item")
    if item is None or int(item[FORGET_AT]["N"]) <= now.timestamp():
        return 0
    return int(item[_NUMBER]["N"])


def note(digest: str, taken: int, now: datetime) -> None:
    """Note how many lines or objects, from the first, were taken of a request.

    Raises:
        Unavailable: the store did not answer.
    """
    forget_at = int((now + KEPT_FOR).timestamp())
    item = {**_key(digest), _NUMBER: {"N": str(taken)}, FORGET_AT: {"N": str(forget_at)}}
    call("PutItem", {"TableName": APIKeyItem.Meta.table_name, "Item": item})


def _key(digest: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"taken#{digest}"}}
