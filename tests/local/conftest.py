"""An engine and a local server of these tests' own: the session's engine steps aside, as only one runs in a process."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from chalicelib.store.dynamodb.schema import create_missing_tables
from scripts.local.engine import EmbeddedEngine
from scripts.local.server import LocalServer
from tests.local.toy_app import APP, port_of, served

Client = Any

SESSION: Any = botocore.session.Session()  # type: ignore[no-untyped-call] # one, as each reads the service model anew
EVENTS = "engine-events"
PAIRS = "engine-pairs"
ITEM = {"id": {"S": "a"}}
BY_USER = {
    "TableName": EVENTS,
    "IndexName": "by-user",
    "KeyConditionExpression": "#u = :u",
    "ExpressionAttributeNames": {"#u": "user"},
    "ExpressionAttributeValues": {":u": {"S": "ann"}},
}


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


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": {"S": f"r{number:05d}"}, "user": {"S": "ann"}, "position": {"S": f"{number * 7919 % count:08d}"}}
        for number in range(count)
    ]


def by_user(client: Client, **more: Any) -> list[str]:
    return [item["id"]["S"] for item in client.query(**BY_USER | more)["Items"]]


def pages(read: Callable[..., dict[str, Any]], request: dict[str, Any]) -> list[Any]:
    answered: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        page = read(**request, **start)
        answered.append((page.get("Items"), page["Count"], page["ScannedCount"]))
        assert len(answered) < 100, "the pages lead in a circle"
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    while answered and answered[-1][2] == 0:  # moto ends with the last full page, AWS may need an empty one to know
        answered.pop()
    return answered


def refused(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: dict[str, Any] = caught.value.response
    return response


@pytest.fixture(scope="module", autouse=True)
def _session_engine_steps_aside(engine: EmbeddedEngine, watch_again: Callable[[], None]) -> Iterator[None]:
    engine.stop()
    yield
    engine.start()
    watch_again()
    create_missing_tables()


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedEngine]:
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


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with served(APP, {"X-Content-Type-Options": "nosniff"}) as local:
        yield local


@pytest.fixture
def http_client(server: LocalServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as connection:
        yield connection
