"""Takes in the events of a request and answers what became of each, with a status that tells a shipper what to do.

200  nothing is to be sent again: each event is stored, skipped, or rejected for good; see `results`
400  nothing can be read from the body
500  the store refuses an event whenever it is sent: a fault of the deployment
503  at least one event is not stored: send all of it again, what is stored already is known

Shippers take a 2xx for "all is stored" and drop what they sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from chalicelib.access.decide import Object, Reach, Subject, reach
from chalicelib.api import request_log
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Forbidden, GatebookError
from chalicelib.models.bodies import Event, Unreadable, read_events
from chalicelib.models.results import Results
from chalicelib.store.logs.tables import Row

PAST_RETENTION = "It is older than the retention, or ends a session that is: it is not kept."
"""What is told of an event that is past its time and is answered as `unchanged`."""
_RETRY_AFTER_SECONDS = "1"
_ANSWERING_SECONDS = 13.0
"""Kept back, of the time there is, for the writes under way and the answer."""
_LOGGED_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Intake(Generic[Row]):
    """How the events of one log come in.

    Attributes:
        message: `msg` of the service-log lines that are its events.
        resource: what its rows are called in the policy.
        action: what the policy calls writing them.
        row: the row that an event makes; raises Invalid.
    """

    message: str
    resource: str
    action: str
    row: Callable[[Mapping[str, Any]], Row]

    @property
    def rows(self) -> str:
        """Its rows in words."""
        return self.resource.replace("_", " ") + "s"


def received(call: Call, subject: Subject, intake: Intake[Row]) -> tuple[Results, list[tuple[int, Row]]]:
    """The events of a request that may be stored, each with its place in it, and the results of the others.

    Raises:
        Forbidden: the caller may write no row of this log.
        BadRequest: the body cannot be read.
        TooLarge: it has too many bytes.
    """
    writable = reach(subject, intake.action, intake.resource)
    if writable.nothing:
        raise Forbidden(detail=f"Your token or your roles do not let you write {intake.rows}.")
    sent = read_events(call.body, (intake.message,))
    results = Results([entry.index for entry in sent.entries], sent.skipped, sent.stopped_at)
    accepted: list[tuple[int, Row]] = []
    for place, entry in enumerate(sent.entries):
        try:
            made = _row(subject, writable, intake, entry)
        except GatebookError as error:
            results.rejected(place, _own_id(entry), error)
        else:
            accepted.append((place, made))
    return results, accepted


def id_answered(subject: Subject, intake: Intake[Row], given: str, stored: str) -> tuple[str, str]:
    """The id of a stored event in the answer, and what is said of it where another event had its own id.

    Who may read the whole log learns of the other event. For everybody else a taken id is answered like any other: the
    other event may belong to an organization that is hidden from them.

    Args:
        subject: who sent the event.
        intake: of the log.
        given: the id that the event came with.
        stored: the id of its row.
    """
    if given != stored and reach(subject, "read", intake.resource).site:
        return stored, f"The id {given} is taken by another event."
    return given, ""


def give_up_at(call: Call) -> float:
    """When to begin no other write, on the clock of `time.monotonic`."""
    return time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS


def answer(call: Call, results: Results) -> Answer:
    """The answer to the whole request; its problems go into the request's log line and metrics."""
    body = results.body(problems_only=call.query("results") == "problems")
    counts = {"RejectedEvents": body["rejected"], "StoreRefusals": results.refused}
    request_log.note(**{name: number for name, number in counts.items() if number})
    if body["rejected"] or body["failed"]:
        request_log.note(problems=results.problems(_LOGGED_PROBLEMS))
    if results.refused and body["failed"] == results.refused:
        message = "The store refuses some events; see results. Sending them again does not help."
        return Answer({"message": message, **body}, 500)
    if results.accepted is None:
        return Answer(body)
    headers = {"Retry-After": _RETRY_AFTER_SECONDS, "Gatebook-Accepted-Lines": str(results.accepted)}
    message = "Some events are not stored yet. Send the request again: events that are stored are known."
    if not body["failed"]:
        message = f"The request has more than one may have. The first {results.accepted} lines or objects are taken."
    return Answer({"message": message, **body}, 503, headers)


def _row(subject: Subject, writable: Reach, intake: Intake[Row], entry: Event | Unreadable) -> Row:
    if isinstance(entry, Unreadable):
        raise GatebookError(entry.problem)
    made = intake.row(entry.value)
    organization = made.organization_id
    # What the reach includes is what `decide` allows, and thousands of events ask.
    if not writable.includes(subject.user_id, Object(intake.resource, organization=organization or "")):
        place = f"of organization {organization}" if organization else "that belong to no organization"
        raise Forbidden(f"You may not write {intake.rows} {place}.", "")
    return made


def _own_id(entry: Event | Unreadable) -> str | None:
    given = entry.value.get("id") if isinstance(entry, Event) else None
    return given if isinstance(given, str) else None
