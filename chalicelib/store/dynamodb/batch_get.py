"""Items by id, from one table or several, in one call per hundred."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.client import Item, call

_MOST = 100
_ROUNDS = 8
_FIRST_PAUSE_SECONDS = 0.01


def batch_get(
    wanted: Mapping[str, Iterable[str]],
    attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    consistent: bool = False,
) -> Iterator[tuple[str, Item]]:
    """The items that there are, each with the name of its table, in any order.

    Args:
        wanted: table name -> ids.
        attributes: table name -> the only ones to send of its items; none means all.
        consistent: whether every write that was acknowledged must be seen, at twice the price.

    Raises:
        Unavailable: the store kept giving back keys unread.
    """
    options = {table: _options(attributes.get(table, ()), consistent=consistent) for table in wanted}
    pairs = [(table, row_id) for table, ids in wanted.items() for row_id in sorted({*ids})]
    for start in range(0, len(pairs), _MOST):
        keys: dict[str, list[Any]] = {}
        for table, row_id in pairs[start : start + _MOST]:
            keys.setdefault(table, []).append({"id": {"S": row_id}})
        waiting: dict[str, Any] = {table: {"Keys": own, **options[table]} for table, own in keys.items()}
        for attempt in range(_ROUNDS):
            answer = call("BatchGetItem", {"RequestItems": waiting})
            for table, items in answer["Responses"].items():
                yield from ((table, item) for item in items)
            waiting = answer.get("UnprocessedKeys") or {}
            if not waiting:
                break
            time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS * 2**attempt))  # noqa: S311 - jitter, not a secret
        else:
            left = {table: len(request["Keys"]) for table, request in waiting.items()}
            raise Unavailable(f"Not all rows could be read; left: {left}.")


def _options(attributes: Sequence[str], *, consistent: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"ConsistentRead": True} if consistent else {}
    if attributes:
        names = {f"#{index}": name for index, name in enumerate(attributes)}
        options |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    return options
