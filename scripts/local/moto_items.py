"""moto's ways with single items, made quick, and its writes made all or nothing on tables with ordered indexes.

Each function here makes, or is, what replaces one attribute of moto; `scripts.local.moto_patches` says which.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from scripts.local.moto_table import TunedTable

Body = dict[str, Any]

MAX_ITEM_BYTES = 405_000  # where moto draws the line of 400 KB


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
