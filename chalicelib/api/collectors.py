"""Events as collectors of logs send them, by protocols of their own: Splunk's HEC, and OTLP over HTTP as JSON.

Each is a thin adapter to the reader and the writers of the two logs. The log of an event follows from the
event itself; whatever else is in a log is skipped. A sender needs the right to write the logs that its events are of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

from chalicelib.access.decide import reach
from chalicelib.api import audit_ingest, connection_ingest, progress, queueing
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.delivery import Delivery
from chalicelib.api.http import Answer, Call
from chalicelib.api.ingest import Intake, accepted_rows, answer, closed, delivered
from chalicelib.errors import GatebookError
from chalicelib.models import hec, otlp
from chalicelib.models.queued import Form
from chalicelib.models.results import QueuedJSON, Results, reason
from chalicelib.models.sent import Event, Sent, Unreadable

_INTAKES: Mapping[str, Intake[Any]] = {
    intake.message: intake for intake in (connection_ingest.INTAKE, audit_ingest.INTAKE)
}
_READERS: Mapping[Form, Callable[[bytes, Collection[str], int], Sent]] = {
    "hec": hec.read_events,
    "hec_raw": hec.read_lines,
    "otlp": otlp.read_events,
}
"""Protocol -> the reader of its bodies."""
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
    """Store the events that a client of Splunk sends, or queue them."""
    return _collected(call, caller, "hec")


@_for_splunk
@authenticated
def collect(call: Call, caller: Caller) -> Answer:
    """The route under another name that it has."""
    return _collected(call, caller, "hec")


@_for_splunk
@authenticated
def collect_lines(call: Call, caller: Caller) -> Answer:
    """Store the events that a client of Splunk sends as lines, or queue them."""
    return _collected(call, caller, "hec_raw")


@_for_splunk
def acknowledge(_call: Call) -> Answer:
    """Refused: there are no acknowledgements to ask for, as what is answered with 200 is stored."""
    raise hec.NoAcknowledgements


def collector_health(_call: Call) -> Answer:
    """The service runs; it asks nothing of the store."""
    return Answer(hec.answer(hec.Code.HEALTHY))


@authenticated
def export_logs(call: Call, caller: Caller) -> Answer:
    """Store the events that an exporter of OpenTelemetry sends, or queue them."""
    taken = _taken_in(call, caller, "otlp")
    reply = Answer(None) if taken.is_queued else answer(call, taken.results)
    if reply.status != _OK:
        code = otlp.UNAVAILABLE if reply.status == _UNAVAILABLE else otlp.INTERNAL
        return reply._replace(body={"code": code, **reply.body})
    problems = taken.results.problems(1)
    first = f"Record {problems[0]['index']}: {reason(problems[0])}" if problems else ""
    return reply._replace(body=otlp.answer(taken.results.count("rejected"), first))


def stored(delivery: Delivery, form: Form) -> Results:
    """Store the events of a delivery, each in its log.

    Args:
        delivery: of the request.
        form: the protocol by which it came.

    Raises:
        Forbidden: the sender may not write a log that they are of.
        BadRequest: the body cannot be read.
        TooLarge: it has too many bytes.
    """
    results, accepted = _received(delivery, form)
    for message, rows in accepted.items():
        _INTAKES[message].store(delivery, rows, results)
    return results


class _Taken(NamedTuple):
    """A request: what became of its events, and the answer where they are queued."""

    results: Results
    waiting: QueuedJSON | None = None

    @property
    def is_queued(self) -> bool:
        return self.waiting is not None


def _collected(call: Call, caller: Caller, form: Form) -> Answer:
    taken = _taken_in(call, caller, form)
    # A client of HEC takes 200 alone for success.
    reply = Answer(taken.waiting) if taken.is_queued else answer(call, taken.results)
    codes = {_OK: hec.Code.SUCCESS, _UNAVAILABLE: hec.Code.BUSY}
    code = codes.get(reply.status, hec.Code.INTERNAL_ERROR)
    return reply._replace(body={**hec.answer(code), **reply.body})


def _taken_in(call: Call, caller: Caller, form: Form) -> _Taken:
    """Store the events of a request, or queue them where its sender asks for that."""
    delivery = delivered(call, caller)
    results, accepted, is_too_much = progress.read_on(delivery, form, partial(_received, delivery, form))
    if any(accepted.values()) and not is_too_much and queueing.is_asked(call, results):
        return _Taken(results, queueing.queued(delivery, form, results))
    for message, rows in accepted.items():
        _INTAKES[message].store(delivery, rows, results)
    progress.note(delivery, form, results)
    return _Taken(results)


def _received(delivery: Delivery, form: Form, begin: int = 0) -> tuple[Results, dict[str, list[tuple[int, Any]]]]:
    """The rows that may be stored, by the message of their log, and the results of all other events."""
    sent = _READERS[form](delivery.body, _INTAKES, begin)
    by_log: dict[str, list[tuple[int, Event | Unreadable]]] = {}
    results = Results([entry.index for entry in sent.entries], sent.skipped, sent.stopped_at)
    for place, entry in enumerate(sent.entries):
        if isinstance(entry, Unreadable):
            results.rejected(place, None, GatebookError(entry.problem))
        else:
            by_log.setdefault(entry.message, []).append((place, entry))
    asked = [_INTAKES[message] for message in by_log or _INTAKES]
    shut = [intake for intake in asked if reach(delivery.subject, intake.action, intake.resource).nothing]
    # Of events the sender would forget those of the log that it may not write, so nothing is stored and it keeps all.
    if shut and (by_log or len(shut) == len(asked)):
        raise closed(" and ".join(intake.rows for intake in shut))
    accepted = {
        message: accepted_rows(delivery.subject, _INTAKES[message], entries, results)
        for message, entries in by_log.items()
    }
    return results, accepted
