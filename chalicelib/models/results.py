"""The results of an ingest request on the wire: what became of each event, within what an answer may hold.

An answer repeats little of what was sent: texts that a sender wrote are cut, because a batch of wrong events could
otherwise make an answer many times as large as itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from chalicelib.errors import GatebookError, StoreRefused, Validation, ValidationJSON
from chalicelib.models.sending import json_text

Status = Literal["created", "updated", "unchanged", "rejected", "failed"]
PROBLEMS: tuple[Status, ...] = ("rejected", "failed")

MAX_LISTED_BYTES = 1_000_000
"""Of all listed results as JSON. What does not fit is counted: stored events first, then the last problems."""
MAX_TEXT_BYTES = 240
"""Of a message, or of what is wrong with a value."""
_LONGEST_ID = 64
_CUT_ID_BYTES = 16
_CUT = "…"
_QUOTES = 2
_COMMA = 1
_PLAIN = re.compile(r"[ !#-%'-;=?-\[\]-~]*")
"""Texts whose characters take a byte each in an answer."""


class ResultJSON(TypedDict):
    """The result of one event."""

    index: int
    id: str | None
    status: Status
    message: NotRequired[str]
    validations: NotRequired[list[ValidationJSON]]


class ResultsJSON(TypedDict):
    """The answer to an ingest request.

    `unlisted` is how many events have no result of their own in `results`; it is left out when all have one.
    """

    message: NotRequired[str]
    results: list[ResultJSON]
    created: int
    updated: int
    unchanged: int
    rejected: int
    failed: int
    skipped: int
    unlisted: NotRequired[int]


class QueuedJSON(TypedDict):
    """The answer to an ingest request that waits in the queue: its id, and what is rejected already."""

    queued: bool
    id: str
    rejected: int
    skipped: int
    results: list[ResultJSON]


def reason(result: ResultJSON) -> str:
    """The reason of a result, in one line."""
    wrong = [f"{one['field']}: {one['detail']}" for one in result.get("validations", ())]
    return cut("; ".join([result.get("message", ""), *wrong]), MAX_TEXT_BYTES)


@dataclass(frozen=True, slots=True)
class _Result:
    """The result of one event. Its JSON is made where it is listed: of thousands, few are."""

    index: int
    id: str | None
    status: Status
    message: str
    validations: Sequence[Validation]

    def json(self) -> ResultJSON:
        """The result as it is answered."""
        given = _cut_id(self.id) if self.status == "rejected" else self.id
        result: ResultJSON = {"index": self.index, "id": given, "status": self.status}
        if self.message:
            result["message"] = cut(self.message, MAX_TEXT_BYTES)
        if self.validations:
            result["validations"] = [
                {"field": cut(name, MAX_TEXT_BYTES), "detail": cut(detail, MAX_TEXT_BYTES)}
                for name, detail in self.validations
            ]
        return result


class Results:
    """Gathers results in any order and lists them in the order of the events.

    Args:
        indexes: for each event, how many lines or objects of the request come before it.
        skipped: how many lines and objects of the request are no events.
        stopped_at: how many lines and objects were read, where the request has more than one may have.

    Attributes:
        refused: how many events the store refuses whenever they are sent.
        skipped: how many lines and objects are no events.
    """

    def __init__(self, indexes: Sequence[int], skipped: int, stopped_at: int | None = None) -> None:
        self.refused = 0
        self._indexes = indexes
        self._by_place: dict[int, _Result] = {}
        self.skipped = skipped
        self._stopped_at = stopped_at

    def stored(self, place: int, row_id: str, status: Status, message: str = "") -> None:
        """The event at this place is in the row of this id."""
        self._add(place, row_id, status, message)

    def rejected(self, place: int, given_id: str | None, error: GatebookError) -> None:
        """The event is wrong and must not be sent again."""
        self._add(place, given_id, "rejected", error.message, error.validations)

    def failed(self, place: int, row_id: str, error: GatebookError) -> None:
        """The event is not stored."""
        self.refused += isinstance(error, StoreRefused)
        self._add(place, row_id, "failed", error.detail or error.message)

    @property
    def is_cut(self) -> bool:
        """Whether the request has more than one may have."""
        return self._stopped_at is not None

    @property
    def accepted(self) -> int | None:
        """How many lines or objects, from the first, need not be sent again; None when none needs it."""
        failed = [result.index for result in self._by_place.values() if result.status == "failed"]
        return min(failed if self._stopped_at is None else [*failed, self._stopped_at], default=None)

    def problems(self, most: int) -> list[ResultJSON]:
        """The first results of events that are not stored."""
        return [result.json() for result in islice(self._problems_in_order(), most)]

    def count(self, status: Status) -> int:
        """How many events have this status."""
        return self._counts()[status]

    def body(self, *, problems_only: bool) -> ResultsJSON:
        """The answer.

        Args:
            problems_only: list the rejected and failed events alone.
        """
        counts = self._counts()
        listed = [] if problems_only else _fitting(self._in_order())
        if problems_only or len(listed) < len(self._by_place):
            listed = _fitting(self._problems_in_order())
        body: ResultsJSON = {
            "results": listed,
            "created": counts["created"],
            "updated": counts["updated"],
            "unchanged": counts["unchanged"],
            "rejected": counts["rejected"],
            "failed": counts["failed"],
            "skipped": self.skipped,
        }
        if len(listed) < len(self._by_place):
            body["unlisted"] = len(self._by_place) - len(listed)
        return body

    def _counts(self) -> Counter[str]:
        return Counter(result.status for result in self._by_place.values())

    def _in_order(self) -> Iterator[_Result]:
        return (self._by_place[place] for place in sorted(self._by_place))

    def _problems_in_order(self) -> Iterator[_Result]:
        return (result for result in self._in_order() if result.status in PROBLEMS)

    def _add(
        self,
        place: int,
        row_id: str | None,
        status: Status,
        message: str,
        validations: Sequence[Validation] = (),
    ) -> None:
        self._by_place[place] = _Result(self._indexes[place], row_id, status, message, validations)


def cut(text: str, most_bytes: int) -> str:
    """The text, or as much of its front as takes so many bytes in an answer, with an ellipsis."""
    if len(text) <= most_bytes and _PLAIN.fullmatch(text):
        return text
    # Each character takes a byte at least, so what is beyond these is not looked at.
    kept = text[:most_bytes]
    while (size := _text_bytes(kept)) > most_bytes:
        kept = kept[: len(kept) * most_bytes // size]
    return kept if len(kept) == len(text) else f"{kept}{_CUT}"


def _text_bytes(text: str) -> int:
    return len(json_text(text).encode()) - _QUOTES


def _cut_id(given: str | None) -> str | None:
    if given is None or (len(given) <= _LONGEST_ID and _text_bytes(given) <= _LONGEST_ID):
        return given
    return cut(given, _CUT_ID_BYTES)


def _fitting(results: Iterable[_Result]) -> list[ResultJSON]:
    """As many results, from the first, as an answer may list."""
    left = MAX_LISTED_BYTES
    listed: list[ResultJSON] = []
    for result in results:
        made = result.json()
        left -= len(json_text(made).encode()) + _COMMA
        if left < 0:
            break
        listed.append(made)
    return listed
