"""Exports of large queries: asked for here, written by a function of its own, fetched by links that live a while.

An export is seen by the user who asked for it, by a token that may read what the asking one might: the same rows, no
fewer people, and the holds where the manifest names them. It holds no row that they might not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4, uuid5

from chalicelib import times
from chalicelib.access.decide import Object, Subject, decide, reach
from chalicelib.api import answer_limits, audit_logs, connection_logs, export_limit, export_trail, log_pages
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.export_writer import FORGOTTEN_AFTER, begun, holds_on, saved_job
from chalicelib.api.http import Answer, Call
from chalicelib.api.idempotency import HEADER, Identity, check_same, identity_of
from chalicelib.api.log_resource import Log, knows_as_many
from chalicelib.api.parameters import uuid
from chalicelib.api.saving import saved
from chalicelib.errors import Forbidden, Invalid, NotFound, TooManyRequests, Unavailable, Unknown, Validation
from chalicelib.export import manifest
from chalicelib.export.question import Question
from chalicelib.lanes import saved_criteria
from chalicelib.lanes.criteria import Criteria
from chalicelib.logs.connection import NAMESPACE
from chalicelib.models.base import parse
from chalicelib.models.exports import Job, NewExport
from chalicelib.search.pinning import pinned
from chalicelib.settings import current
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.exports import files, function, jobs
from chalicelib.store.exports.jobs import Kept

LOGS: Final[Mapping[str, Log[Any]]] = {"connection": connection_logs.LOG, "audit": audit_logs.LOG}
_HOW_TO_SWITCH_ON = (
    "Exports are switched off in this deployment. Set the parameter Exports of the stack to true; elsewhere use"
    " scripts/export, which needs no bucket."
)

_LINKS_LIVE: Final = timedelta(minutes=10)
_BOUND_LINKS_LIVE: Final = timedelta(minutes=1)
"""Where the token is bound to networks: the bucket, which is asked next, takes every address."""
_MOST_STARTS: Final = 3
"""Of a function for an export of which nothing is written, by requests that are sent again."""
_FIND: Final = (
    "If it is, the audit log has a row of it: GET /api/v2/audit?q=resource_type:export%20action:create, and its"
    f" resource_id is the id. With the header {HEADER} a request can be sent again."
)


@authenticated
def create(call: Call, caller: Caller) -> Answer:
    """Begin an export: 202 and its id."""
    _check_on()
    body = parse(NewExport, call.body)
    identity = identity_of(call, caller)
    log = LOGS[body.log]
    readable = reach(caller.subject, "read", log.resource)
    if readable.nothing or readable.ids is not None:
        # A token that names single rows reads these.
        raise Forbidden
    export_id = str(uuid5(NAMESPACE, identity.id) if identity else uuid4())
    if identity and jobs.read(export_id):
        return _repeated(caller, export_id, identity)
    now = times.now()
    # It runs for longer than a request: times that are counted from now are counted from this moment.
    asked_for = pinned(body.q.strip(), log.filters, now)
    question = Question(body.log, asked_for, body.begin, body.end or now, body.format)
    if question.begin and question.begin > question.end:
        raise Invalid([Validation("to", "must not be before from")])
    budget = answer_limits.reading_budget(call)
    asked = log_pages.parsed(question.q, caller, log, budget)
    criteria = log_pages.visible(asked, caller, log) & Criteria(after=question.begin, before=question.end)
    if asked.fields and not all(criteria.fields.values()):
        raise Forbidden("Forbidden.", "You may read no row that is asked for.")
    job = Job(
        id=export_id,
        user_id=caller.user.id,
        key_id=caller.key.id,
        asked=identity.fingerprint.hex() if identity else "",
        subject=caller.subject,
        sees_holds=_sees_holds(caller.subject),
        question=question.saved(),
        criteria=saved_criteria.saved(criteria),
        created_at=now,
        updated_at=now,
        holds=holds_on(body.log),
        progress=begun(body.log).saved(),
    )

    def write() -> Answer:
        guards = [export_limit.place(caller.user.id, export_id)]
        try:
            saved_job(job, 0, *export_trail.asked(call, caller, "create", 202, job), guards=guards)
        except Changed:
            if identity and jobs.read(export_id):
                return _repeated(caller, export_id, identity)
            raise
        except Unavailable as error:
            raise (
                error if identity else Unknown("The store did not answer in time. The export may be kept.", _FIND)
            ) from error
        _start(job)
        return _begun(job)

    return saved(write)


@authenticated
def show(call: Call, caller: Caller, id: str) -> Answer:  # noqa: A002 - as the path has it
    """How far an export is, and once it has ended the links of its files."""
    job, kept = _own(caller, id)
    if job.state == "running":
        if export_limit.is_lost(job):
            _start_again(job, kept)
        return Answer(_json(job))
    # Whoever gets a link may fetch the file: so that is noted before it leaves.
    transact(export_trail.asked(call, caller, "read", 200, job))
    return Answer(_json(job, _BOUND_LINKS_LIVE if caller.key.allowed_ips else _LINKS_LIVE))


@authenticated
def delete(call: Call, caller: Caller, id: str) -> Answer:  # noqa: A002 - as the path has it
    """Stop an export, and delete its files."""

    def write() -> Answer:
        job, kept = _own(caller, id)
        # First the files: of an export that is gone nobody could ask to delete what is left. One that is being written
        # is another one by the next file, or its writer finds it gone and deletes that.
        files.clear(job.id)
        jobs.delete(job.id, kept.revision, *export_trail.asked(call, caller, "delete", 204, job))
        return Answer(None, 204)

    return saved(write)


def _start(job: Job) -> None:
    try:
        function.start(current().export_function, job.id)
    except Unavailable as error:
        again = f"Send the request again with the same {HEADER}, if it had one, or GET /api/v2/exports/{job.id} later:"
        raise Unknown(
            "The export is kept, and the function that writes it did not answer.",
            f"{again} an export that nothing was written of for a quarter of an hour is started again by that.",
        ) from error


def _begun(job: Job) -> Answer:
    return Answer(_json(job), 202, {"Location": f"/api/v2/exports/{job.id}"})


def _repeated(caller: Caller, export_id: str, identity: Identity) -> Answer:
    """The answer to a request that was sent before: the export that it began, started where nothing is written yet.

    Raises:
        NotFound: it is deleted, or the caller may read no longer what they might read then.
        Unprocessable: the key came before with another request.
    """
    job, kept = _own(caller, export_id)
    check_same(bytes.fromhex(job.asked), identity.fingerprint)
    if job.state == "running" and kept.revision < _MOST_STARTS and not job.progress["parts"]:
        _start_again(job, kept)
    return _begun(job)


def _start_again(job: Job, kept: Kept) -> None:
    """Start another function for an export, where its user has room for it; one that still writes it stops.

    Who looks again finds it changed just now.
    """
    try:
        guards = [export_limit.place(job.user_id, job.id)]
        saved_job(job.model_copy(update={"updated_at": times.now()}), kept.revision, guards=guards)
    except (Changed, TooManyRequests):
        return
    _start(job)


def _check_on() -> None:
    if not files.are_kept():
        raise NotFound(_HOW_TO_SWITCH_ON)


def _own(caller: Caller, export_id: str) -> tuple[Job, Kept]:
    """An export of the caller, who may read what it holds.

    Raises:
        NotFound: there is none.
    """
    _check_on()
    kept = jobs.read(uuid("id", export_id))
    if kept is None:
        raise NotFound
    job = Job.model_validate(kept.fields)
    if job.user_id != caller.user.id or not _sees_as_much(caller.subject, job):
        raise NotFound
    return job, kept


def _sees_as_much(reader: Subject, job: Job) -> bool:
    """Whether a reader may read all that is in an export."""
    resource = LOGS[str(job.question["log"])].resource
    same_rows = reach(reader, "read", resource) == reach(job.subject, "read", resource)
    return same_rows and knows_as_many(reader, job.subject) and (_sees_holds(reader) or not job.sees_holds)


def _sees_holds(reader: Subject) -> bool:
    return bool(decide(reader, "update", Object("deployment_config")))


def _json(job: Job, links: timedelta | None = None) -> dict[str, Any]:
    """An export as it is answered, with links that live so long where there are to be any."""
    parts: list[dict[str, Any]] = [dict(part) for part in job.progress["parts"]]
    body: dict[str, Any] = {
        "id": job.id,
        "state": job.state,
        **job.question,
        "created_at": times.wire(job.created_at),
        "updated_at": times.wire(job.updated_at),
        "rows": sum(part["rows"] for part in parts),
        "bytes": sum(part["bytes"] for part in parts),
        "expires_at": times.wire(job.updated_at + FORGOTTEN_AFTER),
    }
    if job.reasons:
        body["reasons"] = job.reasons
    if links:
        body["manifest_url"] = files.link(job.id, manifest.NAME, links)
        parts = [{**part, "url": files.link(job.id, part["name"], links)} for part in parts]
        body["links_expire_at"] = times.wire(times.now() + links)
    return {**body, "parts": parts}
