"""Items by id, from one table or several: a hundred a request, all requests at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.contention import back_off
from chalicelib.store.dynamodb.rounds import Request, Rounds, run

_KEYS_PER_REQUEST = 100
_ROUNDS = 8


def batch_get(
    wanted: Mapping[str, Iterable[str]],
    attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    consistent: bool = False,
) -> list[tuple[str, Item]]:
    """The items that there are, each with the name of its table, in any order.

    Args:
        wanted: table name -> ids.
        attributes: table name -> the only ones to send of its items; none means all.
        consistent: whether every write that was acknowledged must be seen, at twice the price.

    Raises:
        Unavailable: the store kept giving back keys unread.
    """
    return run(batch_get_rounds(wanted, attributes, consistent=consistent))


def batch_get_rounds(
    wanted: Mapping[str, Iterable[str]],
    attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    consistent: bool = False,
) -> Rounds[list[tuple[str, Item]]]:
    """The rounds of `batch_get`: one, and one more for keys that the store gave back unread."""
    options = {table: _options(attributes.get(table, ()), consistent=consistent) for table in wanted}
    keys = [(table, row_id) for table, ids in wanted.items() for row_id in sorted({*ids})]
    waiting = [
        _tables(keys[start : start + _KEYS_PER_REQUEST], options) for start in range(0, len(keys), _KEYS_PER_REQUEST)
    ]
    items: list[tuple[str, Item]] = []
    for attempt in range(_ROUNDS):
        if not waiting:
            return items
        if attempt:
            back_off(attempt)
        answers = yield [Request("BatchGetItem", {"RequestItems": tables}) for tables in waiting]
        items += [(table, item) for answer in answers for table, rows in answer["Responses"].items() for item in rows]
        waiting = [answer["UnprocessedKeys"] for answer in answers if answer.get("UnprocessedKeys")]
    if waiting:
        left = [{table: len(request["Keys"]) for table, request in tables.items()} for tables in waiting]
        raise Unavailable(f"Not all rows could be read; left: {left}.")
    return items


def _tables(keys: Sequence[tuple[str, str]], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for table, row_id in keys:
        tables.setdefault(table, {"Keys": [], **options[table]})["Keys"].append({"id": {"S": row_id}})
    return tables


def _options(attributes: Sequence[str], *, consistent: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"ConsistentRead": True} if consistent else {}
    if attributes:
        names = {f"#{index}": name for index, name in enumerate(attributes)}
        options |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    return options
