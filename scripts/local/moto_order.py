"""The keys of a table or an index, sorted: a read costs the page that it returns, and not the table."""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType
from sortedcontainers import SortedList

Key = tuple[Any, ...]

# A key condition as two questions about a stored value v, both monotone along sorted keys: does v lie before the
# range, does it lie after it?
BOUNDS: Mapping[str, tuple[Callable[..., bool], Callable[..., bool]]] = {
    "=": (operator.lt, operator.gt),
    "<": (lambda _v, _a: False, operator.ge),
    "<=": (lambda _v, _a: False, operator.gt),
    ">": (operator.le, lambda _v, _a: False),
    ">=": (operator.lt, lambda _v, _a: False),
    "BETWEEN": (lambda v, a, _b: v < a, lambda v, _a, b: v > b),
    "BEGINS_WITH": (operator.lt, lambda v, a: v > a and not v.startswith(a)),
}


def sortable(value: DynamoType) -> Any:  # noqa: ANN401 -- str, bytes or Decimal, as declared
    """The value of a key attribute as DynamoDB orders it."""
    return Decimal(value.value) if value.type == "N" else value.value


@dataclass(slots=True)
class OrderedIndex:
    """The keys of a table or an index: per hash value a sorted list, and the hash values sorted.

    An entry is the range values followed by the table's own key, which settles ties and names the item.
    """

    hash_names: tuple[str, ...]
    range_names: tuple[str, ...]
    partitions: dict[Key, SortedList] = field(default_factory=dict)
    hashes: SortedList = field(default_factory=SortedList)
    places: dict[Key, tuple[Key, Key]] = field(default_factory=dict)

    def place_of(self, attrs: Mapping[str, DynamoType], primary: Key) -> tuple[Key, Key] | None:
        """Hash values and entry of an item, or None when the index is sparse and the item is not in it."""
        try:
            hashes = tuple([sortable(attrs[name]) for name in self.hash_names])
            return hashes, (*[sortable(attrs[name]) for name in self.range_names], *primary)
        except KeyError:
            return None

    def put(self, primary: Key, attrs: Mapping[str, DynamoType] | None) -> None:
        """Moves the item with this key to where its attributes say; None takes it out."""
        new = None if attrs is None else self.place_of(attrs, primary)
        old = self.places.get(primary)
        if new == old:
            return
        if old is not None:
            entries = self.partitions[old[0]]
            entries.remove(old[1])
            del self.places[primary]
            if not entries:
                del self.partitions[old[0]]
                self.hashes.remove(old[0])
        if new is not None:
            if new[0] not in self.partitions:
                self.partitions[new[0]] = SortedList()
                self.hashes.add(new[0])
            self.partitions[new[0]].add(new[1])
            self.places[primary] = new

    def within(
        self, hashes: Key, conditions: Iterable[tuple[str, Key]], start: Key | None, *, forward: bool
    ) -> Iterator[Key]:
        """Keys of the items with these hash values that meet the range conditions, in order, after entry `start`."""
        entries = self.partitions.get(hashes, SortedList())
        span = range(len(entries))
        for position, (comparison, operands) in enumerate(conditions):
            span = _narrowed(entries, span, position, comparison, operands)
        if start is not None and forward:
            span = range(max(span.start, entries.bisect_right(start)), span.stop)
        elif start is not None:
            span = range(span.start, min(span.stop, entries.bisect_left(start)))
        chosen = entries.islice(span.start, span.stop, reverse=not forward)
        return (entry[len(self.range_names) :] for entry in chosen)

    def everything(self, start: tuple[Key, Key] | None = None) -> Iterator[Key]:
        """Keys of all items, by hash value and then in order, after the place `start`."""
        if start is not None:
            yield from self.within(start[0], (), start[1], forward=True)
        for hashes in self.hashes.islice(self.hashes.bisect_right(start[0]) if start else 0):
            yield from self.within(hashes, (), None, forward=True)


def _narrowed(entries: SortedList, span: range, position: int, comparison: str, operands: Key) -> range:
    before, after = BOUNDS[comparison]
    low = bisect_left(entries, x=True, lo=span.start, hi=span.stop, key=lambda e: not before(e[position], *operands))
    high = bisect_left(entries, x=True, lo=low, hi=span.stop, key=lambda e: after(e[position], *operands))
    return range(low, high)
