"""Writes that belong together happen all or not at all, on engines without transactions too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb import transaction
from chalicelib.store.dynamodb.client import Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import UserItem
from chalicelib.store.dynamodb.transaction import Write, transact
from tests.transport import Fault, ObservedTransport, Send, refusal

pytestmark = pytest.mark.usefixtures("tables")
TABLE = UserItem.Meta.table_name


def put(row_id: str, name: str, *, new: bool = False) -> Write:
    condition = UserItem.id.does_not_exist() if new else None
    return Write("Put", UserItem(row_id, name=name).get_save_kwargs_from_instance(condition=condition))


def rename(row_id: str, name: str, *, was: str | None = None) -> Write:
    condition = UserItem.name == was if was else None
    row = UserItem(row_id)
    return Write("Update", row.get_update_kwargs_from_instance(actions=[UserItem.name.set(name)], condition=condition))


def delete(row_id: str, *, was: str | None = None) -> Write:
    condition = UserItem.name == was if was else None
    return Write("Delete", UserItem(row_id).get_delete_kwargs_from_instance(condition=condition))


def rows() -> dict[str, str]:
    items: list[Item] = call("Scan", {"TableName": TABLE})["Items"]
    return {item["id"]["S"]: item["name"]["S"] for item in items}


@pytest.fixture(params=["with transactions", "without"])
def transactions(request: pytest.FixtureRequest, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(transaction.TRANSACTIONS, "is_lacking", False)
    if request.param == "with transactions":
        return True

    def without(send: Send, operation: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            raise ClientError({"Error": {"Code": "UnknownOperationException", "Message": ""}}, operation)  # type: ignore[no-untyped-call]
        return send(operation, sent)

    transport.intercept(without)
    return False


@pytest.mark.usefixtures("transactions")
def test_all_writes_happen() -> None:
    transact([put("a", "1", new=True), put("b", "1", new=True), put("c", "1")])
    transact([put("a", "2"), rename("b", "2", was="1"), delete("c", was="1"), rename("d", "2")])
    assert rows() == {"a": "2", "b": "2", "d": "2"}


@pytest.mark.usefixtures("transactions")
@pytest.mark.parametrize(
    ("refused", "position"),
    [
        (put("a", "2", new=True), 0),
        (rename("b", "2", was="other"), 0),
        (rename("b", "2", was="other"), 4),
        (delete("b", was="other"), 4),
        (put("a", "2", new=True), 2),
    ],
    ids=["first a put", "first an update", "last an update", "last a delete", "in the middle"],
)
def test_one_condition_that_fails_leaves_everything_as_it_was(refused: Write, position: int) -> None:
    transact([put("a", "1"), put("b", "1"), put("c", "1")])
    writes = [put("new", "2", new=True), rename("c", "2"), rename("other", "2"), put("d", "2")]
    if position == 4:
        writes[3] = delete("a", was="1")
    writes.insert(position, refused)
    with pytest.raises(TransactionCancelled) as caught:
        transact(writes)
    assert position in caught.value.failed
    assert rows() == {"a": "1", "b": "1", "c": "1"}


@pytest.mark.parametrize("transactions", ["without"], indirect=True)
@pytest.mark.usefixtures("transactions")
def test_a_counter_moves_only_once_all_else_holds_so_that_no_undo_writes_over_others(
    transport: ObservedTransport,
) -> None:
    transact([put("a", "1"), put("counter", "1")])
    transport.requests.clear()
    with pytest.raises(TransactionCancelled) as caught:
        transact([rename("counter", "2"), put("b", "1"), put("a", "2", new=True)])
    assert caught.value.failed == (2,)
    assert "UpdateItem" not in transport.operations
    assert rows() == {"a": "1", "counter": "1"}


def test_it_is_one_call(transport: ObservedTransport) -> None:
    transact([put("a", "1"), put("b", "1")])
    assert transport.operations == ["TransactWriteItems"]


@pytest.mark.needs("transactions")
def test_every_failed_condition_is_named() -> None:
    transact([put("a", "1"), put("b", "1")])
    with pytest.raises(TransactionCancelled) as caught:
        transact([put("a", "2", new=True), put("c", "2", new=True), put("b", "2", new=True)])
    assert caught.value.failed == (0, 2)


@pytest.mark.parametrize("transactions", ["without"], indirect=True)
@pytest.mark.usefixtures("transactions")
def test_that_an_engine_has_no_transactions_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="chalicelib"):
        transact([put("a", "1")])
        transact([put("b", "1")])
    assert len(caplog.records) == 1
    assert rows() == {"a": "1", "b": "1"}


def test_any_other_refusal_is_not_taken_for_a_missing_operation(
    monkeypatch: pytest.MonkeyPatch, transport: ObservedTransport
) -> None:
    monkeypatch.setattr(transaction.TRANSACTIONS, "is_lacking", False)
    with pytest.raises(ClientError):
        transact([Write("Put", {"TableName": "no-such-table", "Item": {"id": {"S": "a"}}})])
    assert transport.operations == ["TransactWriteItems"]
    assert transaction.TRANSACTIONS.is_lacking is False


CONTENDED = [
    refusal("TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}]),
    refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}, {"Code": "None"}]),
    refusal("TransactionCanceledException", CancellationReasons=[{"Code": "ProvisionedThroughputExceeded"}]),
    refusal("TransactionConflictException"),
    refusal("RequestLimitExceeded"),
]


def failing(error: ClientError, times: int) -> Fault:
    """Refuse so many requests, and let the next ones through."""
    left = [error] * times

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if left:
            raise left.pop()
        return send(operation, request)

    return fault


@pytest.mark.parametrize("error", CONTENDED, ids=str)
@pytest.mark.parametrize("times", [1, 3])
def test_a_transaction_that_another_stood_in_the_way_of_is_made_once_the_other_is_done(
    error: ClientError, times: int, transport: ObservedTransport
) -> None:
    transport.intercept(failing(error, times))
    transact([put("a", "1", new=True), put("b", "1", new=True)])
    assert transport.operations == ["TransactWriteItems"] * (times + 1)
    assert len({request["ClientRequestToken"] for _, request in transport.requests}) == 1
    assert rows() == {"a": "1", "b": "1"}


@pytest.mark.parametrize("error", CONTENDED, ids=str)
def test_a_transaction_that_others_always_stand_in_the_way_of_is_given_up(
    error: ClientError, transport: ObservedTransport
) -> None:
    transport.intercept(failing(error, 100))
    with pytest.raises(Unavailable):
        transact([put("a", "1")])
    assert transport.operations == ["TransactWriteItems"] * 4
    transport.restore()
    assert rows() == {}


def test_a_transaction_whose_condition_failed_is_not_made_again(transport: ObservedTransport) -> None:
    both = [{"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"}]
    transport.intercept(failing(refusal("TransactionCanceledException", CancellationReasons=both), 1))
    with pytest.raises(TransactionCancelled) as caught:
        transact([put("a", "1"), put("b", "1")])
    assert caught.value.failed == (1,)
    assert len(transport.operations) == 1


def test_two_transactions_have_tokens_of_their_own(transport: ObservedTransport) -> None:
    for name in "12":
        transact([put("a", name)])
    assert len({request["ClientRequestToken"] for _, request in transport.requests}) == 2


@pytest.mark.parametrize("code", ["TransactionConflictException", "RequestLimitExceeded"])
def test_a_single_write_that_a_transaction_stood_in_the_way_of_is_made_too(
    code: str, transport: ObservedTransport
) -> None:
    transport.intercept(failing(refusal(code), 2))
    call("PutItem", put("a", "1").request)
    assert rows() == {"a": "1"}
    assert transport.operations == ["PutItem"] * 3 + ["Scan"]
