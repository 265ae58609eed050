"""The parts of a long file: rows, compressed, until a part is as large as parts are.

The bytes of a part follow from its rows alone. Where it ends follows from them too, and not from how rows came in
pages or when the writer was stopped. So a part that is written again is the same, and so is one that was laid aside and
goes on.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, BinaryIO, Final, NamedTuple, Self

PART_BYTES: Final = 32_000_000
"""Of a part: it ends with the row that brings it there."""
_GZIP: Final = 16 + zlib.MAX_WBITS
"""One gzip member. zlib writes no time and no name into its head."""
_BLOCK: Final = 8_192
"""Bytes that are compressed at once, so that what comes out does not hang on the pieces in which they came."""
_PACKED_BLOCK: Final = 65_536
"""Bytes that are unpacked at once, which may be a thousand times as many."""


class Part(NamedTuple):
    """A part that is written.

    Attributes:
        name: of the file.
        rows: how many it holds.
        bytes: of the file, compressed as it is.
        sha256: of these, in hexadecimal digits.
        first: the position of its first row, which is the newest.
        last: that of its last row.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    first: str
    last: str

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """The part as JSON had it.

        Raises:
            ValueError: it is none.
        """
        values = [saved.get(name) for name in cls._fields]
        if {*saved} != {*cls._fields} or [type(value) for value in values] != [str, int, int, str, str, str]:
            raise ValueError(f"no part: {dict(saved)}")
        return cls(**saved)


class Aside(NamedTuple):
    """A part that was laid aside before it was full.

    Attributes:
        cursor: of the page that comes next.
        rows: how many it holds.
        first: the position of its first row.
        last: that of its last row so far.
        sha256: of the bytes that were laid aside, in hexadecimal digits.
    """

    cursor: str
    rows: int
    first: str
    last: str
    sha256: str

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """The part as JSON had it."""
        return cls(**saved)


def part_name(number: int, ending: str) -> str:
    """The name of a part; numbers begin at 1."""
    return f"part-{number:05}.{ending}.gz"


class PartWriter:
    """Writes one part.

    Args:
        name: of the file.
        heading: what it begins with.
        sink: takes the bytes.
        most_bytes: the part is full once so many bytes are written.
    """

    def __init__(self, name: str, heading: str, sink: BinaryIO, most_bytes: int = PART_BYTES) -> None:
        self._name = name
        self._sink = sink
        self._most_bytes = most_bytes
        self._packing = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._digest = sha256()
        self._bytes = 0
        self._rows = 0
        self._first = self._last = ""
        self._pending = bytearray(heading.encode())

    @property
    def full(self) -> bool:
        """Whether the part is as large as a part is."""
        return self._bytes >= self._most_bytes

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return self._rows

    def add(self, line: str, place: str) -> None:
        """Add a row, given its text with the line end and its position."""
        self._first = self._first or place
        self._last = place
        self._rows += 1
        self._pending += line.encode()
        self._pack()

    def close(self) -> Part:
        """The part, all of whose bytes are with the sink."""
        self._write(self._packing.compress(self._pending) + self._packing.flush())
        return Part(self._name, self._rows, self._bytes, self._digest.hexdigest(), self._first, self._last)

    def ending(self) -> bytes:
        """The bytes that make a whole file of those with the sink; the part goes on without them."""
        packing = self._packing.copy()
        return packing.compress(self._pending) + packing.flush()

    def aside(self, cursor: str, content: bytes) -> Aside:
        """The part as it is laid aside, given all its bytes: those of its sink, and its ending."""
        return Aside(cursor, self._rows, self._first, self._last, sha256(content).hexdigest())

    def restore(self, content: bytes, aside: Aside) -> None:
        """Go on where a part was laid aside, given the bytes that were; this one is new, and has no heading."""
        unpacking = zlib.decompressobj(_GZIP)
        for start in range(0, len(content), _PACKED_BLOCK):
            self._pending += unpacking.decompress(content[start : start + _PACKED_BLOCK])
            self._pack()
        self._rows, self._first, self._last = aside.rows, aside.first, aside.last

    def _pack(self) -> None:
        """Compress what is there, in whole blocks."""
        whole = len(self._pending) - len(self._pending) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._write(self._packing.compress(self._pending[start : start + _BLOCK]))
        del self._pending[:whole]

    def _write(self, packed: bytes) -> None:
        if packed:
            self._sink.write(packed)
            self._digest.update(packed)
            self._bytes += len(packed)
