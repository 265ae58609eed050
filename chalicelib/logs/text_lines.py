r"""Splits a text into what its lines say: objects, entries of a log with the lines that belong to them, and all else.

Only a line with a brace or a bracket can hold an event, so that text in which there is none is passed over at the speed
of a search, however many lines it has. NULs, which a truncated file holds, are no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chalicelib.logs import human_line
from chalicelib.logs.line_prefixes import Line, Part, bare

_NOT_TEXT = b" \t\r\x00\x0b\x0c"
_MOST_AMONG_PARTS = 2_000
"""Lines among which parts of one are looked for: a request gets further where an end is missing."""
_STRIPPED = "\x00 \t\r\x0b\x0c"


class Entry(NamedTuple):
    """The event of one or several lines.

    Attributes:
        lines: how many lines that are not blank.
        text: the first line, as the program printed it; empty for lines that hold no event.
        below: the lines that belong to it, with their indent.
        moves: how many lines further the next entry begins; None where that is `lines`. Of divided lines, which may
            stand among each other, the last entry moves by all, so that no place is between the parts of a line.
    """

    lines: int
    text: str = ""
    below: tuple[str, ...] = ()
    moves: int | None = None


def entries(body: bytes) -> Iterator[Entry]:
    """The entries of a text, in order; every line that is not blank is in one of them."""
    return _entries(body, are_joined=False)


def _entries(body: bytes, *, are_joined: bool) -> Iterator[Entry]:
    scanner = _Scanner(body)
    while (start := scanner.next_candidate()) is not None:
        passed = _count(body, scanner.place, start)
        if passed:
            yield Entry(passed)
        scanner.place = start
        text = scanner.peek() or ""
        line = bare(text)
        if line.part is Part.BEGINNING and not are_joined:
            yield from _divided(scanner)
        else:
            yield _entry(scanner, text, line)
    passed = _count(body, scanner.place, len(body))
    if passed:
        yield Entry(passed)


class _Scanner:
    """A place in a text, and where the next line with a brace or a bracket begins."""

    def __init__(self, body: bytes) -> None:
        self.place = 0
        self._body = body
        self._next = {b"{": -1, b"[": -1}

    def next_candidate(self) -> int | None:
        """Where the next such line begins, at the place or after it."""
        for mark, known in self._next.items():
            if known < self.place:
                place = self._body.find(mark, self.place)
                self._next[mark] = len(self._body) if place < 0 else place
        nearest = min(self._next.values())
        if nearest >= len(self._body):
            return None
        return self._body.rfind(b"\n", self.place, nearest) + 1 or self.place

    def peek(self) -> str | None:
        """The line at the place, without NULs; None at the end of the text."""
        if self.place >= len(self._body):
            return None
        return self._body[self.place : self._end()].decode(errors="replace").strip("\x00\r")

    def advance(self) -> None:
        """Go to the next line."""
        self.place = self._end() + 1

    def _end(self) -> int:
        end = self._body.find(b"\n", self.place)
        return len(self._body) if end < 0 else end


def _divided(scanner: _Scanner) -> Iterator[Entry]:
    """The entries of lines that a container's runtime divided, and of its other stream's lines among them."""
    lines = 0
    whole: list[str] = []
    beginnings: dict[str, list[str]] = {}
    while lines < _MOST_AMONG_PARTS and (text := scanner.peek()) and (line := bare(text)).stream:
        scanner.advance()
        lines += 1
        beginnings.setdefault(line.stream, []).append(line.text)
        if line.part is Part.WHOLE:
            whole.append("".join(beginnings.pop(line.stream)))
        if not beginnings:
            break
    whole += map("".join, beginnings.values())
    while (text := scanner.peek()) and (line := bare(text)).stream and _is_below(line.text):
        scanner.advance()
        lines += 1
        whole.append(line.text)
    joined = list(_entries("\n".join(whole).encode(errors="replace"), are_joined=True)) or [Entry(lines)]
    yield from (entry._replace(moves=0) for entry in joined[:-1])
    yield joined[-1]._replace(moves=lines)


def _entry(scanner: _Scanner, text: str, line: Line) -> Entry:
    scanner.advance()
    if text.startswith("{"):
        return Entry(1, text.rstrip(_STRIPPED))
    lines = _number(text)
    if text.startswith(human_line.INDENT):
        # It belongs to an entry above, whose text may look like an entry and is none.
        return Entry(lines)
    if line.text.startswith(human_line.INDENT):
        return Entry(lines)
    first = line.text.strip(_STRIPPED)
    below: list[str] = []
    if first.endswith(human_line.CUT) and human_line.message_of(first):
        while (following_text := scanner.peek()) is not None and _is_below(bare(following_text).text):
            scanner.advance()
            lines += _number(following_text)
            below.append(bare(following_text).text)
    return Entry(lines, first, tuple(below))


def _number(text: str) -> int:
    return 1 if text.strip(_STRIPPED) else 0


def _is_below(text: str) -> bool:
    return not text.strip(_STRIPPED) or text.startswith(human_line.INDENT)


def _count(body: bytes, start: int, end: int) -> int:
    """How many lines between two places are not blank."""
    if start >= end:
        return 0
    text = body[start:end].translate(None, _NOT_TEXT)
    while b"\n\n" in text:
        text = text.replace(b"\n\n", b"\n")
    text = text.strip(b"\n")
    return text.count(b"\n") + 1 if text else 0
