"""moto's table on top of ordered indexes: its reads cost a page, and its pages are cut as AWS cuts them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import table as moto_table
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import GlobalSecondaryIndex, SecondaryIndex, Table

from scripts.local.moto_order import Key, OrderedIndex, sortable

Page = tuple[list[Item], int, dict[str, Any] | None]


class Touched(NamedTuple):
    """An item that was put, changed or taken out: its table, and the values of its key."""

    table: TunedTable
    hash_key: DynamoType
    range_key: DynamoType | None


MAX_NUMBER_DIGITS = 38

_QUERY = inspect.signature(Table.query)
_SCAN = inspect.signature(Table.scan)


def _ordered(schema: list[dict[str, str]]) -> OrderedIndex:
    hash_names, range_names = (
        tuple(key["AttributeName"] for key in schema if key["KeyType"] == kind) for kind in ("HASH", "RANGE")
    )
    return OrderedIndex(hash_names, range_names)


class TunedTable(Table):
    """moto's table with ordered indexes beside its items; reads cost what they return.

    One correction towards AWS: a page that read exactly `Limit` items has a LastEvaluatedKey, whether or not anything
    is left after it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- moto's arguments
        self.by_key: dict[Key, Item] = {}
        self._orders: dict[str | None, OrderedIndex] | None = None
        self._touched: dict[Key, Touched] = {}
        super().__init__(*args, **kwargs)

    @property
    def global_indexes(self) -> list[GlobalSecondaryIndex]:
        """The GSIs; setting them (UpdateTable does) makes the ordered indexes anew at the next use."""
        return self._global_indexes

    @global_indexes.setter
    def global_indexes(self, indexes: list[GlobalSecondaryIndex]) -> None:
        self._global_indexes = indexes
        self._orders = None

    @property
    def orders(self) -> dict[str | None, OrderedIndex]:
        """The ordered index of every index by name, that of the table itself under None."""
        if self._orders is None:
            schemas = {None: self.schema} | {index.name: index.schema for index in self.all_indexes()}
            self._orders = {name: _ordered(schema) for name, schema in schemas.items()}
            for primary, item in self.by_key.items():
                for order in self._orders.values():
                    order.put(primary, item.attrs)
        return self._orders

    def primary(self, hash_key: DynamoType, range_key: DynamoType | None) -> Key:
        """The table's key as the ordered indexes name it."""
        return (sortable(hash_key),) if range_key is None else (sortable(hash_key), sortable(range_key))

    def place(self, item: Item) -> None:
        """Brings every index up to date with an item that was stored or changed in place."""
        primary = self.primary(item.hash_key, item.range_key)
        self.by_key[primary] = item
        self._touched[primary] = Touched(self, item.hash_key, item.range_key)
        for order in self.orders.values():
            order.put(primary, item.attrs)

    def put_back(self, hash_key: DynamoType, range_key: DynamoType | None, item: Item | None) -> None:
        """Makes `item` (None: nothing) what is stored under the key, unconditionally: how a write is undone."""
        stored: dict[DynamoType, Any] = self.items
        bucket, name = (stored, hash_key) if range_key is None else (stored[hash_key], range_key)
        if item is not None:
            bucket[name] = item
            self.place(item)
        elif bucket.pop(name, None) is not None:
            self._displace(hash_key, range_key)

    def _displace(self, hash_key: DynamoType, range_key: DynamoType | None) -> None:
        primary = self.primary(hash_key, range_key)
        del self.by_key[primary]
        self._touched[primary] = Touched(self, hash_key, range_key)
        for order in self.orders.values():
            order.put(primary, None)

    def take_touched(self) -> list[Touched]:
        """The items that were touched since this was last asked."""
        touched = list(self._touched.values())
        self._touched.clear()
        return touched

    def clear(self) -> None:
        """Removes every item; the table and its indexes stay."""
        self._touched.clear()
        self.items.clear()
        self.by_key.clear()
        self._orders = None

    def put_item(self, item_attrs: dict[str, Any], *args: Any, **kwargs: Any) -> Item:  # noqa: ANN401 -- moto's arguments
        """moto's, refusing index keys of the wrong type, and placed in every index."""
        self.check_index_keys({name: next(iter(value)) for name, value in item_attrs.items()})
        item = super().put_item(item_attrs, *args, **kwargs)
        self.place(item)
        return item

    def delete_item(self, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
        """moto's, and taken out of every index."""
        item = super().delete_item(hash_key, range_key)
        if item is not None:
            self._displace(hash_key, range_key)
        return item

    def all_items(self) -> list[Item]:
        """Every item in the order of a scan."""
        return [self.by_key[primary] for primary in self.orders[None].everything()]

    def query(self, *args: Any, **kwargs: Any) -> Page:  # noqa: ANN401 -- moto's arguments
        """moto's, from the ordered index; the conditions of the time before expressions are left to moto."""
        request = _QUERY.bind(self, *args, **kwargs)
        request.apply_defaults()
        asked = request.arguments
        if asked["filter_kwargs"]:
            return super().query(*args, **kwargs)
        order = self._readable(asked["index_name"], consistent=asked["consistent_read"])
        wanted = dict(asked["hash_key_conditions"] or [])
        hashes = tuple([self._operand(name, wanted[name]) for name in order.hash_names])
        conditions = [
            (comparison, tuple([self._operand(name, value) for value in values]))
            for name, comparison, values in asked["range_key_conditions"] or []
        ]
        start = self._start(order, asked["exclusive_start_key"])
        if start is not None and start[0] != hashes:
            raise MockValidationException(
                "The provided starting key is outside query boundaries based on provided conditions"
            )
        keys = order.within(hashes, conditions, start and start[1], forward=asked["scan_index_forward"])
        return self._page(map(self.by_key.__getitem__, keys), asked, asked["projection_expressions"])

    def scan(self, *args: Any, **kwargs: Any) -> Page:  # noqa: ANN401 -- moto's arguments
        """moto's, from the ordered index; the conditions of the time before expressions are left to moto."""
        request = _SCAN.bind(self, *args, **kwargs)
        request.apply_defaults()
        asked = request.arguments
        if asked["filters"]:
            return super().scan(*args, **kwargs)
        order = self._readable(asked["index_name"], consistent=asked["consistent_read"])
        keys = order.everything(self._start(order, asked["exclusive_start_key"]))
        items = map(self.by_key.__getitem__, keys)
        mine = (item for item in items if item.is_within_segment(asked["segments"]))
        return self._page(mine, asked, asked["projection_expression"])

    def _readable(self, index_name: str | None, *, consistent: bool) -> OrderedIndex:
        if index_name is not None:
            index = self.get_index(index_name, error_if_not=True)
            if consistent and index in self.global_indexes:
                raise MockValidationException("Consistent reads are not supported on global secondary indexes")
        return self.orders[index_name]

    def _operand(self, name: str, value: DynamoType) -> Any:  # noqa: ANN401 -- as sortable
        if value.type != self._declared_types().get(name, value.type):
            raise MockValidationException(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        return sortable(value)

    def _start(self, order: OrderedIndex, key: dict[str, Any] | None) -> tuple[Key, Key] | None:
        if key is None:
            return None
        declared, attrs = self._declared_types(), {name: DynamoType(value) for name, value in key.items()}
        names = {*order.hash_names, *order.range_names, *self.table_key_attrs}
        if attrs.keys() != names or any(attrs[name].type != declared.get(name) for name in names):
            raise MockValidationException("The provided starting key is invalid")
        return order.place_of(attrs, tuple(sortable(attrs[name]) for name in self.table_key_attrs))

    def _page(self, items: Iterable[Item], asked: Mapping[str, Any], projection: list[list[str]] | None) -> Page:
        index: SecondaryIndex | None = self.get_index(asked["index_name"]) if asked["index_name"] else None
        page: list[Item] = []
        seen: list[Item] = []
        size = 0
        more = False
        for item in items:
            # What an index does not hold of an item does not count towards the megabyte of a page.
            projected = index.project(item) if index else item
            size += projected.size()
            if page and size > moto_table.RESULT_SIZE_LIMIT:
                more = True
                break
            page.append(item)
            seen.append(projected)
            if len(page) == asked["limit"]:
                more = True
                break
        last = self._get_last_evaluated_key(page[-1], asked["index_name"]) if more else None
        matched = [item for item in seen if asked["filter_expression"] is None or asked["filter_expression"].expr(item)]
        return [item.project(projection) for item in matched] if projection else matched, len(page), last

    def _declared_types(self) -> dict[str, str]:
        return {definition["AttributeName"]: definition["AttributeType"] for definition in self.attr}

    def check_index_keys(self, types: Mapping[str, str]) -> None:
        """Refuses an item (attribute name to type) whose attribute is an index key of another type."""
        declared = self._declared_types()
        for index in self.all_indexes():
            for name in index.schema_key_attrs:
                if name in declared and types.get(name, declared[name]) != declared[name]:
                    raise MockValidationException(
                        f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected:"
                        f" {declared[name]} Actual: {types[name]} IndexName: {index.name}"
                    )

    def _validate_number_type(self, value: Any) -> None:  # noqa: ANN401 -- as moto has it
        super()._validate_number_type(value)
        digits = str(value).lower().partition("e")[0].replace(".", "").strip("+-").strip("0")
        if len(digits) > MAX_NUMBER_DIGITS:
            raise MockValidationException("Attempting to store a number with more than 38 significant digits")
