"""Estimates the density of rows of a key in time, and the time down to which a number of rows is expected. Pure.

A merge of several keys has to read every key to the same time before it can pass rows on. A request that ends at this
time reads no row beyond it; a request that ends at a number of rows reads rows of most keys in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt

_HALF = 0.5
"""The weight of earlier answers against the latest one: traffic changes with the hour."""
_CAUTION = 1.2
"""Standard deviations by which the first request of a key stays below its even share."""


@dataclass(frozen=True, slots=True)
class Density:
    """Rows of a key, and the seconds over which they were read."""

    rows: float = 0.0
    seconds: float = 0.0

    def then(self, rows: float, seconds: float) -> Density:
        """The density after one more answer."""
        return Density(self.rows * _HALF + rows, self.seconds * _HALF + max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Front:
    """The time down to which a key was read.

    Attributes:
        time: seconds since the epoch; every row at or after it was read.
        density: of the rows that were read.
        end: the time below which it is not read; that of a part of a key is where the next part begins.
    """

    time: float
    density: Density
    end: float = -inf


def first_limit(wanted: float, keys: int) -> int:
    """The rows to read of each key at first: fewer than its even share, since a key may have fewer than others."""
    if keys == 1:
        return max(1, ceil(wanted))
    share = wanted / keys
    return max(1, ceil(share - _CAUTION * sqrt(share)))


def rates(fronts: Sequence[Front]) -> list[float]:
    """Rows a second of each key; where little was read of a key, the mean of all keys weighs more.

    The mean never makes a key look much slower than its own rows do: or a busy key among quiet ones would be read far
    beyond what is wanted.
    """
    rows = sum(front.density.rows for front in fronts)
    seconds = sum(front.density.seconds for front in fronts)
    if not rows or not seconds:
        return [0.0] * len(fronts)
    mean = seconds / rows
    return [(1 + front.density.rows) / (_prior(front.density, mean) + front.density.seconds) for front in fronts]


def _prior(density: Density, mean: float) -> float:
    """The seconds that one row more of a key is taken to need, before more of it is known."""
    own = 2 * density.seconds / density.rows if density.rows > 1 else 0.0
    return min(mean, own) if own else mean


def time_of(wanted: float, fronts: Sequence[Front], waiting: Sequence[float]) -> float | None:
    """The time down to which so many rows are expected, or to which there are any; None without a known density.

    Args:
        wanted: rows, those that wait included.
        fronts: of the keys that have more rows.
        waiting: the times of rows that were read and not passed on.
    """
    speeds = rates(fronts)
    if not any(speeds):
        return None
    points = [(front.time, speed, 0) for front, speed in zip(fronts, speeds, strict=True)]
    points += [(front.end, -speed, 0) for front, speed in zip(fronts, speeds, strict=True) if front.end > -inf]
    points += [(moment, 0.0, 1) for moment in waiting]
    points.sort(key=lambda point: -point[0])
    expected = speed = 0.0
    now = points[0][0]
    for moment, more, rows in points:
        gained = (now - moment) * speed
        if speed and expected + gained >= wanted:
            return now - (wanted - expected) / speed
        expected += gained + rows
        speed += more
        now = moment
        if expected >= wanted:
            return now
    # Where every key ends there are no more: what is left of the speed is an error of adding it up.
    return now - (wanted - expected) / speed if any(front.end == -inf for front in fronts) else now
