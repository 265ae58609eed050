"""Makes the tables where they are missing: on the embedded engine, and wherever no template deploys them."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.models import Model

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import TABLES

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2


def table_definition(table: type[Model]) -> dict[str, object]:
    """The CreateTable request of a table: keys, attribute types and indexes, paid per request."""
    schema: dict[str, Any] = dict(table._get_schema())  # noqa: SLF001 - pynamodb offers no public way to read a model's schema
    definition: dict[str, object] = {
        "TableName": table.Meta.table_name,
        "BillingMode": table.Meta.billing_mode,
        "AttributeDefinitions": [dict(attribute) for attribute in schema["attribute_definitions"]],
        "KeySchema": [dict(key) for key in schema["key_schema"]],
    }
    indexes = [
        {
            "IndexName": index["index_name"],
            "KeySchema": sorted((dict(key) for key in index["key_schema"]), key=lambda key: key["KeyType"]),
            "Projection": dict(index["projection"]),
        }
        for index in schema["global_secondary_indexes"]
    ]
    if indexes:
        definition["GlobalSecondaryIndexes"] = indexes
    return definition


def create_missing_tables() -> list[str]:
    """Create the tables that are not there, wait until each can be used, and name those that were created.

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
    return [table.Meta.table_name for table in missing]


def _status(table_name: str) -> str | None:
    try:
        description = call("DescribeTable", {"TableName": table_name})
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    status: str = description["Table"]["TableStatus"]
    return status
