"""Items come back from the engine as they went in: from reads, from failed conditions, and from the engine itself."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.local.engine import EmbeddedEngine, EngineError
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


def test_writes_are_counted_and_reads_are_not(local: EmbeddedEngine, client: Client) -> None:
    before = local.writes
    client.get_item(TableName=EVENTS, Key=ITEM)
    by_user(client)
    refused(client.put_item, TableName=EVENTS, Item=ITEM, ConditionExpression="attribute_exists(id)")
    assert local.writes == before
    client.put_item(TableName=EVENTS, Item=ITEM)
    assert local.writes > before


def test_an_unknown_table_and_an_item_without_its_key_are_said(local: EmbeddedEngine) -> None:
    with pytest.raises(EngineError, match="no table 'nothing'"):
        local.items("nothing")
    with pytest.raises(EngineError, match=r"engine-pairs does not take this item: .*Missing the key number"):
        local.load(PAIRS, [{"owner": {"S": "a"}, "number": {"N": "1"}}, {"owner": {"S": "a"}}])
