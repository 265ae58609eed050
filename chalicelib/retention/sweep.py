"""The memory between runs: rows that are past their cut-off and held are met once a day, not at every run.

What the last run looked at and kept, the next one would keep as well, as long as policy and holds are the same and
matching does not depend on what may still change of a row. An hour is left for writes that were under way and clocks
that differ; and once a day everything is looked at, whatever is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.retention.holds import Hold
from chalicelib.retention.policy import Policy
from chalicelib.store.logs.tables import LOG_TABLES

MARGIN = timedelta(hours=1)
EVERY = timedelta(days=1)

Reached = dict[str, str]
"""Key of a lane -> the position up to which everything was looked at."""


class Sweep:
    """The position of each data set below which the next run need not look.

    Args:
        swept: what the last run remembered.
        basis: what the runs have in common, as JSON; None where nothing may be remembered.
        now: the beginning of this run.
    """

    def __init__(self, swept: Mapping[str, Any], basis: Any, now: datetime) -> None:  # noqa: ANN401 - any JSON value
        same = basis is not None and swept.get("basis") == basis
        recent = same and times.fixed(now - EVERY) <= swept["at"] <= times.fixed(now)
        self._basis = basis
        self._at: str = swept["at"] if recent else times.fixed(now)
        self._known: Mapping[str, Reached] = swept["reached"] if recent else {}
        self._reached: dict[str, Reached] = {}

    def start(self, data_set: str) -> Reached:
        """Where to begin."""
        return dict(self._known.get(data_set, {}))

    def note(self, data_set: str, reached: Mapping[str, str], cut_off: datetime) -> None:
        """Remember how far a data set was looked at."""
        safe = times.fixed(cut_off - MARGIN)
        self._reached[data_set] = {key: min(position, safe) for key, position in reached.items()}

    def remembered(self) -> dict[str, Any]:
        """The memory for the next run; data sets that this one did not reach are begun anew."""
        return {} if self._basis is None else {"basis": self._basis, "at": self._at, "reached": self._reached}


def basis(rules: Policy, version: int, holds: Iterable[Hold], shards: int) -> list[Any] | None:
    """The holds and cut-offs that two runs must share; None where rows may cease to be held with no hold lifted."""
    late = {name for log in LOG_TABLES for name in log.base.fields}
    if rules.keep_ongoing or any(not late.isdisjoint(hold.criteria.fields) for hold in holds):
        return None
    return [[[name, rules.retention[name]] for name in sorted(rules.retention)], version, shards]
