"""The outbox: what is still to be sent, one item for each message and way, in the index `due` by when it is next tried.

    pending ─► leased by a run ─► sent
       ▲              │────────► inhibited, where the user wants no such message any more
       └─ put off ◄───┴────────► failed for good, after MOST_ATTEMPTS

An item that is done leaves the index and stays for a week, so that the same message is not stored again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from chalicelib import times
from chalicelib.notifications.message import Message
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.notifications.inbox import table

MOST_ATTEMPTS: Final = 5
KEPT_FOR: Final = timedelta(days=7)
MOST_AN_HOUR: Final = 500
"""Messages that a user may be sent in an hour: what waits is bounded by that."""

_DUE = "due"
_PROBLEM_LENGTH = 500

State = Literal["sent", "inhibited", "permanent_failure"]


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message on one way to its user; `attempts` were begun, and the next one is at `due_at`."""

    id: str
    method: str
    message: Message
    attempts: int
    due_at: datetime


def insertion(message: Message, method: str) -> Write:
    """The write that puts a message into the outbox; its condition fails where it is, or was, there already."""
    doc = asdict(message) | {"created_at": times.fixed(message.created_at), "method": method}
    item: Item = {
        "id": {"S": f"outbox#{message.id_for(method)}"},
        "due": {"S": _DUE},
        "due_at": {"S": times.fixed(message.created_at)},
        "attempts": {"N": "0"},
        FORGET_AT: {"N": _forget_at(message.created_at)},
        **packed(doc),
    }
    return Write("Put", {"TableName": table(), "Item": item, "ConditionExpression": "attribute_not_exists(id)"})


def counted(user_id: str, now: datetime) -> Write:
    """The write that counts one message more for a user in this hour; its condition fails where there are too many."""
    return Write(
        "Update",
        {
            "TableName": table(),
            "Key": {"id": {"S": f"hour#{user_id}#{times.fixed(now)[:13]}"}},
            "UpdateExpression": "ADD messages :one SET forget_at = :end",
            "ConditionExpression": "attribute_not_exists(messages) OR messages < :most",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":most": {"N": str(MOST_AN_HOUR)},
                ":end": {"N": _forget_at(now)},
            },
        },
    )


def due(now: datetime, limit: int) -> list[OutboxItem]:
    """The notifications to try now, longest waiting first."""
    request: dict[str, Any] = {
        "TableName": table(),
        "IndexName": "due",
        "KeyConditionExpression": "#due = :due AND #at <= :now",
        "ExpressionAttributeNames": {"#due": "due", "#at": "due_at"},
        "ExpressionAttributeValues": {":due": {"S": _DUE}, ":now": {"S": times.fixed(now)}},
        "Limit": limit,
    }
    return [_delivery(item) for item in call("Query", request)["Items"]]


def lease(delivery: OutboxItem, until: datetime) -> OutboxItem | None:
    """Begin an attempt, which nobody else does before a moment; None where another run was faster."""
    try:
        _update(
            delivery,
            "SET due_at = :next, attempts = :attempts",
            {":next": {"S": times.fixed(until)}, ":attempts": {"N": str(delivery.attempts + 1)}},
        )
    except ConditionFailed:
        return None
    return replace(delivery, attempts=delivery.attempts + 1, due_at=until)


def put_off(delivery: OutboxItem, until: datetime, problem: str) -> None:
    """Try again at a moment; nothing happens where the lease was over and another run has it."""
    values = {":next": {"S": times.fixed(until)}, ":problem": {"S": problem[:_PROBLEM_LENGTH]}}
    try:
        _update(delivery, "SET due_at = :next, problem = :problem", values)
    except ConditionFailed:
        return


def settle(delivery: OutboxItem, state: State, now: datetime, problem: str = "") -> None:
    """Try no more; nothing happens where the lease was over and another run has it."""
    values: Item = {
        ":done": {"S": state},
        ":end": {"N": _forget_at(now)},
        ":problem": {"S": problem[:_PROBLEM_LENGTH]},
    }
    try:
        _update(delivery, "SET finished = :done, forget_at = :end, problem = :problem REMOVE due, due_at", values)
    except ConditionFailed:
        return


def _update(delivery: OutboxItem, update: str, values: Item) -> None:
    call(
        "UpdateItem",
        {
            "TableName": table(),
            "Key": {"id": {"S": delivery.id}},
            "UpdateExpression": update,
            "ConditionExpression": "due_at = :seen",
            "ExpressionAttributeValues": {**values, ":seen": {"S": times.fixed(delivery.due_at)}},
        },
    )


def _delivery(item: Item) -> OutboxItem:
    doc = unpacked(item)
    method = doc.pop("method")
    moments = {"created_at": times.from_fixed(doc["created_at"]), "targets": tuple(doc["targets"])}
    return OutboxItem(
        id=item["id"]["S"],
        method=method,
        message=Message(**{**doc, **moments}),
        attempts=int(item["attempts"]["N"]),
        due_at=times.from_fixed(item["due_at"]["S"]),
    )


def _forget_at(moment: datetime) -> str:
    return str(int((moment + KEPT_FOR).astimezone(UTC).timestamp()))
