"""The tables are made once, as declared."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.models import Model

from chalicelib.errors import Unavailable
from chalicelib.lanes.catalogue import (
    ARRIVAL,
    ARRIVED,
    CONNECTION_EVENT,
    EVENT_TIME,
    EVERY_AUDIT_LANE,
    EVERY_CONNECTION_LANE,
    POSITION,
    Lane,
)
from chalicelib.settings import current
from chalicelib.store.dynamodb import schema
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import DOC, FORGET_AT, PACKED_DOC
from chalicelib.store.dynamodb.schema import create_missing_tables, table_definition
from chalicelib.store.dynamodb.tables import (
    TABLES,
    TIMES_TO_LIVE,
    APIKeyItem,
    AuditLogItem,
    ConnectionLogItem,
    OrganizationItem,
    UserItem,
)
from scripts.local.engine import EmbeddedEngine
from tests.transport import ObservedTransport, Send, refusal

NAMES = [table.Meta.table_name for table in TABLES]


@pytest.fixture
def no_tables(tables: EmbeddedEngine) -> EmbeddedEngine:
    delete_tables(call("ListTables", {})["TableNames"])
    return tables


def delete_tables(names: Sequence[str]) -> None:
    """Delete tables and wait until they are gone: an engine may answer before that, as AWS does."""
    for name in names:
        call("DeleteTable", {"TableName": name})
    while {*call("ListTables", {})["TableNames"]} & {*names}:
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _tables_are_back(tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> object:
    yield tables
    monkeypatch.undo()
    create_missing_tables()


@pytest.mark.usefixtures("no_tables")
def test_the_tables_are_made_once() -> None:
    assert create_missing_tables() == NAMES
    assert sorted(call("ListTables", {})["TableNames"]) == sorted(NAMES)
    assert create_missing_tables() == []


@pytest.mark.usefixtures("no_tables")
@pytest.mark.needs("time to live")
def test_the_engine_is_asked_to_delete_what_is_stamped() -> None:
    create_missing_tables()
    described = [call("DescribeTimeToLive", {"TableName": name})["TimeToLiveDescription"] for name in NAMES]
    stamped = [table in TIMES_TO_LIVE for table in TABLES]
    assert [one["TimeToLiveStatus"] == "ENABLED" for one in described] == stamped
    assert {one["AttributeName"] for one in described if "AttributeName" in one} == {FORGET_AT}


@pytest.mark.usefixtures("no_tables")
@pytest.mark.parametrize("code", ["UnknownOperationException", "ValidationException"])
def test_an_engine_that_deletes_nothing_by_itself_serves_as_well(
    transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(schema.TTL, "is_lacking", False)

    def refuses(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "UpdateTimeToLive":
            raise refusal(code, operation)
        return send(operation, request)

    transport.intercept(refuses)
    assert create_missing_tables() == NAMES
    asked = transport.operations.count("UpdateTimeToLive")
    assert asked == (1 if code == "UnknownOperationException" else len(TIMES_TO_LIVE))


@pytest.mark.usefixtures("no_tables")
def test_a_second_start_makes_no_table(transport: ObservedTransport) -> None:
    create_missing_tables()
    transport.requests.clear()
    create_missing_tables()
    assert transport.operations == ["DescribeTable"] * len(TABLES)


def test_only_what_is_missing_is_made() -> None:
    delete_tables([NAMES[1]])
    assert create_missing_tables() == [NAMES[1]]


@pytest.mark.usefixtures("no_tables")
def test_another_process_may_make_the_same_tables_meanwhile(transport: ObservedTransport) -> None:

    def raced(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "CreateTable":
            send(operation, request)
        return send(operation, request)

    transport.intercept(raced)
    assert create_missing_tables() == NAMES


@pytest.mark.usefixtures("no_tables")
def test_a_refusal_to_make_a_table_is_not_swallowed(transport: ObservedTransport) -> None:

    def denied(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "CreateTable":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, operation)  # type: ignore[no-untyped-call]
        return send(operation, request)

    transport.intercept(denied)
    with pytest.raises(ClientError):
        create_missing_tables()


@pytest.mark.usefixtures("no_tables")
def test_a_table_that_is_still_being_made_is_waited_for_but_not_for_ever(
    transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls: list[str] = []

    def slow(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = send(operation, request)
        if operation == "DescribeTable":
            polls.append(operation)
            if len(polls) < 4 or request["TableName"] == NAMES[-1]:
                answer["Table"]["TableStatus"] = "CREATING"
        return answer

    transport.intercept(slow)
    clock = count(step=0.2)
    monkeypatch.setattr(schema, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _seconds: None))
    with pytest.raises(Unavailable):
        create_missing_tables()
    assert len(polls) > len(TABLES)


def indexes(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {index["IndexName"]: index for index in definition.get("GlobalSecondaryIndexes", ())}


def keys(schema: list[Mapping[str, str]]) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in schema]


def projected(name: str, lanes: tuple[Lane, ...]) -> list[str]:
    """The attributes of lanes beside the row: when a connection event happened, and how an ended session ended."""
    if name == ARRIVAL:
        return [POSITION, *(["closing", "rev"] if lanes is EVERY_CONNECTION_LANE else [EVENT_TIME])]
    if lanes is EVERY_CONNECTION_LANE:
        return ["closing"] if name == "completed" else []
    return [EVENT_TIME] if name != CONNECTION_EVENT else []


@pytest.mark.parametrize(
    ("table", "lanes"),
    [(ConnectionLogItem, EVERY_CONNECTION_LANE), (AuditLogItem, EVERY_AUDIT_LANE)],
    ids=["connection", "audit"],
)
def test_a_log_has_the_declared_lanes_and_no_other(table: type[Model], lanes: tuple[Lane, ...]) -> None:
    declared = indexes(table_definition(table))
    assert set(declared) == {lane.name for lane in lanes}
    for name, index in declared.items():
        place = ARRIVED if name == ARRIVAL else POSITION
        assert keys(index["KeySchema"]) == [(name, "HASH"), (place, "RANGE")]
        assert index["Projection"]["ProjectionType"] == "INCLUDE"
        assert sorted(index["Projection"]["NonKeyAttributes"]) == sorted([DOC, PACKED_DOC, *projected(name, lanes)])


def test_lanes_are_fewer_than_the_indexes_a_table_may_have() -> None:
    assert max(len(EVERY_CONNECTION_LANE), len(EVERY_AUDIT_LANE)) <= 20


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_table_is_keyed_by_id_and_paid_per_request(table: type) -> None:
    definition: Mapping[str, Any] = table_definition(table)
    assert definition["BillingMode"] == "PAY_PER_REQUEST"
    assert keys(definition["KeySchema"]) == [("id", "HASH")]
    used = {"id"} | {key["AttributeName"] for index in indexes(definition).values() for key in index["KeySchema"]}
    assert {
        attribute["AttributeName"]: attribute["AttributeType"] for attribute in definition["AttributeDefinitions"]
    } == dict.fromkeys(used, "S")


@pytest.mark.parametrize("table", [UserItem, OrganizationItem])
def test_the_directory_is_listed_by_kind_and_name(table: type) -> None:
    definition: Mapping[str, Any] = table_definition(table)
    (listing,) = indexes(definition).values()
    assert keys(listing["KeySchema"]) == [("kind", "HASH"), ("sort", "RANGE")]
    assert listing["Projection"] == {"ProjectionType": "ALL"}


def test_tokens_are_listed_by_user_and_all_together_by_age() -> None:
    declared = indexes(table_definition(APIKeyItem))
    assert {name: keys(index["KeySchema"]) for name, index in declared.items()} == {
        "user": [("token_of", "HASH"), ("sort", "RANGE")],
        "listing": [("kind", "HASH"), ("sort", "RANGE")],
        "expiry": [("expires", "HASH"), ("expires_at", "RANGE")],
    }
    whole = {name for name, index in declared.items() if index["Projection"] == {"ProjectionType": "ALL"}}
    assert whole == {"user", "listing"}
    assert declared["expiry"]["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_tables_are_named_with_the_prefix_of_the_deployment() -> None:
    assert sorted(NAMES) == sorted(
        current().table_prefix + name
        for name in (
            "users",
            "organizations",
            "api_keys",
            "connection_logs",
            "audit_logs",
            "retention_runs",
            "platform",
            "user_secrets",
            "exports",
            "notifications",
        )
    )
