"""The records of the runs of the purge: written once, listed newest first, and kept for 90 days themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.store.dynamodb.client import TransactionCancelled, call
from chalicelib.store.dynamodb.definitions import DOC
from chalicelib.store.dynamodb.tables import RetentionItem
from chalicelib.store.dynamodb.transaction import Write, transact

KEPT = timedelta(days=90)

_KIND = "run"
_MOST_REMOVED = 25


def add(run: Mapping[str, Any], started_at: datetime, *trail: Write) -> None:
    """Keep the record of a run that has ended, whatever another said of it, and write its trail: both or none."""
    transact([Write("Put", _put(run, started_at)), *trail])


def add_of_another(run: Mapping[str, Any], started_at: datetime, *trail: Write) -> None:
    """Add the record of a run whose process died; nothing happens where it has left a record itself."""
    request = {**_put(run, started_at), "ConditionExpression": "attribute_not_exists(id)"}
    with suppress(TransactionCancelled):
        transact([Write("Put", request), *trail])


def latest(number: int) -> list[dict[str, Any]]:
    """The last runs, newest first."""
    answer = call("Query", _listing("<=", "\U0010ffff", number) | {"ScanIndexForward": False})
    return [json.loads(item[DOC]["S"]) for item in answer["Items"]]


def forget(before: datetime) -> None:
    """Delete records that are older, the oldest first and few at a time: every run deletes more than it adds."""
    answer = call("Query", _listing("<", times.fixed(before), _MOST_REMOVED))
    for item in answer["Items"]:
        call("DeleteItem", {"TableName": RetentionItem.Meta.table_name, "Key": {"id": item["id"]}})


def _put(run: Mapping[str, Any], started_at: datetime) -> dict[str, Any]:
    run_id = str(run["id"])
    return {
        "TableName": RetentionItem.Meta.table_name,
        "Item": {
            "id": {"S": run_id},
            "kind": {"S": _KIND},
            "sort": {"S": f"{times.fixed(started_at)}#{run_id}"},
            DOC: {"S": json.dumps(run, ensure_ascii=False, separators=(",", ":"))},
        },
    }


def _listing(comparison: str, place: str, most: int) -> dict[str, Any]:
    return {
        "TableName": RetentionItem.Meta.table_name,
        "IndexName": "listing",
        "KeyConditionExpression": f"#kind = :kind AND #sort {comparison} :place",
        "ExpressionAttributeNames": {"#kind": "kind", "#sort": "sort"},
        "ExpressionAttributeValues": {":kind": {"S": _KIND}, ":place": {"S": place}},
        "Limit": most,
    }
