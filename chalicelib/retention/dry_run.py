"""A dry run counts what a run would remove. It takes no lease, removes nothing, and stands in nobody's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.models.retention import RunJSON
from chalicelib.records import API_KEYS
from chalicelib.retention.holds import Hold, read
from chalicelib.retention.run import Mandate, Run, Trail
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.retention import runs, state
from chalicelib.store.retention.state import State


class DryRun(Run):
    """A run that removes nothing.

    Args:
        mandate: what it goes by.
        trail: what is written together with its record.
    """

    dry = True

    def __init__(self, mandate: Mandate, trail: Trail) -> None:
        super().__init__(mandate)
        self._trail = trail
        self._holds: Sequence[Hold] = ()

    @property
    def holds(self) -> Sequence[Hold]:
        """The holds of the moment at which the run began."""
        return self._holds

    def begin(self) -> State:
        """Read the state of retention; another run may be under way."""
        known = state.read()
        self.go_by(known)
        self._holds = read(known.holds)
        return known

    def renew(self) -> bool:
        """Do nothing: what is only counted may be held a moment later."""
        return True

    def remove_rows(self, log: LogTable[Row], rows: Sequence[Row], data_set: str) -> bool:
        """Count rows."""
        del log
        self.progress.purged[data_set] += len(rows)
        return True

    def remove_keys(self, ids: Sequence[str]) -> bool:
        """Count tokens."""
        self.progress.purged[API_KEYS] += len(ids)
        return True

    def end(self, finished_at: datetime, remembered: Mapping[str, Any]) -> RunJSON:
        """Store the record with its trail; a dry run leaves nothing for the next run to know."""
        del remembered
        record = self.record(finished_at)
        runs.add(record, self.mandate.started_at, *self._trail(record, own=True))
        return record
