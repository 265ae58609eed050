"""The different values that objects have in a field, where they are few for many objects."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import DOC
from chalicelib.store.platform.rows import TABLE

_MOST_NOTED = 4_096
_noted: set[str] = set()
"""The ids of the notes that this process has written: short ones, as a value may have a hundred kilobytes."""


def note(holder: str, value: str) -> None:
    """Note that an object has a value; what this process has noted it does not write again.

    Args:
        holder: the field, and whose objects.
        value: any text.

    Raises:
        Unavailable: the store did not answer.
    """
    digest = blake2b(value.encode(), digest_size=16).hexdigest()
    note_id = f"{holder}#{digest}"
    if note_id in _noted:
        return
    item = {"id": {"S": note_id}, "listing": {"S": holder}, "place": {"S": digest}, DOC: {"S": value}}
    call("PutItem", {"TableName": TABLE, "Item": item})
    if len(_noted) >= _MOST_NOTED:
        _noted.clear()
    _noted.add(note_id)


def forget() -> None:
    """Know of no note again."""
    _noted.clear()


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
