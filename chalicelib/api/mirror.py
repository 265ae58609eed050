"""Takes in what the platform mirrors: one object by `PUT`, or a batch of lines, each an object with its kind and id.

A version that is older than the stored one changes nothing, so requests may be repeated and come in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from chalicelib import times
from chalicelib.access import allow_list
from chalicelib.access.decide import Object, decide
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import uuid
from chalicelib.errors import BadRequest, Forbidden, GatebookError, TooLarge, Unavailable
from chalicelib.models import base, json_values
from chalicelib.models.mirrored import MirroredJSON, MirrorResultJSON, MirrorResultsJSON, version_of
from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, KINDS, TEMPLATE, VERSION, WORKSPACE, Kind
from chalicelib.store.platform import rows, writer
from chalicelib.store.platform.writer import Outcome, Put

_MOST_LINES = 1_000
_MOST_BYTES = 5_000_000
_PART_OF: Mapping[str, str] = {VERSION.name: "template_id", BUILD.name: "workspace_id", AGENT.name: ""}
"""Kind -> the field that names the object of its resource, which an allow list may name; "" where none does."""
_RETRY_AFTER_SECONDS = "1"


class _NoObject(BadRequest):
    """A line is not a JSON object."""


@authenticated
def put_template(call: Call, caller: Caller, template: str) -> Answer:
    """Mirror a template."""
    return _put(call, caller, TEMPLATE, uuid("template", template))


@authenticated
def put_version(call: Call, caller: Caller, templateversion: str) -> Answer:
    """Mirror a version of a template, with its presets."""
    return _put(call, caller, VERSION, uuid("templateversion", templateversion))


@authenticated
def put_workspace(call: Call, caller: Caller, workspace: str) -> Answer:
    """Mirror a workspace."""
    return _put(call, caller, WORKSPACE, uuid("workspace", workspace))


@authenticated
def put_build(call: Call, caller: Caller, workspacebuild: str) -> Answer:
    """Mirror a build of a workspace."""
    return _put(call, caller, BUILD, uuid("workspacebuild", workspacebuild))


@authenticated
def put_agent(call: Call, caller: Caller, workspaceagent: str) -> Answer:
    """Mirror an agent of a build."""
    return _put(call, caller, AGENT, uuid("workspaceagent", workspaceagent))


@authenticated
def put_daemon(call: Call, caller: Caller, daemon: str) -> Answer:
    """Mirror a provisioner daemon; this is its heartbeat."""
    return _put(call, caller, DAEMON, uuid("daemon", daemon))


@authenticated
def put_job(call: Call, caller: Caller, job: str) -> Answer:
    """Mirror a provisioner job."""
    return _put(call, caller, JOB, uuid("job", job))


@authenticated
def put_batch(call: Call, caller: Caller) -> Answer:
    """Mirror the objects of a batch, one in each line, `{"kind": "template", "id": "…", …}`, and tell of each.

    Where no line is JSON, nothing can be read from the body: that is 400, and no list of rejections.

    The answer is 503 where one of them is not stored: the whole batch may be sent again.
    """
    versions: dict[int, Put] = {}
    results: dict[int, MirrorResultJSON] = {}
    now = times.now()
    lines = _lines(call.body)
    unreadable = 0
    for index, line in enumerate(lines):
        try:
            versions[index] = _version(caller, line, now)
        except GatebookError as error:
            unreadable += isinstance(error, _NoObject)
            if unreadable == len(lines):
                raise
            results[index] = _with_error({"index": index, "status": "rejected"}, error)
    newest = _newest(versions)
    stored = dict(zip(newest, writer.put_all([versions[index] for index in newest]), strict=True))
    for index, version in versions.items():
        results[index] = _result(index, version, stored.get(index))
    ordered = [results[index] for index in sorted(results)]
    problems = [one for one in ordered if one["status"] in ("rejected", "failed")]
    counts = Counter(one["status"] for one in ordered)
    body: MirrorResultsJSON = {
        "created": counts[Outcome.CREATED],
        "updated": counts[Outcome.UPDATED],
        "unchanged": counts[Outcome.UNCHANGED],
        "older": counts[Outcome.OLDER],
        "rejected": counts["rejected"],
        "failed": counts["failed"],
        "results": problems if call.query("results") == "problems" else ordered,
    }
    if not counts["failed"]:
        return Answer(body)
    body["message"] = "Some objects are not stored yet. Send the request again: objects that are stored are known."
    return Answer(body, 503, {"Retry-After": _RETRY_AFTER_SECONDS})


def _put(call: Call, caller: Caller, kind: Kind, object_id: str) -> Answer:
    version = version_of(kind, object_id, base.read_object(call.body), times.now())
    _check_may(caller, version)
    (outcome,) = writer.put_all([version])
    if isinstance(outcome, Unavailable):
        raise outcome
    status = 201 if outcome is Outcome.CREATED else 200
    body: MirroredJSON = {"kind": kind.name, "id": object_id, "status": outcome}
    return Answer(body, status)


def _check_may(caller: Caller, version: Put) -> None:
    """Make sure that the caller may mirror such objects: it takes a right that holds everywhere.

    A right in one organization or on what is one's own is none to say what the platform has there.

    Raises:
        Forbidden: they may not.
    """
    if not all(decide(caller.subject, "update", Object(version.kind.resource, one)) for one in _named(caller, version)):
        raise Forbidden(f"You may not mirror a {version.kind.name} in.")


def _named(caller: Caller, version: Put) -> list[str]:
    """The ids of the objects of its resource that a version is about, which an allow list may name."""
    kind = version.kind
    part_of = _PART_OF.get(kind.name)
    if part_of is None:
        return [version.id]
    named = [str(version.values.get(part_of) or "")]
    if part_of and allow_list.ids(caller.subject.allow_list, kind.resource) is not None:
        # Who may touch one workspace must not take a build from another by saying that it is of this one.
        stored = rows.get(kind, version.id)
        named += [str(stored.get(part_of) or "")] if stored else []
    return named


def _lines(body: bytes) -> list[str]:
    if len(body) > _MOST_BYTES:
        raise TooLarge("The request is too large.", f"A batch may have {_MOST_BYTES} bytes; this one has {len(body)}.")
    try:
        lines = [line for line in body.decode("utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise BadRequest("Request body must be valid JSON.", "the body is no text in UTF-8") from error
    if not lines:
        raise BadRequest("Request body must be valid JSON.", "there is no line")
    if len(lines) > _MOST_LINES:
        raise TooLarge("The request is too large.", f"A batch may have {_MOST_LINES} lines; this one has {len(lines)}.")
    return lines


def _version(caller: Caller, line: str, now: datetime) -> Put:
    try:
        value = json_values.document(line)
    except BadRequest as error:
        raise _NoObject("Request body must be valid JSON.", error.detail) from error
    if not isinstance(value, dict):
        raise _NoObject("Request body must be valid JSON.", "each line must be a JSON object")
    kind = KINDS.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    if kind is None:
        raise BadRequest("The line must name its kind.", f"kind is one of {', '.join(KINDS)}")
    given = value.get("id")
    object_id = uuid("id", given if isinstance(given, str) else "")
    version = version_of(kind, object_id, value, now)
    _check_may(caller, version)
    return version


def _newest(versions: Mapping[int, Put]) -> list[int]:
    """The lines that hold the newest version of each object in the batch; of equal ones the last."""
    chosen: dict[tuple[str, str], int] = {}
    for index, version in versions.items():
        name = (version.kind.name, version.id)
        if name not in chosen or version.updated_at >= versions[chosen[name]].updated_at:
            chosen[name] = index
    return sorted(chosen.values())


def _result(index: int, version: Put, outcome: Outcome | Unavailable | None) -> MirrorResultJSON:
    """The result of a line; an object of which the batch has a newer version is an older one."""
    result: MirrorResultJSON = {"index": index, "kind": version.kind.name, "id": version.id, "status": Outcome.OLDER}
    if isinstance(outcome, Unavailable):
        return _with_error({**result, "status": "failed"}, outcome)
    return {**result, "status": outcome} if outcome else result


def _with_error(result: MirrorResultJSON, error: GatebookError) -> MirrorResultJSON:
    return {**result, **error.body()}
