"""BatchExecuteStatement as DynamoDB answers it, for what moto does not read: `INSERT INTO "t" VALUE {'a': ?, 'b': ?}`.

Each statement is the conditional put that it stands for, and what became of it is told beside the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend

MAX_STATEMENTS = 25
MAX_STATEMENT_CHARACTERS = 8_192

_INSERT = re.compile(
    r"""\s*INSERT\s+INTO\s+"?(?P<table>[\w.-]+)"?\s+VALUE\s+\{(?P<values>[^{}]*)\}\s*""", re.IGNORECASE
)
_VALUE = re.compile(r"\s*'(?P<name>[^']+)'\s*:\s*\?\s*")
_CODES = {"ConditionalCheckFailedException": "DuplicateItem", "ResourceNotFoundException": "ResourceNotFound"}

Put = Callable[[dict[str, Any]], tuple[int, str]]
"""Does a PutItem and answers its status and body."""


class Insert(NamedTuple):
    """One statement: the item, its table, and whether an item that stands in its way is sent back."""

    table: str
    item: dict[str, Any]
    tells: bool


def inserts(backend: DynamoDBBackend, body: Mapping[str, Any]) -> list[Insert] | None:
    """The statements of a BatchExecuteStatement; None where one of them is none that is read here.

    Raises:
        MockValidationException: they cannot be one batch.
    """
    statements: Sequence[Mapping[str, Any]] = body.get("Statements") or ()
    if not 1 <= len(statements) <= MAX_STATEMENTS:
        raise MockValidationException(
            "1 validation error detected: Value at 'statements' failed to satisfy constraint: Member must have length"
            f" between 1 and {MAX_STATEMENTS}"
        )
    read = [insert_of(statement) for statement in statements]
    if all(insert is None for insert in read):
        return None
    made = [insert for insert in read if insert is not None]
    if len(made) < len(read):
        raise MockValidationException("Mixed Read and Write operations are not allowed in a batch")
    keys = [(insert.table, *backend.get_keys_value(backend.get_table(insert.table), insert.item)) for insert in made]
    if len({*map(str, keys)}) < len(keys):
        raise MockValidationException("Transaction request cannot include multiple operations on one item")
    return made


def inserted(backend: DynamoDBBackend, statement: Insert, put: Put) -> dict[str, Any]:
    """What became of one statement."""
    request = {
        "TableName": statement.table,
        "Item": statement.item,
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": backend.get_table(statement.table).hash_key_attr},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD" if statement.tells else "NONE",
    }
    status, text = put(request)
    if status == 200:  # noqa: PLR2004 - HTTP's
        return {"TableName": statement.table}
    refusal = json.loads(text)
    code = str(refusal.get("__type", "")).rpartition("#")[2]
    default = "InternalServerError" if status >= 500 else "ValidationError"  # noqa: PLR2004 - HTTP's
    error = {"Code": _CODES.get(code, default), "Message": refusal.get("message", "")}
    if error["Code"] == "DuplicateItem":
        error["Message"] = "Duplicate primary key exists in table"
    return {"TableName": statement.table, "Error": error | ({"Item": refusal["Item"]} if "Item" in refusal else {})}


def insert_of(statement: Mapping[str, Any]) -> Insert | None:
    """The insertion that a statement is; None for any other statement.

    Raises:
        MockValidationException: it is too long, or its parameters do not fit.
    """
    text = statement.get("Statement", "")
    if len(text) > MAX_STATEMENT_CHARACTERS:
        raise MockValidationException("1 validation error detected: Value at 'statement' has too many characters")
    match = _INSERT.fullmatch(text)
    if match is None:
        return None
    names = [_VALUE.fullmatch(value) for value in match["values"].split(",")]
    parameters = statement.get("Parameters") or ()
    if not all(names) or len(names) != len(parameters):
        raise MockValidationException("Number of parameters in request and statement don't match.")
    item = {name["name"]: value for name, value in zip(names, parameters, strict=True) if name}
    return Insert(match["table"], item, statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")
