"""BatchExecuteStatement of the embedded engine answers as DynamoDB does: an error for each statement that has one."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.local.engine import EmbeddedEngine
from scripts.local.moto_door import NotStored
from tests.local.conftest import EVENTS, Client


def insert(row_id: str, *, table: str = EVENTS, **more: Any) -> dict[str, Any]:
    return {
        "Statement": f"INSERT INTO \"{table}\" VALUE {{'title': ?, 'id': ?}}",
        "Parameters": [{"B": b"\x00\xff"}, {"S": row_id}],
        **more,
    }


def update(row_id: str, seen: str, *, table: str = EVENTS, **more: Any) -> dict[str, Any]:
    changes = 'SET "n"=? SET "title"=? REMOVE "user" REMOVE "gone" WHERE "id"=? AND "seen"=?'
    return {
        "Statement": f'UPDATE "{table}" {changes}',
        "Parameters": [{"N": "2"}, {"S": "new"}, {"S": row_id}, {"S": seen}],
        **more,
    }


def send(client: Client, *statements: dict[str, Any]) -> list[dict[str, Any]]:
    responses: list[dict[str, Any]] = client.batch_execute_statement(Statements=list(statements))["Responses"]
    return responses


def test_new_items_are_stored_and_told_one_by_one(client: Client, local: EmbeddedEngine) -> None:
    assert send(client, insert("a"), insert("b")) == [{"TableName": EVENTS}] * 2
    assert [item["id"]["S"] for item in local.items(EVENTS)] == ["a", "b"]
    assert client.get_item(TableName=EVENTS, Key={"id": {"S": "a"}})["Item"]["title"] == {"B": b"\x00\xff"}


def test_an_item_that_is_there_stays_and_is_sent_back_where_it_is_asked_for(client: Client) -> None:
    client.put_item(TableName=EVENTS, Item={"id": {"S": "a"}, "n": {"N": "1"}})
    silent, telling, other = send(
        client, insert("a"), insert("b"), insert("c", ReturnValuesOnConditionCheckFailure="ALL_OLD")
    )
    assert silent["Error"] == {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}
    assert "Error" not in telling
    assert "Error" not in other
    (answer,) = send(client, insert("a", ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    assert answer["Error"]["Code"] == "DuplicateItem"
    assert answer["Error"]["Item"] == {"id": {"S": "a"}, "n": {"N": "1"}}


def test_an_update_changes_the_item_that_is_as_it_was_seen_and_makes_none(
    client: Client, local: EmbeddedEngine
) -> None:
    for row_id in ("a", "b"):
        item = {"id": {"S": row_id}, "seen": {"S": row_id}, "user": {"S": "u"}, "time": {"S": "t"}}
        client.put_item(TableName=EVENTS, Item=item)
    changed, other, missing = send(client, update("a", "a"), update("b", "x"), update("c", "c"))
    assert changed == {"TableName": EVENTS}
    assert other["Error"]["Code"] == missing["Error"]["Code"] == "ConditionalCheckFailed"
    a, b = local.items(EVENTS)
    assert a == {"id": {"S": "a"}, "seen": {"S": "a"}, "n": {"N": "2"}, "title": {"S": "new"}, "time": {"S": "t"}}
    assert "user" in b
    (refusal,) = send(client, update("b", "x", ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    assert refusal["Error"]["Item"] == b


def test_every_write_of_a_batch_is_told_to_whoever_keeps_them(client: Client, local: EmbeddedEngine) -> None:
    heard: list[str] = []
    local.on_write = lambda touched: heard.extend(place.hash_key.value for place in touched)
    try:
        send(client, insert("a"), insert("b"))
        send(client, insert("a"), insert("c"))
    finally:
        local.on_write = None
    assert heard == ["a", "b", "c"]


def test_a_write_that_cannot_be_kept_is_to_be_sent_again(client: Client, local: EmbeddedEngine) -> None:
    def full(touched: object) -> None:
        raise NotStored(f"No space left on device: {touched}")

    local.on_write = full
    try:
        (refused,) = send(client, insert("a"))
    finally:
        local.on_write = None
    assert refused["Error"]["Code"] == "InternalServerError"


@pytest.mark.parametrize(
    "statements",
    [
        [insert(str(number)) for number in range(26)],
        [insert("a"), insert("a")],
        [insert("a"), {"Statement": "SELECT * FROM \"engine-events\" WHERE id = 'a'"}],
        [{"Statement": f"INSERT INTO \"{EVENTS}\" VALUE {{'id': ?, 'n': ?}}", "Parameters": [{"S": "a"}]}],
        [{**update("a", "a"), "Parameters": [{"S": "a"}]}],
        [insert("a"), update("a", "a")],
    ],
    ids=[
        "too many",
        "one item twice",
        "reads among writes",
        "a parameter too few",
        "a parameter too few for an update",
        "an item put and updated",
    ],
)
def test_a_batch_that_aws_refuses_is_refused(client: Client, local: EmbeddedEngine, statements: list[Any]) -> None:
    with pytest.raises(ClientError) as caught:
        send(client, *statements)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert local.items(EVENTS) == []


def test_an_item_that_the_table_does_not_take_costs_no_other(client: Client, local: EmbeddedEngine) -> None:
    wrong = {"Statement": f"INSERT INTO \"{EVENTS}\" VALUE {{'id': ?}}", "Parameters": [{"N": "1"}]}
    refused, stored = send(client, wrong, insert("b"))
    assert refused["Error"]["Code"] == "ValidationError"
    assert "Error" not in stored
    assert [item["id"]["S"] for item in local.items(EVENTS)] == ["b"]
