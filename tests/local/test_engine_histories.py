"""Random histories of requests are answered by the engine as plain moto answers them."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from scripts.local.engine import EmbeddedEngine
from tests.local.conftest import EVENTS, PAIRS, Client, make_tables, new_client, pages

SEEDS = range(4)
STEPS = 220


def history(seed: int) -> list[tuple[str, dict[str, Any]]]:
    chance = random.Random(seed)
    full = [chance.choice((put, batch_write))(chance) for _ in range(20)]
    return full + [chance.choice(REQUESTS)(chance) for _ in range(STEPS)]


def event_key(chance: random.Random) -> dict[str, Any]:
    return {"id": {"S": f"e{chance.randrange(25)}"}}


def pair_key(chance: random.Random) -> dict[str, Any]:
    return {"owner": {"S": chance.choice("ab")}, "number": {"N": str(chance.choice((-3, 1, 2, 9, 10, 11, 100)))}}


def event(chance: random.Random) -> dict[str, Any]:
    optional = {
        "user": {"S": chance.choice(("ann", "bob"))},
        "status": {"S": chance.choice(("on", "off"))},
        "position": {"S": f"{chance.randrange(12):04d}"},
        "weight": {"N": str(chance.choice((0, 2, 9, 10, 11, -1)))},
        "doc": {"M": {"deep": {"L": [{"S": "x"}, {"N": "1"}, {"B": b"\x00\x01"}]}}},
        "raw": {"B": bytes([chance.randrange(256)])},
        "flag": {"BOOL": chance.random() < 0.5},
    }
    return event_key(chance) | {name: value for name, value in optional.items() if chance.random() < 0.75}


def pair(chance: random.Random) -> dict[str, Any]:
    label = {"label": {"S": chance.choice(("x", "xy", "z"))}} if chance.random() < 0.8 else {}
    return pair_key(chance) | label


def put(chance: random.Random) -> tuple[str, dict[str, Any]]:
    if chance.random() < 0.4:
        return "put_item", {"TableName": PAIRS, "Item": pair(chance), "ReturnValues": "ALL_OLD"}
    condition = {
        "ConditionExpression": "attribute_not_exists(id) OR flag = :f",
        "ExpressionAttributeValues": {":f": {"BOOL": True}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    conditional = condition if chance.random() < 0.4 else {}
    return "put_item", {"TableName": EVENTS, "Item": event(chance), **conditional}


def update(chance: random.Random) -> tuple[str, dict[str, Any]]:
    expression, values = chance.choice(
        (
            ("SET #s = :s, weight = if_not_exists(weight, :n)", {":s": {"S": "on"}, ":n": {"N": "5"}}),
            ("SET #p = :p REMOVE #s", {":p": {"S": f"{chance.randrange(12):04d}"}}),
            ("SET #p = :p ADD weight :n REMOVE #s", {":p": {"S": "0003"}, ":n": {"N": "1"}}),
            ("SET #s = :s, #p = absent", {":s": {"S": "off"}}),
        )
    )
    names = {name: full for name, full in (("#s", "status"), ("#p", "position")) if name in expression}
    request = {
        "TableName": EVENTS,
        "Key": event_key(chance),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValues": chance.choice(("NONE", "ALL_NEW", "ALL_OLD")),
    }
    if chance.random() < 0.4:
        request |= {"ConditionExpression": "attribute_exists(id)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return "update_item", request


def delete(chance: random.Random) -> tuple[str, dict[str, Any]]:
    if chance.random() < 0.4:
        return "delete_item", {"TableName": PAIRS, "Key": pair_key(chance)}
    return "delete_item", {"TableName": EVENTS, "Key": event_key(chance), "ReturnValues": "ALL_OLD"}


def get(chance: random.Random) -> tuple[str, dict[str, Any]]:
    if chance.random() < 0.5:
        return "get_item", {"TableName": PAIRS, "Key": pair_key(chance)}
    projection = chance.choice(("id, weight", "doc.deep[0]", "nothing"))
    return "get_item", {"TableName": EVENTS, "Key": event_key(chance), "ProjectionExpression": projection}


def batch_get(chance: random.Random) -> tuple[str, dict[str, Any]]:
    keys = [{"id": {"S": f"e{number}"}} for number in chance.sample(range(25), 5)]
    return "batch_get_item", {"RequestItems": {EVENTS: {"Keys": keys, "ProjectionExpression": "id, flag"}}}


def batch_write(chance: random.Random) -> tuple[str, dict[str, Any]]:
    numbers = chance.sample(range(25), 4)
    puts = [{"PutRequest": {"Item": event(chance) | {"id": {"S": f"e{number}"}}}} for number in numbers[:3]]
    return "batch_write_item", {
        "RequestItems": {EVENTS: [*puts, {"DeleteRequest": {"Key": {"id": {"S": f"e{numbers[3]}"}}}}]}
    }


def transact(chance: random.Random) -> tuple[str, dict[str, Any]]:
    first, second, third = (f"e{number}" for number in chance.sample(range(25), 3))
    return "transact_write_items", {
        "TransactItems": [
            {"Put": {"TableName": EVENTS, "Item": event(chance) | {"id": {"S": first}}}},
            {
                "Update": {
                    "TableName": EVENTS,
                    "Key": {"id": {"S": second}},
                    "UpdateExpression": "SET #s = :s",
                    "ConditionExpression": chance.choice(("attribute_exists(id)", "attribute_not_exists(nothing)")),
                    "ExpressionAttributeNames": {"#s": "status"},
                    "ExpressionAttributeValues": {":s": {"S": "on"}},
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {
                "Delete": {
                    "TableName": EVENTS,
                    "Key": {"id": {"S": third}},
                    "ConditionExpression": "attribute_not_exists(flag) OR flag = :f",
                    "ExpressionAttributeValues": {":f": {"BOOL": True}},
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {"Put": {"TableName": PAIRS, "Item": pair(chance)}},
        ]
    }


def query(chance: random.Random) -> tuple[str, dict[str, Any]]:
    low, high = f"{chance.randrange(6):04d}", f"{chance.randrange(6, 12):04d}"
    few, many = sorted((str(chance.choice((-1, 2, 9))), str(chance.choice((9, 10, 100)))), key=int)
    name, table, hash_key, value, range_key, bounds = chance.choice(
        (
            ("by-user", EVENTS, "user", "ann", "position", ({"S": low}, {"S": high})),
            ("by-status", EVENTS, "status", "on", "position", ({"S": low}, {"S": high})),
            ("by-weight", EVENTS, "user", "bob", "weight", ({"N": few}, {"N": many})),
            ("by-label", PAIRS, "label", "x", "number", ({"N": few}, {"N": many})),
            ("by-owner-label", PAIRS, "owner", "a", "label", ({"S": "x"}, {"S": "y"})),
            (None, PAIRS, "owner", "b", "number", ({"N": few}, {"N": many})),
        )
    )
    condition = chance.choice(("", "= :a", "< :a", "<= :a", "> :a", ">= :a", "BETWEEN :a AND :b", "begins"))
    if condition == "begins":
        condition = f"begins_with(#r, {':a'})" if "S" in bounds[0] else ""
    elif condition:
        condition = f"#r {condition}"
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#h = :h" + (f" AND {condition}" if condition else ""),
        "ExpressionAttributeNames": {"#h": hash_key} | ({"#r": range_key} if condition else {}),
        "ExpressionAttributeValues": {":h": {"S": value}}
        | ({":a": bounds[0]} if condition else {})
        | ({":b": bounds[1]} if ":b" in condition else {}),
        "ScanIndexForward": chance.random() < 0.5,
    }
    if name is not None:
        request["IndexName"] = name
    return "query", filtered(chance, request)


def scan(chance: random.Random) -> tuple[str, dict[str, Any]]:
    table, name = chance.choice(((EVENTS, None), (EVENTS, "by-user"), (EVENTS, "by-status"), (PAIRS, None)))
    request: dict[str, Any] = {"TableName": table, "ExpressionAttributeValues": {}}
    request |= {"IndexName": name} if name else {}
    if chance.random() < 0.3:
        request |= {"Segment": chance.randrange(2), "TotalSegments": 2}
    return "scan", filtered(chance, request)


def filtered(chance: random.Random, request: dict[str, Any]) -> dict[str, Any]:
    if chance.random() < 0.3:
        request["FilterExpression"] = "flag = :f OR attribute_not_exists(flag)"
        request["ExpressionAttributeValues"][":f"] = {"BOOL": True}
    kind = chance.random()
    if kind < 0.2:
        request["Select"] = "COUNT"
    elif kind < 0.4:
        request["ProjectionExpression"] = "id, flag, doc"
    if chance.random() < 0.8:
        request["Limit"] = chance.randrange(1, 5)
    return {name: value for name, value in request.items() if value != {}}


REQUESTS: tuple[Callable[[random.Random], tuple[str, dict[str, Any]]], ...] = (
    put,
    put,
    put,
    update,
    update,
    delete,
    get,
    batch_get,
    batch_write,
    transact,
    query,
    query,
    query,
    scan,
)


def answers(client: Client, seed: int) -> list[Any]:
    """The answers of the engine to a history, as JSON: pages to the end of each read, errors with all they carry."""
    return [plain(asked(client, action, request)) for action, request in history(seed)]


def asked(client: Client, action: str, request: dict[str, Any]) -> Any:
    try:
        if action in {"query", "scan"}:
            return pages(getattr(client, action), request)
        answer = getattr(client, action)(**request)
    except ClientError as error:
        answer = error.response
    return {name: value for name, value in answer.items() if name not in {"ResponseMetadata", "ConsumedCapacity"}}


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda raw: base64.b64encode(raw).decode()))


@pytest.fixture(scope="module")
def expected() -> list[list[Any]]:
    answered = []
    for seed in SEEDS:
        with mock_aws():
            client = new_client()
            make_tables(client)
            answered.append(answers(client, seed))
    return answered


@pytest.fixture(scope="module")
def shared(expected: list[list[Any]], shared: EmbeddedEngine) -> EmbeddedEngine:
    """The engine, once plain moto is done: both cannot run at once."""
    assert expected
    return shared


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_is_answered_as_plain_moto_answers_it(
    client: Client, expected: list[list[Any]], seed: int
) -> None:
    answered = answers(client, seed)
    for number, (request, answer) in enumerate(zip(history(seed), answered, strict=True)):
        assert answer == expected[seed][number], (number, request)


def test_the_histories_say_something(expected: list[list[Any]]) -> None:
    text = json.dumps(expected)
    for word in ("ConditionalCheckFailed", "CancellationReasons", "ValidationException", '"Item"', '"Attributes"'):
        assert word in text
    reads = [
        answer
        for seed in SEEDS
        for (action, _), answer in zip(history(seed), expected[seed], strict=True)
        if action in {"query", "scan"}
    ]
    assert sum(len(read) > 1 for read in reads) > len(reads) / 4
