"""The way from a deployed template to a new one where indexes come or go: DynamoDB changes one at a time.

Indexes are added under the deployed code, one per table and step, so that the new code finds every index that it reads
and finds it filled. Then comes the new code, with the indexes that only the old one read; then those go, one by one.

    deployed ─► + index ─► + index ─► new code ─► - index ─► new template

Each step is a whole template, and the last one is the new template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

Template = Mapping[str, Any]
Index = dict[str, Any]

_TABLE = "AWS::DynamoDB::Table"


MOST_INDEXES = 20
MOST_ATTRIBUTES = 100
"""Attributes that all indexes of a table together name beside their keys; one that two of them name counts twice."""


class Unchangeable(Exception):
    """The way to the new template has a step that DynamoDB does not take; the text says which and why."""


def steps(deployed: Template, new: Template) -> list[dict[str, Any]]:
    """The templates to deploy, in order.

    Raises:
        Unchangeable: an index is changed, which DynamoDB cannot do: it needs another name. Or a table would have too
            many indexes on the way, the old ones and the new ones together.
    """
    both = [table for table in _tables(new) if table in _tables(deployed)]
    added = {table: _missing(deployed, new, table) for table in both}
    removed = {table: _missing(new, deployed, table) for table in both}
    most_added, most_removed = (max(map(len, indexes.values()), default=0) for indexes in (added, removed))
    before = [
        _with_more(deployed, {table: indexes[:count] for table, indexes in added.items()}, new)
        for count in range(1, most_added + 1)
    ]
    after = [
        _with_more(new, {table: indexes[:count] for table, indexes in removed.items()}, deployed)
        for count in range(most_removed, 0, -1)
    ]
    made = [*before, *after, deepcopy(dict(new))]
    for step in made:
        _check_size(step)
    return made


def changes(before: Template, after: Template) -> dict[str, tuple[list[str], list[str]]]:
    """Table -> the names of the indexes that come and of those that go; tables in which none does are left out."""
    both = [table for table in _tables(after) if table in _tables(before)]
    changed = {
        table: ([index["IndexName"] for index in _missing(before, after, table)],
                [index["IndexName"] for index in _missing(after, before, table)])
        for table in both
    }  # fmt: skip
    return {table: names for table, names in changed.items() if any(names)}


def _check_size(template: Template) -> None:
    for table in _tables(template):
        indexes = _indexes(template, table).values()
        attributes = sum(len(index["Projection"].get("NonKeyAttributes", ())) for index in indexes)
        if len(indexes) > MOST_INDEXES or attributes > MOST_ATTRIBUTES:
            raise Unchangeable(
                f"On the way {table} would have {len(indexes)} indexes with {attributes} attributes; DynamoDB takes "
                f"{MOST_INDEXES} with {MOST_ATTRIBUTES}: deploy a version between that changes fewer of them."
            )


def _missing(from_this: Template, of_that: Template, table: str) -> list[Index]:
    here, there = _indexes(from_this, table), _indexes(of_that, table)
    for name in here.keys() & there.keys():
        if _shape(here[name]) != _shape(there[name]):
            raise Unchangeable(f"Index {name} of {table} is not what is deployed: give it another name.")
    return [index for name, index in there.items() if name not in here]


def _shape(index: Index) -> Index:
    """An index without its capacity, which may change."""
    return {name: value for name, value in index.items() if name != "ProvisionedThroughput"}


def _with_more(template: Template, more: Mapping[str, Sequence[Index]], declared_by: Template) -> dict[str, Any]:
    made = deepcopy(dict(template))
    for table, indexes in more.items():
        if not indexes:
            continue
        properties = _tables(made)[table]["Properties"]
        properties["GlobalSecondaryIndexes"] = [*_indexes(made, table).values(), *deepcopy(list(indexes))]
        known = {
            definition["AttributeName"]: definition
            for source in (declared_by, made)
            for definition in _tables(source)[table]["Properties"]["AttributeDefinitions"]
        }
        schemas = [properties["KeySchema"], *(index["KeySchema"] for index in properties["GlobalSecondaryIndexes"])]
        # DynamoDB wants the types of exactly the attributes that are keys somewhere.
        keys = dict.fromkeys(key["AttributeName"] for schema in schemas for key in schema)
        properties["AttributeDefinitions"] = [known[name] for name in keys]
    return made


def _tables(template: Template) -> dict[str, Any]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == _TABLE}


def _indexes(template: Template, table: str) -> dict[str, Index]:
    indexes = _tables(template)[table]["Properties"].get("GlobalSecondaryIndexes", [])
    return {index["IndexName"]: index for index in indexes}
