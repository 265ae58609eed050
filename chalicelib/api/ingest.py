"""Stores the events of a request and answers with the result of each and a status that tells a shipper what to do.

200  nothing is to be sent again: each event is stored, skipped, or rejected for good; see `results`
202  the same, except that events are in the queue and not yet stored: the sender has asked for that
400  nothing can be read from the body
500  the store refuses an event whenever it is sent: a fault of the deployment
503  at least one event is not stored: send all of it again, what is stored already is known

Shippers take a 2xx for "all is stored" and drop what they sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

from chalicelib import times
from chalicelib.access.decide import Object, Reach, Subject, reach
from chalicelib.api import answer_limits, progress, queueing, rate_limits, request_log
from chalicelib.api.caller import Caller
from chalicelib.api.delivery import Delivery
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Forbidden, GatebookError
from chalicelib.models.bodies import read_events
from chalicelib.models.queued import LogName
from chalicelib.models.results import Results
from chalicelib.models.sent import Event, Unreadable
from chalicelib.store.logs.tables import Row

PAST_RETENTION = "It is older than the retention, or ends a session that is: it is not kept."
"""Message for an event older than the retention, which is answered as `unchanged`."""
_RETRY_AFTER_SECONDS = "1"
_LOGGED_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Intake(Generic[Row]):
    """The functions that read and name the events of one log.

    Attributes:
        message: `msg` of the service-log lines that are its events.
        resource: what its rows are called in the policy.
        action: what the policy calls writing them.
        row: the row that an event makes; raises Invalid.
        store: stores rows, each with its place in the request, and puts into the results what became of them.
    """

    message: str
    resource: LogName
    action: str
    row: Callable[[Mapping[str, Any]], Row]
    store: Callable[[Delivery, Sequence[tuple[int, Row]], Results], None]

    @property
    def rows(self) -> str:
        """Its rows in words."""
        return self.resource.replace("_", " ") + "s"


def taken_in(call: Call, caller: Caller, intake: Intake[Row]) -> Answer:
    """Store the events of a request, or queue them where its sender asks for that (`?queue=true`), and answer.

    Queued is what can be stored later without its sender. Where the deployment has no queue, where no event may be
    stored, and where the request has more than one may have, it is answered like any other.

    Args:
        call: the request.
        caller: who sent it.
        intake: of the log.
    """
    delivery = delivered(call, caller)
    results, accepted, is_too_much = progress.read_on(delivery, intake.resource, partial(received, delivery, intake))
    if accepted and not is_too_much and queueing.is_asked(call, results):
        return Answer(queueing.queued(delivery, intake.resource, results), 202)
    intake.store(delivery, accepted, results)
    progress.note(delivery, intake.resource, results)
    return answer(call, results)


def stored(delivery: Delivery, intake: Intake[Row]) -> Results:
    """Store the events of a delivery; raises what `received` raises."""
    results, accepted = received(delivery, intake)
    intake.store(delivery, accepted, results)
    return results


def delivered(call: Call, caller: Caller) -> Delivery:
    """The delivery of a request.

    Raises:
        TooManyRequests: its token has sent as many as it may.
    """
    rate_limits.count(rate_limits.INGEST, caller.key.id)
    give_up_at = time.monotonic() + call.remaining_seconds - answer_limits.ANSWERING_SECONDS
    return Delivery(call.body, caller.subject, caller.key.id, times.now(), call.request_id, give_up_at)


def received(delivery: Delivery, intake: Intake[Row], begin: int = 0) -> tuple[Results, list[tuple[int, Row]]]:
    """The events of a request that may be stored, each with its place in it, and the results of the others.

    Args:
        delivery: of the request.
        intake: of the log.
        begin: how many lines or objects, from the first, are not looked at.

    Raises:
        Forbidden: the sender may write no row of this log.
        BadRequest: the body cannot be read.
        TooLarge: it has too many bytes.
    """
    if reach(delivery.subject, intake.action, intake.resource).nothing:
        raise closed(intake.rows)
    sent = read_events(delivery.body, (intake.message,), begin)
    results = Results([entry.index for entry in sent.entries], sent.skipped, sent.stopped_at)
    return results, accepted_rows(delivery.subject, intake, enumerate(sent.entries), results)


def accepted_rows(
    subject: Subject, intake: Intake[Row], entries: Iterable[tuple[int, Event | Unreadable]], results: Results
) -> list[tuple[int, Row]]:
    """The rows that events make and their sender may write; what is wrong with the others is put into the results.

    Args:
        subject: who sent the events.
        intake: of their log.
        entries: each with its place among the results.
        results: of the request.
    """
    writable = reach(subject, intake.action, intake.resource)
    accepted: list[tuple[int, Row]] = []
    for place, entry in entries:
        try:
            made = _row(subject, writable, intake, entry)
        except GatebookError as error:
            results.rejected(place, _own_id(entry), error)
        else:
            accepted.append((place, made))
    return accepted


def closed(rows: str) -> Forbidden:
    """The answer to a sender who may write none of these rows."""
    return Forbidden(detail=f"Your token or your roles do not let you write {rows}.")


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


def answer(call: Call, results: Results) -> Answer:
    """The answer to the whole request; its problems go into the request's log line and metrics."""
    body = results.body(problems_only=call.query("results") == "problems")
    note_problems(results)
    if results.refused and body["failed"] == results.refused:
        message = "The store refuses some events; see results. Sending them again does not help."
        return Answer({"message": message, **body}, 500)
    if results.accepted is None:
        return Answer(body)
    headers = {"Retry-After": _RETRY_AFTER_SECONDS, "Gatebook-Accepted-Lines": str(results.accepted)}
    message = "Some events are not stored yet. Send the request again: events that are stored are known."
    if not body["failed"]:
        message = f"Send the request again: it has more than one may have, and its first {results.accepted} are taken."
    return Answer({"message": message, **body}, 503, headers)


def note_problems(results: Results) -> None:
    """Put into the request's log line and metrics what is not stored, and count what was rejected for good.

    A request that is to be sent again is counted then.
    """
    if not results.count("failed") and (number := results.count("rejected")):
        # Imported here: events are rejected rarely, and no cold start waits for it.
        from chalicelib.api import rejections  # noqa: PLC0415

        rejections.count(number)
    counts = {"RejectedEvents": results.count("rejected"), "StoreRefusals": results.refused}
    request_log.note(**{name: number for name, number in counts.items() if number})
    if results.skipped:
        request_log.note(skipped=results.skipped)
    problems = results.problems(_LOGGED_PROBLEMS)
    if problems:
        request_log.note(problems=problems)


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
