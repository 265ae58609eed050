"""The engine's writes are all or nothing, and done once: across threads, failures and repeated transactions."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import Item

from scripts.local.engine import EmbeddedEngine
from tests.local.conftest import EVENTS, ITEM, Client, by_user, refused, rows


def test_conditional_updates_of_eight_threads_are_all_there(client: Client) -> None:
    client.put_item(TableName=EVENTS, Item={"id": {"S": "counter"}, "total": {"N": "0"}})
    refusals = []

    def count() -> None:
        for _ in range(15):
            while True:
                have = client.get_item(TableName=EVENTS, Key={"id": {"S": "counter"}})["Item"]["total"]["N"]
                try:
                    client.update_item(
                        TableName=EVENTS,
                        Key={"id": {"S": "counter"}},
                        UpdateExpression="SET #t = #t + :one ADD tries :one",
                        ConditionExpression="#t = :have",
                        ExpressionAttributeNames={"#t": "total"},
                        ExpressionAttributeValues={":one": {"N": "1"}, ":have": {"N": have}},
                    )
                except client.exceptions.ConditionalCheckFailedException:
                    refusals.append(have)
                else:
                    break

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    item = client.get_item(TableName=EVENTS, Key={"id": {"S": "counter"}})["Item"]
    assert (item["total"], item["tries"]) == ({"N": "120"}, {"N": "120"})


def test_a_transaction_copies_only_the_items_it_names(
    local: EmbeddedEngine, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.load(EVENTS, rows(300))
    copied: set[str] = set()
    original = Item.__deepcopy__

    def counted(item: Item, memo: dict[int, Any]) -> Item:
        copied.add(item.hash_key.value)
        return original(item, memo)

    monkeypatch.setattr(Item, "__deepcopy__", counted)
    key = {"TableName": EVENTS, "Key": {"id": {"S": "r00001"}}}
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": EVENTS, "Item": {"id": {"S": "r00000"}}}},
            {"Update": key | {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "b"}}}},
            {"Delete": {"TableName": EVENTS, "Key": {"id": {"S": "r00002"}}}},
        ]
    )
    assert copied <= {"r00000", "r00001", "r00002"}
    assert len(local.items(EVENTS)) == 299


def test_a_failed_transaction_leaves_items_and_indexes_as_they_were(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, rows(5))
    before = local.items(EVENTS), by_user(client)
    response = refused(
        client.transact_write_items,
        TransactItems=[
            {"Delete": {"TableName": EVENTS, "Key": {"id": {"S": "r00000"}}}},
            {"Put": {"TableName": EVENTS, "Item": {"id": {"S": "new"}, "user": {"S": "ann"}, "position": {"S": "9"}}}},
            {
                "Update": {
                    "TableName": EVENTS,
                    "Key": {"id": {"S": "r00001"}},
                    "UpdateExpression": "SET #p = :p",
                    "ExpressionAttributeNames": {"#p": "position"},
                    "ExpressionAttributeValues": {":p": {"S": "0"}},
                }
            },
            {
                "ConditionCheck": {
                    "TableName": EVENTS,
                    "Key": {"id": {"S": "r00002"}},
                    "ConditionExpression": "attribute_not_exists(id)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
        ],
    )
    assert response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in response["CancellationReasons"]] == [
        "None",
        "None",
        "None",
        "ConditionalCheckFailed",
    ]
    assert response["CancellationReasons"][3]["Item"] == rows(5)[2]
    assert (local.items(EVENTS), by_user(client)) == before


def test_a_failed_update_leaves_the_item_and_its_places_as_they_were(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, rows(3))
    before = local.items(EVENTS), by_user(client)
    for key in ("r00001", "unknown"):
        response = refused(
            client.update_item,
            TableName=EVENTS,
            Key={"id": {"S": key}},
            UpdateExpression="SET note = :n, #p = :p",
            ExpressionAttributeNames={"#p": "position"},
            ExpressionAttributeValues={":n": {"S": "x"}, ":p": {"N": "5"}},
        )
        assert response["Error"]["Code"] == "ValidationException"
    assert (local.items(EVENTS), by_user(client)) == before


def add_one(client: Client, token: str, amount: str = "1") -> None:
    client.transact_write_items(
        ClientRequestToken=token,
        TransactItems=[
            {
                "Update": {
                    "TableName": EVENTS,
                    "Key": ITEM,
                    "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": amount}},
                }
            }
        ],
    )


def total(client: Client) -> str:
    return str(client.get_item(TableName=EVENTS, Key=ITEM)["Item"]["n"]["N"])


def test_a_transaction_sent_again_with_its_token_is_done_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    add_one(client, "first")
    add_one(client, "first")
    assert total(client) == "1"
    add_one(client, "second")
    assert total(client) == "2"
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        add_one(client, "first", "5")
    assert total(client) == "2"
    monkeypatch.setattr("scripts.local.moto_door.time", SimpleNamespace(monotonic=lambda: 1e12))
    add_one(client, "first")
    assert total(client) == "3"


def test_a_cancelled_transaction_may_be_sent_again_with_its_token(client: Client) -> None:
    request = {
        "ClientRequestToken": "token",
        "TransactItems": [
            {"ConditionCheck": {"TableName": EVENTS, "Key": ITEM, "ConditionExpression": "attribute_exists(id)"}}
        ],
    }
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(**request)
    client.put_item(TableName=EVENTS, Item=ITEM)
    client.transact_write_items(**request)


def test_what_is_stamped_is_forgotten_once_its_time_has_come_and_nothing_else(
    client: Client, local: EmbeddedEngine
) -> None:
    for row_id, stamp in (("past", {"N": "99"}), ("now", {"N": "100"}), ("later", {"N": "101"}), ("text", {"S": "1"})):
        client.put_item(TableName=EVENTS, Item={"id": {"S": row_id}, "forget_at": stamp})
    client.put_item(TableName=EVENTS, Item={"id": {"S": "plain"}})
    assert local.forget(100.0) == 0, "the table does not say so"
    live = {"AttributeName": "forget_at", "Enabled": True}
    client.update_time_to_live(TableName=EVENTS, TimeToLiveSpecification=live)
    heard: list[str] = []
    local.on_write = lambda touched: heard.extend(place.hash_key.value for place in touched)
    try:
        assert local.forget(100.0) == 2
    finally:
        local.on_write = None
    assert sorted(heard) == ["now", "past"], "what is kept on disk is forgotten there too"
    assert {item["id"]["S"] for item in local.items(EVENTS)} == {"later", "text", "plain"}
    assert local.forget(100.0) == 0
