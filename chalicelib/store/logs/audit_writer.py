"""Writes audit log rows: once each, never over another, and whole or not at all.

An event is one conditional put. Where it is refused, the stored row comes with the refusal, and the caller's `join`
says whether it is the same event, which is then known already, or another one, which goes beside it. Only a row of
several items takes a transaction. A write that was committed but not acknowledged is met by its own retry as the same
event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from chalicelib.errors import Unavailable
from chalicelib.records import AuditLog
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.logs.audit_rows import from_item, with_rest, writes_of
from chalicelib.store.logs.write_pool import NotWritten, Written, write_each

Join = Callable[[AuditLog, AuditLog], AuditLog]
"""Of a stored row and an incoming one under its id: the stored row when they are the same event, and otherwise the
incoming one under another id."""

_ATTEMPTS = 100
"""Ids that one event may find taken by other events."""


def write_all(rows: Sequence[AuditLog], join: Join, *, give_up_at: float) -> list[Written[AuditLog] | NotWritten]:
    """Write rows in parallel; the answers stand in the order of the rows.

    Args:
        rows: what the events make. Of rows with one id the first is written before the others, so that it keeps the id.
        join: the rule of the log.
        give_up_at: on the clock of `time.monotonic`; rows not begun by then are answered as Unavailable.
    """
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        first.setdefault(row.id, index)
    answers: dict[int, Written[AuditLog] | NotWritten] = {}
    for wave in (list(first.values()), sorted({*range(len(rows))} - {*first.values()})):
        some = write_each([rows[index] for index in wave], partial(write, join=join), give_up_at=give_up_at)
        answers |= zip(wave, some, strict=True)
    return [answers[index] for index in range(len(rows))]


def write(row: AuditLog, join: Join) -> Written[AuditLog]:
    """Write one row, under its own id or, where another event has that, under the one that `join` gives it.

    Raises:
        Unavailable: the store did not answer.
    """
    for _ in range(_ATTEMPTS):
        stored = _put(row)
        if stored is None:
            return Written(None, row)
        kept = join(stored, row)
        if kept.id == stored.id:
            return Written(stored, stored)
        row = kept
    raise Unavailable("Other events have every id that this one could be kept under.")


def _put(row: AuditLog) -> AuditLog | None:
    """Nothing where the row is stored now; otherwise the whole row that has its id."""
    writes = writes_of(row)
    try:
        if len(writes) == 1:
            call("PutItem", {**writes[0].request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
        else:
            transact(writes)
    except ConditionFailed as failure:
        return with_rest(from_item(failure.item or _read(row.id)), {})
    except TransactionCancelled:
        return with_rest(from_item(_read(row.id)), {})
    return None


def _read(row_id: str) -> Item:
    """The item that a write was refused for, where the engine does not send it with the refusal."""
    table = AuditLogItem.Meta.table_name
    answer = call("GetItem", {"TableName": table, "Key": {"id": {"S": row_id}}, "ConsistentRead": True})
    if "Item" not in answer:
        raise Unavailable("The row was deleted while another event was being stored under its id.")
    item: Item = answer["Item"]
    return item
