"""A run that removes rows, under the lease that lets one run at a time do so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.models.retention import RunJSON
from chalicelib.records import API_KEYS
from chalicelib.retention import metrics
from chalicelib.retention.holds import Hold
from chalicelib.retention.lease import LAST_ROUND_SECONDS, LEASE, Lease, end_of_lease
from chalicelib.retention.run import Mandate, Run, Trail
from chalicelib.store.directory import expired_keys
from chalicelib.store.dynamodb.batch_update import Update, batch_update
from chalicelib.store.dynamodb.batch_write import WriteRequest, batch_write
from chalicelib.store.dynamodb.patience import FAILURES, patiently
from chalicelib.store.dynamodb.transaction import delete_together
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.retention import runs, state
from chalicelib.store.retention.state import State

_log = logging.getLogger(__name__)

_TAKING_SECONDS = 5.0
_DIED = "The run did not end; another took its place."


class LeasedRun(Run):
    """A run that removes rows.

    Args:
        mandate: what it goes by.
        trail: what is written together with its record.
    """

    dry = False

    def __init__(self, mandate: Mandate, trail: Trail) -> None:
        super().__init__(mandate)
        self._trail = trail
        self._lease: Lease | None = None

    @property
    def lease(self) -> Lease:
        """The lease that `begin` took."""
        if self._lease is None:
            raise RuntimeError("The run has not begun.")
        return self._lease

    @property
    def holds(self) -> Sequence[Hold]:
        """The holds of the last renewal."""
        return self.lease.holds

    def begin(self) -> State | None:
        """Take the lease, and store the record of a run whose process died; None when another run has the lease."""
        mandate = self.mandate
        until = end_of_lease(mandate.started_at)
        take = partial(state.take, mandate.run_id, mandate.started_at, until, self.record(None))
        # Where the answer was lost, the lease may be this run's own: the next attempt tells.
        known = patiently(take, give_up_at=min(mandate.give_up_at, time.monotonic() + _TAKING_SECONDS))
        if known is None:
            return None
        if known.run is not None:
            # A process died: what it had done by its last renewal is all that is known of it.
            # Unless it could not store its record: then that is it.
            ended = {"remaining": True, "error": _DIED, "finished_at": times.wire(known.until)}
            left = {**known.run, **(ended if known.run["finished_at"] is None else {})}
            runs.add_of_another(left, times.from_wire(left["started_at"]), *self._trail(left, own=False))
        self._lease = Lease(mandate.run_id, known)
        self.go_by(known)
        return known

    def renew(self) -> bool:
        """Renew the lease; False where the renewal met a hold that the run did not know."""
        return self.lease.renew(self.record(None), self.progress.floors, give_up_at=self.mandate.give_up_at)

    def remove_rows(self, log: LogTable[Row], rows: Sequence[Row], data_set: str) -> bool:
        """Stamp rows; False when there was no time for all of them."""
        delete_by = self.lease.delete_by
        cut_off = self.mandate.cut_offs[data_set]
        stamps: list[Update] = []
        tombstones: list[WriteRequest] = []
        for row in rows:
            overflow: tuple[str, ...] = log.changes.overflow_ids(row)
            if not overflow:
                removal = log.changes.removal(row, cut_off or row.moment, self.mandate.started_at)
                if isinstance(removal, Update):
                    stamps.append(removal)
                else:
                    tombstones.append(removal)
                continue
            # A row of several items goes as one: none of its items is ever there without the others. It is deleted,
            # for a stamp on each of them would cost as much.
            if time.monotonic() >= delete_by:
                return False
            patiently(partial(delete_together, log.table_name, (row.id, *overflow)), give_up_at=delete_by)
            self.progress.purged[data_set] += 1
        replaced = batch_write(log.table_name, tombstones, give_up_at=delete_by)
        stamped = batch_update(log.table_name, stamps, give_up_at=delete_by)
        self.progress.purged[data_set] += replaced + stamped.made
        return replaced == len(tombstones) and stamped.settled == len(stamps)

    def remove_keys(self, ids: Sequence[str]) -> bool:
        """Delete tokens and their claims; False when there was no time to begin."""
        self.renew_until_holds_current()
        delete_by, cut_off = self.lease.delete_by, self.mandate.cut_offs[API_KEYS]
        if time.monotonic() >= delete_by or cut_off is None:
            return False
        self.progress.purged[API_KEYS] += patiently(
            partial(expired_keys.delete_expired, ids, cut_off), give_up_at=delete_by
        )
        return True

    def end(self, finished_at: datetime, remembered: Mapping[str, Any]) -> RunJSON:
        """Emit the metrics, store the record with its trail, and give the lease back."""
        record, mandate = self.record(finished_at), self.mandate
        release = partial(state.release, mandate.run_id, remembered, self.progress.floors)
        metrics.emit(mandate, self.progress, finished_at)
        try:
            runs.add(record, mandate.started_at, *self._trail(record, own=True))
        except FAILURES:
            self._release(partial(release, left=(record, finished_at)))
            raise
        self._release(release)
        try:
            runs.forget(mandate.started_at - runs.KEPT)
        except FAILURES:
            _log.warning("Old records of the purge were not deleted; the next run deletes them")
        return record

    def _release(self, release: Callable[[], None]) -> None:
        """Give the lease back; where the store does not answer for several seconds, the lease ends by itself."""
        try:
            patiently(release, give_up_at=time.monotonic() + LAST_ROUND_SECONDS)
        except Unavailable:
            _log.warning("The lease of the purge was not given back; it ends within %s", LEASE)
