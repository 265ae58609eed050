"""A hold that was placed is one that no later delete ignores, whatever the purge was doing when it came."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.retention import holds, log_purge, placing
from chalicelib.retention.lease import LEASE, ROUND_SECONDS
from chalicelib.retention.purge import purge
from chalicelib.store.directory.claims import Changed
from chalicelib.store.retention import state as retention_state
from tests.retention.conftest import DAY, Clock, Rows, Rules, hold, lift
from tests.transport import ObservedTransport, Send

NOISE = {"noise": "".join(f"{number * 2_654_435_761 % 2**64:016x}" for number in range(60_000))}
"""More than one item takes."""


@pytest.mark.parametrize("at", range(1, 16))
def test_whatever_the_purge_is_doing_no_delete_after_the_acknowledgement_ignores_a_hold(
    rules: Rules, rows: Rows, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    rules(connection_logs=30 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 4)
    held = {rows.session((40 + number) * DAY, type="vscode", closed=39 * DAY).id for number in range(8)}
    for number in range(8):
        rows.session((40 + number) * DAY, closed=39 * DAY)
    calls = 0
    looking = False
    version = 0
    in_force: set[str] | None = None

    def during(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal calls, looking, version, in_force
        if looking:
            return send(operation, request)
        calls += 1
        looking = True
        if calls == at:
            hold(type="vscode")
            version = placing.known()[0].version
        answer = send(operation, request)
        if version and in_force is None and placing.in_force(version, give_up_at=time.monotonic()):
            in_force = rows.connections & held
        looking = False
        return answer

    transport.intercept(during)
    record = purge(60)
    assert record is not None
    assert "error" not in record
    if in_force is not None:
        assert rows.connections == in_force, "what was there when the hold came into force is there at the end"
    assert rows.connections <= held


class Monotonic:
    """Both clocks: that of the day, and the one that time is measured by."""

    def __init__(self, clock: Clock, patch: pytest.MonkeyPatch) -> None:
        real = time.monotonic
        self._clock = clock
        self._passed = 0.0
        patch.setattr(time, "monotonic", lambda: real() + self._passed)

    def forward(self, seconds: float) -> None:
        self._passed += seconds
        self._clock.moment += timedelta(seconds=seconds)


@pytest.fixture
def clocks(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    return Monotonic(clock, monkeypatch)


def is_renewal(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "UpdateItem" and "#version = :version" in request["ConditionExpression"]


def is_delete(operation: str, request: Mapping[str, Any]) -> bool:
    together = operation == "TransactWriteItems" and all("Delete" in write for write in request["TransactItems"])
    return together or operation in ("BatchWriteItem", "BatchExecuteStatement")


def test_a_renewal_that_took_minutes_holds_from_its_last_attempt_on(
    rules: Rules, rows: Rows, transport: ObservedTransport, clocks: Monotonic
) -> None:
    rules(audit_logs=30 * DAY)
    rows.audit(50 * DAY, additional_fields=NOISE)
    failures = 5
    in_force: list[bool] = []

    def throttled(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal failures
        if failures and is_renewal(operation, request):
            failures -= 1
            clocks.forward(LEASE.total_seconds() / 4)
            raise EndpointConnectionError(endpoint_url="https://dynamodb.example.com/")  # type: ignore[no-untyped-call]
        if operation == "TransactWriteItems" and not in_force:
            in_force.append(True)
            hold(log="audit")
            in_force[0] = placing.in_force(placing.known()[0].version, give_up_at=time.monotonic())
        return send(operation, request)

    transport.intercept(throttled)
    assert purge(890) is not None
    assert in_force == [False], "a delete was under way"
    assert rows.audits == set()


def test_no_delete_begins_later_after_a_renewal_than_a_round_may_last(
    rules: Rules, rows: Rows, transport: ObservedTransport, clocks: Monotonic
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=7 * DAY)
    for _ in range(3):
        rows.audit(50 * DAY, additional_fields=NOISE)
        rows.audit(31 * DAY)
        rows.web(31 * DAY)
    for _ in range(20):
        rows.token(8 * DAY)
    renewed_at = 0.0
    late: list[float] = []
    renewals = 0

    def slow(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal renewed_at, renewals
        if is_renewal(operation, request):
            renewed_at = time.monotonic()
            renewals += 1
            answer = send(operation, request)
            # Every other renewal is answered when it is too late to do anything with it.
            clocks.forward(2 * ROUND_SECONDS * (renewals % 2))
            return answer
        if is_delete(operation, request):
            late.append(time.monotonic() - renewed_at)
            answer = send(operation, request)
            clocks.forward(ROUND_SECONDS / 2 + 1)
            return answer
        return send(operation, request)

    transport.intercept(slow)
    record = purge(890)
    assert record is not None
    assert "error" not in record
    assert not record["remaining"]
    assert record["purged"] == {"api_keys": 20, "audit_connection_events": 0, "connection_logs": 3, "audit_logs": 6}
    assert rows.audits == rows.connections == rows.tokens == set()
    assert late
    assert max(late) < ROUND_SECONDS


def test_a_hold_waits_for_a_purge_that_does_not_know_of_it(rules: Rules, clock: Clock) -> None:
    rules(connection_logs=30 * DAY)
    assert retention_state.take("a run", clock.moment, clock.moment + LEASE, {}) is not None
    hold(type="vscode")
    version = placing.known()[0].version
    assert not placing.in_force(version, give_up_at=time.monotonic())
    newer = retention_state.renew("a run", 0, clock.moment + LEASE, {}, {})
    assert newer is not None
    assert newer.version == version
    assert not placing.in_force(version, give_up_at=time.monotonic())
    assert retention_state.renew("a run", version, clock.moment + LEASE, {}, {}) is None
    assert placing.in_force(version, give_up_at=time.monotonic())


def test_a_hold_need_not_wait_for_a_lease_that_is_over(rules: Rules, clock: Clock) -> None:
    rules(connection_logs=30 * DAY)
    assert retention_state.take("a run", clock.moment, clock.moment + LEASE, {}) is not None
    hold(type="vscode")
    version = placing.known()[0].version
    clock.moment += LEASE
    assert placing.in_force(version, give_up_at=time.monotonic())


def test_of_two_changes_at_once_the_second_is_refused(rules: Rules) -> None:
    assert rules
    state, _ = placing.known()
    hold("one")
    with pytest.raises(Changed):
        placing.save(state, [])
    assert set(placing.known()[1]) == {"one"}


def test_holds_come_back_as_they_were_saved(rules: Rules) -> None:
    assert rules
    made = hold("one", type="vscode", status="completed")
    assert holds.read(retention_state.read().holds) == [made]
    lift("one")
    assert placing.known()[1] == {}


def test_a_reader_goes_by_holds_of_a_moment_ago_and_asks_once(
    rules: Rules, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY)
    reads = 0

    def counted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal reads
        reads += operation == "GetItem"
        return send(operation, request)

    transport.intercept(counted)
    for _ in range(3):
        assert holds.keeping("connection").holds == ()
    assert reads == 1
    monkeypatch.setattr(holds, "CACHE_SECONDS", 0.0)
    holds.forget()
    for _ in range(3):
        holds.keeping("connection")
    assert reads == 4
