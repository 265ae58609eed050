"""The logs of provisioner jobs: added to by the platform, read by build or by version."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from chalicelib.access.decide import Object, decide
from chalicelib.api import answer_limits, platform_access
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.fit_rows import fit_rows
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.parameters import uuid
from chalicelib.errors import BadRequest, Forbidden, NotFound, NotOffered
from chalicelib.models.base import Model, Moment, ShortText, parse
from chalicelib.models.job_logs import AppendedJSON, log_json
from chalicelib.models.sending import bytes_sent
from chalicelib.platform import job_logs as rules
from chalicelib.platform.kinds import JOB
from chalicelib.search import values
from chalicelib.store.platform import job_logs, rows
from chalicelib.store.platform.rows import Mirrored
from chalicelib.times import wire

_MOST_LINES: Final = 20_000
_LONGEST_OUTPUT: Final = 500_000


class Line(Model):
    """A line of a job's log."""

    id: Annotated[int, Field(strict=True, ge=0, lt=2**63)]
    created_at: Moment
    log_source: Literal["provisioner_daemon", "provisioner"] = "provisioner"
    log_level: Literal["trace", "debug", "info", "warn", "error"] = "info"
    stage: ShortText = ""
    output: str = ""


class Lines(Model):
    """Lines of a job's log, in the order of their ids."""

    logs: Annotated[list[Line], Field(max_length=_MOST_LINES)]


@authenticated
def put_logs(call: Call, caller: Caller, job: str) -> Answer:
    """Add lines to the log of a job; lines whose ids are stored already are known, and change nothing."""
    job_id = uuid("job", job)
    asked = parse(Lines, call.body)
    if not decide(caller.subject, "update", Object(JOB.resource, job_id)):
        raise Forbidden("You may not mirror the logs of a provisioner_job in.")
    lines = [{**line.model_dump(), "created_at": wire(line.created_at)} for line in asked.logs]
    appended = job_logs.append(job_id, lines)
    body: AppendedJSON = {
        "stored": appended.stored,
        "known": appended.known,
        "logs_length": appended.length,
        "logs_overflowed": appended.overflowed,
    }
    return Answer(body)


@authenticated
def of_build(call: Call, caller: Caller, workspacebuild: str) -> Answer:
    """The log of the job of a build, for who may read the workspace."""
    build = platform_access.build_named(caller, workspacebuild)
    return _answer(call, _job(build.get("job_id")))


@authenticated
def of_version(call: Call, caller: Caller, templateversion: str) -> Answer:
    """The log of the job that imported a version, for who may read its template."""
    version = platform_access.version_named(caller, templateversion)
    return _answer(call, _job(version.get("job_id")))


@authenticated
def of_dry_run(call: Call, caller: Caller, templateversion: str, job: str) -> Answer:
    """The log of a dry run of a version, for who may read its template."""
    version = platform_access.version_named(caller, templateversion)
    run = _job(uuid("job", job))
    if run is None or run.get("type") != "template_version_dry_run":
        raise NotFound
    if (run.get("input") or {}).get("template_version_id") != version.id:
        raise NotFound
    return _answer(call, run)


def _job(job_id: object) -> Mirrored | None:
    return rows.get(JOB, str(job_id)) if job_id else None


def _answer(call: Call, job: Mirrored | None) -> Answer:
    as_text = _as_text(call)
    after = _after(call)
    lines = [_fitting(line) for line in job_logs.read(job.id, job.logs, after)] if job else []
    if not as_text:
        texts, number = fit_rows([log_json(line) for line in lines], answer_limits.LARGEST_ANSWER) if lines else ([], 0)
        headers = {"Gatebook-Partial": "true"} if number < len(lines) else {}
        return Answer(Encoded(f"[{','.join(texts)}]"), headers=headers)
    size = 0
    kept: list[str] = []
    for text in map(rules.text, lines):
        size += bytes_sent(text)
        if kept and size > answer_limits.LARGEST_ANSWER:
            return Answer("".join(kept), headers={"Gatebook-Partial": "true"})
        kept.append(text)
    return Answer("".join(kept))


def _fitting(line: rules.Line) -> rules.Line:
    """A line as it fits in an answer: one of almost nothing but control characters is as large as seven."""
    if len(line["output"]) <= _LONGEST_OUTPUT or bytes_sent(encoded(line).text) <= answer_limits.LARGEST_ANSWER:
        return line
    return {**line, "output": line["output"][:_LONGEST_OUTPUT]}


def _as_text(call: Call) -> bool:
    """Whether the log is asked for as text.

    Raises:
        BadRequest: in another form, or as a text that goes on.
        NotOffered: as it goes on.
    """
    # Clients that follow send the name alone.
    follows = "follow" in call.query_values and call.query("follow").lower() not in ("false", "f", "0")
    form = call.query("format")
    if form not in ("", "json", "text"):
        raise BadRequest("Invalid format parameter.", "format is json or text")
    if form == "text" and follows:
        raise BadRequest("Text format is not supported with follow mode.")
    if follows:
        raise NotOffered("Logs are not followed here: ask again with `after` and the id of the last line.")
    return form == "text"


def _after(call: Call) -> int:
    text = call.query("after")
    if not text:
        return -1
    try:
        return values.int64(text)
    except values.WrongValue as error:
        raise BadRequest('Query param "after" must be an integer.', str(error)) from error
