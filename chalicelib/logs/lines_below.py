r"""Joins a human entry and the lines below it, where a collector puts each line into an object or a text of its own.

    {"log": "2026-10-07 11:34:37.428 [info]  coderd: audit_log  ID=1 ...\n", "stream": "stderr"}
    {"log": "    ResourceTarget= first line\n", "stream": "stderr"}
    {"log": "                    second line\n", "stream": "stderr"}

Only what follows at once belongs to an entry, so that no event waits for what may never come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.logs import human_line
from chalicelib.logs.divided_lines import DividedLines
from chalicelib.logs.line_prefixes import bare

_TEXTS = ("log", "message", "MESSAGE")
_MOST_LINES = 2_000
_LONGEST_PREFIX = 1_024
"""Characters of a line in which what a collector puts before it, and the indent, are looked for."""


@dataclass(slots=True)
class _Held:
    """An entry that ends in a mark that it goes on below, and the lines of its text."""

    index: int
    value: Any
    lines: list[str]


class WholeLines:
    """The values of a batch, or of lines, of which each is a whole line or an entry with what stands below it."""

    def __init__(self) -> None:
        self._divided = DividedLines()
        self._held: _Held | None = None

    def passed(self, index: int, given: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - any JSON value
        """The values that are whole now, each with the place of its first line.

        Args:
            index: the place of the value.
            given: a value, whatever it is.
        """
        value = self._divided.whole(index, given)
        if value is None and given is not None:
            return
        text = _text(value)
        if self._held is not None:
            if text is not None and _is_below(text) and self._is_of_the_same(value):
                self._held.lines.append(text.rstrip("\r\n"))
                return
            yield from self.released()
        if text is not None and _goes_on(text):
            self._held = _Held(index, value, [text.rstrip("\r\n")])
        else:
            yield index, value

    def released(self) -> Iterator[tuple[int, Any]]:
        """The entry that has been waited with, as something follows that is not below it."""
        held, self._held = self._held, None
        if held is not None:
            yield held.index, _with_text(held.value, "\n".join(held.lines)) if len(held.lines) > 1 else held.value

    def unended(self, last: int) -> Iterator[tuple[int, Any]]:
        """The values that are left at the end.

        Args:
            last: the place of the last value of all, at which lines without an end stand too: whoever goes on from a
                place has all that comes before it.
        """
        yield from self.released()
        for _, value in self._divided.unended():
            yield last, value

    def _is_of_the_same(self, value: Any) -> bool:  # noqa: ANN401 - any JSON value
        held = self._held
        if held is None or type(value) is not type(held.value) or len(held.lines) > _MOST_LINES:
            return False
        return not isinstance(value, dict) or value.get("stream") == held.value.get("stream")


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """The line that a value is or holds; None for any other value."""
    if isinstance(value, dict):
        value = next((value[name] for name in _TEXTS if name in value), None)
    return value if isinstance(value, str) and "\n" not in value.rstrip("\r\n") else None


def _with_text(value: Any, text: str) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict):
        return text
    return {**value, next(name for name in _TEXTS if name in value): text}


def _goes_on(text: str) -> bool:
    line = text.rstrip()
    return line.endswith(human_line.CUT) and human_line.message_of(bare(line).text) is not None


def _is_below(text: str) -> bool:
    begin = bare(text[:_LONGEST_PREFIX]).text
    return begin.startswith(human_line.INDENT) or not begin.strip()
