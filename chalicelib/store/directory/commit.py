"""Writes of one transaction, each with the failure that its condition stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.client import TransactionCancelled
from chalicelib.store.dynamodb.transaction import Write, transact


class Guarded(NamedTuple):
    """One write, and the exception to raise where its condition does not hold."""

    write: Write
    failure: Callable[[], Exception]


def commit(writes: Sequence[Guarded], trail: Sequence[Write] = ()) -> None:
    """Make all the writes and the trail, or none.

    Raises:
        Exception: the failure of the first write, in their order, whose condition did not hold.
        Changed: the condition of a row of the trail did not hold.
        Unavailable: the store did not answer; the writes may or may not have happened.
    """
    try:
        transact([*(guarded.write for guarded in writes), *trail])
    except TransactionCancelled as error:
        failures = [writes[index].failure for index in sorted(error.failed) if index < len(writes)]
        failure = failures[0] if failures else Changed
        raise failure() from error
