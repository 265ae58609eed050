"""A store that throttles, hangs or dies costs a retry: never an event, never a second row, never a neighbour."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from random import Random
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from chalicelib.errors import GatebookError, StoreRefused, Unavailable
from chalicelib.lanes.catalogue import CONNECTION_LANES
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import plan
from chalicelib.logs.batch import Batch
from chalicelib.logs.connection import ConnectionEvent, row
from chalicelib.logs.session import join
from chalicelib.records import ConnectionLog
from chalicelib.store.directory import api_keys, people
from chalicelib.store.dynamodb import batch_insert, patience
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import TransactionCancelled, call
from chalicelib.store.dynamodb.tables import ConnectionLogItem
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.logs.connection_writer import Group, Rule, write_all
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import CONNECTION_LOGS
from chalicelib.store.logs.write_pool import NotWritten, Written
from tests.transport import ObservedTransport, Send, inserted, refusal, refusing

pytestmark = pytest.mark.usefixtures("tables")

TABLE = ConnectionLogItem.Meta.table_name
T0 = datetime(2025, 7, 10, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
URL = "https://dynamodb.us-east-1.amazonaws.com/"
CONNECT = ConnectionEvent(
    id=None,
    time=T0,
    connection_status="connected",
    organization_id=str(UUID(int=101)),
    workspace_owner_id=str(UUID(int=201)),
    workspace_id=str(UUID(int=301)),
    workspace_name="ws",
    agent_name="main",
    type="ssh",
    code=None,
    ip="10.0.0.1",
    user_agent=None,
    user_id=None,
    slug_or_port=None,
    connection_id=str(UUID(int=401)),
    disconnect_reason=None,
)
DISCONNECT = replace(
    CONNECT, connection_status="disconnected", time=T0 + SECOND, code=0, disconnect_reason="client left"
)
WEB = replace(CONNECT, id=str(UUID(int=1)), type="workspace_app", connection_id=None, code=200, slug_or_port="8080")
OTHER_WEB = replace(WEB, ip="10.0.0.2")
WEBS = [row(replace(WEB, id=str(UUID(int=number)))) for number in range(1, 21)]
CLOSED = [row(replace(DISCONNECT, connection_id=str(UUID(int=500 + number)))) for number in range(20)]
EVERYTHING = plan(Criteria(), CONNECTION_LANES, 1)


def soon() -> float:
    return time.monotonic() + 60


def stored() -> list[ConnectionLog]:
    return [*read_page(CONNECTION_LOGS, [EVERYTHING], Budget(), Window(100)).rows]


def send_batch(events: Sequence[ConnectionEvent]) -> dict[int, str]:
    """The result of each event: as the answer to a request has it, `failed` where it is to be sent again."""
    batch = gathered(events)
    groups = batch.groups()
    statuses: dict[int, str] = {}
    for row_id, answer in zip(groups, send(groups.values()), strict=True):
        if isinstance(answer, GatebookError):
            statuses |= dict.fromkeys(batch.indexes(row_id), "failed")
        else:
            statuses |= {outcome.place: outcome.status for outcome in batch.outcomes(row_id, answer.before)}
    return statuses


def gathered(events: Sequence[ConnectionEvent]) -> Batch:
    batch = Batch()
    for index, event in enumerate(events):
        batch.add(index, row(event))
    return batch


def send(groups: Iterable[Group], give_up_at: float | None = None) -> list[Written[ConnectionLog] | NotWritten]:
    return write_all([*groups], Rule(join), give_up_at=give_up_at or soon())


def alone(rows: Iterable[ConnectionLog]) -> list[Group]:
    return [[made] for made in rows]


TRANSIENT = (
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
)
UNREACHABLE: tuple[Callable[..., BotoCoreError], ...] = (
    ConnectTimeoutError,
    ReadTimeoutError,
    EndpointConnectionError,
    ConnectionClosedError,
)
DOWN: list[Exception] = [*map(refusal, TRANSIENT), *(error(endpoint_url=URL) for error in UNREACHABLE)]
THROTTLED = refusal("ThrottlingException")
REFUSED = refusal("ValidationException")
UNANSWERED = ReadTimeoutError(endpoint_url=URL)  # type: ignore[no-untyped-call]


def named(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


OPERATIONS: dict[str, Callable[[], object]] = {
    "read a token": lambda: api_keys.get("WuoWs4ZsMX"),
    "read a user": lambda: people.get_user(str(UUID(int=1))),
    "read users": lambda: people.get_users([str(UUID(int=1))]),
    "list users": lambda: list(people.list_users()),
    "find a user": lambda: people.user_ids("username", "alice"),
    "read rows": stored,
    "count rows": lambda: count_rows(CONNECTION_LOGS, [EVERYTHING], Budget(), 10),
    "transact": lambda: transact([]),
}


def down(error: Exception) -> Callable[[Send, str, Mapping[str, Any]], dict[str, Any]]:
    def fault(_send: Send, _operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise error

    return fault


@pytest.mark.parametrize("error", DOWN, ids=named)
def test_every_event_is_to_be_sent_again_while_the_store_is_down(
    error: Exception, transport: ObservedTransport
) -> None:
    transport.intercept(down(error))
    answers = send(alone(WEBS))
    assert [type(answer) for answer in answers] == [Unavailable] * len(WEBS)
    transport.restore()
    assert stored() == []
    assert send(alone(WEBS)) == [Written(None, made) for made in WEBS]


@pytest.mark.parametrize("error", [THROTTLED, UNANSWERED], ids=named)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_tells_that_the_store_is_down(
    operation: str, error: Exception, transport: ObservedTransport
) -> None:
    transport.intercept(down(error))
    with pytest.raises(Unavailable) as caught:
        OPERATIONS[operation]()
    assert caught.value.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["None", "TransactionConflict"], Unavailable),
        (["ThrottlingError", "None"], Unavailable),
        (["ProvisionedThroughputExceeded"], Unavailable),
        (["None", "ConditionalCheckFailed"], TransactionCancelled),
        (["TransactionConflict", "ConditionalCheckFailed"], TransactionCancelled),
        (["ValidationError"], ClientError),
    ],
)
def test_why_a_transaction_was_cancelled_is_told_apart(
    reasons: list[str], expected: type[Exception], transport: ObservedTransport
) -> None:
    transport.intercept(
        down(refusal("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in reasons]))
    )
    with pytest.raises(expected) as caught:
        transact([])
    if isinstance(caught.value, TransactionCancelled):
        assert caught.value.failed == (1,)


def stored_without_faults(transport: ObservedTransport) -> list[ConnectionLog]:
    """The stored rows, read without faults."""
    transport.restore()
    return stored()


@pytest.mark.parametrize("error", [THROTTLED, REFUSED, UNANSWERED], ids=named)
@pytest.mark.parametrize("wrong", [{0}, {19}, {3, 4, 5, 17}])
def test_rows_that_fail_never_cost_another(wrong: set[int], error: Exception, transport: ObservedTransport) -> None:
    failing = {CLOSED[index].id for index in wrong}

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem" and request["Key"]["id"]["S"] in failing:
            raise error
        return send(operation, request)

    transport.intercept(fault)
    answers = send(alone(CLOSED))
    kind = StoreRefused if error is REFUSED else Unavailable
    assert {index for index, answer in enumerate(answers) if isinstance(answer, kind)} == wrong
    assert {made.id for made in stored()} == {made.id for made in CLOSED} - failing


@pytest.mark.parametrize(
    ("code", "calls"), [("ThrottlingError", 4), ("ProvisionedThroughputExceeded", 4), ("ValidationError", 1)]
)
@pytest.mark.parametrize("wrong", [{0}, {19}, {3, 4, 5, 17}])
def test_statements_that_fail_never_cost_another(
    wrong: set[int], code: str, calls: int, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_SECONDS", 0)
    failing = {WEBS[index].id for index in wrong}
    transport.intercept(refusing(lambda item: item["id"]["S"] in failing, code))
    answers = send(alone(WEBS))
    kind = StoreRefused if calls == 1 else Unavailable
    assert {index for index, answer in enumerate(answers) if isinstance(answer, kind)} == wrong
    assert {made.id for made in stored_without_faults(transport)} == {made.id for made in WEBS} - failing
    # What is throttled is sent again, alone; what is refused for good is not.
    sent = [request["Statements"] for operation, request in transport.requests if operation == "BatchExecuteStatement"]
    ids = [{inserted(statement)["id"]["S"] for statement in statements} for statements in sent]
    assert ids == [{made.id for made in WEBS}, *[failing] * (calls - 1)]
    transport.restore()
    assert send(alone(WEBS)) == [Written(None if index in wrong else made, made) for index, made in enumerate(WEBS)]


def test_a_statement_that_is_throttled_for_a_while_is_stored_in_the_end(
    transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_SECONDS", 0)
    first = {made.id for made in Random(5).sample(WEBS, 7)}
    busy = refusing(lambda item: item["id"]["S"] in first)

    def busy_once(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = busy(send, operation, request)
        first.clear()
        return answer

    transport.intercept(busy_once)
    assert send(alone(WEBS)) == [Written(None, made) for made in WEBS]
    transport.restore()
    assert {made.id for made in stored()} == {made.id for made in WEBS}


def test_an_engine_without_partiql_is_served_row_by_row_and_told_of_once(
    transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(batch_insert.PARTIQL, "is_lacking", False)
    asked: list[str] = []

    def dynalite(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(operation)
        if operation == "BatchExecuteStatement":
            raise refusal("UnknownOperationException", operation)
        return send(operation, request)

    transport.intercept(dynalite)
    for before in (None, True):
        assert send(alone(WEBS)) == [Written(made if before else None, made) for made in WEBS]
    assert asked == ["BatchExecuteStatement", *["PutItem"] * 40]
    assert [record.message for record in caplog.records] == ["This engine has no PartiQL: rows are written one by one."]


def test_what_the_store_refuses_for_good_is_named(transport: ObservedTransport) -> None:
    transport.intercept(down(REFUSED))
    (answer,) = send(alone(WEBS[:1]))
    assert isinstance(answer, StoreRefused)
    assert "ValidationException" in answer.message


def test_rows_are_not_begun_when_there_is_no_time_left(transport: ObservedTransport) -> None:
    transport.intercept(down(AssertionError("a call was made")))
    for rows in (WEBS, WEBS[:1]):
        answers = send(alone(rows), time.monotonic() - 1)
        assert [type(answer) for answer in answers] == [Unavailable] * len(rows)


HISTORIES: dict[str, tuple[list[ConnectionEvent], list[ConnectionEvent]]] = {
    "a connect": ([], [CONNECT]),
    "a disconnect": ([CONNECT], [DISCONNECT]),
    "a lone disconnect": ([], [DISCONNECT]),
    "a connect after its disconnect": ([DISCONNECT], [CONNECT]),
    "the rest of an end": ([CONNECT, replace(DISCONNECT, code=None)], [DISCONNECT]),
    "a session at once": ([], [CONNECT, DISCONNECT]),
    "a web event": ([], [WEB]),
    "a web event under a used id": ([WEB], [OTHER_WEB]),
    "two web events under one id": ([], [WEB, OTHER_WEB]),
    "two web events under an id that the second has": ([OTHER_WEB], [WEB, OTHER_WEB]),
}


@pytest.mark.parametrize("error", DOWN[-4:], ids=named)
@pytest.mark.parametrize("history", HISTORIES)
def test_a_write_that_was_done_but_not_answered_is_known_again(
    history: str, error: BotoCoreError, transport: ObservedTransport
) -> None:
    before, events = HISTORIES[history]

    def unanswered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        # A refusal is an answer; only what was done is not told.
        answer = send(operation, request)
        if operation in {"BatchExecuteStatement", "PutItem", "UpdateItem"}:
            raise error
        return answer

    for event in before:
        assert send_batch([event])[0] in ("created", "updated")
    transport.intercept(unanswered)
    assert "failed" in send_batch(events).values()
    transport.restore()
    rows = stored()
    assert set(send_batch(events).values()) == {"unchanged"}
    assert stored() == rows == clean([*before, *events])


def test_a_contradiction_that_was_kept_but_not_answered_is_kept_once(transport: ObservedTransport) -> None:
    conflict = replace(DISCONNECT, code=1)
    for event in (CONNECT, DISCONNECT):
        send_batch([event])

    def unanswered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation == "PutItem":
            raise UNANSWERED
        return answer

    transport.intercept(unanswered)
    assert send_batch([conflict]) == {0: "failed"}
    transport.restore()
    assert send_batch([conflict]) == {0: "unchanged"}
    kept = CONNECTION_LOGS.get(row(CONNECT).id)
    assert kept is not None
    assert kept.conflicts.number == len(kept.conflicts.newest) == 1


def clean(events: Sequence[ConnectionEvent]) -> list[ConnectionLog]:
    """The rows of events that meet no fault."""
    rows = [reduce(lambda one, event: join(one, event).row, group) for group in gathered(events).groups().values()]
    return sorted(rows, key=lambda made: (made.connect_time, made.id), reverse=True)


@pytest.mark.parametrize("seed", range(8))
def test_a_sender_that_sends_again_what_failed_ends_with_the_right_rows(
    seed: int, transport: ObservedTransport
) -> None:
    random = Random(seed)
    events = [CONNECT, replace(DISCONNECT, code=None), WEB, DISCONNECT]
    events += [replace(event, connection_id=str(UUID(int=402))) for event in (CONNECT, DISCONNECT)]

    def flaky(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        chance = random.random()
        if chance < 0.3:
            raise random.choice(DOWN)
        answer = send(operation, request)
        if chance < 0.6:
            raise random.choice(DOWN)
        return answer

    transport.intercept(flaky)
    waiting = random.sample(events, k=len(events))
    for _ in range(100):
        cut = random.randint(1, len(waiting))
        sent, unsent = waiting[:cut], waiting[cut:]
        statuses = send_batch(sent)
        waiting = [event for index, event in enumerate(sent) if statuses[index] == "failed"] + unsent
        if not waiting:
            break
    assert not waiting
    transport.restore()
    assert stored() == clean(events)


def untold(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """An engine that does not send the item with the refusal of a condition."""
    try:
        answer = send(operation, request)
    except ClientError as error:
        error.response.pop("Item", None)
        raise
    for response in answer.get("Responses", ()) if operation == "BatchExecuteStatement" else ():
        response.get("Error", {}).pop("Item", None)
    return answer


@pytest.mark.parametrize("order", list(permutations([CONNECT, DISCONNECT, replace(DISCONNECT, ip=None, code=None)])))
def test_an_engine_that_does_not_send_the_item_with_a_refusal_joins_as_well(
    order: tuple[ConnectionEvent, ...], transport: ObservedTransport
) -> None:
    transport.intercept(untold)
    for event in (*order, *order):
        assert set(send_batch([event]).values()) <= {"created", "updated", "unchanged"}
    assert stored() == clean(order)


def test_such_an_engine_keeps_events_of_one_id_apart_as_well(transport: ObservedTransport) -> None:
    transport.intercept(untold)
    assert [send_batch([event])[0] for event in (WEB, OTHER_WEB, OTHER_WEB, WEB)] == [
        "created",
        "created",
        "unchanged",
        "unchanged",
    ]
    assert stored() == clean([WEB, OTHER_WEB])


def closed_sessions(number: int) -> list[ConnectionLog]:
    events = [replace(DISCONNECT, connection_id=str(UUID(int=500 + index))) for index in range(number)]
    send_batch(events)
    return clean(events)


@pytest.mark.parametrize("taken", [1, 3, 8])
def test_closings_that_the_engine_left_unread_are_asked_for_again(taken: int, transport: ObservedTransport) -> None:
    sessions = closed_sessions(8)
    lengths: list[int] = []

    def partly(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "BatchGetItem":
            return send(operation, request)
        asked = request["RequestItems"][TABLE]
        lengths.append(len(asked["Keys"]))
        answer = send(operation, {"RequestItems": {TABLE: {**asked, "Keys": asked["Keys"][:taken]}}})
        left = asked["Keys"][taken:]
        return {**answer, "UnprocessedKeys": {TABLE: {**asked, "Keys": left}} if left else {}}

    transport.intercept(partly)
    assert stored() == sessions
    assert lengths == list(range(len(sessions), 0, -taken))


def test_closings_that_are_never_read_are_an_answer_and_not_open_sessions(transport: ObservedTransport) -> None:
    closed_sessions(3)

    def never(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "BatchGetItem":
            return send(operation, request)
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    transport.intercept(never)
    with pytest.raises(Unavailable):
        stored()


def test_a_fault_in_the_middle_of_a_listing_is_not_the_end_of_it(
    transport: ObservedTransport, shorten: Callable[[int], None]
) -> None:
    shorten(5)
    send(alone(WEBS))
    queries: list[str] = []

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        queries.append(operation)
        if len(queries) == 3:
            raise UNANSWERED
        return send(operation, request)

    transport.intercept(fault)
    with pytest.raises(Unavailable):
        stored()
    assert len(stored()) == len(WEBS)


def test_any_other_refusal_is_not_told_as_unavailable(transport: ObservedTransport) -> None:
    transport.intercept(down(refusal("AccessDeniedException")))
    with pytest.raises(ClientError):
        call("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "x"}}})
