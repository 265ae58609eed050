"""Requests of senders that are in no hurry (`?queue=true`): put into the queue and answered, to be stored later."""

from __future__ import annotations

from uuid import uuid4

from chalicelib.api import request_log
from chalicelib.api.delivery import Delivery
from chalicelib.api.http import Call
from chalicelib.api.parameters import boolean
from chalicelib.models.queued import Form, Queued, packed
from chalicelib.models.results import QueuedJSON, Results
from chalicelib.store.queue import messages


def is_asked(call: Call, results: Results) -> bool:
    """Whether a request is to be queued: it asks for that, there is a queue, and it has no more than one may have."""
    return results.accepted is None and boolean(call.query("queue")) and messages.is_open()


def queued(delivery: Delivery, form: Form, results: Results) -> QueuedJSON:
    """Queue a request; the answer has its rejections, and the metrics count them when the others are stored.

    Args:
        delivery: of the request.
        form: of its body.
        results: of the events that are rejected already.
    """
    request_id = str(uuid4())
    waiting = Queued(
        id=request_id,
        log=form,
        received_at=delivery.received_at,
        key_id=delivery.key_id,
        subject=delivery.subject,
        packed=packed(delivery.body),
    )
    messages.send(request_id, waiting.model_dump_json(ensure_ascii=True))
    request_log.note(queued=request_id)
    problems = results.body(problems_only=True)
    return {
        "queued": True,
        "id": request_id,
        "rejected": problems["rejected"],
        "skipped": problems["skipped"],
        "results": problems["results"],
    }
