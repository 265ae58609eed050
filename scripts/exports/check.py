"""Reads an export again, without the service: is every part what the manifest says, and every row in its place?"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib import times
from chalicelib.export import manifest
from chalicelib.export.parts import Part
from chalicelib.export.question import Question


class _Rows(NamedTuple):
    """The rows of a part, as they are read."""

    number: int
    first: str
    last: str
    descending: bool


def problems(path: Path, written: Mapping[str, Any]) -> Iterator[str]:
    """The problems of an export, a sentence each; none where it is sound.

    Args:
        path: of the directory.
        written: its manifest.
    """
    try:
        question = Question.of(written)
        parts = [Part.of(saved) for saved in written["parts"]]
        rows = int(written["rows"])
    except (KeyError, TypeError, ValueError) as error:
        yield f"{manifest.NAME} is none of an export: {error}"
        return
    named = {manifest.NAME, *(part.name for part in parts)}
    yield from (f"{other.name} is no part of the export" for other in sorted(path.iterdir()) if other.name not in named)
    if rows != sum(part.rows for part in parts):
        yield f"{manifest.NAME} tells of {rows} rows, and its parts of {sum(part.rows for part in parts)}"
    before = ""
    for part in parts:
        wrong = list(_of_part(path, part, question, before))
        yield from (f"{part.name}: {problem}" for problem in wrong)
        before = part.last


def _of_part(path: Path, part: Part, question: Question, before: str) -> Iterator[str]:
    place = path / part.name
    if Path(part.name).name != part.name or not place.is_file():
        yield "there is no such file"
        return
    if place.stat().st_size != part.bytes:
        yield f"has {place.stat().st_size} bytes, not {part.bytes}"
    with place.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if digest != part.sha256:
        yield f"has the SHA-256 {digest}, not {part.sha256}"
    try:
        read = _read(place, question)
    except (OSError, EOFError, zlib.error, ValueError, csv.Error) as error:
        yield f"cannot be read: {error}"
        return
    if read.number != part.rows:
        yield f"has {read.number} rows, not {part.rows}"
    if (read.first, read.last) != (part.first, part.last):
        yield f"goes from {read.first} to {read.last}, not from {part.first} to {part.last}"
    if not read.descending or (before and read.first >= before):
        yield "has rows that are not older than those before them"
    earliest = times.fixed(question.begin) if question.begin else ""
    if read.last < earliest or read.first[: len(times.fixed(question.end))] > times.fixed(question.end):
        yield "has rows outside the range"


def _read(place: Path, question: Question) -> _Rows:
    number, first, last, descending = 0, "", "", True
    with gzip.open(place) as unpacked, io.TextIOWrapper(unpacked, "utf-8-sig", newline="\n") as lines:
        for position in question.written_in.places(question.log, lines):
            number += 1
            first = first or position
            descending = descending and (not last or position < last)
            last = position
    return _Rows(number, first, last, descending)
