"""Items by id, from one table or several, in one call per hundred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.store.engine import Item, call

_MOST = 100
_ROUNDS = 8


def batch_get(
    wanted: Mapping[str, Iterable[str]], attributes: Sequence[str] = (), *, consistent: bool = False
) -> Iterator[tuple[str, Item]]:
    """The items that there are, each with the name of its table, in any order.

    Args:
        wanted: table name -> ids.
        attributes: the only ones to send; none means all.
        consistent: whether every write that was acknowledged must be seen, at twice the price.

    Raises:
        Unavailable: the store kept giving back keys unread.
    """
    options: dict[str, Any] = {"ConsistentRead": True} if consistent else {}
    if attributes:
        names = {f"#{index}": name for index, name in enumerate(attributes)}
        options |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    pairs = [(table, row_id) for table, ids in wanted.items() for row_id in sorted({*ids})]
    for start in range(0, len(pairs), _MOST):
        keys: dict[str, list[Any]] = {}
        for table, row_id in pairs[start : start + _MOST]:
            keys.setdefault(table, []).append({"id": {"S": row_id}})
        waiting: dict[str, Any] = {table: {"Keys": own, **options} for table, own in keys.items()}
        for _ in range(_ROUNDS):
            answer = call("BatchGetItem", {"RequestItems": waiting})
            for table, items in answer["Responses"].items():
                yield from ((table, item) for item in items)
            waiting = answer.get("UnprocessedKeys") or {}
            if not waiting:
                break
        else:
            left = {table: len(request["Keys"]) for table, request in waiting.items()}
            raise Unavailable(f"Not all rows could be read; left: {left}.")
