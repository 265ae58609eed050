"""What became of each event of a request, told in one answer and one status.

200  everything is stored                         207  some of it is not
400  every event is wrong, sending again is vain  503  the store took nothing, send all of it again
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal

from chalicelib.access.decide import Object, Subject, decide, reach
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Forbidden, GatebookError, Validation
from chalicelib.models.bodies import Entry, read_events
from chalicelib.store.logs.tables import Row

Status = Literal["created", "updated", "unchanged", "rejected", "failed"]
_STATUSES: tuple[Status, ...] = ("created", "updated", "unchanged", "rejected", "failed")
_RETRY_AFTER_SECONDS = "1"
PAST_RETENTION = "It is older than the retention, or ends a session that is: it is not kept."
"""What is told of an event that is past its time and is answered as `unchanged`."""
_ANSWERING_SECONDS = 13.0
"""Kept back, of the time there is, for the writes under way and the answer."""


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


def received(call: Call, subject: Subject, intake: Intake[Row]) -> tuple[Report, list[tuple[int, Row]]]:
    """The events of a request that may be stored, each with its place in it, and a report that knows of the others.

    Raises:
        Forbidden: the caller may write no row of this log.
        BadRequest: the body cannot be read.
        TooLarge: it has too many bytes or events.
    """
    if reach(subject, intake.action, intake.resource).nothing:
        raise Forbidden(detail=f"Your token or your roles do not let you write {intake.rows}.")
    sent = read_events(call.body, intake.message)
    report = Report(sent.skipped)
    accepted: list[tuple[int, Row]] = []
    for entry in sent.entries:
        try:
            made = _row(subject, intake, entry)
        except GatebookError as error:
            report.rejected(entry.index, _own_id(entry), error)
        else:
            accepted.append((entry.index, made))
    return report, accepted


def give_up_at(call: Call) -> float:
    """When to begin no other write, on the clock of `time.monotonic`."""
    return time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS


class Report:
    """Gathers results in any order and answers them in the order of the events.

    Args:
        skipped: lines of other messages that were passed over.
    """

    def __init__(self, skipped: int) -> None:
        self._results: dict[int, dict[str, Any]] = {}
        self._skipped = skipped

    def stored(self, index: int, row_id: str, status: Status, message: str = "") -> None:
        """The event is in the row of this id."""
        self._add(index, row_id, status, message)

    def rejected(self, index: int, row_id: str | None, error: GatebookError) -> None:
        """The event is wrong and must not be sent again."""
        self._add(index, row_id, "rejected", error.message, error.validations)

    def failed(self, index: int, row_id: str, error: GatebookError) -> None:
        """The event is not stored and should be sent again."""
        self._add(index, row_id, "failed", error.detail or error.message)

    def answer(self) -> Answer:
        """The answer to the whole request."""
        results = [self._results[index] for index in sorted(self._results)]
        counts = Counter(result["status"] for result in results)
        body: dict[str, Any] = {"results": results, **{status: counts[status] for status in _STATUSES}}
        body["skipped"] = self._skipped
        stored = len(results) - counts["rejected"] - counts["failed"]
        if stored == len(results):
            return Answer(body)
        if stored:
            return Answer({"message": "Some events were not stored; see results.", **body}, 207)
        if counts["failed"]:
            message = "The store took none of the events. Send the failed ones again."
            return Answer({"message": message, **body}, 503, {"Retry-After": _RETRY_AFTER_SECONDS})
        return Answer({"message": "No event could be accepted; see results.", **body}, 400)

    def _add(
        self, index: int, row_id: str | None, status: Status, message: str, validations: tuple[Validation, ...] = ()
    ) -> None:
        result: dict[str, Any] = {"index": index, "id": row_id, "status": status}
        if message:
            result["message"] = message
        if validations:
            result["validations"] = [validation._asdict() for validation in validations]
        self._results[index] = result


def _row(subject: Subject, intake: Intake[Row], entry: Entry) -> Row:
    if entry.value is None:
        raise GatebookError(entry.problem)
    made = intake.row(entry.value)
    organization = made.organization_id
    if not decide(subject, intake.action, Object(intake.resource, organization=organization or "")):
        place = f"of organization {organization}" if organization else "that belong to no organization"
        raise Forbidden(f"You may not write {intake.rows} {place}.", "")
    return made


def _own_id(entry: Entry) -> str | None:
    given = entry.value.get("id") if entry.value else None
    return given if isinstance(given, str) else None
