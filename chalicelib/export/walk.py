"""An export under way: pages of rows become parts, and after each part it is known from where to go on.

A walk that is stopped at any moment goes on after its last finished part, by the cursor of the page that the part ends
in. Rows of this page that are in the part already are passed over by their position, so pages need not be the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, NamedTuple, Protocol, Self

from chalicelib.export.parts import PART_BYTES, Part, PartWriter, part_name
from chalicelib.export.places import place
from chalicelib.export.question import Question

CutOffs = Mapping[str, str]
"""Data set -> the moment from which on its rows are kept; those without one are kept whole."""


class Page(NamedTuple):
    """A page of an export.

    Attributes:
        lines: its rows, newest first, each as a line of NDJSON with its line end.
        following: the cursor of the page after it; "" where it is the last.
        cut_offs: since when rows were kept as it was read.
    """

    lines: Sequence[str]
    following: str
    cut_offs: CutOffs


Reader = Callable[[str], Page]
"""Reads the page of a cursor; "" is the first."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an export.

    Attributes:
        parts: those that are finished.
        cursor: of the page in which the last of them ends.
        cut_offs: since when rows were kept as it began; None before the first page.
        latest: since when they were kept as the last page was read.
        ended: whether there are no more rows.
    """

    parts: tuple[Part, ...] = ()
    cursor: str = ""
    cut_offs: CutOffs | None = None
    latest: CutOffs | None = None
    ended: bool = False

    @property
    def last(self) -> str:
        """The position of the last row that is written; "" before the first."""
        return self.parts[-1].last if self.parts else ""

    @property
    def rows(self) -> int:
        """How many rows the finished parts hold."""
        return sum(part.rows for part in self.parts)

    def read(self, page: Page) -> Progress:
        """The progress once a page was read."""
        first = page.cut_offs if self.cut_offs is None else self.cut_offs
        return replace(self, cut_offs=first, latest=page.cut_offs)

    def saved(self) -> dict[str, Any]:
        """The progress as JSON."""
        return {
            "parts": [part._asdict() for part in self.parts],
            "cursor": self.cursor,
            "cut_offs": self.cut_offs,
            "latest": self.latest,
            "ended": self.ended,
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """The progress as JSON had it.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(
                tuple(map(Part.of, saved["parts"])), saved["cursor"], saved["cut_offs"], saved["latest"], saved["ended"]
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no progress: {dict(saved)}") from error


class Destination(Protocol):
    """Where parts go."""

    def begin(self, name: str) -> BinaryIO:
        """A writer of the bytes of a part. One that was begun before and not finished is deleted."""

    def finish(self, name: str, sink: BinaryIO, progress: Progress) -> None:
        """Keep a part for good, and then how far the export is."""

    def note(self, progress: Progress) -> None:
        """Keep how far the export is, where no part was finished."""


def walk(
    question: Question,
    progress: Progress,
    read: Reader,
    destination: Destination,
    *,
    part_bytes: int = PART_BYTES,
    report: Callable[[int], None] = lambda _rows: None,
) -> Iterator[Progress]:
    """Go on with an export, to its end, giving the progress after each part and once it has ended.

    Args:
        question: what is asked.
        progress: how far it is.
        read: gives pages.
        destination: takes parts.
        part_bytes: how large a part is.
        report: is called after each page, with how many rows are written.
    """
    open_part: _OpenPart | None = None
    cursor, last = progress.cursor, progress.last
    try:
        while not progress.ended:
            page = read(cursor)
            is_first = progress.cut_offs is None
            progress = progress.read(page)
            if is_first:
                # What was kept as it began has to be known however late it ends.
                destination.note(progress)
            for line in page.lines:
                row = json.loads(line)
                where = place(question.log, row)
                if last and where >= last:
                    continue
                if open_part is None:
                    open_part = _OpenPart(question, len(progress.parts) + 1, destination, part_bytes)
                open_part.writer.add(
                    line if question.written_in.is_wire else question.written_in.line(question.log, row), where
                )
                last = where
                if open_part.writer.full:
                    progress = replace(progress, cursor=cursor)
                    progress = open_part.finished(progress)
                    open_part = None
                    yield progress
            report(progress.rows + (open_part.writer.rows if open_part else 0))
            cursor = page.following
            if not cursor:
                progress = replace(progress, ended=True)
                if open_part:
                    progress = open_part.finished(progress)
                else:
                    destination.note(progress)
                open_part = None
                yield progress
    finally:
        if open_part:
            open_part.sink.close()


class _OpenPart:
    """A part that is being written."""

    def __init__(self, question: Question, number: int, destination: Destination, part_bytes: int) -> None:
        self._destination = destination
        self._name = part_name(number, question.written_in.ending)
        self.sink = destination.begin(self._name)
        self.writer = PartWriter(self._name, question.written_in.heading(question.log), self.sink, part_bytes)

    def finished(self, progress: Progress) -> Progress:
        """Keep the part, and answer with the progress that has it."""
        progress = replace(progress, parts=(*progress.parts, self.writer.close()))
        self._destination.finish(self._name, self.sink, progress)
        return progress
