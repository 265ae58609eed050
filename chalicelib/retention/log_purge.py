"""Purges the rows of a log that are past their time, oldest first, a page at a time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib import times
from chalicelib.lanes.catalogue import KEPT, POSITION
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan
from chalicelib.lanes.positions import TIME_LENGTH
from chalicelib.retention.keeping import OF_DATA_SET, Keeping
from chalicelib.retention.run import Run
from chalicelib.retention.sweep import Reached
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.patience import FAILURES, patiently
from chalicelib.store.dynamodb.rounds import run
from chalicelib.store.logs.hydrate import with_base_fields
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.retention.oldest import Oldest

ROUND = 1_000
"""Rows of a page: the lease is renewed before each, and no more are ever held in memory."""

_ROWS_FOR_LAG = 25
"""Rows that are read to learn how far behind a data set is: the oldest of them may be held."""

_log = logging.getLogger(__name__)


def past_plan(log: LogTable[Any], data_set: str, cut_off: datetime) -> Plan:
    """The plan of the rows of a data set that are past their time, held ones included."""
    past = OF_DATA_SET[data_set] & Criteria(before=cut_off - timedelta.resolution)
    return plan(past, tuple(lane for lane in log.lanes if lane.name in KEPT), current().log_shards)


def purge_log(run: Run, log: LogTable[Any], data_set: str, cut_off: datetime, start: Reached) -> Reached:
    """Purge the rows of a data set.

    Args:
        run: the run.
        log: the log that the rows are in.
        data_set: which of its data sets.
        cut_off: rows before this moment are past their time.
        start: key of the lane -> the position to begin at.

    Returns:
        Key of the lane -> the position up to which the run has dealt with every row.

    Raises:
        LeaseLost: another run has taken the lease over.
        Unavailable: the store did not answer.
    """
    oldest = Oldest(log, past_plan(log, data_set, cut_off), ROUND, start)
    run.progress.oldest_left[data_set] = cut_off
    give_up_at = run.mandate.give_up_at
    unreadable = 0
    while run.in_time() and (page := patiently(oldest.page, give_up_at=give_up_at)):
        rows = patiently(partial(_readable_rows, log, page.items), give_up_at=give_up_at)
        if page.items and not _purge_page(run, log, rows, data_set):
            continue
        unreadable += len(page.items) - len(rows)
        oldest.done(page)
        if page.items:
            run.progress.oldest_left[data_set] = _moment(page.items[-1])
    if oldest.ended:
        del run.progress.oldest_left[data_set]
        run.raise_floor(data_set, cut_off)
    if unreadable:
        run.progress.errors.append(f"Kept what could not be read of {data_set}: {unreadable} rows.")
    return oldest.reached


def measure_lag(run: Run, log: LogTable[Any], data_set: str, cut_off: datetime, start: Reached) -> None:
    """Note the oldest row of a data set that the run had no time for: one call per shard.

    Raises:
        Unavailable: the store did not answer.
    """
    keeping = run.keeping(log.name)
    oldest_left = run.progress.oldest_left
    for page in Oldest(log, past_plan(log, data_set, cut_off), _ROWS_FOR_LAG, start).fronts():
        past = _past(keeping, _readable_rows(log, page.items), data_set)
        # Where all rows of the page are held and others follow, those are not older than its last.
        moment = past[0].moment if past else _moment(page.items[-1]) if page.following else None
        if moment:
            oldest_left[data_set] = min(moment, oldest_left.get(data_set, moment))


def _purge_page(run: Run, log: LogTable[Row], rows: Sequence[Row], data_set: str) -> bool:
    """Remove what no hold keeps of a page; False when there was no time for all of it."""
    while True:
        past = _past(run.keeping(log.name), rows, data_set)
        if past:
            # The floor is stored before any row is stamped.
            run.raise_floor(data_set, past[-1].moment + timedelta.resolution)
        if run.renew():
            break
    if past:
        run.progress.oldest_left[data_set] = past[0].moment
    return run.remove_rows(log, past, data_set)


def _past(keeping: Keeping, rows: Sequence[Row], data_set: str) -> list[Row]:
    return [row for row in rows if row.data_set == data_set and not keeping.holds_row(row)]


def _readable_rows(log: LogTable[Row], items: Sequence[Item]) -> list[Row]:
    """The rows of items, without those that cannot be read: one of them must not keep all others from being purged."""
    try:
        rows = [log.read(item) for item in items]
        return run(with_base_fields(log, rows, consistent=True))
    except FAILURES:
        raise
    except Exception:  # noqa: BLE001 - whatever may be wrong with a row, it is narrowed down to that row and logged
        if len(items) == 1:
            _log.exception("Kept a row that could not be read: %s", items[0]["id"]["S"])
            return []
    half = len(items) // 2
    return _readable_rows(log, items[:half]) + _readable_rows(log, items[half:])


def _moment(item: Item) -> datetime:
    return times.from_fixed(item[POSITION]["S"][:TIME_LENGTH])
