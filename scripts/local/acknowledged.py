"""The number of writes that were acknowledged, in a file of its own: what a database must have at the least."""

from __future__ import annotations

import os
from pathlib import Path

FILE = "acknowledged"

_DIGITS = 20


class Acknowledged:
    """The open file. It is written after a write is on disk, and so is never ahead of the database.

    Args:
        path: of the file, which is made where it is missing.
        writes: how many writes the database has.

    Raises:
        OSError: it cannot be read or made.
    """

    def __init__(self, path: Path, writes: int) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self.put(writes)

    def put(self, writes: int) -> None:
        """Remember that there have been so many."""
        text = f"{writes:0{_DIGITS}}\n".encode()
        try:
            os.pwrite(self._handle, text, 0)
            os.ftruncate(self._handle, len(text))
        except OSError:
            # The write is on disk all the same. What is lost is that a start would miss it, until the next one.
            return

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)


def read(path: Path) -> int | None:
    """The number in a file; None where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds something else.
    """
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    if text and not text.isdigit():
        raise ValueError("it holds no number of writes")
    return int(text) if text else None
