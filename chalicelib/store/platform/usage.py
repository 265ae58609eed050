"""Usage events: each once, counted by day in the transaction that stores it, and waiting until it was sent on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from chalicelib import times
from chalicelib.platform import usage
from chalicelib.platform.section import Section
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.definitions import DOC, FORGET_AT
from chalicelib.store.dynamodb.transaction import Write, transact
from chalicelib.store.platform.lane_reader import Range, items
from chalicelib.store.platform.rows import JOINED, TABLE

KEPT_FOR: Final = timedelta(days=60)
SENT_WITHIN: Final = timedelta(days=30)
"""An event that is older is not sent on any more."""
CLAIMED_FOR: Final = timedelta(hours=1)
"""A process that began to send an event and did not say how that went has failed."""
_WAITING: Final = "usage:waiting"


@dataclass(frozen=True, slots=True)
class Event:
    """One usage event."""

    id: str
    event_type: str
    count: int
    created_at: datetime

    @property
    def item_id(self) -> str:
        """The id of its item."""
        return f"usage#{sha256(self.id.encode('utf-8', 'surrogatepass')).hexdigest()}"

    def body(self) -> dict[str, Any]:
        """The event as it is sent on."""
        return {
            "id": self.id,
            "event_type": self.event_type,
            "event_data": {"count": self.count},
            "created_at": times.wire(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that was not sent on yet, and its state as it is stored."""

    event: Event
    state: str


def add(event: Event) -> bool:
    """Store an event and count it; whether it is new.

    Raises:
        Unavailable: the store did not answer; sending it again is safe.
    """
    put = {"TableName": TABLE, "Item": _item(event), "ConditionExpression": "attribute_not_exists(id)"}
    writes = [Write("Put", put)]
    if usage.adds_up(event.event_type):
        writes.append(Write("Update", _counting(event, "ADD amount :count")))
    try:
        transact(writes)
    except TransactionCancelled:
        new = False
    else:
        new = True
    if not usage.adds_up(event.event_type):
        _raise_to(event)
    return new


def days(event_type: str, first: date, last: date) -> dict[str, int]:
    """Day -> the number of that day, for the days on which there was an event."""
    key = f"usage_day:{event_type}"
    counted_days = []
    for item in items(Range("listing", [Section(key, first.isoformat())]), lambda: 1_000, Budget(), ("id",)):
        day = item["place"]["S"]
        if day > last.isoformat():
            break
        counted_days.append(day)
    names = {_day_id(event_type, day): day for day in counted_days}
    counted = batch_get({TABLE: names}) if names else []
    return dict(sorted((names[item["id"]["S"]], int(item["amount"]["N"])) for _, item in counted))


def waiting(now: datetime, number: int) -> list[Waiting]:
    """So many events that are to be sent on, oldest first: no process is sending them."""
    since = times.fixed(now - SENT_WITHIN)
    claimed_since = times.fixed(now - CLAIMED_FOR)
    events: list[Waiting] = []
    for item in items(Range("queue", [Section(_WAITING, since)]), lambda: number - len(events), Budget()):
        state = item[JOINED]["S"]
        if json.loads(state).get("publish_started_at", "") <= claimed_since:
            events.append(Waiting(_event(item), state))
        if len(events) == number:
            break
    return events


def claim(one: Waiting, now: datetime) -> Waiting | None:
    """An event that this process sends from now on; None where another one was faster."""
    return _set(one, {"publish_started_at": times.fixed(now)})


def put_back(one: Waiting, message: str) -> None:
    """Have an event wait again, with the reason why it was not taken."""
    _set(one, {"failure_message": message[:500]})


def settle(one: Waiting, now: datetime, message: str = "") -> None:
    """Take an event out of the queue: it was taken, or for good refused."""
    state = {"published_at": times.fixed(now), **({"failure_message": message[:500]} if message else {})}
    _set(one, state, " REMOVE queue, queue_place")


def _set(one: Waiting, state: Mapping[str, str], more: str = "") -> Waiting | None:
    text = json.dumps(state)
    request = {
        "TableName": TABLE,
        "Key": {"id": {"S": one.event.item_id}},
        "UpdateExpression": f"SET {JOINED} = :after{more}",
        "ConditionExpression": f"{JOINED} = :before",
        "ExpressionAttributeValues": {":after": {"S": text}, ":before": {"S": one.state}},
    }
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return None
    return Waiting(one.event, text)


def _item(event: Event) -> Item:
    place = f"{times.fixed(event.created_at)}#{event.item_id}"
    return {
        "id": {"S": event.item_id},
        DOC: {"S": json.dumps(event.body())},
        JOINED: {"S": "{}"},
        "queue": {"S": _WAITING},
        "queue_place": {"S": place},
        FORGET_AT: {"N": str(int((event.created_at + KEPT_FOR).timestamp()))},
    }


def _event(item: Item) -> Event:
    body = json.loads(item[DOC]["S"])
    return Event(body["id"], body["event_type"], body["event_data"]["count"], times.from_wire(body["created_at"]))


def _raise_to(event: Event) -> None:
    """Make the number of a day this count, unless it is as large: a retry does what the first attempt left undone."""
    condition = "attribute_not_exists(amount) OR amount < :count"
    try:
        call("UpdateItem", _counting(event, "SET amount = :count") | {"ConditionExpression": condition})
    except ConditionFailed:
        return


def _counting(event: Event, update: str) -> dict[str, Any]:
    day = event.created_at.date().isoformat()
    set_place = "listing = :listing, place = :day"
    expression = f"{update}, {set_place}" if update.startswith("SET") else f"SET {set_place} {update}"
    return {
        "TableName": TABLE,
        "Key": {"id": {"S": _day_id(event.event_type, day)}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {
            ":count": {"N": str(event.count)},
            ":listing": {"S": f"usage_day:{event.event_type}"},
            ":day": {"S": day},
        },
    }


def _day_id(event_type: str, day: str) -> str:
    return f"usage_day#{event_type}#{day}"
