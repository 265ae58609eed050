"""A hold that was placed is one that no later delete ignores, whatever the purge was doing when it came."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib.retention import data_sets, holds, placing
from chalicelib.retention.lease import LEASE
from chalicelib.retention.purge import purge
from chalicelib.store import retention_state
from chalicelib.store.claims import Changed
from tests.retention.conftest import DAY, Clock, Rows, Rules, Send, hold, lift

Between = Callable[[Callable[[Send, str, Mapping[str, Any]], dict[str, Any]]], None]


@pytest.mark.parametrize("at", range(1, 16))
def test_whatever_the_purge_is_doing_no_delete_after_the_acknowledgement_ignores_a_hold(
    rules: Rules, rows: Rows, between: Between, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    rules(connection_logs=30 * DAY)
    monkeypatch.setattr(data_sets, "ROUND", 4)
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

    between(during)
    record = purge(60)
    assert record is not None
    assert "error" not in record
    if in_force is not None:
        assert rows.connections == in_force, "what was there when the hold came into force is there at the end"
    assert rows.connections <= held


def test_a_hold_waits_for_a_purge_that_does_not_know_of_it(rules: Rules, clock: Clock) -> None:
    rules(connection_logs=30 * DAY)
    assert retention_state.take("a run", clock.moment, clock.moment + LEASE, {}) is not None
    hold(type="vscode")
    version = placing.known()[0].version
    assert not placing.in_force(version, give_up_at=time.monotonic())
    newer = retention_state.renew("a run", 0, clock.moment + LEASE, {})
    assert newer is not None
    assert newer.version == version
    assert not placing.in_force(version, give_up_at=time.monotonic())
    assert retention_state.renew("a run", version, clock.moment + LEASE, {}) is None
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
    rules: Rules, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(connection_logs=30 * DAY)
    reads = 0

    def counted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal reads
        reads += operation == "GetItem"
        return send(operation, request)

    between(counted)
    for _ in range(3):
        assert holds.keeping("connection").holds == ()
    assert reads == 1
    monkeypatch.setattr(holds, "CACHE_SECONDS", 0.0)
    holds.forget()
    for _ in range(3):
        holds.keeping("connection")
    assert reads == 4
    rules(connection_logs=0 * DAY)
    holds.keeping("connection")
    assert reads == 4, "where nothing is past its time there is nothing to hold"
