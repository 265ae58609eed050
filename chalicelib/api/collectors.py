"""Events as collectors of logs send them, by protocols of their own: Splunk's HEC, and OTLP over HTTP as JSON.

Each is a thin adapter to the reader and the writers of the two logs. The log of an event follows from the
event itself; whatever else is in a log is skipped. A sender needs the right to write the logs that its events are of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.access.decide import reach
from chalicelib.api import audit_logs, connection_logs
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.ingest import Intake, accepted_rows, answer, closed, delivered
from chalicelib.errors import GatebookError
from chalicelib.models import hec, otlp
from chalicelib.models.bodies import Event, Sent, Unreadable
from chalicelib.models.results import Results, reason

_INTAKES: Mapping[str, Intake[Any]] = {intake.message: intake for intake in (connection_logs.INTAKE, audit_logs.INTAKE)}
_OK = 200
_UNAVAILABLE = 503


def _for_splunk(view: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """A view whose errors are answered in the words of HEC as well."""

    def translated(call: Call) -> Answer:
        try:
            return view(call)
        except GatebookError as error:
            code = hec.code_of(error)
            if code is hec.Code.NO_TOKEN and call.header("Authorization"):
                code = hec.Code.INVALID_AUTHORIZATION
            return Answer({**hec.answer(code), **error.body()}, hec.status_of(error), error.headers)

    translated.__name__, translated.__doc__ = view.__name__, view.__doc__
    return translated


@_for_splunk
@authenticated
def collect_events(call: Call, caller: Caller) -> Answer:
    """Store the events that a client of Splunk sends."""
    return _collected(call, caller)


@_for_splunk
@authenticated
def collect(call: Call, caller: Caller) -> Answer:
    """The route under the other name that it has."""
    return _collected(call, caller)


def collector_health(_call: Call) -> Answer:
    """The service runs; it asks nothing of the store."""
    return Answer(hec.answer(hec.Code.HEALTHY))


@authenticated
def export_logs(call: Call, caller: Caller) -> Answer:
    """Store the events that an exporter of OpenTelemetry sends."""
    results = _stored(call, caller, otlp.read_events(call.body, _INTAKES))
    reply = answer(call, results)
    if reply.status != _OK:
        code = otlp.UNAVAILABLE if reply.status == _UNAVAILABLE else otlp.INTERNAL
        return reply._replace(body={"code": code, **reply.body})
    problems = results.problems(1)
    first = f"Record {problems[0]['index']}: {reason(problems[0])}" if problems else ""
    return reply._replace(body=otlp.answer(results.count("rejected"), first))


def _collected(call: Call, caller: Caller) -> Answer:
    results = _stored(call, caller, hec.read_events(call.body, _INTAKES))
    reply = answer(call, results)
    codes = {_OK: hec.Code.SUCCESS, _UNAVAILABLE: hec.Code.BUSY}
    code = codes.get(reply.status, hec.Code.INTERNAL_ERROR)
    return reply._replace(body={**hec.answer(code), **reply.body})


def _stored(call: Call, caller: Caller, sent: Sent) -> Results:
    """Store the events of a request, each in its log.

    Raises:
        Forbidden: the sender may write none of the logs that they are of.
    """
    delivery = delivered(call, caller)
    by_log: dict[str, list[tuple[int, Event | Unreadable]]] = {}
    results = Results([entry.index for entry in sent.entries], sent.skipped, sent.stopped_at)
    for place, entry in enumerate(sent.entries):
        if isinstance(entry, Unreadable):
            results.rejected(place, None, GatebookError(entry.problem))
        else:
            by_log.setdefault(entry.message, []).append((place, entry))
    asked = [_INTAKES[message] for message in by_log or _INTAKES]
    if all(reach(caller.subject, intake.action, intake.resource).nothing for intake in asked):
        raise closed(" and ".join(intake.rows for intake in asked))
    for message, entries in by_log.items():
        intake = _INTAKES[message]
        intake.store(delivery, accepted_rows(caller.subject, intake, entries, results), results)
    return results
