"""A run deletes what is past its time and nothing else, says what it did, and stands in nobody's way."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib import embedded_metrics, times
from chalicelib.errors import Unavailable
from chalicelib.models.retention import RunJSON
from chalicelib.records import CONNECTION_EVENT_ACTIONS, APIKey, Closing, Mark
from chalicelib.retention import log_purge
from chalicelib.retention.lease import LEASE
from chalicelib.retention.purge import purge
from chalicelib.retention.run import Run
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys, expired_keys
from chalicelib.store.directory.token_names import NameTaken
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb import patience
from chalicelib.store.dynamodb.batch_insert import PARTIQL
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import APIKeyItem, AuditLogItem, ConnectionLogItem
from chalicelib.store.retention import runs as retention_runs
from chalicelib.store.retention import state as retention_state
from scripts.local.engine import EmbeddedEngine
from tests.retention.conftest import DAY, NOW, Clock, Killed, Rows, Rules, hold, in_nanoseconds, lift
from tests.transport import ObservedTransport, Send, refusal

NONE = {"api_keys": 0, "audit_connection_events": 0, "connection_logs": 0, "audit_logs": 0}
TICK = timedelta.resolution


def run(*, dry_run: bool = False, seconds: float = 60.0) -> RunJSON:
    record = purge(seconds, dry_run=dry_run)
    assert record is not None
    assert "error" not in record
    return record


def purged(**counts: int) -> dict[str, int]:
    return {**NONE, **counts}


# The reference's table, row by row.


def test_connection_logs_go_after_their_retention_open_or_not(rules: Rules, rows: Rows) -> None:
    rules(connection_logs=30 * DAY)
    rows.session(31 * DAY)
    kept = rows.session(15 * DAY)
    assert run()["purged"] == purged(connection_logs=1)
    assert rows.connections == {kept.id}


@pytest.mark.parametrize("retention", [timedelta(0), -30 * DAY])
def test_without_a_retention_everything_is_kept(rules: Rules, rows: Rows, retention: timedelta) -> None:
    rules(connection_logs=retention, audit_logs=retention, api_keys=retention)
    session, event, token = rows.session(365 * DAY), rows.audit(365 * DAY), rows.token(365 * DAY)
    assert run()["purged"] == NONE
    assert rows.connections == {session.id}
    assert rows.audits == {event.id}
    assert token.id in rows.tokens


def test_audit_logs_go_after_their_retention(rules: Rules, rows: Rows) -> None:
    rules(audit_logs=30 * DAY)
    rows.audit(31 * DAY)
    kept = rows.audit(15 * DAY)
    assert run()["purged"] == purged(audit_logs=1)
    assert rows.audits == {kept.id}


@pytest.mark.parametrize("retention", [timedelta(0), 365 * DAY])
def test_connection_events_of_the_audit_log_go_after_ninety_days_whatever_the_policy(
    rules: Rules, rows: Rows, retention: timedelta
) -> None:
    rules(audit_logs=retention)
    for action in CONNECTION_EVENT_ACTIONS:
        rows.audit(91 * DAY, action)
    kept = [rows.audit(30 * DAY, "connect"), rows.audit(89 * DAY, "connect"), rows.audit(91 * DAY, "create")]
    assert run()["purged"] == purged(audit_connection_events=4)
    assert rows.audits == {row.id for row in kept}


def test_connection_events_outlive_a_shorter_retention_of_the_audit_log(rules: Rules, rows: Rows) -> None:
    rules(audit_logs=30 * DAY)
    kept = [rows.audit(60 * DAY, action) for action in CONNECTION_EVENT_ACTIONS]
    rows.audit(60 * DAY, "create")
    rows.audit(91 * DAY, "open")
    assert run()["purged"] == purged(audit_logs=1, audit_connection_events=1)
    assert rows.audits == {row.id for row in kept}


def test_expired_tokens_go_with_their_names_and_good_ones_never(rules: Rules, rows: Rows) -> None:
    rules(api_keys=7 * DAY)
    rows.token(8 * DAY)
    kept = [rows.token(6 * DAY), rows.token(-DAY)]
    session = rows.token(9 * DAY, login_type="password")
    assert session.id in rows.tokens
    assert run()["purged"] == purged(api_keys=2)
    assert rows.tokens == {name for key in kept for name in (key.id, f"name#{key.user_id}#{key.token_name}")}


def test_tokens_that_ended_by_going_unused_go_like_expired_ones(rules: Rules, rows: Rows) -> None:
    rules.use(api_keys_retention=in_nanoseconds(7 * DAY), unused_tokens_end=in_nanoseconds(30 * DAY))
    long_ago, at_the_cut_off = NOW - 37 * DAY - TICK, NOW - 37 * DAY

    def token(created: datetime, **changes: Any) -> APIKey:
        return rows.token(-300 * DAY, created_at=created, **{"updated_at": created, "last_used": created, **changes})

    token(NOW - 400 * DAY)
    token(NOW - 400 * DAY, last_used=long_ago)
    token(long_ago, last_used=times.EPOCH)
    rows.token(8 * DAY, created_at=NOW - 400 * DAY)
    kept = [
        token(at_the_cut_off),
        token(NOW - 400 * DAY, last_used=at_the_cut_off),
        token(NOW - 400 * DAY, updated_at=at_the_cut_off),
        # Sessions end as they always did.
        token(NOW - 400 * DAY, login_type="password"),
    ]
    assert expired_keys.count_ended(NOW - 7 * DAY, 2_000) == 4
    assert run(dry_run=True)["purged"] == purged(api_keys=4)
    assert run()["purged"] == purged(api_keys=4)
    assert {name for name in rows.tokens if "#" not in name} == {key.id for key in kept}


def test_tokens_that_go_unused_stay_where_the_setting_is_off(
    rules: Rules, rows: Rows, transport: ObservedTransport
) -> None:
    rules(api_keys=7 * DAY)
    kept = rows.token(-300 * DAY, created_at=NOW - 400 * DAY, updated_at=NOW - 400 * DAY)
    transport.requests.clear()
    assert run()["purged"] == NONE
    assert kept.id in rows.tokens
    queried = {(sent.get("TableName"), sent.get("IndexName")) for _, sent in transport.requests}
    assert (APIKeyItem.Meta.table_name, "listing") not in queried


def test_a_token_that_is_used_while_it_is_purged_for_going_unused_is_kept(
    rules: Rules, rows: Rows, transport: ObservedTransport
) -> None:
    rules.use(api_keys_retention=in_nanoseconds(7 * DAY), unused_tokens_end=in_nanoseconds(30 * DAY))
    old = NOW - 400 * DAY
    key = rows.token(-300 * DAY, created_at=old, updated_at=old, last_used=old)

    def used(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation == "BatchGetItem":
            api_keys.touch(key, times.now(), key.expires_at)
        return answer

    transport.intercept(used)
    assert run()["purged"] == NONE
    assert key.id in rows.tokens


# Exactly.


def test_a_row_at_the_cut_off_is_kept_and_one_a_microsecond_older_is_not(rules: Rules, rows: Rows) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=30 * DAY)
    kept = [rows.session(30 * DAY), rows.web(30 * DAY)]
    events = [rows.audit(30 * DAY), rows.audit(90 * DAY, "open")]
    token = rows.token(30 * DAY)
    for age in (30 * DAY + TICK, 31 * DAY):
        rows.session(age)
        rows.web(age)
        rows.audit(age)
        rows.audit(age + 60 * DAY, "open")
        rows.token(age)
    assert run()["purged"] == purged(connection_logs=4, audit_logs=2, audit_connection_events=2, api_keys=2)
    assert rows.connections == {row.id for row in kept}
    assert rows.audits == {row.id for row in events}
    assert {name for name in rows.tokens if "#" not in name} == {token.id}


def test_a_dry_run_counts_what_a_run_deletes_and_deletes_nothing(rules: Rules, rows: Rows) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=7 * DAY)
    hold(type="vscode")
    for age in range(25, 120, 5):
        rows.session(age * DAY, type="vscode" if age % 2 else "ssh")
        rows.audit(age * DAY, "open" if age % 2 else "create")
        rows.token(age * DAY)
    before = rows.connections | rows.audits | rows.tokens
    dry = run(dry_run=True)
    assert dry["dry_run"] is True
    assert rows.connections | rows.audits | rows.tokens == before
    real = run()
    assert dry["purged"] == real["purged"]
    assert all(real["purged"].values())
    assert run()["purged"] == NONE


def test_the_items_beside_an_audit_row_go_with_it(rules: Rules, rows: Rows) -> None:
    rules(audit_logs=30 * DAY)
    noise = "".join(f"{number * 2_654_435_761 % 2**64:016x}" for number in range(120_000))
    rows.audit(31 * DAY, additional_fields={"noise": noise})
    assert len(rows.audits) > 2
    assert run()["purged"] == purged(audit_logs=1)
    assert rows.audits == set()


@pytest.mark.parametrize("shards", [4])
def test_every_shard_is_purged(
    rules: Rules, tables: EmbeddedEngine, shards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "current", lambda: Settings(log_shards=shards))
    monkeypatch.setattr(log_purge, "ROUND", 7)
    rows = Rows(tables, shards)
    for age in range(60):
        rows.web(age * DAY)
        rows.audit(age * DAY)
    assert run()["purged"] == purged(connection_logs=29, audit_logs=29)
    assert len(rows.connections) == len(rows.audits) == 31


def test_ongoing_sessions_are_kept_where_the_policy_says_so(rules: Rules, rows: Rows) -> None:
    rules.use(connection_logs_retention=30 * 86_400 * 10**9, keep_ongoing=True)
    kept = rows.session(60 * DAY)
    rows.session(60 * DAY, closed=59 * DAY)
    rows.web(60 * DAY)
    assert run()["purged"] == purged(connection_logs=2)
    assert rows.connections == {kept.id}


def forget_at(tables: EmbeddedEngine) -> datetime:
    """When the one connection row that there was is deleted."""
    (item,) = tables.items(ConnectionLogItem.Meta.table_name)
    return datetime.fromtimestamp(int(item[FORGET_AT]["N"]), UTC)


def test_a_purged_row_may_be_deleted_at_once_and_stands_where_the_purge_does_not_look(
    rules: Rules, rows: Rows, tables: EmbeddedEngine
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    rows.web(31 * DAY)
    rows.audit(31 * DAY)
    rows.audit(91 * DAY, "open")
    run()
    stamped = [*tables.items(ConnectionLogItem.Meta.table_name), *tables.items(AuditLogItem.Meta.table_name)]
    assert [item[FORGET_AT] for item in stamped] == [{"N": str(int(NOW.timestamp()))}] * 3
    assert not any({"all", "connection_event"} & item.keys() for item in stamped)


@pytest.mark.parametrize("closed", [30 * DAY + TICK, 31 * DAY, 40 * DAY])
def test_a_session_that_ended_before_the_cut_off_may_be_deleted_at_once(
    rules: Rules, rows: Rows, tables: EmbeddedEngine, closed: timedelta
) -> None:
    rules(connection_logs=30 * DAY)
    rows.session(41 * DAY, closed=closed)
    run()
    assert forget_at(tables) == NOW


@pytest.mark.parametrize("closed", [30 * DAY, 29 * DAY, 23 * DAY + TICK])
def test_a_session_that_ended_within_the_retention_stays_until_its_end_is_past_its_time_too(
    rules: Rules, rows: Rows, tables: EmbeddedEngine, closed: timedelta
) -> None:
    rules(connection_logs=30 * DAY)
    rows.session(31 * DAY, closed=closed)
    run()
    end = NOW - closed + 30 * DAY
    assert end < forget_at(tables) <= end + DAY
    assert rows.connections == set()


@pytest.mark.parametrize("closed", [None, 23 * DAY, DAY])
def test_a_session_that_was_open_or_lasted_long_leaves_a_bare_tombstone(
    rules: Rules, rows: Rows, tables: EmbeddedEngine, closed: timedelta | None
) -> None:
    rules(connection_logs=30 * DAY)
    row = rows.session(31 * DAY, closed=closed)
    run()
    (item,) = tables.items(ConnectionLogItem.Meta.table_name)
    assert item == {"id": {"S": row.id}, FORGET_AT: item[FORGET_AT]}
    assert forget_at(tables) > NOW + 360 * DAY


def test_a_code_that_came_later_counts_as_an_event(rules: Rules, rows: Rows, tables: EmbeddedEngine) -> None:
    rules(connection_logs=30 * DAY)
    rows.put(replace(rows.session(40 * DAY), closing=Closing(NOW - 39 * DAY, code=Mark(NOW - DAY, 1))))
    run()
    assert forget_at(tables) > NOW


def test_a_row_that_another_took_the_place_of_meanwhile_is_not_stamped(
    rules: Rules, rows: Rows, transport: ObservedTransport
) -> None:
    rules(connection_logs=30 * DAY)
    gone = rows.web(31 * DAY)
    rows.web(31 * DAY)

    def replaced(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "BatchExecuteStatement":
            rows.put(replace(gone, connect_time=NOW - DAY))
        return send(operation, request)

    transport.intercept(replaced)
    record = run()
    assert (record["purged"], record["remaining"]) == (purged(connection_logs=1), False)
    assert rows.connections == {gone.id}


def test_an_engine_without_partiql_is_sent_a_stamp_for_each_row(
    rules: Rules, rows: Rows, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    monkeypatch.setattr(PARTIQL, "is_lacking", False)
    for age in (31, 32, 33):
        rows.web(age * DAY)
        rows.audit((60 + age) * DAY, "open")

    def lacking(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "BatchExecuteStatement":
            raise refusal("UnknownOperationException", operation)
        return send(operation, request)

    transport.intercept(lacking)
    assert run()["purged"] == purged(connection_logs=3, audit_connection_events=3)
    assert rows.connections == rows.audits == set()
    assert transport.operations.count("BatchExecuteStatement") == 1


# Holds.


def test_what_a_hold_matches_is_kept_until_it_is_lifted(rules: Rules, rows: Rows) -> None:
    rules(connection_logs=30 * DAY)
    held = [rows.session(40 * DAY, type="vscode"), rows.session(99 * DAY, type="vscode", closed=DAY)]
    rows.session(40 * DAY)
    hold(type="vscode")
    assert run()["purged"] == purged(connection_logs=1)
    assert run()["purged"] == NONE
    assert rows.connections == {row.id for row in held}
    lift()
    assert run()["purged"] == purged(connection_logs=2)


def test_a_hold_may_be_about_what_only_the_row_knows(rules: Rules, rows: Rows) -> None:
    rules(connection_logs=30 * DAY)
    held = rows.session(40 * DAY, closed=39 * DAY)
    rows.session(40 * DAY)
    hold(status="completed")
    assert run()["purged"] == purged(connection_logs=1)
    assert rows.connections == {held.id}


def test_a_hold_on_one_log_holds_nothing_of_the_other(rules: Rules, rows: Rows) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    rows.session(40 * DAY)
    held = [rows.audit(40 * DAY), rows.audit(140 * DAY, "open")]
    hold(log="audit")
    assert run()["purged"] == purged(connection_logs=1)
    assert rows.audits == {row.id for row in held}


# Time, and who has it.


def test_when_time_is_up_it_says_what_is_left_and_the_next_run_goes_on(
    rules: Rules, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 10)
    made = [rows.web(31 * DAY + number * timedelta(minutes=1)) for number in range(35)]
    with monkeypatch.context() as patch:
        patch.setattr(Run, "in_time", lambda run: run.progress.purged["connection_logs"] < 20)
        record = run()
    assert (record["purged"], record["remaining"]) == (purged(connection_logs=20), True)
    assert {row.id for row in made[:15]} == rows.connections, "what is oldest goes first"
    assert not run()["remaining"]
    assert rows.connections == set()


def test_of_two_handlers_one_works_and_the_other_leaves(rules: Rules, rows: Rows, transport: ObservedTransport) -> None:
    rules(connection_logs=30 * DAY)
    rows.web(31 * DAY)
    others: list[RunJSON | None] = []

    def during(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "BatchExecuteStatement" and not others:
            others.append(None)
            others[0] = purge(60)
        return send(operation, request)

    transport.intercept(during)
    assert run()["purged"] == purged(connection_logs=1)
    assert others == [None]
    assert len(retention_runs.latest(10)) == 1


def test_the_lease_of_a_process_that_died_ends_and_its_run_is_told_of(
    rules: Rules, rows: Rows, clock: Clock, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 10)
    for _ in range(15):
        rows.web(31 * DAY)
    writes = Counter[str]()

    def dies(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        writes[operation] += 1
        if operation == "BatchExecuteStatement" and writes[operation] == 2:
            raise Killed
        return send(operation, request)

    transport.intercept(dies)
    with pytest.raises(Killed):
        purge(60)
    assert len(rows.connections) == 5
    clock.moment += LEASE - TICK
    assert purge(60) is None
    clock.moment += TICK
    assert run()["purged"] == purged(connection_logs=5)
    new, dead = retention_runs.latest(10)
    assert dead["error"] == "The run did not end; another took its place."
    assert (dead["purged"], dead["remaining"]) == (purged(connection_logs=10), True)
    assert new["purged"] == purged(connection_logs=5)


def test_a_run_whose_lease_was_taken_over_deletes_no_more(
    rules: Rules, rows: Rows, clock: Clock, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 10)
    for _ in range(25):
        rows.web(31 * DAY)
    writes: list[str] = []

    def taken(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation == "BatchExecuteStatement":
            writes.append(operation)
            clock.moment += LEASE
            assert retention_state.take("another", clock.moment, clock.moment + LEASE, {}) is not None
        return answer

    transport.intercept(taken)
    record = purge(60)
    assert record is not None
    assert record["error"] == "Another run has taken the lease over."
    assert record["purged"] == purged(connection_logs=10)
    assert len(writes) == 1
    assert retention_state.read().holder == "another"


def test_a_run_that_was_overtaken_says_itself_what_it_did(
    rules: Rules, rows: Rows, clock: Clock, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 2)
    for _ in range(8):
        rows.web(31 * DAY)
    others: list[RunJSON | None] = []
    batches = 0

    def overtaken(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal batches
        answer = send(operation, request)
        batches += operation == "BatchExecuteStatement"
        if batches == 2 and not others:
            others.append(None)
            clock.moment += LEASE
            others[0] = run()
        return answer

    transport.intercept(overtaken)
    first, other = run(), others[0]
    assert other is not None
    assert (first["purged"], other["purged"]) == (purged(connection_logs=4), purged(connection_logs=4))
    stored = retention_runs.latest(10)
    assert len(stored) == 2
    assert first in stored
    assert others[0] in stored


def test_a_record_that_could_not_be_stored_gives_the_lease_back_and_is_stored_by_the_next_run(
    rules: Rules, rows: Rows, transport: ObservedTransport, capsys: pytest.CaptureFixture[str]
) -> None:
    rules(connection_logs=30 * DAY)
    rows.web(31 * DAY)
    failures = 1

    def broken(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal failures
        if failures and operation == "TransactWriteItems":
            failures -= 1
            raise throttled(operation)
        return send(operation, request)

    transport.intercept(broken)
    with pytest.raises(Unavailable):
        purge(60)
    assert '"PurgeSuccess":1' in capsys.readouterr().out
    assert retention_runs.latest(10) == []
    second = run()
    stored = retention_runs.latest(10)
    (first,) = [record for record in stored if record != second]
    assert (first["purged"], first["remaining"]) == (purged(connection_logs=1), False)
    assert "error" not in first
    assert retention_state.read().run is None


# A store that fails.


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_SECONDS", 0.0001)


def throttled(operation: str) -> ClientError:
    error = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
    return ClientError(error, operation)  # type: ignore[no-untyped-call]


@pytest.mark.usefixtures("_short_pauses")
def test_what_is_throttled_unprocessed_or_not_answered_is_sent_again(
    rules: Rules, rows: Rows, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=7 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 40)
    for number in range(60):
        rows.session(31 * DAY + number * TICK, closed=None if number % 2 else 31 * DAY)
        rows.audit(31 * DAY + number * TICK)
        rows.token(31 * DAY + number * TICK)
    calls = Counter[str]()

    def failing(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        calls[operation] += 1
        number = calls[operation]
        if operation == "BatchWriteItem" and number % 4 == 1:
            ((table, asked),) = request["RequestItems"].items()
            half = len(asked) // 2
            if half:
                send(operation, {"RequestItems": {table: asked[:half]}})
            return {"UnprocessedItems": {table: asked[half:]}}
        if operation == "BatchExecuteStatement" and number % 4 == 1:
            half = len(request["Statements"]) // 2
            done = send(operation, {"Statements": request["Statements"][:half]})["Responses"] if half else []
            throttling = {"Error": {"Code": "ThrottlingError", "Message": "slow down"}}
            return {"Responses": [*done, *[throttling] * (len(request["Statements"]) - half)]}
        often = ("Query", "BatchWriteItem", "BatchExecuteStatement", "UpdateItem", "TransactWriteItems")
        if operation in often and number % 4 == 2:
            if operation != "Query":
                send(operation, request)
            raise ReadTimeoutError(endpoint_url="https://dynamodb.example.com/")  # type: ignore[no-untyped-call]
        if operation != "PutItem" and number % 5 == 3 and number > 3:
            raise throttled(operation)
        return send(operation, request)

    transport.intercept(failing)
    record = run()
    assert record["remaining"] is False
    assert rows.connections == rows.audits == rows.tokens == set()
    assert record["purged"]["connection_logs"] == record["purged"]["audit_logs"] == 60


def test_one_table_that_fails_does_not_keep_the_others_from_being_purged(
    rules: Rules, rows: Rows, transport: ObservedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    rows.session(31 * DAY)
    rows.audit(31 * DAY)

    def broken(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "Query" and request["TableName"] == ConnectionLogItem.Meta.table_name:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)  # type: ignore[no-untyped-call]
        return send(operation, request)

    transport.intercept(broken)
    record = purge(60)
    assert record is not None
    assert record["error"] == "Failed to purge connection_logs: the store did not do what it was asked."
    assert (record["purged"], record["remaining"]) == (purged(audit_logs=1), True)
    assert "Failed to purge connection_logs" in caplog.text
    assert retention_state.read().holder == ""


@pytest.mark.parametrize("broken", [{"doc": {"S": "{"}}, {"closing": {"S": "{"}}, {"zdoc": {"B": b"x"}}])
def test_a_row_that_cannot_be_read_is_kept_and_told_of_and_keeps_no_other_from_being_purged(
    rules: Rules, rows: Rows, tables: EmbeddedEngine, caplog: pytest.LogCaptureFixture, broken: dict[str, Any]
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    table = ConnectionLogItem.Meta.table_name
    for number in range(9):
        rows.session((40 + number) * DAY)
    unreadable = rows.session(44 * DAY)
    (item,) = [item for item in tables.items(table) if item["id"]["S"] == unreadable.id]
    if "doc" in broken:
        item.pop("zdoc")
    store_engine.call("PutItem", {"TableName": table, "Item": {**item, **broken}})
    rows.audit(40 * DAY)
    record = purge(60)
    assert record is not None
    assert (record["purged"], record["remaining"]) == (purged(connection_logs=9, audit_logs=1), False)
    assert record["error"] == "Kept what could not be read of connection_logs: 1 rows."
    assert rows.connections == {unreadable.id}
    assert unreadable.id in caplog.text
    assert retention_state.read().holder == ""


def test_whatever_goes_wrong_with_one_data_set_the_others_are_purged_and_the_run_is_told_of(
    rules: Rules, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY, api_keys=7 * DAY)
    rows.web(31 * DAY)

    def fails(*_: object) -> int:
        raise KeyError("expires_at")

    rows.token(8 * DAY)
    monkeypatch.setattr(expired_keys, "delete_expired", fails)
    record = purge(60)
    assert record is not None
    assert record["error"] == "Failed to purge api_keys: the service log says why."
    assert (record["purged"], record["remaining"]) == (purged(connection_logs=1), True)
    assert retention_runs.latest(1) == [record]


def test_how_a_session_ended_is_read_as_it_is_at_this_moment(
    rules: Rules, rows: Rows, transport: ObservedTransport
) -> None:
    rules(connection_logs=30 * DAY)
    rows.session(40 * DAY, closed=39 * DAY)
    asked: list[Mapping[str, Any]] = []

    def noted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        asked.extend(request["RequestItems"].values() if operation == "BatchGetItem" else ())
        return send(operation, request)

    transport.intercept(noted)
    run()
    assert [one["ConsistentRead"] for one in asked] == [True]


# How far behind it is.


@pytest.fixture
def lag(capsys: pytest.CaptureFixture[str]) -> Callable[[], float]:
    """The record of the last run."""

    def read() -> float:
        lines = map(json.loads, capsys.readouterr().out.splitlines())
        (seconds,) = [line["PurgeLagSeconds"] for line in lines if "PurgeLagSeconds" in line]
        return float(seconds)

    return read


def test_a_data_set_that_there_was_no_time_for_is_as_far_behind_as_it_is(
    rules: Rules, rows: Rows, lag: Callable[[], float]
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=7 * DAY)
    assert run(seconds=0)["remaining"] is False, "there is nothing"
    assert lag() == 0
    rows.token(8 * DAY)
    assert run(seconds=0)["remaining"] is True
    assert lag() == DAY.total_seconds()
    rows.audit(900 * DAY)
    hold(log="connection")
    rows.web(999 * DAY)
    record = run(seconds=0)
    assert (record["purged"], record["remaining"]) == (NONE, True)
    assert lag() == record["lag_seconds"] == (870 * DAY).total_seconds()
    assert run()["remaining"] is False
    assert lag() == 0


def test_rows_that_are_held_are_not_behind(
    rules: Rules, rows: Rows, monkeypatch: pytest.MonkeyPatch, lag: Callable[[], float]
) -> None:
    rules(connection_logs=30 * DAY)
    hold(type="vscode")
    monkeypatch.setattr(log_purge, "ROUND", 2)
    for age in (900, 899, 800, 32, 31):
        rows.session(age * DAY, type="ssh" if age < 99 else "vscode")
    monkeypatch.setattr(Run, "in_time", lambda run: run.progress.oldest_left.get("connection_logs") != NOW - 32 * DAY)
    record = run()
    assert (record["purged"], record["remaining"]) == (purged(connection_logs=1), True)
    assert lag() == (2 * DAY).total_seconds()


def test_what_one_run_had_no_time_for_comes_first_in_the_next(
    rules: Rules, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 2)
    for age in (40, 41, 42, 43, 44, 45):
        rows.web(age * DAY)
        rows.audit(age * DAY)
        rows.audit((age + 90) * DAY, "open")
    monkeypatch.setattr(Run, "in_time", lambda run: not any(run.progress.purged[name] for name in NONE))
    went = [next(name for name, number in run()["purged"].items() if number) for _ in range(6)]
    assert {*went[:3]} == {*went[3:]} == {"connection_logs", "audit_logs", "audit_connection_events"}


# What is told.


def test_a_run_is_a_record_and_the_last_come_first(rules: Rules, rows: Rows, clock: Clock) -> None:
    rules(connection_logs=30 * DAY, api_keys=7 * DAY)
    rows.web(31 * DAY)
    first = run()
    assert first == {
        "id": first["id"],
        "started_at": "2025-01-15T07:30:00Z",
        "finished_at": "2025-01-15T07:30:00Z",
        "dry_run": False,
        "cutoffs": {
            "api_keys": "2025-01-08T07:30:00Z",
            "audit_connection_events": "2024-10-17T07:30:00Z",
            "connection_logs": "2024-12-16T07:30:00Z",
            "audit_logs": None,
        },
        "purged": purged(connection_logs=1),
        "remaining": False,
        "lag_seconds": 0,
    }
    clock.moment += DAY
    second = run(dry_run=True)
    assert retention_runs.latest(10) == [second, first]
    assert retention_runs.latest(1) == [second]
    clock.moment = NOW + retention_runs.KEPT + timedelta(hours=1)
    third = run()
    assert retention_runs.latest(10) == [third, second]


def test_metrics_are_lines_of_json_for_each_data_set(
    rules: Rules, rows: Rows, capsys: pytest.CaptureFixture[str]
) -> None:
    rules(connection_logs=30 * DAY)
    rows.web(31 * DAY)
    run(dry_run=True)
    assert capsys.readouterr().out == ""
    run()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["DataSet"]: line["PurgedRows"] for line in lines if "DataSet" in line} == purged(connection_logs=1)
    (about,) = [line for line in lines if "DataSet" not in line]
    assert (about["PurgeSuccess"], about["PurgeLagSeconds"]) == (1, 0.0)
    assert about["PurgeDuration"] >= 0
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Gatebook"
        assert directive["Dimensions"] == [["Deployment", "DataSet"] if "DataSet" in line else ["Deployment"]]
        assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])
    rows.web(30 * DAY + timedelta(minutes=30))
    purge(0)
    (late,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "PurgeLagSeconds" in line]
    assert late["PurgeLagSeconds"] == 1_800.0


def test_the_logger_of_metrics_writes_nothing_but_them(rules: Rules) -> None:
    assert rules
    run()
    assert logging.getLogger(embedded_metrics.LOGGER).propagate is False


# Tokens.


def test_a_token_that_slides_meanwhile_is_kept(rules: Rules, rows: Rows, transport: ObservedTransport) -> None:
    rules(api_keys=7 * DAY)
    sliding = rows.token(8 * DAY, login_type="password", token_name="")
    rows.token(8 * DAY)

    def used(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        if operation == "BatchGetItem":
            api_keys.touch(sliding, times.now(), times.now() + DAY)
        return answer

    transport.intercept(used)
    assert run()["purged"] == purged(api_keys=1)
    assert rows.tokens == {sliding.id}


def test_a_name_that_only_a_purgeable_token_has_may_be_given_anew(rules: Rules, rows: Rows) -> None:
    rules(api_keys=7 * DAY)
    gone = rows.token(8 * DAY)
    key = replace(gone, id="0123456789", expires_at=NOW + DAY)
    api_keys.add(key)
    assert api_keys.get(gone.id) is None
    assert api_keys.get_by_name(gone.user_id, gone.token_name) == key
    kept = {key.id, f"name#{key.user_id}#{key.token_name}"}
    assert rows.tokens == {gone.id, *kept}
    with pytest.raises(NameTaken):
        api_keys.add(replace(key, id="9876543210"))
    # The purge takes the record, and leaves the name to whose it is.
    assert run()["purged"] == purged(api_keys=1)
    assert rows.tokens == kept
