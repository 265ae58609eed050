"""The audit log: events in by batch, or one made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from chalicelib.access.decide import Object, decide
from chalicelib.api import service_lines, trail
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.delivery import Delivery
from chalicelib.api.http import Answer, Call
from chalicelib.api.ingest import PAST_RETENTION, Intake, id_answered, taken_in
from chalicelib.casing import lowered, spellings
from chalicelib.errors import Forbidden, GatebookError
from chalicelib.logs import audit_event
from chalicelib.logs.service_log import AUDIT_LOG
from chalicelib.models.audit_events import GenerateIn, check_sizes, parse_row
from chalicelib.models.base import parse
from chalicelib.models.results import Results
from chalicelib.records import AuditLog, Receipt
from chalicelib.retention import holds
from chalicelib.search.values import NIL_UUID
from chalicelib.store.logs import audit_writer
from chalicelib.store.logs.tables import AUDIT_LOGS

_GENERATED = {"foo": {"old": "bar", "new": "baz", "secret": False}}


@authenticated
def ingest(call: Call, caller: Caller) -> Answer:
    """Store events, or queue them; the answer says of each what became of it."""
    return taken_in(call, caller, INTAKE)


def _store(delivery: Delivery, accepted: Sequence[tuple[int, AuditLog]], results: Results) -> None:
    """Store the rows of a request, and tell what became of each."""
    keeps = holds.keeping_of(AUDIT_LOGS.name, [row for _, row in accepted]).keeps
    receipt = Receipt(delivery.received_at, delivery.key_id)
    kept = [(index, row.received(receipt)) for index, row in accepted if keeps(row)]
    for index, row in accepted:
        if not keeps(row):
            results.stored(index, row.id, "unchanged", PAST_RETENTION)
    answers = audit_writer.write_all([row for _, row in kept], audit_event.join, give_up_at=delivery.give_up_at)
    for (index, row), written in zip(kept, answers, strict=True):
        if isinstance(written, GatebookError):
            results.failed(index, row.id, written)
            continue
        row_id, moved = id_answered(delivery.subject, INTAKE, row.id, written.after.id)
        results.stored(index, row_id, "created" if written.before is None else "unchanged", moved)
        service_lines.emit(delivery.request_id, INTAKE.message, row)


INTAKE = Intake(AUDIT_LOG, "audit_log", "create", parse_row, _store)


@authenticated
def generate(call: Call, caller: Caller) -> Answer:
    """Write a row of the caller's own making, to try filters and dashboards on."""
    asked = parse(GenerateIn, call.body)
    if not decide(caller.subject, "create", Object("audit_log", organization=asked.organization_id or "")):
        raise Forbidden
    about = trail.Resource(
        lowered(asked.resource_type), asked.resource_id or str(uuid4()), caller.user.username, asked.organization_id
    )
    made = trail.row(call, caller, lowered(asked.action), 200, about)
    reason = {"build_reason": asked.build_reason} if asked.build_reason else {}
    row = replace(
        made,
        time=asked.time or made.time,
        request_id=asked.request_id or NIL_UUID,
        diff=_GENERATED,
        additional_fields=reason | dict(asked.additional_fields or {}),
        spelled=spellings(resource_type=asked.resource_type, action=asked.action),
    )
    check_sizes(row)
    audit_writer.write(row, audit_event.join)
    service_lines.emit(call.request_id, INTAKE.message, row)
    return Answer(None, 204)
