"""The meter before the engine: every operation, and random histories beside a recount of what the indexes hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cost.meter import Meter, Tally
from bench.cost.size import Item, item_size
from chalicelib.store.dynamodb.transport import in_use
from scripts.local.engine import EmbeddedEngine
from tests.transport import ObservedTransport, Send

NAME = "metered"
KB = 1_024


class Client:
    """Sends what the store would send: `client.put_item(TableName=..., Item=...)`."""

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        return lambda **request: in_use().send(operation, request)


@pytest.fixture
def client(tables: EmbeddedEngine) -> Iterator[Client]:
    assert tables.running
    made = Client()
    made.create_table(
        TableName=NAME,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "color", "shape", "at")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            index("color", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]}),
            index("shape", {"ProjectionType": "ALL"}),
        ],
    )
    yield made
    made.delete_table(TableName=NAME)


def index(name: str, projection: dict[str, Any]) -> dict[str, Any]:
    keys = [{"AttributeName": name, "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]
    return {"IndexName": name, "KeySchema": keys, "Projection": projection}


def item(row: str, size: int = 100, **more: str) -> dict[str, Any]:
    """An item of exactly so many bytes."""
    made = {"id": {"S": row}} | {name: {"S": value} for name, value in more.items()} | {"filler": {"S": ""}}
    assert size >= item_size(made)
    made["filler"] = {"S": "x" * (size - item_size(made))}
    return made


def metered(client: Client, work: Callable[[Client], object], own: Meter | None = None) -> Tally:
    with (own or Meter(in_use())).counting() as tally:
        work(client)
    return tally


def test_each_write_of_a_batch_counts_alone(client: Client) -> None:
    puts = [{"PutRequest": {"Item": item("a", 500)}}, {"PutRequest": {"Item": item("b", int(3.5 * KB))}}]
    tally = metered(client, lambda one: one.batch_write_item(RequestItems={NAME: puts}))
    assert tally.written == 1 + 4
    assert tally.calls == {"BatchWriteItem": 1}


def test_a_write_of_a_batch_that_was_left_takes_nothing(client: Client, transport: ObservedTransport) -> None:
    puts = [{"PutRequest": {"Item": item(row, 1_500)}} for row in "abc"]

    def leaves_two(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "BatchWriteItem":
            return send(operation, request)
        return {"UnprocessedItems": {NAME: puts[1:]}}

    for row in "abc":
        client.put_item(TableName=NAME, Item=item(row, 1_500))
    transport.intercept(leaves_two)
    assert metered(client, lambda one: one.batch_write_item(RequestItems={NAME: puts})).written == 2


def test_a_transaction_writes_everything_twice(client: Client) -> None:
    puts = [{"Put": {"TableName": NAME, "Item": item(row, 500)}} for row in "abc"]
    assert metered(client, lambda one: one.transact_write_items(TransactItems=puts)).written == 6
    indexed = [{"Put": {"TableName": NAME, "Item": item("d", color="red", at="1")}}]
    tally = metered(client, lambda one: one.transact_write_items(TransactItems=indexed))
    assert tally.write_units == {(NAME, ""): 2, (NAME, "color"): 2}


def test_a_refused_write_takes_the_size_of_what_stands_there(client: Client) -> None:
    client.put_item(TableName=NAME, Item=item("a", 3 * KB, color="red", at="1"))

    def put_again(one: Client) -> None:
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            one.put_item(TableName=NAME, Item=item("a"), ConditionExpression="attribute_not_exists(id)")

    def update_nothing(one: Client) -> None:
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            one.update_item(
                TableName=NAME,
                Key={"id": {"S": "b"}},
                UpdateExpression="SET color = :c",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeValues={":c": {"S": "red"}},
            )

    def cancelled(one: Client) -> None:
        check = {"TableName": NAME, "Key": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)"}
        put = {"TableName": NAME, "Item": item("c")}
        with pytest.raises(ClientError, match="TransactionCanceled"):
            one.transact_write_items(TransactItems=[{"ConditionCheck": check}, {"Put": put}])

    assert metered(client, put_again).write_units == {(NAME, ""): 3}
    assert metered(client, update_nothing).written == 1
    assert metered(client, cancelled).written == 2 * 3 + 2 * 1


def test_a_request_that_is_wrong_takes_nothing(client: Client) -> None:
    def put(one: Client) -> None:
        with pytest.raises(ClientError, match="ValidationException"):
            one.update_item(TableName=NAME, Key={"id": {"S": "a"}}, UpdateExpression="SET color")

    assert metered(client, put).written == 0


def test_an_update_takes_the_larger_of_the_row_as_it_was_and_is(client: Client) -> None:
    client.put_item(TableName=NAME, Item=item("a", 3 * KB, color="red", at="1"))

    def update(one: Client) -> None:
        one.update_item(TableName=NAME, Key={"id": {"S": "a"}}, UpdateExpression="REMOVE filler, color")

    assert metered(client, update).write_units == {(NAME, ""): 3, (NAME, "color"): 1}


def test_reads_take_whole_items_whatever_is_asked_of_them(client: Client) -> None:
    for row, size in (("a", int(1.5 * KB)), ("b", int(6.5 * KB))):
        client.put_item(TableName=NAME, Item=item(row, size, color="red", at=row))
    keys = [{"id": {"S": row}} for row in "ab"]
    wanted = {NAME: {"Keys": keys, "ProjectionExpression": "id", "ConsistentRead": True}}
    assert metered(client, lambda one: one.batch_get_item(RequestItems=wanted)).read == 1 + 2
    assert metered(client, lambda one: one.get_item(TableName=NAME, Key=keys[1])).read == 1
    assert metered(client, lambda one: one.get_item(TableName=NAME, Key={"id": {"S": "none"}})).read == 0.5
    gets = [{"Get": {"TableName": NAME, "Key": key}} for key in keys]
    assert metered(client, lambda one: one.transact_get_items(TransactItems=gets)).read == 2 + 4
    assert metered(client, lambda one: one.scan(TableName=NAME, ConsistentRead=True)).read == 2


@pytest.mark.parametrize("shaped", [{}, {"Select": "COUNT"}, {"ProjectionExpression": "#id"}])
def test_a_page_of_a_query_takes_its_entries_together(client: Client, shaped: dict[str, Any]) -> None:
    for number in range(30):
        client.put_item(TableName=NAME, Item=item(f"{number:02}", KB, color="red", shape="round", at=f"{number:02}"))
    more = {"#id": "id"} if "ProjectionExpression" in shaped else {}

    def query(index: str, value: str) -> Tally:
        asked = {
            "TableName": NAME,
            "IndexName": index,
            "KeyConditionExpression": "#lane = :key AND begins_with(#at, :some)",
            "ExpressionAttributeNames": {"#lane": index, "#at": "at", **more},
            "ExpressionAttributeValues": {":key": {"S": value}, ":some": {"S": "1"}},
            **shaped,
        }
        return metered(client, lambda one: one.query(**asked))

    # The padding is not projected: ten entries are far below 4 KB.
    narrow = query("color", "red")
    assert narrow.read_units == {(NAME, "color"): 0.5}
    assert (narrow.rows, narrow.counted) == ((0, 10) if "Select" in shaped else (10, 0))
    assert query("shape", "round").read == 1.5


def test_outside_the_counting_nothing_is_counted_and_everything_works(client: Client) -> None:
    tally = metered(client, lambda one: one.put_item(TableName=NAME, Item=item("a")))
    client.put_item(TableName=NAME, Item=item("b"))
    assert tally.calls == {"PutItem": 1}
    assert client.scan(TableName=NAME)["Count"] == 2


Change = tuple[str, str, str | None, str | None, int, int]
changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "delete"]),
        st.sampled_from("ab"),
        st.sampled_from([None, "red", "blue"]),
        st.sampled_from([None, "round"]),
        st.integers(0, 1_500),
        st.integers(100, 1_500),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
def test_a_history_costs_what_a_recount_of_the_indexes_says(client: Client, history: list[Change]) -> None:
    own = Meter(in_use())
    for row in "ab":
        client.delete_item(TableName=NAME, Key={"id": {"S": row}})
    for verb, row, color, shape, note, pad in history:
        named = {name: value for name, value in (("color", color), ("shape", shape)) if value is not None}
        whole = item(row, note + pad, at="1", note="n" * note, **named)

        def work(one: Client, verb: str = verb, whole: Item = whole) -> None:
            if verb == "put":
                one.put_item(TableName=NAME, Item=whole)
            else:
                one.delete_item(TableName=NAME, Key={"id": whole["id"]})

        before = contents(client)
        tally = metered(client, work, own)
        assert dict(tally.write_units) == recount(before, contents(client), row)


def contents(client: Client) -> dict[str, dict[str, Item]]:
    """The items of the table and of each index, as scans return them."""
    scans = {}
    for name in ("", "color", "shape"):
        items = client.scan(TableName=NAME, **({"IndexName": name} if name else {}))["Items"]
        scans[name] = {held["id"]["S"]: held for held in items}
    return scans


def recount(before: Any, after: Any, row: str) -> dict[tuple[str, str], int]:
    units = {}
    for name in before:
        old, new = before[name].get(row), after[name].get(row)
        kilobytes = [-(-item_size(held) // KB) if held else 0 for held in (old, new)]
        moved = bool(name and old and new and old[name] != new[name])
        if not name:
            units[NAME, name] = max(1, *kilobytes)
        elif old != new:
            units[NAME, name] = sum(kilobytes) if moved else max(kilobytes)
    return units
