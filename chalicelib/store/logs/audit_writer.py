"""Writes audit log rows: once each, never over another, and whole or not at all.

An event is one conditional put, 25 of them in a call. Where it is refused, the stored row comes with the refusal, and
the caller's `join` says whether it is the same event, which is then known already, or another one, which goes beside
it. Only a row of several items takes a transaction. A write that was committed but not acknowledged is met by its own
retry as the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.errors import Unavailable
from chalicelib.records import AuditLog
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.logs.audit_rows import from_item, with_overflow, writes_of
from chalicelib.store.logs.stamps import is_row
from chalicelib.store.logs.write_pool import NotWritten, Written, write_all_of

Join = Callable[[AuditLog, AuditLog], AuditLog]
"""Of a stored row and an incoming one under its id: the stored row when they are the same event, and otherwise the
incoming one under another id."""

_ATTEMPTS = 100
"""Ids that one event may find taken by other events."""
_NEVER = "attribute_exists(id) AND attribute_not_exists(id)"


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
    others = sorted({*range(len(rows))} - {*first.values()})
    answers: dict[int, Written[AuditLog] | NotWritten] = {}
    for wave, is_new in ((list(first.values()), True), (others, False)):
        writings = [_Writing(rows[index], join, is_new) for index in wave]
        written = write_all_of(AuditLogItem.Meta.table_name, writings, give_up_at=give_up_at)
        answers |= zip(wave, written, strict=True)
    return [answers[index] for index in range(len(rows))]


def write(row: AuditLog, join: Join) -> Written[AuditLog]:
    """Write one row, under its own id or, where another event has that, under the one that `join` gives it.

    Raises:
        Unavailable: the store did not answer.
    """
    return _Writing(row, join, is_new=False).write(None)


def write_once(row: AuditLog, *, known: bool) -> None:
    """Write one small row of the service's own, unless its id is taken.

    Args:
        row: the row.
        known: whether the object of the row exists; if not, the same request has a condition that never holds.

    Raises:
        Unavailable: the store did not answer.
    """
    (own,) = writes_of(row)
    absent = own.request["ConditionExpression"]
    condition = absent if known else f"({absent}) AND {_NEVER}"
    try:
        call("PutItem", {**own.request, "ConditionExpression": condition})
    except ConditionFailed:
        return


@dataclass(frozen=True, slots=True)
class _Writing:
    """One row to be written.

    Attributes:
        row: the row.
        join: the rule of the log.
        is_new: whether nothing is stored under its id as far as can be guessed.
    """

    row: AuditLog
    join: Join
    is_new: bool

    def insertion(self) -> Item | None:
        """The item of a row that is new, if it has only one."""
        if not self.is_new:
            return None
        first, *others = writes_of(self.row)
        item: Item = first.request["Item"]
        return None if others else item

    def write(self, stored: Item | None) -> Written[AuditLog]:
        """Write it by calls of its own, given what an insertion has met."""
        row = self.row
        # A row that was purged is none.
        met = _whole(stored) if stored is not None and is_row(stored) else None
        for _ in range(_ATTEMPTS):
            if met is None:
                met = _put(row)
            if met is None:
                return Written(None, row)
            kept = self.join(met, row)
            if kept.id == met.id:
                return Written(met, met)
            row, met = kept, None
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
        return _whole(failure.item or _read(row.id))
    except TransactionCancelled:
        return _whole(_read(row.id))
    return None


def _whole(item: Item) -> AuditLog:
    return with_overflow(from_item(item), {})


def _read(row_id: str) -> Item:
    """The item that a write was refused for, where the engine does not send it with the refusal."""
    table = AuditLogItem.Meta.table_name
    answer = call("GetItem", {"TableName": table, "Key": {"id": {"S": row_id}}, "ConsistentRead": True})
    if "Item" not in answer:
        raise Unavailable("The row was deleted while another event was being stored under its id.")
    item: Item = answer["Item"]
    return item
