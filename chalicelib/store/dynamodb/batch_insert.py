"""Puts new items into a table, 25 in one call, each on the condition that its id is new.

BatchExecuteStatement keeps the conditions that BatchWriteItem does not have, and answers each statement with
its result. An engine without PartiQL (dynalite, ScyllaDB Alternator) is logged once; there nothing is inserted, and
the caller writes item by item.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.errors import StoreRefused, Unavailable
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.optional_operation import OptionalOperation
from chalicelib.store.dynamodb.patience import pause

MOST_STATEMENTS = 25
"""In one call; DynamoDB's limit."""

_ATTEMPTS = 4
_TAKEN = frozenset({"DuplicateItem", "ConditionalCheckFailed"})
TRANSIENT = frozenset(
    {
        "InternalServerError",
        "ItemCollectionSizeLimitExceeded",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)
"""Codes of statements that may succeed in a moment."""

_log = logging.getLogger(__name__)

PARTIQL = OptionalOperation("BatchExecuteStatement", "This engine has no PartiQL: rows are written one by one.")


@dataclass(frozen=True, slots=True)
class Inserted:
    """The item is stored."""


@dataclass(frozen=True, slots=True)
class NotInserted:
    """Nothing was stored: another item has the id, or the engine has no PartiQL.

    Attributes:
        stored: the item that has the id, where the engine returns it.
    """

    stored: Item | None = None


Outcome = Inserted | NotInserted | Unavailable | StoreRefused


def batch_insert(table: str, items: Sequence[Item], *, give_up_at: float) -> list[Outcome]:
    """The result of each item, in their order. Items that are refused for now are sent again, alone.

    Args:
        table: the name of the table.
        items: at most MOST_STATEMENTS, each with another id.
        give_up_at: on the clock of `time.monotonic`; no call but the first begins after it.

    Raises:
        ClientError: the store refused the whole call for good.
    """
    outcomes: list[Outcome] = [NotInserted()] * len(items)
    if PARTIQL.is_lacking:
        return outcomes
    waiting = list(range(len(items)))
    for attempt in range(_ATTEMPTS):
        for index, outcome in zip(waiting, _sent(table, [items[index] for index in waiting]), strict=True):
            outcomes[index] = outcome
        again = [index for index in waiting if isinstance(outcomes[index], _Throttled)]
        if not again or not pause(attempt, give_up_at=give_up_at):
            break
        waiting = again
    return outcomes


class _Throttled(Unavailable):
    """The store refused one statement for now."""


def _sent(table: str, items: Sequence[Item]) -> list[Outcome]:
    try:
        answer = call(PARTIQL.name, {"Statements": [_statement(table, item) for item in items]})
    except Unavailable as error:
        return [error] * len(items)
    except ClientError as error:
        PARTIQL.learn_from(error)
        return [NotInserted()] * len(items)
    return [_outcome(response) for response in answer["Responses"]]


def _statement(table: str, item: Item) -> dict[str, Any]:
    # The names are those of the tables' own attributes; every value is a parameter.
    values = ", ".join(f"'{name}': ?" for name in item)
    return {
        "Statement": f'INSERT INTO "{table}" VALUE {{{values}}}',
        "Parameters": list(item.values()),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _outcome(response: dict[str, Any]) -> Outcome:
    error = response.get("Error")
    if error is None:
        return Inserted()
    code = error["Code"]
    if code in _TAKEN:
        return NotInserted(error.get("Item"))
    if code in TRANSIENT:
        # Of all such refusals this alone has a reason that helps, as in `client`: a disk that is full.
        return _Throttled(error.get("Message", "") if code == "InternalServerError" else "")
    _log.error("The store refused a row: %s %s", code, error.get("Message", ""))
    return StoreRefused(f"The store refused this event: {code}.")
