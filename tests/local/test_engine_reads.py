"""The engine's reads visit the page they answer, in pages as AWS cuts them, from indexes that follow every write."""

from __future__ import annotations

from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import Item

from scripts.local.engine import EmbeddedEngine
from tests.local.conftest import BY_USER, EVENTS, TABLES, Client, by_user, index, pages, rows


class Visited(dict[Any, Any]):
    """Items by key, counting how often one is fetched."""

    visits = 0

    def __getitem__(self, key: Any) -> Any:
        self.visits += 1
        return super().__getitem__(key)


def test_a_page_of_twenty_of_ten_thousand_visits_twenty(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, rows(10_000))
    table: Any = local._table(EVENTS)
    table.by_key = visited = Visited(table.by_key)
    request = {
        "TableName": EVENTS,
        "IndexName": "by-user",
        "KeyConditionExpression": "#u = :u AND #p < :p",
        "ExpressionAttributeNames": {"#u": "user", "#p": "position"},
        "ExpressionAttributeValues": {":u": {"S": "ann"}, ":p": {"S": f"{5000:08d}"}},
        "ScanIndexForward": False,
        "Limit": 20,
    }
    first = client.query(**request)
    second = client.query(**request, ExclusiveStartKey=first["LastEvaluatedKey"])
    got = [int(item["position"]["S"]) for item in first["Items"] + second["Items"]]
    assert got == list(range(4999, 4959, -1))
    scanned = client.scan(TableName=EVENTS, Limit=20, ExclusiveStartKey={"id": {"S": "r05000"}})
    assert [item["id"]["S"] for item in scanned["Items"]] == [f"r{number:05d}" for number in range(5001, 5021)]
    assert visited.visits == 60


def test_an_index_made_later_has_the_rows_of_before(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, [row | {"kind": {"S": "web"}} for row in rows(4)])
    client.update_table(
        TableName=EVENTS,
        AttributeDefinitions=[
            *TABLES[EVENTS]["AttributeDefinitions"],
            {"AttributeName": "kind", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[{"Create": index("by-kind", "kind", "position")}],
    )
    got = client.query(
        TableName=EVENTS,
        IndexName="by-kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": "web"}},
    )
    assert [item["position"]["S"] for item in got["Items"]] == [f"{number:08d}" for number in range(4)]


def test_nothing_keeps_items_that_were_replaced(local: EmbeddedEngine, client: Client) -> None:
    for _ in range(3):
        client.put_item(TableName=EVENTS, Item={"id": {"S": "a"}})
    assert len(Item.instances_tracked) == 0  # type: ignore[attr-defined]
    assert local.items(EVENTS) == [{"id": {"S": "a"}}]


@pytest.mark.parametrize(("limit", "more"), [(4, True), (5, True), (6, False)])
@pytest.mark.parametrize("forward", [True, False])
def test_a_page_that_read_limit_items_says_there_may_be_more(
    local: EmbeddedEngine, client: Client, *, limit: int, more: bool, forward: bool
) -> None:
    local.load(EVENTS, rows(5))
    request = {
        "TableName": EVENTS,
        "IndexName": "by-user",
        "KeyConditionExpression": "#u = :u",
        "ExpressionAttributeNames": {"#u": "user"},
        "ExpressionAttributeValues": {":u": {"S": "ann"}},
        "ScanIndexForward": forward,
        "Limit": limit,
    }
    for read, page in ((client.query, request), (client.scan, {"TableName": EVENTS, "Limit": limit})):
        first = read(**page)
        assert ("LastEvaluatedKey" in first) == more
        if limit == 5:
            last_page = read(**page, ExclusiveStartKey=first["LastEvaluatedKey"])
            assert (last_page["Items"], last_page["Count"], "LastEvaluatedKey" in last_page) == ([], 0, False)


def test_a_page_that_filters_everything_out_still_leads_on(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, rows(5))
    page = client.scan(
        TableName=EVENTS, Limit=2, FilterExpression="flag = :f", ExpressionAttributeValues={":f": {"BOOL": True}}
    )
    assert (page["Count"], page["ScannedCount"], page["LastEvaluatedKey"]) == (0, 2, {"id": {"S": "r00001"}})


def test_a_page_ends_at_a_megabyte(local: EmbeddedEngine, client: Client) -> None:
    local.load(EVENTS, [row | {"doc": {"S": "x" * 300_000}} for row in rows(5)])
    assert [len(client.scan(TableName=EVENTS)["Items"]), len(by_user(client))] == [3, 3]
    assert pages(client.scan, {"TableName": EVENTS, "Select": "COUNT"}) == [(None, 3, 3), (None, 2, 2)]


@pytest.mark.parametrize(
    "request_",
    [
        BY_USER | {"FilterExpression": "doc.#u = :u OR contains(doc.deep, :u)"},
        BY_USER | {"FilterExpression": "attribute_exists(positions)"},
        BY_USER | {"FilterExpression": "id = :u"},
    ],
    ids=["a key's name deeper down", "a longer name", "the table's own key"],
)
def test_a_filter_that_names_no_key_of_the_index_is_taken(client: Client, request_: dict[str, Any]) -> None:
    if request_["FilterExpression"] != "id = :u":
        assert client.query(**request_)["Count"] == 0
    else:
        assert client.scan(TableName=EVENTS, FilterExpression="id = :u", ExpressionAttributeValues={":u": {"S": "a"}})
