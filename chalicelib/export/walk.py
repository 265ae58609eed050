"""An export under way: pages of rows become parts, and after each part it is known from where to go on.

A walk that is stopped at any moment goes on after its last finished part, by the cursor of the page that the part ends
in. Rows of this page that are in the part already are passed over by their position, so pages need not be the same. One
that is told that its time is up lays the part that it is at aside, so that it goes on however long a part takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import BinaryIO, Protocol

from chalicelib.export.parts import PART_BYTES, PartWriter, part_name
from chalicelib.export.places import place
from chalicelib.export.progress import Page, Progress
from chalicelib.export.question import Question


class TimeIsUp(Exception):
    """There is no time for another page."""


Reader = Callable[[str], Page]
"""Reads the page of a cursor; "" is the first. Raises TimeIsUp."""


class Destination(Protocol):
    """Where parts go."""

    def begin(self, name: str) -> BinaryIO:
        """A writer of the bytes of a part. One that was begun before and not finished is deleted."""

    def finish(self, name: str, sink: BinaryIO, progress: Progress) -> None:
        """Keep a part for good, and then how far the export is."""

    def note(self, progress: Progress) -> None:
        """Keep how far the export is, where no part was finished."""


class Shelf(Protocol):
    """A place for a part that is laid aside until the walk goes on."""

    def lay(self, sink: BinaryIO, ending: bytes) -> bytes:
        """Keep the bytes of a sink and an ending, and give them all."""

    def take(self) -> bytes | None:
        """The bytes that were kept last; None where there are none."""


def walk(
    question: Question,
    progress: Progress,
    read: Reader,
    destination: Destination,
    *,
    shelf: Shelf | None = None,
    part_bytes: int = PART_BYTES,
    report: Callable[[int], None] = lambda _rows: None,
) -> Iterator[Progress]:
    """Go on with an export, to its end, giving the progress after each part and once it has ended.

    Args:
        question: what is asked.
        progress: how far it is.
        read: gives pages.
        destination: takes parts.
        shelf: takes the part that the walk is at when its time is up; without one it is begun again.
        part_bytes: how large a part is.
        report: is called after each page, with how many rows are written.

    Raises:
        TimeIsUp: what is to be known to go on is kept.
    """
    state = _Walk(question, progress, destination, part_bytes)
    if shelf:
        state.take(shelf)
    try:
        while not state.progress.ended:
            try:
                page = read(state.cursor)
            except TimeIsUp:
                if shelf:
                    state.lay(shelf)
                raise
            state.begin(page)
            for line in page.lines:
                if state.fills(line):
                    yield state.progress
            report(state.rows)
            if state.is_last(page):
                yield state.progress
    finally:
        state.close()


class _Walk:
    """A walk under way: the part that it is at, and the page that comes next."""

    def __init__(self, question: Question, progress: Progress, destination: Destination, part_bytes: int) -> None:
        self.progress = progress
        self.cursor = progress.cursor
        self._question = question
        self._destination = destination
        self._part_bytes = part_bytes
        self._last = progress.last
        self._part: _OpenPart | None = None

    @property
    def rows(self) -> int:
        """How many rows are written."""
        return self.progress.rows + (self._part.writer.rows if self._part else 0)

    def take(self, shelf: Shelf) -> None:
        """Go on with the part that was laid aside, unless another walk has laid another one there."""
        aside = self.progress.aside
        content = shelf.take() if aside else None
        if aside is None or content is None or sha256(content).hexdigest() != aside.sha256:
            return
        self._part = self._opened("")
        self._part.writer.restore(content, aside)
        self.cursor, self._last = aside.cursor, aside.last

    def lay(self, shelf: Shelf) -> None:
        """Keep how far the walk is, with the part that it is at on the shelf."""
        if self._part is None:
            self._note(replace(self.progress, cursor=self.cursor, aside=None))
            return
        content = shelf.lay(self._part.sink, self._part.writer.ending())
        self._note(replace(self.progress, aside=self._part.writer.aside(self.cursor, content)))

    def begin(self, page: Page) -> None:
        """Note since when rows are kept."""
        is_first = self.progress.cut_offs is None
        self.progress = self.progress.read(page)
        if is_first:
            # What was kept as it began has to be known however late it ends.
            self._destination.note(self.progress)

    def fills(self, line: str) -> bool:
        """Write a row, unless it is written already; whether it ends a part."""
        question = self._question
        row = json.loads(line)
        where = place(question.log, row)
        if self._last and where >= self._last:
            return False
        if self._part is None:
            self._part = self._opened(question.written_in.heading(question.log))
        form = question.written_in
        self._part.writer.add(line if form.is_wire else form.line(question.log, row), where)
        self._last = where
        if self._part.writer.full:
            self.progress = self._part.finished(replace(self.progress, cursor=self.cursor))
            self._part = None
            return True
        return False

    def is_last(self, page: Page) -> bool:
        """Go on to the page after this one; whether there is none, which ends the last part and the walk."""
        self.cursor = page.following
        if self.cursor:
            return False
        ended = replace(self.progress, ended=True)
        if self._part:
            self.progress = self._part.finished(ended)
            self._part = None
        else:
            self._note(ended)
        return True

    def close(self) -> None:
        """Let go of a part that is not finished."""
        if self._part:
            self._part.sink.close()

    def _note(self, progress: Progress) -> None:
        self._destination.note(progress)
        self.progress = progress

    def _opened(self, heading: str) -> _OpenPart:
        return _OpenPart(self._question, len(self.progress.parts) + 1, self._destination, self._part_bytes, heading)


class _OpenPart:
    """A part that is being written."""

    def __init__(
        self, question: Question, number: int, destination: Destination, part_bytes: int, heading: str
    ) -> None:
        self._destination = destination
        self._name = part_name(number, question.written_in.ending)
        self.sink = destination.begin(self._name)
        self.writer = PartWriter(self._name, heading, self.sink, part_bytes)

    def finished(self, progress: Progress) -> Progress:
        """Keep the part, and answer with the progress that has it."""
        progress = replace(progress, parts=(*progress.parts, self.writer.close()), aside=None)
        self._destination.finish(self._name, self.sink, progress)
        return progress
