"""Reads connection log rows by plan: newest first, merged over keys, each row once, and counted to a cap."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.store.connection_rows import CLOSING, closing_of, from_item
from chalicelib.store.engine import Item, call
from chalicelib.store.lanes import POSITION
from chalicelib.store.plan import Plan
from chalicelib.store.records import Closing, ConnectionLog
from chalicelib.store.tables import ConnectionLogItem

_BATCH_GET = 100
_LARGEST_PAGE = 1_000
_BATCH_GET_ROUNDS = 8


def rows(plan: Plan, *, expected: int) -> Iterator[ConnectionLog]:
    """The rows of a plan, newest first, read as they are asked for.

    Args:
        plan: what to read.
        expected: how many rows the caller is likely to take; sizes the requests.
    """
    streams = [_stream(plan, key, expected) for key in plan.keys]
    merged = _once(heapq.merge(*streams, key=lambda item: item[POSITION]["S"], reverse=True))
    while chunk := [from_item(item) for item in islice(merged, min(expected, _BATCH_GET))]:
        closings = _closings([row.id for row in chunk if row.session])
        for opened in chunk:
            row = replace(opened, closing=closings[opened.id]) if opened.id in closings else opened
            if all(getattr(row, name) in allowed for name, allowed in plan.checks.items()):
                yield row


def count(plan: Plan, cap: int) -> int:
    """How many rows the plan has, at most `cap`."""
    if plan.residual:
        return sum(1 for _ in islice(rows(plan, expected=cap), cap))
    total = 0
    for key in plan.keys:
        for answer in _pages(plan, key, cap - total, Select="COUNT"):
            total += answer["Count"]
            if total >= cap:
                return cap
    return total


def _once(items: Iterable[Item]) -> Iterator[Item]:
    # A row whose connect time is corrected, or that changes its key, while it is read is met in its new place too.
    seen: set[str] = set()
    for item in items:
        if item["id"]["S"] not in seen:
            seen.add(item["id"]["S"])
            yield item


def _stream(plan: Plan, key: str, limit: int) -> Iterator[Item]:
    for answer in _pages(plan, key, min(limit, _LARGEST_PAGE)):
        yield from answer["Items"]


def _pages(plan: Plan, key: str, limit: int, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - of a request
    request: dict[str, Any] = {
        "TableName": ConnectionLogItem.Meta.table_name,
        "IndexName": plan.lane,
        "KeyConditionExpression": "#lane = :key AND #position BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#lane": plan.lane, "#position": POSITION},
        "ExpressionAttributeValues": {":key": {"S": key}, ":low": {"S": plan.low or " "}, ":high": {"S": plan.high}},
        "ScanIndexForward": False,
        "Limit": limit,
        **more,
    }
    while True:
        answer = call("Query", request)
        yield answer
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _closings(ids: Sequence[str]) -> dict[str, Closing]:
    """How the sessions among these rows ended, by row id; those still open are left out."""
    found: dict[str, Closing] = {}
    name = ConnectionLogItem.Meta.table_name
    keys: list[Any] = [{"id": {"S": row_id}} for row_id in ids]
    for _ in range(_BATCH_GET_ROUNDS):
        if not keys:
            break
        request = {
            "Keys": keys,
            "ProjectionExpression": "#id, #closing",
            "ExpressionAttributeNames": {"#id": "id", "#closing": CLOSING},
        }
        answer = call("BatchGetItem", {"RequestItems": {name: request}})
        for item in answer["Responses"].get(name, ()):
            if closing := closing_of(item):
                found[item["id"]["S"]] = closing
        keys = answer.get("UnprocessedKeys", {}).get(name, {}).get("Keys", [])
    if keys:
        raise Unavailable(f"{len(keys)} rows of {name} could not be read.")
    return found
