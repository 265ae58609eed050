"""What became of each event of a request, told in one answer and one status.

200  everything is stored                         207  some of it is not
400  every event is wrong, sending again is vain  503  the store took nothing, send all of it again
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from chalicelib.api.http import Answer
from chalicelib.errors import GatebookError, Validation

Status = Literal["created", "updated", "unchanged", "rejected", "failed"]
_STATUSES: tuple[Status, ...] = ("created", "updated", "unchanged", "rejected", "failed")
_RETRY_AFTER_SECONDS = "1"


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
