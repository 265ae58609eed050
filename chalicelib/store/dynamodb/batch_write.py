"""Puts and deletes without conditions, 25 in one call and several calls at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.patience import pause

WriteRequest = Mapping[str, Any]
"""`{"DeleteRequest": {"Key": …}}` or `{"PutRequest": {"Item": …}}`."""

_MOST = 25
_WRITERS = 8


def deletion(row_id: str) -> WriteRequest:
    """The request that deletes the item of this id."""
    return {"DeleteRequest": {"Key": {"id": {"S": row_id}}}}


def batch_write(table: str, requests: Sequence[WriteRequest], *, give_up_at: float) -> int:
    """Make writes of different items, and answer how many of them were made: all, unless the time was up.

    What the store gives back unprocessed, refuses for being throttled or does not answer is sent again. When this
    returns, or raises, none of its calls is under way any more.

    Args:
        table: the name of the table.
        requests: each of another item; to make one twice must be the same as once.
        give_up_at: on the clock of `time.monotonic`; no call begins after it.
    """
    chunks = [requests[start : start + _MOST] for start in range(0, len(requests), _MOST)]
    futures = [_pool().submit(copy_context().run, _written, table, chunk, give_up_at) for chunk in chunks]
    wait(futures)
    return sum(future.result() for future in futures)


def _written(table: str, chunk: Sequence[WriteRequest], give_up_at: float) -> int:
    left = list(chunk)
    attempt = 0
    while left and time.monotonic() < give_up_at:
        # Where no answer comes some of them may have been made; to make them again changes nothing.
        with suppress(Unavailable):
            left = call("BatchWriteItem", {"RequestItems": {table: left}}).get("UnprocessedItems", {}).get(table, [])
        if left and not pause(attempt, give_up_at=give_up_at):
            break
        attempt += 1
    return len(chunk) - len(left)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WRITERS, thread_name_prefix="batch-writer")
