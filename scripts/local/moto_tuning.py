"""moto's DynamoDB tables, replaced where moto is slow or laxer than AWS; everything else stays moto's own.

Three ideas. `OrderedIndex` keeps the keys of a table or an index sorted, so that a read costs its page and not the
table. `TunedTable` is moto's table on top of such indexes, with pages as AWS cuts them. `REFUSALS` lists, per action,
what AWS refuses and moto takes. `scripts.local.engine` puts all of it in place and takes it away again.
"""

from __future__ import annotations

import copy
import inspect
import operator
import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge, MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models import table as moto_table
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import GlobalSecondaryIndex, SecondaryIndex, Table

Key = tuple[Any, ...]
Body = dict[str, Any]
Page = tuple[list[Item], int, dict[str, Any] | None]

MAX_INDEXES = 20
MAX_BATCH_WRITES = 25
MAX_NUMBER_DIGITS = 38
MAX_ITEM_BYTES = 405_000  # where moto draws the line of 400 KB

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
    partitions: dict[Key, list[Key]] = field(default_factory=dict)
    hashes: list[Key] = field(default_factory=list)
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
            del entries[bisect_left(entries, old[1])], self.places[primary]
            if not entries:
                del self.partitions[old[0]], self.hashes[bisect_left(self.hashes, old[0])]
        if new is not None:
            if new[0] not in self.partitions:
                self.partitions[new[0]] = []
                insort(self.hashes, new[0])
            insort(self.partitions[new[0]], new[1])
            self.places[primary] = new

    def within(
        self, hashes: Key, conditions: Iterable[tuple[str, Key]], start: Key | None, *, forward: bool
    ) -> Iterator[Key]:
        """Keys of the items with these hash values that meet the range conditions, in order, after entry `start`."""
        entries = self.partitions.get(hashes, [])
        span = range(len(entries))
        for position, (comparison, operands) in enumerate(conditions):
            span = _narrowed(entries, span, position, comparison, operands)
        if start is not None and forward:
            span = range(max(span.start, bisect_right(entries, start)), span.stop)
        elif start is not None:
            span = range(span.start, min(span.stop, bisect_left(entries, start)))
        return (entries[place][len(self.range_names) :] for place in (span if forward else reversed(span)))

    def everything(self, start: tuple[Key, Key] | None = None) -> Iterator[Key]:
        """Keys of all items, by hash value and then in order, after the place `start`."""
        if start is not None:
            yield from self.within(start[0], (), start[1], forward=True)
        for position in range(bisect_right(self.hashes, start[0]) if start else 0, len(self.hashes)):
            yield from self.within(self.hashes[position], (), None, forward=True)


def _narrowed(entries: list[Key], span: range, position: int, comparison: str, operands: Key) -> range:
    before, after = BOUNDS[comparison]
    low = bisect_left(entries, x=True, lo=span.start, hi=span.stop, key=lambda e: not before(e[position], *operands))
    high = bisect_left(entries, x=True, lo=low, hi=span.stop, key=lambda e: after(e[position], *operands))
    return range(low, high)


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
        for order in self.orders.values():
            order.put(primary, None)

    def clear(self) -> None:
        """Removes every item; the table and its indexes stay."""
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
            shown = index.project(item) if index else item
            size += shown.size()
            if page and size > moto_table.RESULT_SIZE_LIMIT:
                more = True
                break
            page.append(item)
            seen.append(shown)
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


def updated(original: Callable[..., Item]) -> Callable[..., Item]:
    """DynamoDBBackend.update_item, which changes an item in place: placed anew afterwards, and all or nothing."""

    def update_item(backend: DynamoDBBackend, table_name: str, key: Body, *args: Any, **kwargs: Any) -> Item:  # noqa: ANN401 -- moto's arguments
        table = backend.get_table(table_name)
        if not isinstance(table, TunedTable):
            return original(backend, table_name, key, *args, **kwargs)
        hash_key, range_key = backend.get_keys_value(table, key)
        before = copy.deepcopy(table.get_item(hash_key, range_key))
        try:
            item = original(backend, table_name, key, *args, **kwargs)
            table.check_index_keys({name: value.type for name, value in item.attrs.items()})
        except Exception:
            table.put_back(hash_key, range_key, before)
            raise
        table.place(item)
        return item

    return update_item


def transacted(original: Callable[..., None]) -> Callable[..., None]:
    """DynamoDBBackend.transact_write_items with an undo log of the items it names."""

    def transact_write_items(backend: DynamoDBBackend, transact_items: list[Body]) -> None:
        undo = []
        for operation in (operation for item in transact_items for operation in item.values()):
            table = backend.get_table(operation["TableName"])
            if isinstance(table, TunedTable):
                hash_key, range_key = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
                undo.append((table, hash_key, range_key, copy.deepcopy(table.get_item(hash_key, range_key))))
        try:
            original(backend, transact_items)
        except Exception:
            for table, hash_key, range_key, before in undo:
                table.put_back(hash_key, range_key, before)
            raise

    return transact_write_items


def copied(thing: Any) -> Any:  # noqa: ANN401 -- as copy.deepcopy
    """copy.deepcopy for moto's transactions, whose copy of every table the undo log replaces."""
    return thing if isinstance(thing, TunedTable) else copy.deepcopy(thing)


def projected(original: Callable[[Item, list[list[str]]], Item]) -> Callable[[Item, list[list[str]]], Item]:
    """Item.project, which takes the item to Python values and back once per path: plain names need no such thing."""

    def project(item: Item, projection_expressions: list[list[str]]) -> Item:
        if any(len(path) > 1 or path[0].endswith("]") for path in projection_expressions):
            return original(item, projection_expressions)
        attrs = {name: item.attrs[name] for (name,) in projection_expressions if name in item.attrs}
        return _item(object.__new__(Item), item.hash_key, item.range_key, attrs)

    return project


def built(item: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: Mapping[str, Any]) -> None:
    """Item.__init__, weighing the item once where moto weighs it all again with every attribute."""
    _item(item, hash_key, range_key, {name: DynamoType(value) for name, value in attrs.items()})
    if item.size() > MAX_ITEM_BYTES:
        raise ItemSizeTooLarge


def _item(item: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, DynamoType]) -> Item:
    item.hash_key, item.range_key = hash_key, range_key
    item.attrs = LimitedSizeDict()
    dict.update(item.attrs, attrs)
    return item


_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_PLACEHOLDER = re.compile(r"[#:]\w+")
# The first element of a document path: a name that follows no name, dot or placeholder sign, and is no function.
_PATH = re.compile(r"(?<![\w.#:])#?[A-Za-z_]\w*(?!\w|\s*\()")


def _placeholders_match(_backend: DynamoDBBackend, operation: Body) -> None:
    expressions = " ".join(operation.get(name) or "" for name in _EXPRESSIONS)
    used = set(_PLACEHOLDER.findall(expressions))
    for kind, sign in (("Names", "#"), ("Values", ":")):
        given = set(operation.get(f"ExpressionAttribute{kind}") or ())
        if unused := given - used:
            keys = ", ".join(sorted(unused))
            raise MockValidationException(
                f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{keys}}}"
            )
        if missing := sorted({name for name in used if name.startswith(sign)} - given):
            what = kind.lower()[:-1]
            raise MockValidationException(
                f"An expression attribute {what} used in expression is not defined; attribute {what}: {missing[0]}"
            )


def _filter_leaves_keys_alone(backend: DynamoDBBackend, body: Body) -> None:
    schema = backend.get_schema(body["TableName"], body.get("IndexName"))
    names = body.get("ExpressionAttributeNames") or {}
    paths = {names.get(path, path) for path in _PATH.findall(body.get("FilterExpression") or "")}
    for key in schema:
        if key["AttributeName"] in paths:
            raise MockValidationException(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute:"
                f" {key['AttributeName']}"
            )


def _few_indexes(_backend: DynamoDBBackend, body: Body) -> None:
    if len(body.get("GlobalSecondaryIndexes") or ()) > MAX_INDEXES:
        raise MockValidationException(
            "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of"
            f" {MAX_INDEXES}"
        )


def _few_indexes_after(backend: DynamoDBBackend, body: Body) -> None:
    changes = [change for update in body.get("GlobalSecondaryIndexUpdates") or () for change in update]
    have = len(backend.get_table(body["TableName"]).global_indexes)
    wanted = have + changes.count("Create") - changes.count("Delete")
    _few_indexes(backend, {"GlobalSecondaryIndexes": range(wanted if "Create" in changes else 0)})


def _batch_is_sound(backend: DynamoDBBackend, body: Body) -> None:
    requests = [
        (backend.get_table(name), kind, attrs)
        for name, requests in body["RequestItems"].items()
        for request in requests
        for kind, attrs in ((kind, content.get("Item") or content.get("Key")) for kind, content in request.items())
    ]
    if len(requests) > MAX_BATCH_WRITES:
        raise MockValidationException("Too many items requested for the BatchWriteItem call")
    seen = set()
    for table, kind, attrs in requests:
        key = (table.name, *backend.get_keys_value(table, attrs))
        if key in seen:
            raise MockValidationException("Provided list of item keys contains duplicates")
        seen.add(key)
        if kind == "PutRequest" and isinstance(table, TunedTable):
            table.check_index_keys({name: next(iter(value)) for name, value in attrs.items()})


def _each(operations: Callable[[Body], Iterable[Body]], check: Refusal) -> Refusal:
    def check_each(backend: DynamoDBBackend, body: Body) -> None:
        for operation in operations(body):
            check(backend, operation)

    return check_each


def _of_transaction(body: Body) -> Iterable[Body]:
    return (operation for item in body["TransactItems"] for operation in item.values())


Refusal = Callable[[DynamoDBBackend, Body], None]

# What AWS refuses and moto takes, by action: each check raises the ValidationException that AWS answers.
REFUSALS: Mapping[str, tuple[Refusal, ...]] = {
    "BatchGetItem": (_each(lambda body: body["RequestItems"].values(), _placeholders_match),),
    "BatchWriteItem": (_batch_is_sound,),
    "CreateTable": (_few_indexes,),
    "DeleteItem": (_placeholders_match,),
    "GetItem": (_placeholders_match,),
    "PutItem": (_placeholders_match,),
    "Query": (_placeholders_match, _filter_leaves_keys_alone),
    "Scan": (_placeholders_match,),
    "TransactGetItems": (_each(_of_transaction, _placeholders_match),),
    "TransactWriteItems": (_each(_of_transaction, _placeholders_match),),
    "UpdateItem": (_placeholders_match,),
    "UpdateTable": (_few_indexes_after,),
}
