"""Checks, by action, for requests that AWS refuses and moto takes; they run before moto sees the request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend

from scripts.local.moto_table import TunedTable

Body = dict[str, Any]
Refusal = Callable[[DynamoDBBackend, Body], None]

MAX_INDEXES = 20
MAX_BATCH_WRITES = 25

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


def _for_all(operations: Callable[[Body], Iterable[Body]], check: Refusal) -> Refusal:
    def check_all(backend: DynamoDBBackend, body: Body) -> None:
        for operation in operations(body):
            check(backend, operation)

    return check_all


def _of_transaction(body: Body) -> Iterable[Body]:
    return (operation for item in body["TransactItems"] for operation in item.values())


# By action: each check raises the ValidationException that AWS answers.
REFUSALS: Mapping[str, tuple[Refusal, ...]] = {
    "BatchGetItem": (_for_all(lambda body: body["RequestItems"].values(), _placeholders_match),),
    "BatchWriteItem": (_batch_is_sound,),
    "CreateTable": (_few_indexes,),
    "DeleteItem": (_placeholders_match,),
    "GetItem": (_placeholders_match,),
    "PutItem": (_placeholders_match,),
    "Query": (_placeholders_match, _filter_leaves_keys_alone),
    "Scan": (_placeholders_match,),
    "TransactGetItems": (_for_all(_of_transaction, _placeholders_match),),
    "TransactWriteItems": (_for_all(_of_transaction, _placeholders_match),),
    "UpdateItem": (_placeholders_match,),
    "UpdateTable": (_few_indexes_after,),
}
