"""The number of active users: counted by the store, and not anew within minutes, as each command of a CLI asks."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final, NamedTuple

from chalicelib import times
from chalicelib.store.directory.people_rows import USER, listing_request
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import UserItem

_KNOWN_FOR_SECONDS: Final = 600
_MOST_CALLS: Final = 25
"""Of a megabyte each, some two thousand users."""


class Counted(NamedTuple):
    """A count of the active users.

    Attributes:
        number: how many there are; None where there are too many to count.
        at: when they were counted.
    """

    number: int | None
    at: datetime


_known: dict[str, tuple[Counted, float]] = {}
"""The last count and when it is over, on the clock of `time.monotonic`."""


def count() -> Counted:
    """The number of active users, as it was within the last ten minutes.

    Raises:
        Unavailable: the store did not answer.
    """
    table, now = UserItem.Meta.table_name, time.monotonic()
    counted, until = _known.get(table, (None, 0.0))
    if counted is None or now >= until:
        counted = Counted(_number(), times.now())
        _known[table] = counted, now + _KNOWN_FOR_SECONDS
    return counted


def forget() -> None:
    """Forget the count, as a new process does."""
    _known.clear()


def _number() -> int | None:
    request: dict[str, Any] = listing_request(UserItem, USER)
    request["FilterExpression"] = "#status = :active"
    request["ExpressionAttributeNames"] = {"#status": "status"}
    request["ExpressionAttributeValues"] |= {":active": {"S": "active"}}
    number: int = 0
    for _ in range(_MOST_CALLS):
        answer = call("Query", request | {"Select": "COUNT"})
        number += int(answer["Count"])
        if "LastEvaluatedKey" not in answer:
            return number
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return None
