"""Chooses among several plans for one query by the first answers of each. Pure.

A plan of many keys has to read a row of each of them; a broader plan of few keys reads rows that are left out. Which
one is cheaper depends on the share of rows that match, unknown before the first rows were read. So the plan that
costs least to try comes first, and the others take its place where it turns out dear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from chalicelib.lanes.plan import Plan

PROBE_ROWS = 24
"""Rows that show whether a plan is worth its while."""
_SAMPLE = 16
"""Rows without which nothing is known of a plan."""
_GROWTH = 8
_SURE = 8
"""Until so many rows have matched, a request reads at most `_GROWTH` times what was read before it."""
_CERTAIN, _KNOWN, _UNTRIED = 1.2, 1.5, 3.0
"""The factors by which the current plan must be dearer than one that matches every row, a tried one, any other."""


@dataclass(frozen=True, slots=True)
class Observed:
    """How many rows of a plan were read, and how many of them match."""

    read: int = 0
    matched: int = 0

    @property
    def tried(self) -> bool:
        """Whether enough rows were read to judge the plan by."""
        return self.read >= _SAMPLE

    def then(self, read: int, matched: int) -> Observed:
        """The observation after one more answer."""
        return Observed(self.read + read, self.matched + matched)

    def rows_for(self, missing: int) -> float:
        """How many rows are likely to hold so many that match."""
        return missing * (self.read + 1) / (self.matched + 1)

    def wanted(self, missing: int) -> float:
        """How many rows to read at once for so many that match: no more than so few observations allow.

        They are enough for a standard deviation more than are missing, so that the last few seldom take several rounds.
        """
        share = min(1.0, (self.matched + 1) / (self.read + 1))
        rows = self.rows_for(missing) + sqrt(missing * (1 - share)) / share
        return rows if self.matched >= _SURE else min(rows, max(missing, _GROWTH * self.read))


def choose(current: int, plans: Sequence[Plan], observed: Sequence[Observed], missing: int) -> int:
    """The index of the plan to read on with.

    Args:
        current: the index of the plan that is being read.
        plans: all plans for the query.
        observed: what was observed of each.
        missing: how many rows are wanted.
    """
    if not observed[current].tried:
        return current
    costs = {
        index: _cost(plan, seen, missing)
        for index, (plan, seen) in enumerate(zip(plans, observed, strict=True))
        if index != current
    }
    best = min(costs, key=costs.__getitem__, default=current)
    return best if best != current and costs[best] < observed[current].rows_for(missing) else current


def _cost(plan: Plan, observed: Observed, missing: int) -> float:
    """The rows that the current plan may need before a change to this one is worth it; it reads a row of each key."""
    keys = len(plan.keys)
    if not plan.by_row:
        return _CERTAIN * max(missing, keys)
    if observed.read:
        return _KNOWN * max(observed.rows_for(missing), keys)
    return _UNTRIED * (max(missing, keys) + PROBE_ROWS)
