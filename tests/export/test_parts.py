"""A part that is laid aside anywhere and goes on is the part that it would have been."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.export.parts import Part, PartWriter

NUMBERS = random.Random(18)
LINES = [f"{NUMBERS.randbytes(NUMBERS.randrange(1, 900)).hex()}\r\n" for _ in range(200)]
HEADING = "\ufeffa heading\r\n"


def written(stops: set[int]) -> tuple[bytes, Part]:
    """The bytes of a part whose writer is replaced by another one before these rows."""
    sink = io.BytesIO()
    writer = PartWriter("part", HEADING, sink, 10**9)
    for number, line in enumerate(LINES):
        if number in stops:
            content = sink.getvalue() + writer.ending()
            assert gzip.decompress(content).decode() == HEADING + "".join(LINES[:number])
            aside = writer.aside("c", content)
            sink = io.BytesIO()
            writer = PartWriter("part", "", sink, 10**9)
            writer.restore(content, aside)
            assert writer.rows == number
        writer.add(line, f"{number:03}")
    part = writer.close()
    return sink.getvalue(), part


@pytest.fixture(scope="module")
def whole() -> tuple[bytes, Part]:
    return written(set())


@given(stops=st.sets(st.integers(1, len(LINES) - 1), max_size=4))
def test_a_part_goes_on_after_it_was_laid_aside(whole: tuple[bytes, Part], stops: set[int]) -> None:
    assert written(stops) == whole
    content, part = whole
    assert gzip.decompress(content).decode() == HEADING + "".join(LINES)
    assert (part.rows, part.first, part.last, part.bytes) == (len(LINES), "000", f"{len(LINES) - 1:03}", len(content))


def test_a_part_is_full_at_the_same_row_however_it_was_laid_aside() -> None:
    ends = []
    for stop in (0, 7, 60):
        sink = io.BytesIO()
        writer = PartWriter("part", HEADING, sink, 20_000)
        for number, line in enumerate(LINES):
            if number == stop:
                content = sink.getvalue() + writer.ending()
                aside = writer.aside("", content)
                sink = io.BytesIO()
                writer = PartWriter("part", "", sink, 20_000)
                writer.restore(content, aside)
            writer.add(line, "")
            if writer.full:
                break
        ends.append(writer.rows)
    assert ends[0] == ends[1] == ends[2] < len(LINES)
