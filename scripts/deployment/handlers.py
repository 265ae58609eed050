"""The Lambda functions, each with its size and every call that it makes on DynamoDB: what policies are made of.

A handler gets no right that is not in its row, and no row has a right that its handler does not use: the tests run
under these policies, refuse what is not in them, and after a whole run name what nobody used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pynamodb.models import Model

from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE, POSITION, Lane
from chalicelib.platform.kinds import LANES
from chalicelib.store.dynamodb.tables import (
    APIKeyItem,
    AuditLogItem,
    ConnectionLogItem,
    ExportItem,
    NotificationItem,
    OrganizationItem,
    PlatformItem,
    RetentionItem,
    UserItem,
    UserSecretItem,
)


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls on one table.

    Attributes:
        own: on the table itself, as IAM names them; a transaction needs those of its parts.
        queried: the indexes that are queried.
    """

    own: tuple[str, ...] = ()
    queried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handler:
    """One Lambda function.

    Attributes:
        name: in app.py; `api_handler` is the one behind the API.
        logical_id: of its resource in the template, as Chalice names it.
        memory_mb: also decides its share of a processor; 1,769 MB are one.
        timeout_seconds: the API's is API Gateway's own.
        concurrency: how many may run at once, unless the deployment says otherwise; None for as many as there may be.
        calls: by table.
    """

    name: str
    logical_id: str
    memory_mb: int
    timeout_seconds: int
    concurrency: int | None
    calls: Mapping[type[Model], Calls]

    @property
    def policy_file(self) -> str:
        """The name of the file of its policy, in `.chalice`."""
        return f"policy-{self.name}.json"


def _ordered(lanes: tuple[Lane, ...]) -> tuple[str, ...]:
    """The lanes in the order of their log."""
    return tuple(lane.name for lane in lanes if lane.range == POSITION)


API = "api_handler"
"""The handler behind the API."""

QUEUE_READER = "store_queued"
"""The handler that the queue's messages are given to; every other one is run by a schedule."""

EXPORT_WRITER = "write_export"
"""The handler that the API and itself start for an export."""

HANDLERS = (
    Handler(
        name=API,
        logical_id="APIHandler",
        memory_mb=1_024,
        timeout_seconds=29,
        concurrency=None,
        calls={
            UserItem: Calls(("BatchGetItem", "ConditionCheckItem", "GetItem", "PutItem", "UpdateItem"), ("listing",)),
            OrganizationItem: Calls(("BatchGetItem", "GetItem", "PutItem", "UpdateItem"), ("listing",)),
            APIKeyItem: Calls(
                ("BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"),
                ("expiry", "listing", "user"),
            ),
            ConnectionLogItem: Calls(
                (
                    "BatchGetItem",
                    "BatchWriteItem",
                    "GetItem",
                    "PartiQLInsert",
                    "PartiQLUpdate",
                    "PutItem",
                    "UpdateItem",
                ),
                tuple(lane.name for lane in EVERY_CONNECTION_LANE),
            ),
            AuditLogItem: Calls(
                ("BatchGetItem", "DeleteItem", "GetItem", "PartiQLInsert", "PartiQLUpdate", "PutItem"),
                tuple(lane.name for lane in EVERY_AUDIT_LANE),
            ),
            RetentionItem: Calls(("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"), ("listing",)),
            UserSecretItem: Calls(("DeleteItem", "GetItem", "PutItem")),
            PlatformItem: Calls(
                ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"), tuple(LANES)
            ),
            NotificationItem: Calls(
                ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"),
                ("inbox", "unread"),
            ),
            ExportItem: Calls(("DeleteItem", "GetItem", "PutItem")),
        },
    ),
    Handler(
        name="purge",
        logical_id="Purge",
        memory_mb=1_024,
        timeout_seconds=900,
        concurrency=None,
        calls={
            APIKeyItem: Calls(("BatchGetItem", "DeleteItem"), ("expiry", "listing")),
            ConnectionLogItem: Calls(("BatchGetItem", "BatchWriteItem", "PartiQLUpdate"), ("all",)),
            AuditLogItem: Calls(("DeleteItem", "PartiQLUpdate", "PutItem"), ("all", "connection_event")),
            RetentionItem: Calls(("DeleteItem", "GetItem", "PutItem", "UpdateItem"), ("listing",)),
        },
    ),
    Handler(
        name="dispatch",
        logical_id="Dispatch",
        memory_mb=512,
        timeout_seconds=120,
        concurrency=None,
        calls={
            UserItem: Calls(("GetItem",)),
            NotificationItem: Calls(("BatchGetItem", "PutItem", "UpdateItem"), ("due",)),
            PlatformItem: Calls(("GetItem", "PutItem", "UpdateItem"), ("queue",)),
        },
    ),
    Handler(
        name=QUEUE_READER,
        logical_id="StoreQueued",
        memory_mb=1_024,
        timeout_seconds=120,
        concurrency=None,
        calls={
            ConnectionLogItem: Calls(("GetItem", "PartiQLInsert", "PutItem", "UpdateItem")),
            AuditLogItem: Calls(("BatchGetItem", "GetItem", "PartiQLInsert", "PutItem")),
            RetentionItem: Calls(("GetItem", "PutItem", "UpdateItem")),
        },
    ),
    Handler(
        name=EXPORT_WRITER,
        logical_id="WriteExport",
        memory_mb=1_024,
        timeout_seconds=900,
        concurrency=None,
        calls={
            UserItem: Calls(("BatchGetItem",)),
            OrganizationItem: Calls(("BatchGetItem",)),
            ConnectionLogItem: Calls(("BatchGetItem",), _ordered(EVERY_CONNECTION_LANE)),
            AuditLogItem: Calls(("BatchGetItem", "PutItem"), _ordered(EVERY_AUDIT_LANE)),
            RetentionItem: Calls(("GetItem",)),
            ExportItem: Calls(("GetItem", "PutItem")),
        },
    ),
)
