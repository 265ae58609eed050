"""Stores what waits in the queue: each message is one request, and only those that are not stored are given back.

A message is done when every event of it is stored, skipped or rejected for good. Any other stays in the queue: it is
delivered again, as often as the deployment says, and then put among the dead letters. Storing events again is
harmless, so it does not matter in which order messages come, nor how often.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from chalicelib.api import audit_ingest, connection_ingest, request_log
from chalicelib.api.delivery import Delivery
from chalicelib.api.ingest import Intake, note_problems, stored
from chalicelib.errors import GatebookError
from chalicelib.models.queued import Queued
from chalicelib.models.results import Results
from chalicelib.store.queue import messages

ROUTE = "store_queued"
"""The route that log lines and metrics of these requests name."""

_ENDING_SECONDS = 10.0
"""Kept back, of the time that a batch has, for the writes under way."""
_INTAKES: Mapping[str, Intake[Any]] = {
    intake.resource: intake for intake in (connection_ingest.INTAKE, audit_ingest.INTAKE)
}
_OK = 200
_UNAVAILABLE = 503
_OUR_FAULT = 500

_log = logging.getLogger(__name__)


def store_batch(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own, untyped
    """Store a batch of messages.

    Args:
        event: as SQS delivers it, with `Records`.
        context: Lambda's.

    Returns:
        The messages that are to stay in the queue, in the form of Lambda's `ReportBatchItemFailures`.
    """
    give_up_at = time.monotonic() + context.get_remaining_time_in_millis() / 1_000 - _ENDING_SECONDS
    failed = [
        record["messageId"]
        for record in event["Records"]
        if not _is_done(record["messageId"], record["body"], give_up_at)
    ]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


def _is_done(name: str, message: str, give_up_at: float) -> bool:
    """Store one message; its line in the log says what became of it."""
    if time.monotonic() >= give_up_at:
        return False
    with request_log.logged(ROUTE, name) as notes:
        status = notes["status"] = _status(message, give_up_at)
    return status == _OK


def _status(message: str, give_up_at: float) -> int:
    try:
        results = _stored(message, give_up_at)
        if results.accepted is not None:
            return _OUR_FAULT if results.refused else _UNAVAILABLE
        messages.discard(message)
    except messages.Gone:
        request_log.note(repeated=True)
    except GatebookError as error:
        request_log.note(problem=error.message)
        return max(error.status, _OUR_FAULT)
    except Exception:  # noqa: BLE001 - it is logged whole
        # A message that nobody foresaw may not keep the others of its batch from being stored.
        _log.exception("A message cannot be stored")
        return _OUR_FAULT
    return _OK


def _stored(message: str, give_up_at: float) -> Results:
    queued = Queued.model_validate_json(messages.read(message))
    request_log.note(queued=queued.id, key_id=queued.key_id)
    delivery = Delivery(queued.body, queued.subject, queued.key_id, queued.received_at, queued.id, give_up_at)
    intake = _INTAKES.get(queued.log)
    if intake is None:
        # Imported here, as for requests: collectors that queue are rare.
        from chalicelib.api import collectors  # noqa: PLC0415

        results = collectors.stored(delivery, queued.log)
    else:
        results = stored(delivery, intake)
    note_problems(results)
    return results
