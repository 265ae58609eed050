"""A run is over in time however slow the store is, says truly what is left, and never holds the lease for longer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.retention.purge import ENDING_SECONDS, purge
from chalicelib.store.dynamodb.deadline import LONGEST_ATTEMPT_SECONDS, TimeUp
from chalicelib.store.retention import runs, state
from tests.retention.conftest import DAY, Rows, Rules
from tests.transport import UNANSWERED, ObservedTransport, Send

SLOW_SECONDS = 2.7


class Watch:
    """The clock of this process, which only the store and pauses move."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(time, "monotonic", made)
    monkeypatch.setattr(time, "sleep", made.pass_by)
    return made


@pytest.mark.parametrize("seconds", [-3.0, 0.0, 4.0, 12.0])
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("number", [1, 60])
def test_a_run_on_a_slow_store_is_over_in_time_and_says_what_is_left(
    rules: Rules,
    rows: Rows,
    transport: ObservedTransport,
    watch: Watch,
    seconds: float,
    dry_run: bool,
    number: int,
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=30 * DAY)
    made = {rows.web(31 * DAY + count * timedelta(minutes=1)).id for count in range(number)}
    for count in range(number):
        rows.audit(31 * DAY + count * timedelta(minutes=1))

    def slow(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        watch.pass_by(SLOW_SECONDS)
        return answer

    transport.intercept(slow)
    began = watch()
    record = purge(seconds, dry_run=dry_run)
    assert watch() - began <= seconds + ENDING_SECONDS
    transport.restore()
    assert record is not None
    assert record["remaining"] or seconds > 4.0
    assert "error" not in record
    assert runs.latest(1) == [record]
    assert state.read().holder == ""
    purged = record["purged"]["connection_logs"]
    assert len(rows.connections) == number - (0 if dry_run else purged)
    assert rows.connections <= made


@pytest.mark.parametrize("answered", range(12))
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_store_that_answers_no_more_ends_a_run_in_time(
    rules: Rules, rows: Rows, transport: ObservedTransport, watch: Watch, answered: int, dry_run: bool
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    for count in range(30):
        rows.web(31 * DAY + count * timedelta(minutes=1))
    left = iter(range(answered))

    def stops(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if next(left, None) is not None:
            return send(operation, request)
        watch.pass_by(LONGEST_ATTEMPT_SECONDS)
        raise UNANSWERED

    transport.intercept(stops)
    began = watch()
    with suppress(Unavailable):
        purge(5.0, dry_run=dry_run)
    assert watch() - began <= 5.0 + ENDING_SECONDS


def test_what_a_slow_run_left_the_next_one_deletes(
    rules: Rules, rows: Rows, transport: ObservedTransport, watch: Watch
) -> None:
    rules(connection_logs=30 * DAY)
    rows.web(31 * DAY)

    def slow(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        watch.pass_by(SLOW_SECONDS)
        return send(operation, request)

    transport.intercept(slow)
    first = purge(0.0)
    assert first is not None
    assert (first["remaining"], first["purged"]["connection_logs"]) == (True, 0)
    transport.restore()
    second = purge(60.0)
    assert second is not None
    assert (second["remaining"], second["purged"]["connection_logs"]) == (False, 1)
    assert state.read().swept["waited"] == []


def test_a_run_that_has_no_time_to_begin_sends_nothing(
    rules: Rules, transport: ObservedTransport, watch: Watch
) -> None:
    rules(connection_logs=30 * DAY)
    assert watch
    with pytest.raises(TimeUp):
        purge(-ENDING_SECONDS)
    assert transport.requests == []
