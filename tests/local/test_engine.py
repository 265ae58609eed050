"""The embedded engine answers as plain moto does, and as AWS does where moto is laxer."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from scripts.local import engine as engine_module
from scripts.local.engine import EmbeddedEngine, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Client = Any

ROOT = Path(__file__).parents[2]
SESSION: Any = botocore.session.Session()  # type: ignore[no-untyped-call] # one, as each reads the service model anew
SEEDS = range(4)
STEPS = 220
EVENTS = "engine-events"
PAIRS = "engine-pairs"


def index(name: str, hash_key: str, range_key: str | None, projection: dict[str, Any] | None = None) -> dict[str, Any]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key is not None:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return {"IndexName": name, "KeySchema": schema, "Projection": projection or {"ProjectionType": "ALL"}}


TABLES: dict[str, dict[str, Any]] = {
    EVENTS: {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("id", "S"), ("user", "S"), ("status", "S"), ("position", "S"), ("weight", "N"))
        ],
        "GlobalSecondaryIndexes": [
            index("by-user", "user", "position"),
            index("by-status", "status", "position", {"ProjectionType": "KEYS_ONLY"}),
            index("by-weight", "user", "weight", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["doc", "raw"]}),
            index("by-user-only", "user", None),
        ],
    },
    PAIRS: {
        "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("owner", "S"), ("number", "N"), ("label", "S"))
        ],
        "GlobalSecondaryIndexes": [index("by-label", "label", "number")],
        "LocalSecondaryIndexes": [index("by-owner-label", "owner", "label")],
    },
}


def make_tables(client: Client) -> None:
    for name, table in TABLES.items():
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **table)


def new_client(**more: Any) -> Client:
    return SESSION.create_client("dynamodb", region_name="us-east-1", **more)


# --- histories: the same random requests for both engines ------------------------------------------------------------


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
    """What the engine answers to a history, as JSON: pages to the end of each read, errors with all they carry."""
    return [plain(asked(client, action, request)) for action, request in history(seed)]


def asked(client: Client, action: str, request: dict[str, Any]) -> Any:
    try:
        if action in {"query", "scan"}:
            return pages(getattr(client, action), request)
        answer = getattr(client, action)(**request)
    except ClientError as error:
        answer = error.response
    return {name: value for name, value in answer.items() if name not in {"ResponseMetadata", "ConsumedCapacity"}}


def pages(read: Callable[..., dict[str, Any]], request: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        page = read(**request, **start)
        found.append((page.get("Items"), page["Count"], page["ScannedCount"]))
        assert len(found) < 100, "the pages lead in a circle"
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    while found and found[-1][2] == 0:  # moto ends with the last full page, AWS may need an empty one to know
        found.pop()
    return found


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda raw: base64.b64encode(raw).decode()))


# --- plain moto first, then one engine for all the tests --------------------------------------------------------------


@pytest.fixture(scope="module")
def expected() -> list[list[Any]]:
    found = []
    for seed in SEEDS:
        with mock_aws():
            client = new_client()
            make_tables(client)
            found.append(answers(client, seed))
    return found


@pytest.fixture(scope="module")
def shared(expected: list[list[Any]]) -> Iterator[EmbeddedEngine]:
    assert expected
    with EmbeddedEngine() as running:
        yield running


@pytest.fixture
def local(shared: EmbeddedEngine) -> Iterator[EmbeddedEngine]:
    client = new_client()
    make_tables(client)
    yield shared
    for name in shared.tables():
        client.delete_table(TableName=name)


@pytest.fixture
def _none_running(shared: EmbeddedEngine) -> Iterator[None]:
    shared.stop()
    yield
    shared.start()


@pytest.fixture
def client(local: EmbeddedEngine) -> Client:
    assert local.running
    return new_client()


def refused(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: dict[str, Any] = caught.value.response
    return response


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_is_answered_as_plain_moto_answers_it(
    client: Client, expected: list[list[Any]], seed: int
) -> None:
    found = answers(client, seed)
    for number, (request, answer) in enumerate(zip(history(seed), found, strict=True)):
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


# --- threads ---------------------------------------------------------------------------------------------------------


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


# --- what a request touches ------------------------------------------------------------------------------------------


class Visited(dict[Any, Any]):
    """Items by key, counting how often one is fetched."""

    visits = 0

    def __getitem__(self, key: Any) -> Any:
        self.visits += 1
        return super().__getitem__(key)


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": {"S": f"r{number:05d}"}, "user": {"S": "ann"}, "position": {"S": f"{number * 7919 % count:08d}"}}
        for number in range(count)
    ]


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


def by_user(client: Client, **more: Any) -> list[str]:
    request = {
        "TableName": EVENTS,
        "IndexName": "by-user",
        "KeyConditionExpression": "#u = :u",
        "ExpressionAttributeNames": {"#u": "user"},
        "ExpressionAttributeValues": {":u": {"S": "ann"}},
    }
    return [item["id"]["S"] for item in client.query(**request | more)["Items"]]


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


# --- where AWS and plain moto differ ---------------------------------------------------------------------------------


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
            rest = read(**page, ExclusiveStartKey=first["LastEvaluatedKey"])
            assert (rest["Items"], rest["Count"], "LastEvaluatedKey" in rest) == ([], 0, False)


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


ITEM = {"id": {"S": "a"}}
BY_USER = {
    "TableName": EVENTS,
    "IndexName": "by-user",
    "KeyConditionExpression": "#u = :u",
    "ExpressionAttributeNames": {"#u": "user"},
    "ExpressionAttributeValues": {":u": {"S": "ann"}},
}
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
    monkeypatch.setattr("scripts.local.engine.time", SimpleNamespace(monotonic=lambda: 1e12))
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


# --- what the engine itself offers -----------------------------------------------------------------------------------


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


# --- start and stop ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_none_running")
def test_a_second_start_says_that_one_is_running() -> None:
    with EmbeddedEngine() as first:
        for another in (first, EmbeddedEngine()):
            with pytest.raises(EngineError, match="is running in this process already"):
                another.start()
            assert another.running == (another is first)
    assert not first.running
    first.stop()


@pytest.mark.usefixtures("_none_running")
def test_moto_at_work_refuses_the_engine() -> None:
    with mock_aws(), pytest.raises(EngineError, match="is running in this process already"):
        EmbeddedEngine().start()


def replaced() -> list[Any]:
    patched = [vars(patch.owner)[patch.name] for patch in engine_module._PATCHES]
    return [*patched, vars(BotocoreStubber)["process_request"], dict(os.environ)]


@pytest.mark.usefixtures("_none_running")
def test_stop_puts_everything_back_and_start_begins_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://elsewhere.example")
    before = replaced()
    engine = EmbeddedEngine()
    for _ in range(2):
        with engine:
            assert replaced() != before
            assert engine.tables() == []
            make_tables(new_client())
            assert engine.tables() == [EVENTS, PAIRS]
        assert replaced() == before
        with pytest.raises(EngineError, match="not running"):
            engine.tables()


@pytest.mark.usefixtures("_none_running")
def test_the_region_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with EmbeddedEngine() as engine:
        assert engine.region == os.environ["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "AWS_DEFAULT_REGION" not in os.environ
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with engine:
        assert engine.region == os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "nowhere-1")
    with pytest.raises(EngineError, match="'nowhere-1'"):
        engine.start()
    assert not engine.running


@pytest.mark.usefixtures("_none_running")
@pytest.mark.parametrize(("owner", "name"), [(Table, "query"), (Item, "project"), (BotocoreStubber, "process_request")])
def test_a_moto_that_is_not_as_known_is_refused_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    with monkeypatch.context() as other_version:
        other_version.setattr(owner, name, lambda *_: None)
        before = replaced()
        with pytest.raises(EngineError, match=f"{name} of moto .* is not as known; the engine is made for 5.2.5"):
            EmbeddedEngine().start()
        assert replaced() == before
    with EmbeddedEngine() as engine:
        assert engine.running


def test_nothing_leaves_this_machine(local: EmbeddedEngine) -> None:
    assert local.running
    elsewhere = new_client(endpoint_url="http://dynamodb.example")
    with pytest.raises(EngineError, match=r"dynamodb\.example would leave this machine"):
        elsewhere.list_tables()


class AnotherEngine(BaseHTTPRequestHandler):
    """A DynamoDB with one table, on a port of this machine."""

    def do_POST(self) -> None:
        answer = b'{"TableNames": ["of another engine"]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def test_another_engine_on_this_machine_can_be_asked(local: EmbeddedEngine) -> None:
    server = HTTPServer(("127.0.0.1", 0), AnotherEngine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        beside = new_client(endpoint_url=f"http://127.0.0.1:{server.server_port}")
        assert beside.list_tables()["TableNames"] == ["of another engine"]
        beside.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert local.tables() == [EVENTS, PAIRS]


FIRST_WRITE = """
import sys
from scripts.local.engine import EmbeddedEngine
from botocore.session import Session
with EmbeddedEngine():
    client = Session().create_client("dynamodb")
    client.create_table(
        TableName="first",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    client.put_item(TableName="first", Item={"id": {"S": "a"}})
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("moto.")}))
"""


def test_no_other_service_of_moto_is_loaded() -> None:
    loaded = subprocess.run(  # noqa: S603 -- the code is above
        [sys.executable, "-c", FIRST_WRITE], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "dynamodb" in loaded
    assert set(loaded) <= {"backend_index", "backends", "core", "dynamodb", "moto_api", "settings", "utilities"}
