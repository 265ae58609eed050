"""How each data set is purged: rows of the logs by the round, tokens by the transaction. Oldest first, all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib import times
from chalicelib.lanes.catalogue import KEPT, POSITION, TIME_LENGTH
from chalicelib.lanes.plan import Criteria, Plan, plan
from chalicelib.records import API_KEYS
from chalicelib.retention.keeping import OF_DATA_SET, Keeping
from chalicelib.retention.run import Run
from chalicelib.retention.sweep import Reached
from chalicelib.settings import current
from chalicelib.store.directory import api_keys
from chalicelib.store.dynamodb.batch_write import WriteRequest, batch_write
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.patience import FAILURES, patiently
from chalicelib.store.dynamodb.transaction import delete_together
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.retention.oldest import Oldest

_log = logging.getLogger(__name__)

_KEYS_AT_ONCE = 90
"""Tokens that are read in one call, and deleted in three transactions."""
_LOOKED_AT = 25
"""Rows that are read to learn how far behind a data set is: some of the oldest may be held."""
ROUND = 1_000
"""Rows that are looked at before the lease is renewed, and all that is ever held in memory."""


def waiting(log: LogTable[Any], data_set: str, cut_off: datetime) -> Plan:
    """The plan of the rows of a data set that are past their time, those that are held among them."""
    past = OF_DATA_SET[data_set] & Criteria(before=cut_off - timedelta.resolution)
    return plan(past, tuple(lane for lane in log.lanes if lane.name in KEPT), current().log_shards)


def purge_log(run: Run, log: LogTable[Any], data_set: str, cut_off: datetime, start: Reached) -> Reached:
    """Purge the rows of a data set of a log.

    Returns:
        How far everything was looked at.

    Raises:
        LeaseLost: another run has taken the lease over.
        Unavailable: the store did not answer.
    """
    oldest = Oldest(log, waiting(log, data_set, cut_off), ROUND, start)
    run.behind[data_set] = cut_off
    unreadable = 0
    while run.in_time() and (page := patiently(oldest.page, give_up_at=run.give_up_at)):
        rows = patiently(partial(_rows, log, page.items), give_up_at=run.give_up_at)
        if not page.items or _purge_page(run, log, rows, data_set, cut_off):
            unreadable += len(page.items) - len(rows)
            oldest.done(page)
            if page.items:
                run.behind[data_set] = _moment(page.items[-1])
    if oldest.ended:
        del run.behind[data_set]
    if unreadable:
        run.errors.append(f"Kept what could not be read of {data_set}: {unreadable} rows.")
    return oldest.reached


def look_at_log(run: Run, log: LogTable[Any], data_set: str, cut_off: datetime, start: Reached) -> None:
    """Note how far behind a data set is that the run had no time for: one call per shard.

    Raises:
        Unavailable: the store did not answer.
    """
    keeping = run.keeping(log.name)
    for page in Oldest(log, waiting(log, data_set, cut_off), _LOOKED_AT, start).fronts():
        past = _past(keeping, _rows(log, page.items), data_set)
        # Of more rows that are held than are looked at, those that follow are not older.
        moment = past[0].moment if past else _moment(page.items[-1]) if page.following else None
        if moment:
            run.behind[data_set] = min(moment, run.behind.get(data_set, moment))


def look_at_keys(run: Run, cut_off: datetime) -> None:
    """The same of tokens.

    Raises:
        Unavailable: the store did not answer.
    """
    items, _ = api_keys.expired(cut_off, 1)
    if items:
        run.behind[API_KEYS] = times.from_fixed(items[0]["expires_at"]["S"])


def purge_keys(run: Run, cut_off: datetime) -> None:
    """Purge tokens that have been expired for longer than they are kept, with their name claims.

    Raises:
        LeaseLost: another run has taken the lease over.
        Unavailable: the store did not answer.
    """
    run.behind[API_KEYS] = cut_off
    after: Item | None = None
    while run.in_time():
        items, after = patiently(partial(api_keys.expired, cut_off, ROUND, after), give_up_at=run.give_up_at)
        for start in range(0, len(items), _KEYS_AT_ONCE):
            some = items[start : start + _KEYS_AT_ONCE]
            run.behind[API_KEYS] = times.from_fixed(some[0]["expires_at"]["S"])
            done = False
            while not done:
                if not run.in_time():
                    return
                done = _purge_some_keys(run, [item["id"]["S"] for item in some], cut_off)
        if after is None:
            del run.behind[API_KEYS]
            return


def _purge_page(run: Run, log: LogTable[Row], rows: Sequence[Row], data_set: str, cut_off: datetime) -> bool:
    """Delete what is not held of a page; False when there was no time for all of it."""
    _wait_for_lease(run)
    past = _past(run.keeping(log.name), rows, data_set)
    if past:
        run.behind[data_set] = past[0].moment
    if run.dry_run:
        run.purged[data_set] += len(past)
        return True
    removals: list[WriteRequest] = []
    for row in past:
        beside: tuple[str, ...] = log.beside(row)
        if not beside:
            removals.append(log.removal(row, cut_off, run.started_at))
            continue
        # A row of several items goes as one: none of its items is ever there without the others.
        if time.monotonic() >= run.delete_by:
            return False
        together = partial(delete_together, log.table_name, (row.id, *beside))
        patiently(together, give_up_at=run.delete_by)
        run.purged[data_set] += 1
    removed = batch_write(log.table_name, removals, give_up_at=run.delete_by)
    run.purged[data_set] += removed
    return removed == len(removals)


def _past(keeping: Keeping, rows: Sequence[Row], data_set: str) -> list[Row]:
    return [row for row in rows if row.data_set == data_set and not keeping.holds_row(row)]


def _rows(log: LogTable[Row], items: Sequence[Item]) -> list[Row]:
    """The rows of items, without those that cannot be read: one of them must not keep all others from being purged."""
    try:
        rows = [log.read(item) for item in items]
        return log.finished(rows, consistent=True) if log.finished else rows
    except FAILURES:
        raise
    except Exception:  # noqa: BLE001 - whatever may be wrong with a row, it is narrowed down to that row and logged
        if len(items) == 1:
            _log.exception("Kept a row that could not be read: %s", items[0]["id"]["S"])
            return []
    half = len(items) // 2
    return _rows(log, items[:half]) + _rows(log, items[half:])


def _moment(item: Item) -> datetime:
    return times.from_fixed(item[POSITION]["S"][:TIME_LENGTH])


def _purge_some_keys(run: Run, ids: Sequence[str], cut_off: datetime) -> bool:
    """Delete tokens; False when there was no time to begin."""
    if run.dry_run:
        run.purged[API_KEYS] += len(ids)
        return True
    _wait_for_lease(run)
    if time.monotonic() >= run.delete_by:
        return False
    run.purged[API_KEYS] += patiently(partial(api_keys.delete_expired, ids, cut_off), give_up_at=run.delete_by)
    return True


def _wait_for_lease(run: Run) -> None:
    """Come to the point at which the run has the lease and goes by every hold that there is."""
    while not run.may_delete():
        continue
