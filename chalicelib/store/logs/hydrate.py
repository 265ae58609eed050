"""Hydrates rows that were read from an index: with what only the table holds of them, and with whom they name.

All of it is one round of requests of a hundred ids each. Rows say how large what they lack is, so that a page of huge
ones reads no more than it can answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Generic, NamedTuple

from chalicelib.lanes.catalogue import POSITION
from chalicelib.records import Organization, User
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.batch_get import batch_get_rounds
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.rounds import Rounds
from chalicelib.store.logs.mirrored import ATTRIBUTES, beside
from chalicelib.store.logs.stamps import is_row
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.platform.rows import TABLE, Mirrored, from_item


class Hydrated(NamedTuple, Generic[Row]):
    """Whole rows, the users and organizations that they name, and by item id the objects of the platform."""

    rows: Sequence[Row]
    users: dict[str, User]
    organizations: dict[str, Organization]
    mirrored: dict[str, Mirrored]


def with_base_fields(
    log: LogTable[Row], rows: list[Row], *, past: frozenset[str] = frozenset(), consistent: bool = False
) -> Rounds[list[Row]]:
    """The rows with the fields that no index holds; no request where nothing is to be learnt from the table.

    Args:
        log: which log.
        rows: as they were read from an index.
        past: data sets whose rows are left out where the table has them as purged.
        consistent: whether every write that was acknowledged must be seen, at twice the price.

    Raises:
        Unavailable: the store did not give all of them.
    """
    base = log.base
    ids = [item_id for row in rows for item_id in base.ids(row)] if base.fields else []
    attributes: Sequence[str] = base.attributes if base.fields else ("id",)
    unsure = {row.id for row in rows if row.data_set in past}
    if not ids and not unsure:
        return rows
    if unsure:
        # A row that the table does not have is gone: so what it has must not lag behind.
        ids += unsure
        attributes = (*attributes, POSITION, FORGET_AT)
        consistent = True
    wanted, projected = {log.table_name: ids}, {log.table_name: attributes}
    answers = yield from batch_get_rounds(wanted, projected, consistent=consistent)
    items = {item["id"]["S"]: item for _, item in answers}
    standing = [row for row in rows if row.id not in unsure or is_row(items.get(row.id))]
    return [base.joined(row, items) for row in standing] if base.fields else standing


def hydrate(
    log: LogTable[Row], rows: Sequence[Row], most_bytes: int, whole: frozenset[str] = frozenset()
) -> Rounds[Hydrated[Row]]:
    """The rows from the first, as many as have `most_bytes` to be fetched, one at least.

    Args:
        log: which log.
        rows: as they were read.
        most_bytes: of what is fetched of the rows, as long as it is in an answer.
        whole: the ids of rows that were hydrated before.

    Raises:
        Unavailable: the store did not give all of it.
    """
    base = log.base
    if base.bytes is not None:
        sizes = list(accumulate([0 if row.id in whole else base.bytes(row) for row in rows]))
        rows = rows[: max(1, bisect_right(sizes, most_bytes))]
    ids = [item_id for row in rows if row.id not in whole for item_id in base.ids(row)]
    platform = {name for row in rows for name in log.mirrored(row)}
    known = yield from people.look_up_rounds(
        {user_id for user_ids in map(attrgetter(*log.users), rows) for user_id in user_ids} - {None},
        {row.organization_id for row in rows if row.organization_id},
        {log.table_name: ids, TABLE: platform},
        {log.table_name: base.attributes, TABLE: ATTRIBUTES},
    )
    objects = {name: row for name in platform & known.others.keys() if (row := from_item(known.others[name]))}
    if more := beside(objects):
        # Only a version or a build that is mirrored in says what it belongs to: a page with one takes a round more.
        answers = yield from batch_get_rounds({TABLE: more}, {TABLE: ATTRIBUTES})
        objects |= {item["id"]["S"]: row for _, item in answers if (row := from_item(item))}
    hydrated = [row if row.id in whole else base.joined(row, known.others) for row in rows]
    return Hydrated(hydrated, known.users, known.organizations, objects)
