"""The engine refuses what AWS refuses, and nothing changes; it takes what AWS takes at the same limits."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.local.engine import EmbeddedEngine
from tests.local.conftest import BY_USER, EVENTS, ITEM, Client, index, refused

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "21 indexes": (
        "create_table",
        {
            "TableName": "engine-wide",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "GlobalSecondaryIndexes": [index(f"index{number}", "id", None) for number in range(21)],
        },
        "per-table limit of 20",
    ),
    "number in a text index key": (
        "put_item",
        {"TableName": EVENTS, "Item": ITEM | {"user": {"N": "1"}}},
        "Type mismatch for Index Key user Expected: S Actual: N IndexName: by-user",
    ),
    "the same in an update": (
        "update_item",
        {
            "TableName": EVENTS,
            "Key": ITEM,
            "UpdateExpression": "SET #u = :u",
            "ExpressionAttributeNames": {"#u": "user"},
            "ExpressionAttributeValues": {":u": {"N": "1"}},
        },
        "ype mismatch",
    ),
    "the same in a batch": (
        "batch_write_item",
        {
            "RequestItems": {
                EVENTS: [
                    {"PutRequest": {"Item": ITEM}},
                    {"PutRequest": {"Item": {"id": {"S": "b"}, "user": {"N": "1"}}}},
                ]
            }
        },
        "Type mismatch for Index Key",
    ),
    "the same in a transaction": (
        "transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": EVENTS, "Item": ITEM}},
                {"Put": {"TableName": EVENTS, "Item": {"id": {"S": "b"}, "user": {"N": "1"}}}},
            ]
        },
        "Type mismatch for Index Key",
    ),
    "a number of 39 digits": (
        "put_item",
        {"TableName": EVENTS, "Item": ITEM | {"n": {"N": "1." + "1" * 38}}},
        "more than 38 significant digits",
    ),
    "26 writes in a batch": (
        "batch_write_item",
        {"RequestItems": {EVENTS: [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(26)]}},
        "Too many items",
    ),
    "one key twice in a batch": (
        "batch_write_item",
        {
            "RequestItems": {
                EVENTS: [{"PutRequest": {"Item": ITEM | {"a": {"S": "b"}}}}, {"DeleteRequest": {"Key": ITEM}}]
            }
        },
        "contains duplicates",
    ),
    "101 reads in a batch": (
        "batch_get_item",
        {"RequestItems": {EVENTS: {"Keys": [{"id": {"S": str(number)}} for number in range(101)]}}},
        "less than or equal to 100",
    ),
    "101 writes in a transaction": (
        "transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": EVENTS, "Item": {"id": {"S": str(number)}}}} for number in range(101)
            ]
        },
        "less than or equal to 100",
    ),
    "an unused value in a put": (
        "put_item",
        {
            "TableName": EVENTS,
            "Item": ITEM,
            "ConditionExpression": "attribute_not_exists(id)",
            "ExpressionAttributeValues": {":x": {"S": "y"}},
        },
        "ExpressionAttributeValues unused in expressions: keys: {:x}",
    ),
    "an unused value in a query": (
        "query",
        BY_USER | {"ExpressionAttributeValues": {":u": {"S": "ann"}, ":uu": {"S": "y"}}},
        "ExpressionAttributeValues unused in expressions: keys: {:uu}",
    ),
    "an unused name in a query": (
        "query",
        BY_USER | {"ExpressionAttributeNames": {"#u": "user", "#x": "y"}},
        "ExpressionAttributeNames unused in expressions: keys: {#x}",
    ),
    "an unused value in a transaction": (
        "transact_write_items",
        {
            "TransactItems": [
                {
                    "Delete": {
                        "TableName": EVENTS,
                        "Key": ITEM,
                        "ConditionExpression": "attribute_exists(id)",
                        "ExpressionAttributeValues": {":x": {"S": "y"}},
                    }
                }
            ]
        },
        "ExpressionAttributeValues unused in expressions: keys: {:x}",
    ),
    "a value that is not given": (
        "delete_item",
        {"TableName": EVENTS, "Key": ITEM, "ConditionExpression": "flag = :x"},
        "not defined; attribute value: :x",
    ),
    "a filter on the hash key of the index": (
        "query",
        BY_USER | {"FilterExpression": "attribute_exists(#u)"},
        "Primary key attribute: user",
    ),
    "a filter on the range key of the index": (
        "query",
        BY_USER
        | {"FilterExpression": "flag = :u OR (NOT begins_with(#p, :u))"}
        | {"ExpressionAttributeNames": {"#u": "user", "#p": "position"}},
        "Primary key attribute: position",
    ),
    "a key condition of the wrong type": (
        "query",
        BY_USER | {"ExpressionAttributeValues": {":u": {"N": "1"}}},
        "Condition parameter type does not match schema type",
    ),
    "a start without all the keys": (
        "query",
        BY_USER | {"ExclusiveStartKey": ITEM},
        "The provided starting key is invalid",
    ),
    "a start of another hash value": (
        "query",
        BY_USER | {"ExclusiveStartKey": ITEM | {"user": {"S": "bob"}, "position": {"S": "1"}}},
        "outside query boundaries",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_aws_refuses_is_refused_and_changes_nothing(local: EmbeddedEngine, client: Client, case: str) -> None:
    action, request, message = REFUSED[case]
    response = refused(getattr(client, action), **request)
    assert response["Error"]["Code"] == "ValidationException"
    assert message in response["Error"]["Message"]
    assert local.items(EVENTS) == []


def test_twenty_indexes_are_taken_and_the_next_is_not(client: Client) -> None:
    table = dict(REFUSED["21 indexes"][1])
    table["GlobalSecondaryIndexes"] = table["GlobalSecondaryIndexes"][:20]
    client.create_table(**table)
    create = {"TableName": "engine-wide", "GlobalSecondaryIndexUpdates": [{"Create": index("one-more", "id", None)}]}
    assert "limit of 20" in refused(client.update_table, **create)["Error"]["Message"]


@pytest.mark.parametrize("number", ["1" * 38, "1" * 38 + "00", "0.00" + "1" * 38, "-" + "1" * 38, "1E5"])
def test_numbers_of_38_digits_are_kept(client: Client, number: str) -> None:
    client.put_item(TableName=EVENTS, Item=ITEM | {"n": {"N": number}})
    assert client.get_item(TableName=EVENTS, Key=ITEM)["Item"]["n"] == {"N": number}


def test_a_hundred_reads_fit_one_transaction(client: Client) -> None:
    client.put_item(TableName=EVENTS, Item=ITEM)
    keys = [ITEM, *({"id": {"S": str(number)}} for number in range(99))]
    got = client.transact_get_items(TransactItems=[{"Get": {"TableName": EVENTS, "Key": key}} for key in keys])
    assert got["Responses"][:2] == [{"Item": ITEM}, {}]
