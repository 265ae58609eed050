"""How many events were rejected in each hour, for nine days and a few more: counters of one item a day.

There are sixteen of these items, and a day takes the place of the one sixteen days before it, so nothing has to be
deleted. A request whose events are all taken writes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.tables import RetentionItem

DAYS = 9
"""That are read: today, and all of the day a week ago in every zone."""

_ITEMS = 16
_ATTEMPTS = 3


def add(number: int, now: datetime) -> None:
    """Count events that were rejected in this hour.

    Raises:
        Unavailable: the store did not answer.
    """
    names, day = {"#day": "day", "#hour": _hour(now)}, {"S": now.date().isoformat()}
    values = {":day": day, ":number": {"N": str(number)}}
    counting = {"UpdateExpression": "ADD #hour :number", "ConditionExpression": "#day = :day"}
    beginning = {"ConditionExpression": "attribute_not_exists(id) OR #day < :day"}
    for _ in range(_ATTEMPTS):
        if _is_done("UpdateItem", {"Key": _key(now), **counting}, names, values):
            return
        first: Item = {**_key(now), "day": day, names["#hour"]: values[":number"]}
        if _is_done("PutItem", {"Item": first, **beginning}, {"#day": "day"}, {":day": day}):
            return


def by_hour(now: datetime) -> list[tuple[datetime, int]]:
    """The hours of the last days in which events were rejected, oldest first, and how many were.

    Raises:
        Unavailable: the store did not answer.
    """
    days = {(now - timedelta(days=ago)).date().isoformat(): now - timedelta(days=ago) for ago in range(DAYS)}
    table = RetentionItem.Meta.table_name
    items = batch_get({table: [_key(moment)["id"]["S"] for moment in days.values()]})
    known = [item for _, item in items if item["day"]["S"] in days]
    return sorted(hour for item in known for hour in _hours(item, days[item["day"]["S"]]))


def _hours(item: Item, moment: datetime) -> Iterator[tuple[datetime, int]]:
    for hour in range(24):
        begin = datetime.combine(moment.date(), time(hour), moment.tzinfo)
        if counted := item.get(_hour(begin)):
            yield begin, int(counted["N"])


def _is_done(operation: str, request: dict[str, Any], names: dict[str, str], values: Item) -> bool:
    whole = {
        "TableName": RetentionItem.Meta.table_name,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        **request,
    }
    try:
        call(operation, whole)
    except ConditionFailed:
        return False
    return True


def _key(moment: datetime) -> Item:
    return {"id": {"S": f"rejected#{moment.toordinal() % _ITEMS}"}}


def _hour(moment: datetime) -> str:
    return f"h{moment.hour:02}"
