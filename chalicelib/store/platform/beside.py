"""Small items beside the objects of the platform: settings, and what is deposited to be fetched once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.client import TransactionCancelled, call
from chalicelib.store.dynamodb.definitions import DOC
from chalicelib.store.dynamodb.transaction import Write, transact
from chalicelib.store.platform.rows import TABLE


def read(item_id: str) -> Mapping[str, Any]:
    """The values of an item; empty where there is none."""
    request = {"TableName": TABLE, "Key": {"id": {"S": item_id}}, "ConsistentRead": True}
    item = call("GetItem", request).get("Item")
    values: Mapping[str, Any] = json.loads(item[DOC]["S"]) if item else {}
    return values


def put(item_id: str, values: Mapping[str, Any], *trail: Write) -> None:
    """Store an item, in place of the one that is there, with its trail."""
    transact([Write("Put", {"TableName": TABLE, "Item": _item(item_id, values)}), *trail])


def put_changed(item_id: str, values: Mapping[str, Any], before: Mapping[str, Any], *trail: Write) -> None:
    """Store an item that was read before, with its trail.

    Raises:
        Changed: another request has changed it since.
    """
    # An item may be there and empty, and reads as one that is not there.
    condition = f"{DOC} = :before" if before else f"attribute_not_exists(id) OR {DOC} = :before"
    request = {
        "TableName": TABLE,
        "Item": _item(item_id, values),
        "ConditionExpression": condition,
        "ExpressionAttributeValues": {":before": {"S": _text(before)}},
    }
    try:
        transact([Write("Put", request), *trail])
    except TransactionCancelled as error:
        raise Changed from error


def take(item_id: str, *trail: Write) -> bool:
    """Take an item away, with its trail; whether it was still there."""
    request = {"TableName": TABLE, "Key": {"id": {"S": item_id}}, "ConditionExpression": "attribute_exists(id)"}
    try:
        transact([Write("Delete", request), *trail])
    except TransactionCancelled:
        return False
    return True


def _item(item_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": {"S": item_id}, DOC: {"S": _text(values)}}


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":"))
