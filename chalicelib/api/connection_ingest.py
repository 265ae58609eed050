"""The connection log: events in by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial

from chalicelib.api import request_log, service_lines
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.delivery import Delivery
from chalicelib.api.http import Answer, Call
from chalicelib.api.ingest import PAST_RETENTION, Intake, id_answered, taken_in
from chalicelib.errors import GatebookError
from chalicelib.logs import session
from chalicelib.logs.batch import Batch, Outcome
from chalicelib.logs.service_log import CONNECTION_LOG
from chalicelib.models.connection_events import parse_row
from chalicelib.models.results import Results
from chalicelib.records import ConnectionLog, Receipt
from chalicelib.retention import holds
from chalicelib.retention.keeping import Keeping
from chalicelib.store.logs import connection_writer
from chalicelib.store.logs.connection_writer import Rule
from chalicelib.store.logs.tables import CONNECTION_LOGS

CONTRADICTS = "It contradicts what is stored of its session. That stays, and what this event says is kept beside it."
"""Message for an event that contradicts its session."""


@authenticated
def ingest(call: Call, caller: Caller) -> Answer:
    """Store events, or queue them; the answer says of each what became of it."""
    return taken_in(call, caller, INTAKE)


def _store(delivery: Delivery, accepted: Sequence[tuple[int, ConnectionLog]], results: Results) -> None:
    """Store the rows of a request, and tell what became of each."""
    receipt = Receipt(delivery.received_at, delivery.key_id)
    events = {index: row.received(receipt) for index, row in accepted}
    keeping = holds.keeping_of(CONNECTION_LOGS.name, events.values())
    batch, late = Batch(), Batch()
    for index, event in events.items():
        # What is past its time by itself is not joined with what is not: it may not age it.
        (batch if keeping.keeps(event) else late).add(index, event)
    rule = Rule(partial(session.join, frees=_Holds().frees), keeping.keeps, keeping.recent)
    contradicting = 0
    for events_batch in filter(None, (batch, late)):
        for outcome in _written(events_batch, rule, results, delivery):
            service_lines.emit(delivery.request_id, INTAKE.message, events[outcome.place])
            contradicting += outcome.contradicts
    if contradicting:
        request_log.note(ContradictingEvents=contradicting)


INTAKE = Intake(CONNECTION_LOG, "connection_log", "update", parse_row, _store)


class _Holds:
    """The holds of the moment at which a request first asks for them: few events are joined with a stored row."""

    @cached_property
    def _keeping(self) -> Keeping:
        return holds.keeping_now(CONNECTION_LOGS.name)

    def frees(self, before: ConnectionLog, after: ConnectionLog) -> bool:
        """Whether a hold matches a row as it was and does not match it as it would be."""
        return self._keeping.frees(before, after)


def _written(batch: Batch, rule: Rule, results: Results, delivery: Delivery) -> Iterator[Outcome]:
    """Write the rows of a batch, tell of each of its events, and give what each did that is stored."""
    groups = batch.groups()
    answers = connection_writer.write_all([*groups.values()], rule, give_up_at=delivery.give_up_at)
    for row_id, written in zip(groups, answers, strict=True):
        if isinstance(written, GatebookError):
            for index in batch.indexes(row_id):
                results.failed(index, row_id, written)
            continue
        if not written.kept:
            for index in batch.indexes(row_id):
                results.stored(index, row_id, "unchanged", PAST_RETENTION)
            continue
        stored = written.after
        answered, moved = id_answered(delivery.subject, INTAKE, stored.given_id or stored.id, stored.id)
        for outcome in batch.outcomes(row_id, written.before, rule.join):
            message = CONTRADICTS if outcome.contradicts else moved
            results.stored(outcome.place, answered, outcome.status, message)
            yield outcome
