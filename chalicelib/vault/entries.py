"""The entries of a file of secrets: each key with its value, as a reader of the format comes to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from chalicelib.errors import BadRequest

LARGEST: Final = 1_048_576
"""Bytes of a file."""
_LONGEST_LABEL: Final = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        key: which becomes the name of the secret.
        value: its value, which no text of the object has.
        line: where it begins, from 1; 0 where the format has no lines.
    """

    key: str
    value: str = field(repr=False)
    line: int = 0

    def __str__(self) -> str:
        """Its name in messages: of a key the beginning, as a part of a value may stand in it by mistake."""
        name = quoted(self.key)
        return f"{name} on line {self.line}" if self.line else name


class Entries:
    """The entries of a file so far, in its order."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, key: str, value: str, line: int = 0) -> None:
        """Take in an entry.

        Raises:
            BadRequest: there is one with its key, or it has half a character.
        """
        entry = Entry(key, value, line)
        if key in self._entries:
            raise unreadable(f"The key {quoted(key)} is there twice.", line)
        if not (is_text(key) and is_text(value)):
            raise unreadable(f"The entry {quoted(key)} has half of a surrogate pair.", line)
        self._entries[key] = entry

    def all(self) -> tuple[Entry, ...]:
        """All of them.

        Raises:
            BadRequest: there are none.
        """
        if not self._entries:
            raise unreadable("The file has no secrets.")
        return tuple(self._entries.values())


def quoted(key: str) -> str:
    """A key in quotes, as messages name it."""
    cut = key[:_LONGEST_LABEL].encode(errors="replace").decode()
    return f'"{cut}{"..." if len(key) > _LONGEST_LABEL else ""}"'


def is_text(text: str) -> bool:
    """Whether a text can be stored: it has no half of a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text) if not text.isascii() else True


def unreadable(detail: str, line: int = 0) -> BadRequest:
    """The refusal of a file that cannot be read; it never has a value."""
    return BadRequest("Failed to parse secrets file.", f"Line {line}: {detail}" if line else detail)
