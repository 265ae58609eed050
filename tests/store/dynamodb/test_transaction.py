"""Writes that belong together happen all or not at all, on engines without transactions too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError

from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb import transaction
from chalicelib.store.dynamodb.client import Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import UserItem
from chalicelib.store.dynamodb.transaction import Write, transact

pytestmark = pytest.mark.usefixtures("tables")
TABLE = UserItem.Meta.table_name


class Sent(Protocol):
    requests: list[tuple[str, Mapping[str, Any]]]

    @property
    def operations(self) -> list[str]: ...


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
def transactions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(transaction, "_engine_lacks_transactions", False)
    if request.param == "with transactions":
        return True
    client = store_engine.connection().client
    send = client._make_api_call

    def without(operation: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            raise ClientError({"Error": {"Code": "UnknownOperationException", "Message": ""}}, operation)  # type: ignore[no-untyped-call]
        answer: dict[str, Any] = send(operation, dict(sent))
        return answer

    monkeypatch.setattr(client, "_make_api_call", without)
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


def test_it_is_one_call(sent: Sent) -> None:
    transact([put("a", "1"), put("b", "1")])
    assert sent.operations == ["TransactWriteItems"]


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


def test_any_other_refusal_is_not_taken_for_a_missing_operation(monkeypatch: pytest.MonkeyPatch, sent: Sent) -> None:
    monkeypatch.setattr(transaction, "_engine_lacks_transactions", False)
    with pytest.raises(ClientError):
        transact([Write("Put", {"TableName": "no-such-table", "Item": {"id": {"S": "a"}}})])
    assert sent.operations == ["TransactWriteItems"]
    assert transaction._engine_lacks_transactions is False
