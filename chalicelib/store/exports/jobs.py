"""How far each export is: one item for each, which every save replaces on the condition that nobody else has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded, commit
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.tables import ExportItem
from chalicelib.store.dynamodb.transaction import Write

_REVISION = "revision"


class Kept(NamedTuple):
    """An export as it is kept, and how often it was saved."""

    fields: Mapping[str, Any]
    revision: int


def read(export_id: str) -> Kept | None:
    """An export; None where there is none."""
    request = {"TableName": _table(), "Key": {"id": {"S": export_id}}, "ConsistentRead": True}
    item = call("GetItem", request).get("Item")
    return Kept(unpacked(item), int(item[_REVISION]["N"])) if item else None


def save(
    export_id: str,
    fields: Mapping[str, Any],
    revision: int,
    forget_at: float,
    *trail: Write,
    guards: Sequence[Guarded] = (),
) -> Kept:
    """Keep an export as it is now, with its trail.

    Args:
        export_id: of the export.
        fields: JSON values.
        revision: as it was read; 0 for a new one.
        forget_at: when it may be deleted, in seconds since 1970.
        trail: the rows that tell of it.
        guards: other writes of the same transaction.

    Raises:
        Changed: it is not the one that was read, or is gone.
    """
    kept = json.loads(json.dumps(fields))
    request: dict[str, Any] = {
        "TableName": _table(),
        "Item": {
            "id": {"S": export_id},
            _REVISION: {"N": str(revision + 1)},
            FORGET_AT: {"N": str(int(forget_at))},
            **packed(kept),
        },
        "ConditionExpression": "attribute_not_exists(id)",
    }
    if revision:
        request["ConditionExpression"] = f"{_REVISION} = :read"
        request["ExpressionAttributeValues"] = {":read": {"N": str(revision)}}
    commit([Guarded(Write("Put", request), Changed), *guards], trail)
    return Kept(kept, revision + 1)


def delete(export_id: str, revision: int, *trail: Write) -> None:
    """Delete an export, with its trail; whoever is writing it finds it gone.

    Raises:
        Changed: it is not the one that was read, or is gone.
    """
    request = {
        "TableName": _table(),
        "Key": {"id": {"S": export_id}},
        "ConditionExpression": f"{_REVISION} = :read",
        "ExpressionAttributeValues": {":read": {"N": str(revision)}},
    }
    commit([Guarded(Write("Delete", request), Changed)], trail)


def _table() -> str:
    name: str = ExportItem.Meta.table_name
    return name
