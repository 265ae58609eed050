"""A walk whose time is up has kept what it takes to go on, also where no row came."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import BinaryIO

import pytest

from chalicelib.export.progress import Page, Progress
from chalicelib.export.question import Question
from chalicelib.export.walk import TimeIsUp, walk

QUESTION = Question("connection", "ip:192.0.2.1", None, datetime(2025, 8, 1, tzinfo=UTC), "csv")
ROW = '{"id":"7d0bd3f2-2a65-4a8a-9d4e-5d7e7d0c6a11","connect_time":"2025-07-10T10:00:00Z"}\n'


class Kept:
    """The destination and the shelf of a walk, in memory."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.laid: bytes | None = None

    def begin(self, _name: str) -> BinaryIO:
        return io.BytesIO()

    def finish(self, _name: str, _sink: BinaryIO, progress: Progress) -> None:
        self.progress = progress

    def note(self, progress: Progress) -> None:
        self.progress = progress

    def lay(self, sink: BinaryIO, ending: bytes) -> bytes:
        sink.seek(0)
        self.laid = sink.read() + ending
        return self.laid

    def take(self) -> bytes | None:
        return self.laid


@pytest.mark.parametrize("rows", [{}, {"2": [ROW]}])
def test_each_run_goes_on_at_the_page_that_the_one_before_did_not_reach(rows: dict[str, list[str]]) -> None:
    kept = Kept()
    asked: list[str] = []
    for _ in range(6):
        left = [2]

        def read(cursor: str, left: list[int] = left) -> Page:
            if not left[0]:
                raise TimeIsUp
            left[0] -= 1
            asked.append(cursor)
            following = str(len(asked)) if len(asked) < 7 else ""
            return Page(rows.get(cursor, []), following, {})

        try:
            for _ in walk(QUESTION, kept.progress, read, kept, shelf=kept):
                pass
        except TimeIsUp:
            continue
        break
    assert asked == ["", "1", "2", "3", "4", "5", "6"]
    assert kept.progress.ended
    assert kept.progress.rows == len(rows)
