"""The records of the runs of the purge: written once, listed newest first, and kept for 90 days themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.store.engine import ConditionFailed, call
from chalicelib.store.tables import DOC, RetentionItem

KEPT = timedelta(days=90)

_KIND = "run"
_MOST_REMOVED = 25


def add(run: Mapping[str, Any], started_at: datetime) -> None:
    """Keep the record of a run; the first one that is written of a run is the one that counts."""
    run_id = str(run["id"])
    try:
        call(
            "PutItem",
            {
                "TableName": RetentionItem.Meta.table_name,
                "Item": {
                    "id": {"S": run_id},
                    "kind": {"S": _KIND},
                    "sort": {"S": f"{times.fixed(started_at)}#{run_id}"},
                    DOC: {"S": json.dumps(run, ensure_ascii=False, separators=(",", ":"))},
                },
                "ConditionExpression": "attribute_not_exists(id)",
            },
        )
    except ConditionFailed:
        return


def latest(number: int) -> list[dict[str, Any]]:
    """The last runs, newest first."""
    answer = call("Query", _listing("<=", "\U0010ffff", number) | {"ScanIndexForward": False})
    return [json.loads(item[DOC]["S"]) for item in answer["Items"]]


def forget(before: datetime) -> None:
    """Delete records that are older, the oldest first and few at a time: every run deletes more than it adds."""
    answer = call("Query", _listing("<", times.fixed(before), _MOST_REMOVED))
    for item in answer["Items"]:
        call("DeleteItem", {"TableName": RetentionItem.Meta.table_name, "Key": {"id": item["id"]}})


def _listing(comparison: str, place: str, most: int) -> dict[str, Any]:
    return {
        "TableName": RetentionItem.Meta.table_name,
        "IndexName": "listing",
        "KeyConditionExpression": f"#kind = :kind AND #sort {comparison} :place",
        "ExpressionAttributeNames": {"#kind": "kind", "#sort": "sort"},
        "ExpressionAttributeValues": {":kind": {"S": _KIND}, ":place": {"S": place}},
        "Limit": most,
    }
