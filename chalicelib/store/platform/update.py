"""An update of an item of the platform, put together attribute by attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chalicelib.store.dynamodb.client import Item
from chalicelib.store.platform.rows import TABLE

REVISION: Final = "revision"
"""The number of updates that an item has had."""


@dataclass(slots=True)
class Update:
    """The attributes that an update sets, removes, and takes words into or out of.

    Attributes:
        sets: attribute -> its value.
        removes: attributes, but for those that are set.
        defaults: attribute -> the value that it is given where it has none.
        adds: attribute -> words that a set of words gains.
        deletes: attribute -> words that a set of words loses.
    """

    sets: Mapping[str, Any]
    removes: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    adds: Mapping[str, list[str]] = field(default_factory=dict)
    deletes: Mapping[str, list[str]] = field(default_factory=dict)

    def request(self, item_key: Item, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The request that makes it where a condition holds, and counts the item's revision."""
        removed = sorted(self.removes - self.sets.keys())
        names = [*self.sets, *self.defaults, *removed, *self.adds, *self.deletes]
        number = {name: index for index, name in enumerate(names)}
        clauses = {
            "SET": [
                *(f"#{number[name]} = :{number[name]}" for name in self.sets),
                *(f"#{number[name]} = if_not_exists(#{number[name]}, :{number[name]})" for name in self.defaults),
            ],
            "REMOVE": [f"#{number[name]}" for name in removed],
            "ADD": ["#revision :one", *(f"#{number[name]} :{number[name]}" for name in self.adds)],
            "DELETE": [f"#{number[name]} :{number[name]}" for name in self.deletes],
        }
        words = {name: {"SS": sorted(given)} for name, given in {**self.adds, **self.deletes}.items()}
        written = {**self.sets, **self.defaults, **words}
        return {
            "TableName": TABLE,
            "Key": item_key,
            "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {**{f"#{number[name]}": name for name in names}, "#revision": REVISION},
            "ExpressionAttributeValues": {
                **{f":{number[name]}": value for name, value in written.items()},
                ":one": {"N": "1"},
                **values,
            },
        }
