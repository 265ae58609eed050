"""Makes the tables where they are missing: on the embedded engine, and wherever no template deploys them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from inspect import getmembers
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import Attribute
from pynamodb.indexes import GlobalSecondaryIndex, Projection
from pynamodb.models import Model

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.optional_operation import OptionalOperation
from chalicelib.store.dynamodb.tables import TABLES, TIMES_TO_LIVE

TTL = OptionalOperation(
    "UpdateTimeToLive", "This engine deletes nothing by itself: what is purged is hidden, and stays in the tables."
)

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2


def table_definition(table: type[Model]) -> dict[str, object]:
    """The CreateTable request of a table: keys, attribute types and indexes, paid per request."""
    indexes = [index for _, index in getmembers(table, lambda member: isinstance(member, GlobalSecondaryIndex))]
    sources = [table.get_attributes(), *(index.Meta.attributes for index in indexes)]
    types = {key.attr_name: key.attr_type for source in sources for key in _keys(source)}
    definition: dict[str, object] = {
        "TableName": table.Meta.table_name,
        "BillingMode": table.Meta.billing_mode,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "KeySchema": _key_schema(table.get_attributes()),
    }
    if indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.Meta.index_name,
                "KeySchema": _key_schema(index.Meta.attributes),
                "Projection": _projection(index.Meta.projection),
            }
            for index in indexes
        ]
    return definition


def create_missing_tables() -> list[str]:
    """Create the tables that are not there, wait until each can be used, and name those that were created.

    Where the engine can, it deletes what is stamped in them; see `TIMES_TO_LIVE`.

    Raises:
        Unavailable: the engine cannot be reached, or a table was not ready within a minute.
    """
    missing = [table for table in TABLES if _status(table.Meta.table_name) is None]
    for table in missing:
        try:
            call("CreateTable", table_definition(table))
        except ClientError as error:
            # Another process may be starting on the same engine; a table it made serves as well as ours.
            if error.response["Error"]["Code"] != "ResourceInUseException":
                raise
    give_up_at = time.monotonic() + _WAIT_SECONDS
    for table in missing:
        while _status(table.Meta.table_name) != "ACTIVE":
            if time.monotonic() > give_up_at:
                raise Unavailable(f"Table {table.Meta.table_name} was not ready within {_WAIT_SECONDS:.0f} seconds.")
            time.sleep(_POLL_SECONDS)
        _let_items_be_forgotten(table)
    return [table.Meta.table_name for table in missing]


def _let_items_be_forgotten(table: type[Model]) -> None:
    """Have the engine delete what is stamped."""
    attribute = TIMES_TO_LIVE.get(table)
    if attribute is None or TTL.is_lacking:
        return
    named = {"TableName": table.Meta.table_name}
    try:
        call(TTL.name, {**named, "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": True}})
    except ClientError as error:
        # So is refused what another process has asked for.
        if error.response["Error"]["Code"] != "ValidationException":
            TTL.learn_from(error)


def _status(table_name: str) -> str | None:
    try:
        description = call("DescribeTable", {"TableName": table_name})
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    status: str = description["Table"]["TableStatus"]
    return status


def _keys(attributes: Mapping[str, Attribute[Any]]) -> list[Attribute[Any]]:
    """The hash key and, after it, the range key."""
    keys = (attribute for attribute in attributes.values() if attribute.is_hash_key or attribute.is_range_key)
    return sorted(keys, key=lambda key: key.is_range_key)


def _key_schema(attributes: Mapping[str, Attribute[Any]]) -> list[dict[str, str]]:
    return [
        {"AttributeName": key.attr_name, "KeyType": "RANGE" if key.is_range_key else "HASH"}
        for key in _keys(attributes)
    ]


def _projection(projection: Projection) -> dict[str, object]:
    definition: dict[str, object] = {"ProjectionType": projection.projection_type}
    if projection.non_key_attributes:
        definition["NonKeyAttributes"] = projection.non_key_attributes
    return definition
