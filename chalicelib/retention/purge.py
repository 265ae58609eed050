"""Runs the purge: deletes what is past its time, oldest first, until nothing is left or its own time is.

It goes round by round: read a page of the oldest rows, renew the lease, leave those that are held, delete the others.
A process that is killed at any point leaves rows that are there or gone, never half: the next run takes the lease over
when it ends and goes on with what is there, for what is gone is gone.

Deletes have no conditions, and need none: an audit row never changes; the time of a connection row only ever moves
back, and a session that has ended never opens again, so that what was past its time when it was looked at still is.
The lanes that rows are found by may lag: then a row is found a run later, or one is deleted that is gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from chalicelib import times
from chalicelib.records import API_KEYS, AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, CONNECTION_LOGS, DATA_SETS
from chalicelib.retention import data_sets, metrics, sweep
from chalicelib.retention.holds import read
from chalicelib.retention.lease import Lease, LeaseLost, end_of_lease
from chalicelib.retention.policy import policy
from chalicelib.retention.run import Run
from chalicelib.retention.sweep import Sweep
from chalicelib.settings import current
from chalicelib.store.dynamodb.patience import FAILURES
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs import tables as log_tables
from chalicelib.store.logs.tables import LogTable
from chalicelib.store.retention import runs as retention_runs
from chalicelib.store.retention import state as retention_state
from chalicelib.store.retention.state import State

LOG_OF: Mapping[str, LogTable[Any]] = {
    CONNECTION_LOGS: log_tables.CONNECTION_LOGS,
    AUDIT_LOGS: log_tables.AUDIT_LOGS,
    AUDIT_CONNECTION_EVENTS: log_tables.AUDIT_LOGS,
}
"""Data set -> the log that its rows are in."""

_DIED = "The run did not end; another took its place."
_WAITED = "waited"
"""Where the data sets are remembered that a run had no time for: the next one begins with them."""


class Trail(Protocol):
    """Gives the writes of the trail of a run."""

    def __call__(self, record: Mapping[str, Any], *, own: bool) -> Sequence[Write]:
        """The writes; `own` is False for the record of another run, whose process died."""


_log = logging.getLogger(__name__)


def _no_trail(record: Mapping[str, Any], *, own: bool) -> Sequence[Write]:
    del record, own
    return ()


def purge(seconds: float, *, dry_run: bool = False, trail: Trail = _no_trail) -> dict[str, Any] | None:
    """Run the purge now.

    Args:
        seconds: how long it may take; it ends soon after at the latest.
        dry_run: count what would be deleted, and delete nothing. It takes no lease, and stands in nobody's way.
        trail: what is written together with the record of a run.

    Returns:
        The record of the run. None when another run is under way.

    Raises:
        Unavailable: the store did not answer when the run was to begin, or when its record was to be written.
    """
    now = times.now()
    rules = policy(current())
    run = Run(rules, rules.cut_offs(now), now, time.monotonic() + seconds, dry_run=dry_run)
    state = retention_state.read() if dry_run else _begin(run, trail)
    if state is None:
        _log.info("Another run of the purge is under way")
        return None
    run.holds = read(state.holds)
    swept = Sweep(state.swept, sweep.basis(rules, state.version, run.holds, current().log_shards), now)
    waited = [name for name in state.swept.get(_WAITED, ()) if name in DATA_SETS]
    for data_set in [*waited, *(name for name in DATA_SETS if name not in waited)]:
        if not _tried(run, data_set, swept):
            break
    finished_at = times.now()
    record = run.record(finished_at)
    if not dry_run:
        metrics.tell(run, finished_at)
    # Holds that came meanwhile make another basis, which no later run will find to be its own.
    remembered = {**swept.remembered(), _WAITED: run.waited}
    try:
        retention_runs.add(record, run.started_at, *trail(record, own=True))
    except FAILURES:
        if not dry_run:
            retention_state.release(run.id, remembered, left=(record, finished_at))
        raise
    if not dry_run:
        retention_state.release(run.id, remembered)
        retention_runs.forget(now - retention_runs.KEPT)
    _log.info("Purged %s in %.1f s", record["purged"], (finished_at - now).total_seconds())
    return record


def _begin(run: Run, trail: Trail) -> State | None:
    state = retention_state.take(run.id, run.started_at, end_of_lease(run.started_at), run.record(None))
    if state is None:
        return None
    if state.run is not None:
        # A process died: what it had done by its last renewal is all that is known of it.
        # Unless it could not store its record: then that is it.
        ended = {"remaining": True, "error": _DIED, "finished_at": times.wire(state.until)}
        left = {**state.run, **(ended if state.run["finished_at"] is None else {})}
        retention_runs.add_of_another(left, times.from_wire(left["started_at"]), *trail(left, own=False))
    run.lease = Lease(run.id, state)
    return state


def _tried(run: Run, data_set: str, swept: Sweep) -> bool:
    """Purge one data set; False when no other may be purged either. One that fails costs the others nothing."""
    cut_off = run.cut_offs[data_set]
    if cut_off is None:
        return True
    try:
        if not run.in_time():
            _look_at(run, data_set, cut_off, swept)
        elif data_set == API_KEYS:
            data_sets.purge_keys(run, cut_off)
        else:
            reached = data_sets.purge_log(run, LOG_OF[data_set], data_set, cut_off, swept.start(data_set))
            swept.note(data_set, reached, cut_off)
    except LeaseLost:
        _log.warning("Another run has taken the lease of the purge over")
        run.errors.append("Another run has taken the lease over.")
        return False
    except FAILURES:
        _log.exception("Failed to purge %s", data_set)
        run.errors.append(f"Failed to purge {data_set}: the store did not do what it was asked.")
    except Exception:  # noqa: BLE001 - logged, and told of in the record; the other data sets must be purged all the same
        _log.exception("Failed to purge %s", data_set)
        run.errors.append(f"Failed to purge {data_set}: the service log says why.")
    return True


def _look_at(run: Run, data_set: str, cut_off: datetime, swept: Sweep) -> None:
    run.waited.append(data_set)
    if data_set == API_KEYS:
        data_sets.look_at_keys(run, cut_off)
    else:
        data_sets.look_at_log(run, LOG_OF[data_set], data_set, cut_off, swept.start(data_set))
