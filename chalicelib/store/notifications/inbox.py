"""The inbox: one item a row, in the index `inbox` by user and time, and while it is unread in `unread` as well.

A row is never shown past its retention, and DynamoDB deletes it then. What is asked of an index may lag behind a write
by fractions of a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.notifications.inbox_row import UNREAD, InboxFilter, InboxRow
from chalicelib.settings import current
from chalicelib.store.dynamodb.batch_write import batch_write, deletion
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.tables import NotificationItem
from chalicelib.store.dynamodb.transaction import Write, transact

PAGE_ROWS: Final = 25
COUNT_CAP: Final = 2_000
"""How far unread rows are counted."""

_MOST_ROWS = 100
"""Rows of one call where a filter may pass over some."""
_MARKED_AT_ONCE = 25
_DOC = ("template_id", "title", "content", "icon", "targets")


class InboxPage(NamedTuple):
    """A page of the inbox.

    Attributes:
        rows: newest first.
        cut_at: the row at which the page ended because too many were read, if it did.
        more: whether another row that the filter asks for follows.
    """

    rows: list[InboxRow]
    cut_at: InboxRow | None = None
    more: bool = False


def insertion(row: InboxRow) -> Write:
    """The write that puts a row into the inbox; its condition fails where it is there already."""
    item: Item = {
        "id": {"S": row.id},
        "inbox": {"S": row.user_id},
        "unread": {"S": row.user_id},
        "sort": {"S": _sort(row)},
        "created_at": {"S": times.fixed(row.created_at)},
        **packed({name: getattr(row, name) for name in _DOC}),
    }
    kept = current().inbox_retention
    if kept > 0:
        end = row.created_at + timedelta(microseconds=kept // 1_000)
        item[FORGET_AT] = {"N": str(int(end.astimezone(UTC).timestamp()) + 1)}
    return Write("Put", {"TableName": table(), "Item": item, "ConditionExpression": "attribute_not_exists(id)"})


def get(user_id: str, row_id: str) -> InboxRow | None:
    """The row with this id, where it is this user's."""
    item = call("GetItem", {"TableName": table(), "Key": {"id": {"S": row_id}}}).get("Item")
    return _row(item) if item and item.get("inbox", {}).get("S") == user_id else None


def page(user_id: str, wanted: InboxFilter, before: InboxRow | None) -> InboxPage:
    """The newest rows that a filter asks for, of those before another one.

    A page that would read more rows than a query may ends early, and then has the place to go on from.
    """
    index = "unread" if wanted.read_status == UNREAD else "inbox"
    limit = PAGE_ROWS + 1 if wanted in (InboxFilter(), InboxFilter(read_status=UNREAD)) else _MOST_ROWS
    rows: list[InboxRow] = []
    for number, item in enumerate(_items(index, user_id, before, limit), 1):
        row = _row(item)
        if wanted.matches(row):
            if len(rows) == PAGE_ROWS:
                return InboxPage(rows, more=True)
            rows.append(row)
        if number == current().max_rows_read:
            return InboxPage(rows, row)
    return InboxPage(rows)


def unread_count(user_id: str, changed: InboxRow | None = None) -> int:
    """How many rows a user has not read, up to COUNT_CAP.

    Args:
        user_id: of the user.
        changed: a row that was changed just now, which the index may not show yet as it is.
    """
    count = int(changed is not None and changed.read_at is None)
    for item in _items("unread", user_id, None, _MOST_ROWS * 10, "id"):
        count += changed is None or item["id"]["S"] != changed.id
        if count >= COUNT_CAP:
            break
    return count


def mark(user_id: str, row_id: str, read_at: datetime | None) -> InboxRow | None:
    """Note when a row was read, or with None that it is not; the row as it is then, None where the user has none."""
    update, values = "REMOVE read_at SET unread = :user", {":user": {"S": user_id}}
    if read_at is not None:
        update = "REMOVE unread SET read_at = :now"
        values[":now"] = {"S": times.fixed(read_at)}
    try:
        answer = call(
            "UpdateItem",
            {
                "TableName": table(),
                "Key": {"id": {"S": row_id}},
                "UpdateExpression": update,
                "ConditionExpression": "inbox = :user",
                "ExpressionAttributeValues": values,
                "ReturnValues": "ALL_NEW",
            },
        )
    except ConditionFailed:
        return None
    return _row(answer["Attributes"])


def mark_all(user_id: str, read_at: datetime, give_up_at: float) -> None:
    """Note of every row that is not read that it was, now.

    Raises:
        Unavailable: there are more than there was time for; the next request goes on.
    """
    ids = [item["id"]["S"] for item in _items("unread", user_id, None, _MOST_ROWS * 10, "id")]
    for start in range(0, len(ids), _MARKED_AT_ONCE):
        if time.monotonic() > give_up_at:
            raise Unavailable("There was no time for all rows; those that are marked stay so.")
        writes = [_marking(row_id, read_at) for row_id in ids[start : start + _MARKED_AT_ONCE]]
        try:
            transact(writes)
        except TransactionCancelled:
            # Some were read meanwhile, or are gone.
            for write in writes:
                _try(write)


def clear(user_id: str, give_up_at: float) -> None:
    """Delete the inbox of a user.

    Raises:
        Unavailable: there are more rows than there was time for.
    """
    requests = [deletion(item["id"]["S"]) for item in _items("inbox", user_id, None, _MOST_ROWS * 10, "id")]
    if batch_write(table(), requests, give_up_at=give_up_at) < len(requests):
        raise Unavailable("There was no time for all rows of the inbox.")


def table() -> str:
    """The name of the table."""
    name: str = NotificationItem.Meta.table_name
    return name


def _items(
    index: str, user_id: str, before: InboxRow | None, limit: int, attributes: str | None = None
) -> Iterator[Item]:
    """The items of a user in an index, newest first, none of which is past its retention."""
    cut_off = times.cut_off(current().inbox_retention, times.now())
    request: dict[str, Any] = {
        "TableName": table(),
        "IndexName": index,
        "KeyConditionExpression": "#user = :user AND #sort BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#user": index, "#sort": "sort"},
        "ExpressionAttributeValues": {
            ":user": {"S": user_id},
            ":first": {"S": times.fixed(cut_off) if cut_off else " "},
            ":last": {"S": _sort(before) if before else "~"},
        },
        "ScanIndexForward": False,
        "Limit": limit,
        **({"ProjectionExpression": attributes} if attributes else {}),
    }
    while True:
        answer = call("Query", request)
        for item in answer["Items"]:
            if before is None or item["id"]["S"] != before.id:
                yield item
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _marking(row_id: str, read_at: datetime) -> Write:
    return Write(
        "Update",
        {
            "TableName": table(),
            "Key": {"id": {"S": row_id}},
            "UpdateExpression": "REMOVE unread SET read_at = :now",
            "ConditionExpression": "attribute_exists(unread)",
            "ExpressionAttributeValues": {":now": {"S": times.fixed(read_at)}},
        },
    )


def _try(write: Write) -> None:
    try:
        call("UpdateItem", write.request)
    except ConditionFailed:
        return


def _sort(row: InboxRow) -> str:
    return f"{times.fixed(row.created_at)}#{row.id}"


def _row(item: Item) -> InboxRow:
    doc = unpacked(item)
    doc["targets"] = tuple(doc["targets"])
    return InboxRow(
        id=item["id"]["S"],
        user_id=item["inbox"]["S"],
        created_at=times.from_fixed(item["created_at"]["S"]),
        read_at=times.from_fixed(item["read_at"]["S"]) if "read_at" in item else None,
        **doc,
    )
