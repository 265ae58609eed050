"""The trail of exports: asked for, ended, fetched, deleted."""

from __future__ import annotations

from chalicelib import times
from chalicelib.api import trail
from chalicelib.api.caller import Caller
from chalicelib.api.http import Call
from chalicelib.models.exports import Job
from chalicelib.records import Receipt
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.audit_rows import writes_of

TYPE = "export"


def asked(call: Call, caller: Caller, action: str, status: int, job: Job) -> list[Write]:
    """The trail of what a caller does with an export: `create`, `read` for each set of links, `delete`."""
    return writes_of(trail.row(call, caller, action, status, _about(job), more={"export": job.question}))


def ended(job: Job) -> list[Write]:
    """The trail of an export that the function has written to its end."""
    more = {
        "export": job.question,
        "state": job.state,
        "rows": sum(part["rows"] for part in job.progress["parts"]),
        "parts": len(job.progress["parts"]),
        "asked_by": job.user_id,
        "api_key_id": job.key_id,
    }
    made = trail.row(None, None, "write", 200, _about(job), more=more)
    return writes_of(made.received(Receipt(times.now(), job.key_id)))


def _about(job: Job) -> trail.Resource:
    return trail.Resource(TYPE, job.id, str(job.question["log"]))
