"""The different values that objects have in a field, where they are few for many objects."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import DOC
from chalicelib.store.platform.rows import TABLE


@lru_cache(4_096)
def note(holder: str, value: str) -> None:
    """Note that an object has a value; what this process has noted it does not write again.

    Args:
        holder: the field, and whose objects.
        value: any text.

    Raises:
        Unavailable: the store did not answer.
    """
    digest = blake2b(value.encode(), digest_size=16).hexdigest()
    item = {"id": {"S": f"{holder}#{digest}"}, "listing": {"S": holder}, "place": {"S": digest}, DOC: {"S": value}}
    call("PutItem", {"TableName": TABLE, "Item": item})


def listed(holder: str, most: int) -> list[str] | None:
    """The values of which a holder has notes; None where they are more than `most`, or more than an answer takes.

    Raises:
        Unavailable: the store did not answer.
    """
    request: dict[str, Any] = {
        "TableName": TABLE,
        "IndexName": "listing",
        "KeyConditionExpression": "listing = :listing",
        "ExpressionAttributeValues": {":listing": {"S": holder}},
        "Limit": most + 1,
    }
    answer = call("Query", request)
    values = [item[DOC]["S"] for item in answer["Items"]]
    return None if len(values) > most or "LastEvaluatedKey" in answer else values
