"""Writes many rows at once: in few calls and in parallel, within the time there is, and none costs another.

Rows that are probably new are inserted 25 a call; what meets a stored row, and every other kind of write, is a call of
its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Generic, NamedTuple, Protocol, TypeVar, assert_never

from botocore.exceptions import ClientError

from chalicelib.errors import StoreRefused, Unavailable
from chalicelib.store.dynamodb.batch_insert import MOST_STATEMENTS, Inserted, NotInserted, batch_insert
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.sizes import item_bytes
from chalicelib.store.logs.tables import Row

T = TypeVar("T")

_WRITERS = 16
_MOST_BYTES = 1_000_000
"""Of the items of one call: a call must be answered within the client's time-out."""

_log = logging.getLogger(__name__)


class Written(NamedTuple, Generic[Row]):
    """The result of one row.

    Attributes:
        before: what was stored under the id that the row was written to; None when nothing was.
        after: what is stored now.
        kept: False where nothing was written: the row is past its time, would make a stored row so, or closes a
            session that was purged.
    """

    before: Row | None
    after: Row
    kept: bool = True


NotWritten = Unavailable | StoreRefused
"""Why a row is not stored: sending it again helps after the first, and not after the second."""

Answer = Written[Row] | NotWritten

Answers = list[tuple[int, Answer[Row]]]
"""Answers with the indexes of their rows."""


class Writing(Protocol[Row]):
    """One row to be written."""

    @property
    def row(self) -> Row:
        """The row as its events make it."""

    def insertion(self) -> Item | None:
        """The item to insert, where nothing is probably stored and there is no other item to write.

        No two of those that are written together have the same id.
        """

    def write(self, stored: Item | None) -> Written[Row]:
        """Write the row by calls of its own.

        Args:
            stored: the item that an insertion met in its place, if it was tried and the engine returns it.

        Raises:
            Unavailable: the store did not answer.
        """


def write_all_of(table: str, rows: Sequence[Writing[Row]], *, give_up_at: float) -> list[Answer[Row]]:
    """The result of each row, in their order.

    Args:
        table: the name of the table.
        rows: rows that do not depend on each other.
        give_up_at: on the clock of `time.monotonic`; rows not begun by then are answered as Unavailable.
    """
    insertions = [row.insertion() if len(rows) > 1 else None for row in rows]
    new = [(index, item) for index, item in enumerate(insertions) if item is not None]
    tasks: list[Callable[[], Answers[Row]]] = []
    tasks += [partial(_insert, table, rows, chunk, give_up_at) for chunk in _chunks(new)]
    tasks += [partial(_write, rows, index, None, give_up_at) for index, item in enumerate(insertions) if item is None]
    done = [tasks[0]()] if len(tasks) == 1 else _pool().map(_called, tasks)
    answers = {index: answer for written in done for index, answer in written}
    return [answers[index] for index in range(len(rows))]


def _called(task: Callable[[], T]) -> T:
    return task()


def _chunks(new: Sequence[tuple[int, Item]]) -> Iterator[list[tuple[int, Item]]]:
    """The items in the calls that take them."""
    chunk: list[tuple[int, Item]] = []
    size = 0
    for index, item in new:
        bytes_more = item_bytes(item)
        if chunk and (len(chunk) == MOST_STATEMENTS or size + bytes_more > _MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((index, item))
        size += bytes_more
    if chunk:
        yield chunk


def _insert(
    table: str, rows: Sequence[Writing[Row]], chunk: Sequence[tuple[int, Item]], give_up_at: float
) -> Answers[Row]:
    """The answers to rows that are probably new."""
    if time.monotonic() > give_up_at:
        return [(index, _no_time()) for index, _ in chunk]
    try:
        outcomes = batch_insert(table, [item for _, item in chunk], give_up_at=give_up_at)
    except ClientError as error:
        return [(index, _refused(error)) for index, _ in chunk]
    answers: Answers[Row] = []
    for (index, _), outcome in zip(chunk, outcomes, strict=True):
        match outcome:
            case Inserted():
                answers.append((index, Written(None, rows[index].row)))
            case NotInserted(stored):
                answers += _write(rows, index, stored, give_up_at)
            case Unavailable() | StoreRefused():
                answers.append((index, outcome))
            case _:
                assert_never(outcome)
    return answers


def _write(rows: Sequence[Writing[Row]], index: int, stored: Item | None, give_up_at: float) -> Answers[Row]:
    """The answer to one row."""
    if time.monotonic() > give_up_at:
        return [(index, _no_time())]
    try:
        return [(index, rows[index].write(stored))]
    except Unavailable as error:
        return [(index, error)]
    except ClientError as error:
        return [(index, _refused(error))]


def _no_time() -> Unavailable:
    return Unavailable("There was no time left to store this event.")


def _refused(error: ClientError) -> StoreRefused:
    _log.error("The store refused a row", exc_info=error)
    return StoreRefused(f"The store refused this event: {error.response['Error']['Code']}.")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WRITERS, thread_name_prefix="log-writer")
