"""What is shown of rows beside what lanes hold: their largest parts, and the users and organizations they name.

All of it is one look-up of a call per hundred ids. Rows say how large what they lack is, so that a page of huge ones
reads no more than it can answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, NamedTuple

from chalicelib.records import Organization, User
from chalicelib.store.directory import people
from chalicelib.store.logs.tables import LogTable, Row


class Shown(NamedTuple, Generic[Row]):
    """Whole rows, and who and what they name."""

    rows: Sequence[Row]
    users: dict[str, User]
    organizations: dict[str, Organization]


def shown(log: LogTable[Row], rows: Sequence[Row], most: int, *, finished: bool = False) -> Shown[Row]:
    """The rows from the first, as many as have `most` bytes of parts to be fetched, one at least.

    Args:
        log: which log.
        rows: as they were read.
        most: bytes.
        finished: whether they were made whole when they were read.

    Raises:
        Unavailable: the store did not give all of it.
    """
    rest = None if finished else log.rest
    others: dict[str, list[str]] = {}
    if rest is not None:
        sizes = accumulate(map(rest.bytes, rows))
        rows = [row for index, (row, size) in enumerate(zip(rows, sizes, strict=True)) if not index or size <= most]
        others[log.table_name] = [own for row in rows for own in rest.ids(row)]
    user_ids = {getattr(row, name) for row in rows for name in log.users} - {None}
    known = people.look_up(
        user_ids,
        {row.organization_id for row in rows if row.organization_id},
        others,
        {log.table_name: rest.attributes if rest else ()},
    )
    if rest is not None:
        rows = [rest.joined(row, known.others) for row in rows]
    return Shown(rows, known.users, known.organizations)
