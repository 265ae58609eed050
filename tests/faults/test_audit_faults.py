"""A store that throttles, hangs or dies costs an audit event a retry: it is stored whole, once, or not at all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.errors import StoreRefused, Unavailable
from chalicelib.logs.audit_event import beside, join
from chalicelib.records import AuditLog
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb import transaction
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.rounds import run
from chalicelib.store.logs import audit_rows
from chalicelib.store.logs.audit_rows import from_item
from chalicelib.store.logs.audit_writer import write, write_all
from chalicelib.store.logs.hydrate import hydrate
from chalicelib.store.logs.tables import AUDIT_LOGS
from chalicelib.store.logs.write_pool import Written
from tests.store.audit import TABLE, soon, stored, wide
from tests.store.logs.test_audit_rows import ROW
from tests.transport import ObservedTransport, Send, refusal, refusing

pytestmark = pytest.mark.usefixtures("tables")

OTHER = replace(ROW, action="stop")
WRITES = ("BatchExecuteStatement", "PutItem", "TransactWriteItems")


THROTTLED = refusal("ThrottlingException")
UNANSWERED = ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com/")  # type: ignore[no-untyped-call]
CONFLICT = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}, {}])


def huge(row: AuditLog) -> AuditLog:
    """The row with more than one item takes, as small as items are here."""
    return wide(row, 1, 9_000, 9_000)


@pytest.fixture(autouse=True)
def _items_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rows, "LARGEST_ITEM_BYTES", 6_000)


ROWS = {"small": ROW, "huge": huge(ROW)}
every_size = pytest.mark.parametrize("size", ROWS)


@every_size
@pytest.mark.parametrize("error", [THROTTLED, UNANSWERED, CONFLICT, refusal("ValidationException")], ids=str)
def test_an_event_that_was_not_taken_is_to_be_sent_again(
    size: str, error: Exception, transport: ObservedTransport
) -> None:
    def fault(_send: Send, _operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise error

    transport.intercept(fault)
    (answer,) = write_all([ROWS[size]], join, give_up_at=soon())
    assert isinstance(answer, StoreRefused if "Validation" in str(error) else Unavailable)
    transport.restore()
    assert stored() == []
    assert write_all([ROWS[size]], join, give_up_at=soon()) == [Written(None, ROWS[size])]


@every_size
def test_a_write_that_was_done_but_not_answered_is_known_again(size: str, transport: ObservedTransport) -> None:
    def unanswered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation in WRITES:
            raise UNANSWERED
        return answer

    row = ROWS[size]
    for sent, kept in ((row, row), (replace(row, action="stop"), beside(replace(row, action="stop")))):
        transport.intercept(unanswered)
        (answer,) = write_all([sent], join, give_up_at=soon())
        assert isinstance(answer, Unavailable)
        transport.restore()
        assert kept in stored()
        assert write(sent, join) == Written(kept, kept)
    assert len(stored()) == 2


@every_size
def test_an_engine_that_does_not_send_the_item_with_a_refusal_keeps_events_apart_as_well(
    size: str, transport: ObservedTransport
) -> None:
    def untold(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return send(operation, request)
        except ClientError as error:
            error.response.pop("Item", None)
            raise

    transport.intercept(untold)
    row = ROWS[size]
    other = replace(row, action="stop")
    written = [write(sent, join) for sent in (row, other, other, row)]
    assert [answer.before is None for answer in written] == [True, True, False, False]
    assert len(stored()) == 2


def test_a_transaction_that_fails_leaves_no_part_of_a_row(transport: ObservedTransport) -> None:
    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            writes = [dict(one) for one in request["TransactItems"]]
            row = {name: writes[-1]["Put"][name] for name in ("TableName", "Item")}
            writes[-1] = {"Put": {**row, "ConditionExpression": "attribute_exists(id)"}}
            request = {"TransactItems": writes}
        return send(operation, request)

    transport.intercept(fault)
    (answer,) = write_all([ROWS["huge"]], join, give_up_at=soon())
    assert isinstance(answer, Unavailable)
    transport.restore()
    assert call("Scan", {"TableName": TABLE})["Items"] == []


def test_an_engine_without_transactions_keeps_a_row_of_several_items(
    transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction.TRANSACTIONS, "is_lacking", True)
    row = ROWS["huge"]
    assert write(row, join) == Written(None, row)
    assert write(row, join) == Written(row, row)
    other = replace(row, action="stop")
    assert write(other, join) == Written(None, beside(other))
    transport.restore()
    assert len(stored()) == 2


def test_rows_that_fail_never_cost_another(transport: ObservedTransport) -> None:
    rows = [replace(ROW, id=str(UUID(int=number))) for number in range(1, 21)]
    wrong = {rows[3].id, rows[17].id}

    transport.intercept(refusing(lambda item: item["id"]["S"] in wrong))
    answers = write_all(rows, join, give_up_at=soon())
    assert {row.id for row, answer in zip(rows, answers, strict=True) if isinstance(answer, Unavailable)} == wrong
    transport.restore()
    assert {row.id for row in stored()} == {row.id for row in rows} - wrong


def test_rows_are_not_begun_when_there_is_no_time_left(transport: ObservedTransport) -> None:
    def fault(_send: Send, _operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise AssertionError("a call was made")

    transport.intercept(fault)
    answers = write_all([ROW, OTHER], join, give_up_at=time.monotonic() - 1)
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]


@pytest.mark.parametrize("seed", range(6))
def test_a_sender_that_sends_again_what_failed_ends_with_every_event_once(
    seed: int, transport: ObservedTransport
) -> None:
    random = Random(seed)
    events = [ROW, OTHER, replace(ROW, id=str(UUID(int=1))), huge(replace(ROW, id=str(UUID(int=2))))]
    events.append(replace(events[-1], action="stop"))

    def flaky(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        chance = random.random()
        if chance < 0.25:
            raise THROTTLED
        answer = send(operation, request)
        if chance < 0.5:
            raise UNANSWERED
        return answer

    transport.intercept(flaky)
    waiting = random.sample(events, k=len(events))
    for _ in range(100):
        answers = write_all(waiting, join, give_up_at=soon())
        waiting = [row for row, answer in zip(waiting, answers, strict=True) if isinstance(answer, Unavailable)]
        if not waiting:
            break
    assert not waiting
    transport.restore()
    kept = stored()
    assert len(kept) == len(events)
    assert sorted((row.action, len(str(row.diff))) for row in kept) == sorted(
        (row.action, len(str(row.diff))) for row in events
    )


def from_lane() -> list[AuditLog]:
    """The rows as a lane has them."""
    items = call(
        "Query",
        {
            "TableName": TABLE,
            "IndexName": "all",
            "KeyConditionExpression": "#lane = :key",
            "ExpressionAttributeNames": {"#lane": "all"},
            "ExpressionAttributeValues": {":key": {"S": "all#0"}},
            "ScanIndexForward": False,
        },
    )["Items"]
    return [from_item(item) for item in items]


def large(number: int) -> AuditLog:
    """A row that is one item and has a rest."""
    return wide(replace(ROW, id=str(UUID(int=number))), number, 3_000)


@pytest.mark.parametrize("taken", [1, 3, 8])
def test_what_the_engine_left_unread_of_large_rows_is_asked_for_again(taken: int, transport: ObservedTransport) -> None:
    rows = [large(number) for number in range(1, 9)]
    write_all(rows, join, give_up_at=soon())
    read = from_lane()
    calls: list[str] = []

    def partly(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        calls.append(operation)
        asked = request["RequestItems"][TABLE]
        others = {table: wanted for table, wanted in request["RequestItems"].items() if table != TABLE}
        answer = send(operation, {"RequestItems": {**others, TABLE: {**asked, "Keys": asked["Keys"][:taken]}}})
        left = asked["Keys"][taken:]
        return {**answer, "UnprocessedKeys": {TABLE: {**asked, "Keys": left}} if left else {}}

    transport.intercept(partly)
    assert sorted(run(hydrate(AUDIT_LOGS, read, 5_000_000)).rows, key=lambda row: row.id) == rows
    assert calls == ["BatchGetItem"] * -(-8 // taken)


def test_a_replica_that_lags_behind_the_lane_is_asked_again_and_no_row_is_shown_in_part(
    transport: ObservedTransport,
) -> None:
    write(large(1), join)
    read = from_lane()
    consistent: list[bool] = []

    def lagging(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        sure = any(asked.get("ConsistentRead") for asked in request["RequestItems"].values())
        consistent.append(sure)
        return send(operation, request) if sure else {"Responses": {}}

    transport.intercept(lagging)
    assert run(hydrate(AUDIT_LOGS, read, 5_000_000)).rows == [large(1)]
    assert consistent == [False, True]

    def gone(_send: Send, _operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Responses": {}}

    transport.intercept(gone)
    with pytest.raises(Unavailable):
        run(hydrate(AUDIT_LOGS, read, 5_000_000))


def test_a_page_of_huge_rows_reads_no_more_than_it_can_answer() -> None:
    rows = [large(number) for number in range(1, 31)]
    write_all(rows, join, give_up_at=soon())
    read = from_lane()
    asked: list[int] = []
    with store_engine.heard_by(
        lambda _operation, request, _answer: asked.append(len(request["RequestItems"][TABLE]["Keys"]))
    ):
        fitting = run(hydrate(AUDIT_LOGS, read, 27_000)).rows
    assert asked == [len(fitting)] == [4]
    assert [row.id for row in fitting] == [row.id for row in read[:4]]
    assert run(hydrate(AUDIT_LOGS, read, 1)).rows == [large(UUID(read[0].id).int)]
    assert all(audit_rows.overflow_bytes(row) > 3_000 for row in read)
