"""The rows of one key of an index, or of a part of its positions, read from the newest down."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf
from typing import Any

from chalicelib import times
from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.density import Density, Front
from chalicelib.lanes.positions import TIME_LENGTH, just_below
from chalicelib.store.dynamodb.client import Item

_ENOUGH = 8
"""Rows of an answer of which half show the density."""


class ScanState(Enum):
    """Whether a stream has rows that are still to be read."""

    OPEN = auto()
    EXHAUSTED = auto()


@dataclass(slots=True)
class KeyStream:
    """One stream.

    Attributes:
        key: the HASH value.
        low: the lowest position of the stream, inclusive.
        high: the highest position that is still to be read, inclusive.
        checkpoint: the position down to which everything was read.
        state: whether anything is still to be read.
        density: of the rows that were read.
        items: those that were read and not passed on, newest first.
        least: the rows that the next request reads at least: twice those that a condition left out of the last, because
            such rows stand together.
    """

    key: str
    low: str
    high: str
    checkpoint: str
    state: ScanState = ScanState.OPEN
    density: Density = field(default_factory=Density)
    items: deque[Item] = field(default_factory=deque)
    least: int = 1

    @property
    def open(self) -> bool:
        """Whether there may be more rows."""
        return self.state is ScanState.OPEN

    @property
    def front(self) -> Front:
        """The time down to which it was read, which must have begun, and that of its end."""
        bounded = self.low[:1].isdigit()
        return Front(seconds(self.checkpoint), self.density, seconds(self.low) if bounded else -inf)

    def take(self, answer: Mapping[str, Any], low: str) -> None:
        """Add the rows of an answer to a request for what is still to be read, down to a position."""
        self.items.extend(answer["Items"])
        self.least = max(1, 2 * (answer["ScannedCount"] - len(answer["Items"])))
        last = answer.get("LastEvaluatedKey")
        if last is None and low <= self.low:
            self.state = ScanState.EXHAUSTED
            return
        self.checkpoint = last[POSITION]["S"] if last else low
        self.high = just_below(self.checkpoint)

    def measure(self, items: Sequence[Item], since: float) -> None:
        """Note how densely the rows of the latest answer stand, which began at a time."""
        if not self.open:
            return
        rows = len(items)
        if rows >= _ENOUGH:
            # What comes is more like the later half: open sessions are many of the last hours, and few before.
            rows -= rows // 2
            since = seconds(items[-rows - 1][POSITION]["S"])
        self.density = self.density.then(rows, since - seconds(self.checkpoint))

    def split(self, positions: Sequence[str]) -> list[KeyStream]:
        """This stream as several: one down to each of the positions, newest first, and one down to the end."""
        lows = [*positions, self.low]
        highs = [self.high, *map(just_below, positions)]
        checkpoints = [self.checkpoint, *positions]
        parts = [
            KeyStream(self.key, low, high, checkpoint, density=self.density)
            for low, high, checkpoint in zip(lows, highs, checkpoints, strict=True)
        ]
        parts[0].items = self.items
        return parts


def seconds(position: str) -> float:
    """The time of a position, in seconds since the epoch.

    Raises:
        ValueError: it has no time, because it is an open bound.
    """
    return times.from_fixed(position[:TIME_LENGTH]).timestamp()
