"""Rows that are held and past their cut-off are met once a day, and at once when anything has changed for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.retention.purge import purge
from chalicelib.retention.sweep import EVERY, MARGIN
from tests.retention.conftest import DAY, Clock, Rows, Rules, hold, lift
from tests.transport import ObservedTransport, Send


@pytest.fixture
def looked_at(transport: ObservedTransport) -> Callable[[], int]:
    """Runs the purge and tells how many rows of the logs it read."""
    read = 0

    def counted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal read
        answer = send(operation, request)
        if operation == "Query" and request["IndexName"] == "all":
            read += answer["ScannedCount"]
        return answer

    transport.intercept(counted)

    def run() -> int:
        nonlocal read
        read = 0
        record = purge(60)
        assert record is not None
        assert "error" not in record
        return read

    return run


def test_rows_that_are_held_are_not_read_at_every_run(
    rules: Rules, rows: Rows, clock: Clock, looked_at: Callable[[], int]
) -> None:
    rules(connection_logs=30 * DAY)
    hold(type="vscode")
    for number in range(40):
        rows.session((31 + number) * DAY, type="vscode")
    assert looked_at() == 40
    clock.moment += timedelta(minutes=10)
    assert looked_at() == 0
    rows.session(30 * DAY)
    rows.session(30 * DAY + MARGIN / 2)
    clock.moment += timedelta(minutes=10)
    assert looked_at() == 2
    clock.moment += EVERY
    assert looked_at() == 40
    assert len(rows.connections) == 40


def test_what_came_late_below_is_found_within_a_day(
    rules: Rules, rows: Rows, clock: Clock, looked_at: Callable[[], int]
) -> None:
    rules(connection_logs=30 * DAY)
    looked_at()
    rows.web(99 * DAY)
    clock.moment += EVERY / 2
    looked_at()
    assert len(rows.connections) == 1
    clock.moment += EVERY / 2 + timedelta.resolution
    looked_at()
    assert rows.connections == set()


def test_a_changed_hold_or_policy_has_everything_looked_at(
    rules: Rules, rows: Rows, looked_at: Callable[[], int]
) -> None:
    rules(connection_logs=30 * DAY)
    hold(type="vscode")
    for number in range(10):
        rows.session((40 + number) * DAY, type="vscode")
    assert [looked_at(), looked_at()] == [10, 0]
    hold("another", type="jetbrains")
    assert [looked_at(), looked_at()] == [10, 0]
    rules(connection_logs=20 * DAY)
    assert [looked_at(), looked_at()] == [10, 0]
    lift()
    assert looked_at() == 10
    assert rows.connections == set()


def test_nothing_is_remembered_where_a_row_may_cease_to_be_held_by_itself(
    rules: Rules, rows: Rows, looked_at: Callable[[], int]
) -> None:
    rules(connection_logs=30 * DAY)
    hold(status="ongoing")
    rows.session(40 * DAY)
    assert [looked_at(), looked_at()] == [1, 1]
    lift()
    rules.use(connection_logs_retention=30 * 86_400 * 10**9, keep_ongoing=True)
    assert [looked_at(), looked_at()] == [1, 1]
    assert len(rows.connections) == 1
