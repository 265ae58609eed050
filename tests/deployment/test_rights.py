"""The tests run under the policies that are deployed: what is not allowed is noticed, and what is not used."""

from __future__ import annotations

import pytest

from chalicelib.api.application import Gatebook
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import AuditLogItem, UserItem
from chalicelib.store.dynamodb.transport import in_use, replaced_by
from chalicelib.store.logs.write_pool import _pool
from scripts.deployment.handlers import HANDLERS
from scripts.local.engine import EmbeddedEngine
from tests.rights import Watch, allowed, needed, unused

USERS = UserItem.Meta.table_name
AUDIT = AuditLogItem.Meta.table_name
KEY = {"id": {"S": "x"}}


@pytest.mark.parametrize(
    ("operation", "request_", "rights"),
    [
        ("GetItem", {"TableName": USERS, "Key": KEY}, {("GetItem", "UsersTable")}),
        ("Query", {"TableName": USERS, "IndexName": "listing"}, {("Query", "UsersTable/index/listing")}),
        ("Query", {"TableName": USERS}, {("Query", "UsersTable")}),
        (
            "BatchGetItem",
            {"RequestItems": {USERS: {}, AUDIT: {}}},
            {("BatchGetItem", "UsersTable"), ("BatchGetItem", "AuditLogsTable")},
        ),
        (
            "BatchExecuteStatement",
            {"Statements": [{"Statement": f"INSERT INTO \"{AUDIT}\" VALUE {{'id': ?}}"}]},
            {("PartiQLInsert", "AuditLogsTable")},
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": USERS}},
                    {"Delete": {"TableName": AUDIT}},
                    {"ConditionCheck": {"TableName": USERS}},
                ]
            },
            {("PutItem", "UsersTable"), ("DeleteItem", "AuditLogsTable"), ("ConditionCheckItem", "UsersTable")},
        ),
    ],
)
def test_a_request_needs_what_iam_wants_for_it(
    operation: str, request_: dict[str, object], rights: set[tuple[str, str]]
) -> None:
    assert needed(operation, request_) == {(f"dynamodb:{action}", resource) for action, resource in rights}


def test_the_committed_policy_is_what_is_held_against() -> None:
    assert ("dynamodb:GetItem", "ApiKeysTable") in allowed("api_handler")
    assert ("dynamodb:Query", "ConnectionLogsTable/index/status_type") in allowed("api_handler")
    assert not [right for right in allowed("api_handler") if "*" in "".join(right) or right[0].endswith("Table")]


@pytest.fixture
def watch(engine: EmbeddedEngine) -> Watch:
    assert engine.running
    return Watch()


def test_a_call_that_a_policy_does_not_allow_is_noticed_also_in_another_thread(
    watch: Watch, tables: EmbeddedEngine
) -> None:
    assert tables.running
    request = {
        "TableName": AUDIT,
        "Key": KEY,
        "UpdateExpression": "SET changed = :yes",
        "ExpressionAttributeValues": {":yes": {"BOOL": True}},
    }
    with replaced_by(watch.before(in_use())):
        call("UpdateItem", request)
        assert watch.refused == [], "what is called outside of handlers is nobody's"
        with watch.running("api_handler"):
            call("GetItem", {"TableName": USERS, "Key": KEY})
            assert watch.refused == []
            _pool().submit(call, "UpdateItem", request).result()
    assert watch.refused == ["api_handler may not call dynamodb:UpdateItem on AuditLogsTable"]
    assert ("api_handler", "dynamodb:GetItem", "UsersTable") in watch.used


def test_what_no_call_has_needed_is_named() -> None:
    used = {(handler.name, *right) for handler in HANDLERS for right in allowed(handler.name)}
    assert unused(used) == []
    assert unused(used - {("api_handler", "dynamodb:GetItem", "UsersTable")}) == [
        "api_handler: dynamodb:GetItem on UsersTable"
    ]


def test_the_application_runs_under_watch() -> None:
    assert Gatebook.__call__.__qualname__ == "watched.<locals>.called"
