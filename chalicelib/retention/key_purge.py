"""Purges tokens that have been expired for longer than they are kept, with their name claims."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from chalicelib import times
from chalicelib.records import API_KEYS
from chalicelib.retention.run import Run
from chalicelib.store.directory import expired_keys
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.patience import patiently

_PAGE = 1_000
_KEYS_AT_ONCE = 90
"""Tokens that are read in one call, and deleted in three transactions."""


def purge_keys(run: Run, cut_off: datetime) -> None:
    """Purge tokens that expired before the cut-off, oldest first.

    Raises:
        LeaseLost: another run has taken the lease over.
        Unavailable: the store did not answer.
    """
    oldest_left = run.progress.oldest_left
    oldest_left[API_KEYS] = cut_off
    after: Item | None = None
    while run.in_time():
        page = partial(expired_keys.expired, cut_off, _PAGE, after)
        items, after = patiently(page, give_up_at=run.mandate.give_up_at)
        for start in range(0, len(items), _KEYS_AT_ONCE):
            batch = items[start : start + _KEYS_AT_ONCE]
            oldest_left[API_KEYS] = times.from_fixed(batch[0]["expires_at"]["S"])
            ids = [item["id"]["S"] for item in batch]
            if not _removed(run, ids):
                return
        if after is None:
            del oldest_left[API_KEYS]
            return


def _removed(run: Run, ids: Sequence[str]) -> bool:
    """Remove tokens, under as many renewals of the lease as it takes; False when the run has no time left."""
    while run.in_time():
        if run.remove_keys(ids):
            return True
    return False


def measure_key_lag(run: Run, cut_off: datetime) -> None:
    """Note the oldest token that the run had no time for.

    Raises:
        Unavailable: the store did not answer.
    """
    items, _ = expired_keys.expired(cut_off, 1)
    if items:
        run.progress.oldest_left[API_KEYS] = times.from_fixed(items[0]["expires_at"]["S"])
