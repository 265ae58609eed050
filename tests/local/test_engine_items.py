"""Items come back from the engine as they went in: from reads, from failed conditions, and from the engine itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from scripts.local.engine import EmbeddedEngine, EngineError
from scripts.local.moto_door import NotStored
from scripts.local.moto_table import Touched
from tests.local.conftest import EVENTS, ITEM, PAIRS, Client, by_user, refused, rows

OLD: dict[str, Any] = {"id": {"S": "a"}, "raw": {"B": b"\x00\xff"}, "deep": {"L": [{"B": b"\x01"}, {"N": "1.5"}]}}


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("put_item", {"Item": ITEM}),
        (
            "update_item",
            {"Key": ITEM, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"S": "y"}}},
        ),
        ("delete_item", {"Key": ITEM}),
    ],
)
def test_a_failed_condition_brings_the_old_item_when_asked(
    client: Client, action: str, request_: dict[str, Any]
) -> None:
    client.put_item(TableName=EVENTS, Item=OLD)
    failing = {"TableName": EVENTS, "ConditionExpression": "attribute_not_exists(id)", **request_}
    response = refused(getattr(client, action), **failing, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert response["Item"] == OLD
    assert "Item" not in refused(getattr(client, action), **failing)


def test_a_cancelled_transaction_brings_the_old_items_when_asked(client: Client) -> None:
    client.put_item(TableName=EVENTS, Item=OLD)
    failing = {
        "TableName": EVENTS,
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    response = refused(
        client.transact_write_items,
        TransactItems=[
            {"Put": {"TableName": EVENTS, "Item": {"id": {"S": "b"}}}},
            {"Put": failing | {"Item": ITEM}},
        ],
    )
    assert [reason["Code"] for reason in response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert response["CancellationReasons"][1]["Item"] == OLD


def test_values_of_every_type_come_back_as_they_went(client: Client) -> None:
    item = OLD | {
        "B": {"B": b"named as a type"},
        "BS": {"BS": [b"\x00", b"\x01"]},
        "M": {"M": {"B": {"M": {"B": {"B": b"\x02"}}}, "BS": {"BS": [b"\x03"]}, "S": {"S": "B"}}},
        "flag": {"BOOL": False},
        "none": {"NULL": True},
        "words": {"SS": ["a", "é"]},
        "numbers": {"NS": ["1", "2.5"]},
    }
    client.put_item(TableName=EVENTS, Item=item)
    assert client.get_item(TableName=EVENTS, Key=ITEM)["Item"] == item
    assert client.scan(TableName=EVENTS)["Items"] == [item]
    old = client.put_item(TableName=EVENTS, Item=ITEM, ReturnValues="ALL_OLD")
    assert old["Attributes"] == item


def test_clear_takes_the_items_and_leaves_the_tables(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, rows(3))
    local.load(PAIRS, [{"owner": {"S": "a"}, "number": {"N": "1"}}])
    local.clear()
    assert {EVENTS, PAIRS} <= set(local.tables())
    assert (local.items(EVENTS), local.items(PAIRS), by_user(client)) == ([], [], [])
    local.load(EVENTS, rows(2))
    assert by_user(client) == ["r00000", "r00001"]


def test_items_are_dynamodb_json_in_the_order_of_a_scan(local: EmbeddedEngine) -> None:
    items = [
        {"owner": {"S": "a"}, "number": {"N": "9"}, "raw": {"B": "AP8="}},
        {"owner": {"S": "a"}, "number": {"N": "10"}},
        {"owner": {"S": "b"}, "number": {"N": "-1"}},
    ]
    assert local.load(PAIRS, reversed(items)) == 3
    assert local.items(PAIRS) == items
    assert local.load(PAIRS, [items[0] | {"raw": {"B": b"\x00\xff"}}]) == 1
    assert local.items(PAIRS) == items


def test_what_a_request_touches_is_told_before_it_is_answered_and_reads_touch_nothing(
    local: EmbeddedEngine, client: Client
) -> None:
    notices: list[tuple[str, str]] = []
    local.on_write = lambda touched: notices.extend((one.table.name, one.hash_key.value) for one in touched)
    client.get_item(TableName=EVENTS, Key=ITEM)
    by_user(client)
    refused(client.put_item, TableName=EVENTS, Item=ITEM, ConditionExpression="attribute_exists(id)")
    assert notices == []
    client.put_item(TableName=EVENTS, Item=ITEM)
    client.delete_item(TableName=EVENTS, Key=ITEM)
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": EVENTS, "Item": ITEM}},
            {"Put": {"TableName": PAIRS, "Item": {"owner": {"S": "b"}, "number": {"N": "1"}}}},
        ]
    )
    assert notices == [(EVENTS, "a"), (EVENTS, "a"), (EVENTS, "a"), (PAIRS, "b")]
    local.on_write = None


def refuse(_touched: Sequence[Touched]) -> None:
    raise NotStored("the disk is full")


def test_what_cannot_be_stored_is_refused_with_its_reason(local: EmbeddedEngine, client: Client) -> None:
    local.on_write = refuse
    status, _, text = local.answer(
        "DynamoDB_20120810.PutItem", json.dumps({"TableName": EVENTS, "Item": ITEM}).encode()
    )
    local.on_write = None
    assert (status, json.loads(text)["message"]) == (503, "the disk is full")
    client.put_item(TableName=EVENTS, Item=ITEM)


def test_a_halted_engine_refuses_everything_until_it_is_started_again(local: EmbeddedEngine, client: Client) -> None:
    local.halt("start again")
    status, _, text = local.answer("DynamoDB_20120810.GetItem", json.dumps({"TableName": EVENTS, "Key": ITEM}).encode())
    assert (status, json.loads(text)["message"]) == (503, "start again")
    local.halt("")
    assert "Item" not in client.get_item(TableName=EVENTS, Key=ITEM)


def test_an_unknown_table_and_an_item_without_its_key_are_said(local: EmbeddedEngine) -> None:
    with pytest.raises(EngineError, match="no table 'nothing'"):
        local.items("nothing")
    with pytest.raises(EngineError, match=r"engine-pairs does not take this item: .*Missing the key number"):
        local.load(PAIRS, [{"owner": {"S": "a"}, "number": {"N": "1"}}, {"owner": {"S": "a"}}])
