"""Several conditional writes that happen all or not at all.

DynamoDB and DynamoDB Local do this in one TransactWriteItems. Other engines that speak DynamoDB's protocol have no
transactions (dynalite, ScyllaDB Alternator): there the writes are made one after the other and undone when a later
condition fails. That keeps every rule of one writer alone. But a process killed in between leaves the writes made so
far, and another writer or reader may meet them half done; it is for trying things out, and says so once in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from botocore.exceptions import ClientError

from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.optional_operation import OptionalOperation

TRANSACTIONS = OptionalOperation(
    "TransactWriteItems", "This engine has no transactions: writes that belong together are made one by one."
)


class Write(NamedTuple):
    """One write: the verb as in TransactWriteItems, and its request as pynamodb's models make it."""

    verb: Literal["Put", "Update", "Delete", "ConditionCheck"]
    request: Mapping[str, Any]

    def __repr__(self) -> str:
        """The kind, table and key of the write; the values may be hashes of secrets."""
        return f"Write({self.verb} {self.request['TableName']})"


def transact(writes: Sequence[Write]) -> None:
    """Make all the writes, or none.

    Raises:
        TransactionCancelled: with the positions of the writes whose condition did not hold.
        Unavailable: the store did not answer; the transaction may or may not have happened.
    """
    if not TRANSACTIONS.is_lacking:
        try:
            call(
                TRANSACTIONS.name,
                {
                    "ClientRequestToken": str(uuid4()),
                    "TransactItems": [{write.verb: dict(write.request)} for write in writes],
                },
            )
        except ClientError as error:
            TRANSACTIONS.learn_from(error)
        else:
            return
    _one_by_one(writes)


def delete_together(table: str, ids: Sequence[str]) -> None:
    """Delete items of one table, all of them or none; those that are gone are no matter.

    Raises:
        Unavailable: the store did not answer; all of them are gone or none.
    """
    transact([Write("Delete", {"TableName": table, "Key": {"id": {"S": own}}}) for own in ids])


def _one_by_one(writes: Sequence[Write]) -> None:
    done: list[tuple[Write, Item | None]] = []
    # Updates come last: what they change, a counter for one, others change too, and an undo would write over that.
    for index, write in sorted(enumerate(writes), key=lambda numbered: numbered[1].verb == "Update"):
        try:
            if write.verb == "ConditionCheck":
                call("UpdateItem", _changing_nothing(write.request))
                continue
            answer = call(f"{write.verb}Item", {**write.request, "ReturnValues": "ALL_OLD"})
        except ConditionFailed as error:
            for made, before in reversed(done):
                _undo(made, before)
            raise TransactionCancelled([index]) from error
        done.append((write, answer.get("Attributes")))


def _changing_nothing(check: Mapping[str, Any]) -> dict[str, Any]:
    """The update that fails where a check fails, and else leaves the item as it is: no item has the attribute."""
    names = {**check.get("ExpressionAttributeNames", {}), "#checked": "checked"}
    return {**check, "UpdateExpression": "REMOVE #checked", "ExpressionAttributeNames": names}


def _undo(write: Write, before: Item | None) -> None:
    table = write.request["TableName"]
    if before:
        call("PutItem", {"TableName": table, "Item": before})
    else:
        source = write.request.get("Key") or {"id": write.request["Item"]["id"]}
        call("DeleteItem", {"TableName": table, "Key": source})
