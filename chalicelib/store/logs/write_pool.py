"""Writes many rows at once: in parallel, within the time there is, and so that one that fails never costs another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Generic, NamedTuple

from botocore.exceptions import ClientError

from chalicelib.errors import StoreRefused, Unavailable
from chalicelib.store.logs.tables import Row

_WRITERS = 16

_log = logging.getLogger(__name__)


NotWritten = Unavailable | StoreRefused
"""Why a row is not stored: sending it again helps after the first, and not after the second."""


class Written(NamedTuple, Generic[Row]):
    """What became of one row.

    Attributes:
        before: what was stored under the id that the row was written to; None when nothing was.
        after: what is stored now.
        kept: False where nothing was written: the row is past its time, would make a stored row so, or closes a
            session that was purged.
    """

    before: Row | None
    after: Row
    kept: bool = True


def write_each(
    rows: Sequence[Row], write: Callable[[Row], Written[Row]], *, give_up_at: float
) -> list[Written[Row] | NotWritten]:
    """What became of each row, in their order.

    Args:
        rows: rows that do not depend on each other.
        write: writes one.
        give_up_at: on the clock of `time.monotonic`; rows not begun by then are answered as Unavailable.
    """

    def write_one(row: Row) -> Written[Row] | NotWritten:
        if time.monotonic() > give_up_at:
            return Unavailable("There was no time left to store this event.")
        try:
            return write(row)
        except Unavailable as error:
            return error
        except ClientError as error:
            _log.exception("The store refused a row")
            return StoreRefused(f"The store refused this event: {error.response['Error']['Code']}.")

    return [write_one(rows[0])] if len(rows) == 1 else list(_pool().map(write_one, rows))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WRITERS, thread_name_prefix="log-writer")
