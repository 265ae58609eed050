"""Purges tokens that ended longer ago than they are kept, with their name claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from chalicelib.records import API_KEYS
from chalicelib.retention.run import Run
from chalicelib.store.directory import expired_keys
from chalicelib.store.directory.expired_keys import Page
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.patience import patiently

_PAGE = 1_000
_KEYS_AT_ONCE = 90
"""Tokens that are read in one call, and deleted in three transactions."""


def purge_keys(run: Run, cut_off: datetime) -> None:
    """Purge tokens that ended before the cut-off: those that expired, oldest first, then those that went unused.

    Raises:
        LeaseLost: another run has taken the lease over.
        Unavailable: the store did not answer.
    """
    oldest_left = run.progress.oldest_left
    oldest_left[API_KEYS] = cut_off
    if _purged(run, partial(expired_keys.expired, cut_off, _PAGE)) and _purged(
        run, partial(expired_keys.unused, cut_off)
    ):
        del oldest_left[API_KEYS]


def _purged(run: Run, read: Callable[[Item | None], Page]) -> bool:
    """Purge the tokens of all pages; False when the run has no time left."""
    after: Item | None = None
    while run.in_time():
        ended, after = patiently(partial(read, after), give_up_at=run.mandate.give_up_at)
        for start in range(0, len(ended), _KEYS_AT_ONCE):
            run.progress.oldest_left[API_KEYS] = min(key.at for key in ended[start:])
            if not _removed(run, [key.id for key in ended[start : start + _KEYS_AT_ONCE]]):
                return False
        if after is None:
            return True
    return False


def _removed(run: Run, ids: Sequence[str]) -> bool:
    """Remove tokens, under as many renewals of the lease as it takes; False when the run has no time left."""
    while run.in_time():
        if run.remove_keys(ids):
            return True
    return False


def measure_key_lag(run: Run, cut_off: datetime) -> None:
    """Note the oldest token that the run had no time for, of the first page.

    Raises:
        Unavailable: the store did not answer.
    """
    ended, _ = expired_keys.expired(cut_off, 1)
    if not ended:
        ended, _ = expired_keys.unused(cut_off)
    if ended:
        run.progress.oldest_left[API_KEYS] = min(key.at for key in ended)
