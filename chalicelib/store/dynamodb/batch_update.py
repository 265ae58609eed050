"""Updates items of a table, 25 in one call and several calls at a time, each only if it is as it was read.

BatchExecuteStatement has the conditions that BatchWriteItem does not have. An engine without PartiQL (dynalite,
ScyllaDB Alternator) is sent an UpdateItem for each.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.batch_insert import MOST_STATEMENTS, PARTIQL, TRANSIENT
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.patience import pause

_WRITERS = 8


@dataclass(frozen=True, slots=True)
class Update:
    """The update of one item; to make it twice is the same as once.

    Attributes:
        id: of the item.
        sets: attributes that it has then.
        removes: attributes that it has no more.
        seen: attributes by which the item is known to be the one that was read; where it has others nothing is changed.
    """

    id: str
    sets: Item
    removes: tuple[str, ...]
    seen: Item


class Updated(NamedTuple):
    """The results of several updates: how many were made, and of how many the item is gone or another one."""

    made: int = 0
    refused: int = 0

    @property
    def settled(self) -> int:
        """How many need not be sent again."""
        return self.made + self.refused


class _Outcome(Enum):
    MADE = auto()
    REFUSED = auto()
    AGAIN = auto()


def batch_update(table: str, updates: Sequence[Update], *, give_up_at: float) -> Updated:
    """Make updates of different items; all are settled, unless the time was up.

    What is throttled or not answered is sent again. When this returns, or raises, none of its calls is under way any
    more.

    Args:
        table: the name of the table.
        updates: each of another item.
        give_up_at: on the clock of `time.monotonic`; no call begins after it.

    Raises:
        ClientError: the store refused one of them for good.
    """
    chunks = [updates[start : start + MOST_STATEMENTS] for start in range(0, len(updates), MOST_STATEMENTS)]
    futures = [_pool().submit(copy_context().run, _settled, table, chunk, give_up_at) for chunk in chunks]
    wait(futures)
    parts = [future.result() for future in futures]
    return Updated(sum(part.made for part in parts), sum(part.refused for part in parts))


def _settled(table: str, chunk: Sequence[Update], give_up_at: float) -> Updated:
    left = list(chunk)
    made = attempt = 0
    while left and time.monotonic() < give_up_at:
        # Where no answer comes some of them may have been made; to make them again changes nothing.
        outcomes = [_Outcome.AGAIN] * len(left)
        with suppress(Unavailable):
            outcomes = _sent(table, left, give_up_at)
        made += outcomes.count(_Outcome.MADE)
        left = [update for update, outcome in zip(left, outcomes, strict=True) if outcome is _Outcome.AGAIN]
        if left and not pause(attempt, give_up_at=give_up_at):
            break
        attempt += 1
    return Updated(made, len(chunk) - len(left) - made)


def _sent(table: str, updates: Sequence[Update], give_up_at: float) -> list[_Outcome]:
    if not PARTIQL.is_lacking:
        try:
            answer = call(PARTIQL.name, {"Statements": [_statement(table, update) for update in updates]})
        except ClientError as error:
            PARTIQL.learn_from(error)
        else:
            return [_outcome(response) for response in answer["Responses"]]
    return [_one(table, update, give_up_at) for update in updates]


def _statement(table: str, update: Update) -> dict[str, Any]:
    # The names are those of the tables' own attributes; every value is a parameter.
    changes = [f'SET "{name}"=?' for name in update.sets] + [f'REMOVE "{name}"' for name in update.removes]
    conditions = " AND ".join(f'"{name}"=?' for name in ("id", *update.seen))
    return {
        "Statement": f'UPDATE "{table}" {" ".join(changes)} WHERE {conditions}',
        "Parameters": [*update.sets.values(), {"S": update.id}, *update.seen.values()],
    }


def _outcome(response: dict[str, Any]) -> _Outcome:
    error = response.get("Error")
    if error is None:
        return _Outcome.MADE
    if error["Code"] == "ConditionalCheckFailed":
        return _Outcome.REFUSED
    if error["Code"] in TRANSIENT:
        return _Outcome.AGAIN
    refused: Any = {"Error": {"Code": error["Code"], "Message": error.get("Message", "")}}
    raise ClientError(refused, PARTIQL.name)  # type: ignore[no-untyped-call]


def _one(table: str, update: Update, give_up_at: float) -> _Outcome:
    if time.monotonic() >= give_up_at:
        return _Outcome.AGAIN
    clauses = {"SET": [f"#{name} = :{name}" for name in update.sets], "REMOVE": [f"#{name}" for name in update.removes]}
    request = {
        "TableName": table,
        "Key": {"id": {"S": update.id}},
        "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts),
        # An update finds its item: it makes none.
        "ConditionExpression": " AND ".join(["attribute_exists(id)", *(f"#{name} = :{name}" for name in update.seen)]),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*update.sets, *update.removes, *update.seen)},
        "ExpressionAttributeValues": {f":{name}": value for name, value in (update.sets | update.seen).items()},
    }
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return _Outcome.REFUSED
    except Unavailable:
        return _Outcome.AGAIN
    return _Outcome.MADE


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WRITERS, thread_name_prefix="batch-updater")
