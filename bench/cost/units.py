"""How many units a read or a write takes, by DynamoDB's pages on reads and writes, on transactions and on GSIs.

A write unit is a started KB, counted for the row and again for its entry in each index:

    the entry appears, or goes            its size
    its key changes                       both sizes: the old entry is deleted and the new one put
    something else in it changes          the larger size
    nothing in it changes                 nothing

A read unit is 4 KB read consistently; half of one where the latest write need not be seen, two in a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bench.cost.size import Item, item_size

WRITE_UNIT_BYTES = 1_024
READ_UNIT_BYTES = 4_096
TRANSACTION = 2
"""Every write of a transaction is made twice: prepared, then committed."""


class Consistency(Enum):
    """The cost of a started 4 KB of a read."""

    EVENTUAL = 0.5
    STRONG = 1.0
    TRANSACTIONAL = 2.0


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index.

    Attributes:
        name: as the table has it.
        key: the names of its HASH and RANGE attributes; an item that lacks one is not in the index.
        attributes: what is projected beside the keys of index and table; None for all of the item.
    """

    name: str
    key: tuple[str, ...]
    attributes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """The keys and projections of a table, which decide the cost of a call."""

    name: str
    key: tuple[str, ...]
    indexes: tuple[Index, ...]

    @classmethod
    def described(cls, description: Mapping[str, Any]) -> Table:
        """The table of a DescribeTable answer or of a CreateTable request."""
        indexes = tuple(
            Index(index["IndexName"], _names(index["KeySchema"]), _projected(index["Projection"]))
            for index in description.get("GlobalSecondaryIndexes") or ()
        )
        return cls(description["TableName"], _names(description["KeySchema"]), indexes)

    def entry(self, item: Item | None, index: Index) -> Item | None:
        """The entry of an item in an index; None where the item is not in it."""
        if item is None or any(name not in item for name in index.key):
            return None
        if index.attributes is None:
            return item
        held = {*self.key, *index.key, *index.attributes}
        return {name: value for name, value in item.items() if name in held}


def write_units(table: Table, before: Item | None, after: Item | None) -> dict[str, int]:
    """The units of a write that was made, by index; those of the row are under the empty name.

    Args:
        table: where it was made.
        before: the item as it stood; None where there was none.
        after: the item as it stands now; None where it is gone.
    """
    units = {"": max(1, _units(before), _units(after))}
    for index in table.indexes:
        if cost := _entry_units(index, table.entry(before, index), table.entry(after, index)):
            units[index.name] = cost
    return units


def refused_units(stored: Item | None, incoming: Item | None = None) -> int:
    """The units of a write whose condition did not hold: those of the larger item, one at least.

    Args:
        stored: the item that stands there; None where there is none.
        incoming: the item that was to be put; None for updates and deletions.
    """
    return max(1, _units(stored), _units(incoming))


def read_units(sizes: Iterable[int], consistency: Consistency) -> float:
    """The units of one read: the items of a page of a query together, or a single item; one 4 KB at least."""
    return max(1, -(-sum(sizes) // READ_UNIT_BYTES)) * consistency.value


def _entry_units(index: Index, before: Item | None, after: Item | None) -> int:
    if before == after:
        return 0
    if before is None or after is None or any(before[name] != after[name] for name in index.key):
        return _units(before) + _units(after)
    return max(_units(before), _units(after))


def _units(item: Item | None) -> int:
    return 0 if item is None else -(-item_size(item) // WRITE_UNIT_BYTES)


def _names(schema: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in schema)


def _projected(projection: Mapping[str, Any]) -> frozenset[str] | None:
    return None if projection["ProjectionType"] == "ALL" else frozenset(projection.get("NonKeyAttributes") or ())
