"""BatchExecuteStatement as DynamoDB answers it, for the statements that moto does not read.

    INSERT INTO "t" VALUE {'a': ?, 'b': ?}
    UPDATE "t" SET "a" = ? REMOVE "b" WHERE "id" = ? AND "c" = ?

Each statement is the conditional put or update that it stands for, and its result stands beside those of the others.
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
_UPDATE = re.compile(
    r"""\s*UPDATE\s+"?(?P<table>[\w.-]+)"?(?P<changes>(?:\s+SET\s+"\w+"\s*=\s*\?|\s+REMOVE\s+"\w+")+)"""
    r"""\s+WHERE\s+(?P<conditions>"\w+"\s*=\s*\?(?:\s+AND\s+"\w+"\s*=\s*\?)*)\s*""",
    re.IGNORECASE,
)
_SET = re.compile(r'SET\s+"(\w+)"', re.IGNORECASE)
_REMOVE = re.compile(r'REMOVE\s+"(\w+)"', re.IGNORECASE)
_COMPARED = re.compile(r'"(\w+)"\s*=')
_CODES = {"ConditionalCheckFailedException": "ConditionalCheckFailed", "ResourceNotFoundException": "ResourceNotFound"}

Do = Callable[[str, dict[str, Any]], tuple[int, str]]
"""Does an operation and answers its status and body."""


class Insert(NamedTuple):
    """One statement: the item, its table, and whether an item that stands in its way is sent back."""

    table: str
    item: dict[str, Any]
    tells: bool

    @property
    def key_values(self) -> dict[str, Any]:
        """Attributes that have the key among them."""
        return self.item


class Update(NamedTuple):
    """One statement: the changes of the item with these values, its key among them."""

    table: str
    sets: dict[str, Any]
    removes: tuple[str, ...]
    compared: dict[str, Any]
    tells: bool

    @property
    def key_values(self) -> dict[str, Any]:
        """Attributes that have the key among them."""
        return self.compared


Statement = Insert | Update


def statements(backend: DynamoDBBackend, body: Mapping[str, Any]) -> list[Statement] | None:
    """The statements of a BatchExecuteStatement; None where none of them is one that is read here.

    Raises:
        MockValidationException: they cannot be one batch.
    """
    texts: Sequence[Mapping[str, Any]] = body.get("Statements") or ()
    if not 1 <= len(texts) <= MAX_STATEMENTS:
        raise MockValidationException(
            "1 validation error detected: Value at 'statements' failed to satisfy constraint: Member must have length"
            f" between 1 and {MAX_STATEMENTS}"
        )
    read = [statement_of(text) for text in texts]
    if all(statement is None for statement in read):
        return None
    made = [statement for statement in read if statement is not None]
    if len(made) < len(read):
        raise MockValidationException("Mixed Read and Write operations are not allowed in a batch")
    keys = [(one.table, *backend.get_keys_value(backend.get_table(one.table), one.key_values)) for one in made]
    if len({*map(str, keys)}) < len(keys):
        raise MockValidationException("Transaction request cannot include multiple operations on one item")
    return made


def done(backend: DynamoDBBackend, statement: Statement, do: Do) -> dict[str, Any]:
    """The result of one statement."""
    keys = backend.get_table(statement.table).table_key_attrs
    operation, request = _put(statement, keys) if isinstance(statement, Insert) else _updated(statement, keys)
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD" if statement.tells else "NONE"
    status, text = do(operation, request)
    if status == 200:  # noqa: PLR2004 - HTTP's
        return {"TableName": statement.table}
    refusal = json.loads(text)
    code = str(refusal.get("__type", "")).rpartition("#")[2]
    default = "InternalServerError" if status >= 500 else "ValidationError"  # noqa: PLR2004 - HTTP's
    error = {"Code": _CODES.get(code, default), "Message": refusal.get("message", "")}
    if error["Code"] == "ConditionalCheckFailed" and isinstance(statement, Insert):
        error |= {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}
    return {"TableName": statement.table, "Error": error | ({"Item": refusal["Item"]} if "Item" in refusal else {})}


def statement_of(statement: Mapping[str, Any]) -> Statement | None:
    """The insertion or update that a statement is; None for any other statement.

    Raises:
        MockValidationException: it is too long, or its parameters do not fit.
    """
    text = statement.get("Statement", "")
    if len(text) > MAX_STATEMENT_CHARACTERS:
        raise MockValidationException("1 validation error detected: Value at 'statement' has too many characters")
    parameters = statement.get("Parameters") or ()
    tells = statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    if match := _INSERT.fullmatch(text):
        names = [value and value["name"] for value in map(_VALUE.fullmatch, match["values"].split(","))]
        return Insert(match["table"], _paired(names, parameters), tells)
    if match := _UPDATE.fullmatch(text):
        changed, compared = _SET.findall(match["changes"]), _COMPARED.findall(match["conditions"])
        values = _paired([f"set {name}" for name in changed] + compared, parameters)
        sets = {name: values.pop(f"set {name}") for name in changed}
        return Update(match["table"], sets, tuple(_REMOVE.findall(match["changes"])), values, tells)
    return None


def _paired(names: Sequence[str | None], parameters: Sequence[Any]) -> dict[str, Any]:
    if len(names) != len(parameters) or not all(names):
        raise MockValidationException("Number of parameters in request and statement don't match.")
    return {name: value for name, value in zip(names, parameters, strict=True) if name}


def _put(statement: Insert, keys: Sequence[str]) -> tuple[str, dict[str, Any]]:
    return "PutItem", {
        "TableName": statement.table,
        "Item": statement.item,
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": keys[0]},
    }


def _updated(statement: Update, keys: Sequence[str]) -> tuple[str, dict[str, Any]]:
    if missing := {*keys} - statement.compared.keys():
        raise MockValidationException(
            f"Where clause does not contain a mandatory equality on all key attributes: {missing}"
        )
    # An update finds its item: it makes none.
    compared = statement.compared
    sets = [f"#{name} = :new_{name}" for name in statement.sets]
    clauses = {"SET": sets, "REMOVE": [f"#{name}" for name in statement.removes]}
    return "UpdateItem", {
        "TableName": statement.table,
        "Key": {name: compared[name] for name in keys},
        "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts),
        "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in compared),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*statement.sets, *statement.removes, *compared)},
        "ExpressionAttributeValues": {
            **{f":new_{name}": value for name, value in statement.sets.items()},
            **{f":{name}": value for name, value in compared.items()},
        },
    }
