"""Runs the purge: stamps what is past its time, oldest first, until nothing is left or its own time is over.

It goes page by page: read the oldest rows, renew the lease, leave those that are held, stamp the others. A process that
is killed at any point leaves rows that are there or purged, never half: the next run takes the lease over when it ends
and goes on with what is there, for a stamp takes its row out of the lane that the purge reads.

A stamp is made where the row still stands where it was read: the lanes may lag, and then a row is purged a run later. A
tombstone has no condition, and needs none: the time of a connection row only ever moves back, and a session that has
ended never opens again, so that what was past its time when it was read still is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.models.retention import RunJSON
from chalicelib.records import API_KEYS, AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, CONNECTION_LOGS, DATA_SETS
from chalicelib.retention import key_purge, log_purge, sweep
from chalicelib.retention.dry_run import DryRun
from chalicelib.retention.lease import LeaseLost
from chalicelib.retention.leased_run import LeasedRun
from chalicelib.retention.policy import policy
from chalicelib.retention.run import Mandate, Run, Trail
from chalicelib.retention.sweep import Sweep
from chalicelib.settings import current
from chalicelib.store.dynamodb.deadline import TimeUp, ends_by
from chalicelib.store.dynamodb.patience import FAILURES
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs import tables as log_tables
from chalicelib.store.logs.tables import LogTable

LOG_OF: Mapping[str, LogTable[Any]] = {
    CONNECTION_LOGS: log_tables.CONNECTION_LOGS,
    AUDIT_LOGS: log_tables.AUDIT_LOGS,
    AUDIT_CONNECTION_EVENTS: log_tables.AUDIT_LOGS,
}
"""Data set -> the log that its rows are in."""

_ROUND_SECONDS = 7.0
"""How long after its time the calls of a run are over: what it has begun by then waits for the next run."""

_RECORD_SECONDS = 9.0
"""How long it takes at most to store the record of a run and to give the lease back, a call each."""

ENDING_SECONDS = _ROUND_SECONDS + _RECORD_SECONDS
"""How long after its time a run is over at the latest, however slow the store is."""

_WAITED = "waited"
"""The name under which the state keeps the data sets that a run had no time for: the next one begins with them."""

_log = logging.getLogger(__name__)


def _no_trail(record: Mapping[str, Any], *, own: bool) -> Sequence[Write]:
    del record, own
    return ()


def purge(seconds: float, *, dry_run: bool = False, trail: Trail = _no_trail) -> RunJSON | None:
    """Run the purge now.

    Args:
        seconds: after how long no page is begun; the run is over `ENDING_SECONDS` after that at the latest.
        dry_run: count what a run would remove, and remove nothing.
        trail: what is written together with the record of a run.

    Returns:
        The record of the run. None when another run is under way.

    Raises:
        Unavailable: the store did not answer when the run was to begin, or when its record was to be written.
    """
    now = times.now()
    rules = policy(current())
    mandate = Mandate(rules, rules.cut_offs(now), now, time.monotonic() + seconds)
    run: Run = DryRun(mandate, trail) if dry_run else LeasedRun(mandate, trail)
    with ends_by(mandate.give_up_at + ENDING_SECONDS):
        with ends_by(mandate.give_up_at + _ROUND_SECONDS):
            state = run.begin()
            if state is None:
                _log.info("Another run of the purge is under way")
                return None
            swept = Sweep(state.swept, sweep.basis(rules, state.version, run.holds, current().log_shards), now)
            waited = [name for name in state.swept.get(_WAITED, ()) if name in DATA_SETS]
            for data_set in [*waited, *(name for name in DATA_SETS if name not in waited)]:
                if not _purge_data_set(run, data_set, swept):
                    break
        finished_at = times.now()
        # Holds that came meanwhile make another basis, which no later run will find to be its own.
        record = run.end(finished_at, {**swept.remembered(), _WAITED: run.progress.waiting})
    _log.info("Purged %s in %.1f s", record["purged"], (finished_at - now).total_seconds())
    return record


def _purge_data_set(run: Run, data_set: str, swept: Sweep) -> bool:
    """Purge one data set; False when no other may be purged either. One that fails costs the others nothing."""
    cut_off = run.mandate.cut_offs[data_set]
    if cut_off is None:
        return True
    errors = run.progress.errors
    try:
        if not run.in_time():
            _measure_lag(run, data_set, cut_off, swept)
        elif data_set == API_KEYS:
            key_purge.purge_keys(run, cut_off)
        else:
            reached = log_purge.purge_log(run, LOG_OF[data_set], data_set, cut_off, swept.start(data_set))
            swept.note(data_set, reached, cut_off)
    except TimeUp:
        # No error: the store was slow. What is left of the data set is not known, and there may be some.
        run.progress.oldest_left.setdefault(data_set, cut_off)
        if data_set not in run.progress.waiting:
            run.progress.waiting.append(data_set)
    except LeaseLost:
        _log.warning("Another run has taken the lease of the purge over")
        errors.append("Another run has taken the lease over.")
        return False
    except FAILURES:
        _log.exception("Failed to purge %s", data_set)
        errors.append(f"Failed to purge {data_set}: the store did not do what it was asked.")
    except Exception:  # noqa: BLE001 - logged, and named in the record; the other data sets must be purged all the same
        _log.exception("Failed to purge %s", data_set)
        errors.append(f"Failed to purge {data_set}: the service log says why.")
    return True


def _measure_lag(run: Run, data_set: str, cut_off: datetime, swept: Sweep) -> None:
    run.progress.waiting.append(data_set)
    if data_set == API_KEYS:
        key_purge.measure_key_lag(run, cut_off)
    else:
        log_purge.measure_lag(run, LOG_OF[data_set], data_set, cut_off, swept.start(data_set))
