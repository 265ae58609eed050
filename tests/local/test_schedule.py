"""A laptop has a scheduler: the purge runs at the start of the service and then again and again, until the end."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from chalicelib.retention.metrics import LOGGER
from scripts.local import schedule
from scripts.local.schedule import Context, Schedule

WAIT_SECONDS = 20.0


def test_a_function_is_called_at_the_start_and_again_until_the_end() -> None:
    calls: list[tuple[dict[str, Any], float]] = []
    twice = threading.Event()

    def function(event: dict[str, Any], context: Context) -> None:
        calls.append((event, context.get_remaining_time_in_millis()))
        if len(calls) == 2:
            twice.set()

    with Schedule(function, every=0.001):
        assert twice.wait(WAIT_SECONDS)
    made = len(calls)
    assert all(event["source"] == "aws.events" for event, _ in calls)
    assert all(0 < left <= schedule.FUNCTION_SECONDS * 1_000 for _, left in calls[:2])
    assert not [thread for thread in threading.enumerate() if thread.name == "schedule"]
    assert len(calls) == made


def test_a_function_that_is_under_way_at_the_end_has_no_more_time() -> None:
    begun, left = threading.Event(), list[float]()

    def function(_event: dict[str, Any], context: Context) -> None:
        begun.set()
        while not left:
            now = context.get_remaining_time_in_millis()
            left.extend([now] if not now else [])

    with Schedule(function):
        assert begun.wait(WAIT_SECONDS)
    assert left == [0.0]


def test_a_function_that_fails_is_called_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    again = threading.Event()

    def function(_event: dict[str, Any], _context: Context) -> None:
        calls.append(1)
        if len(calls) > 1:
            again.set()
        raise RuntimeError("no")

    with Schedule(function, every=0.001):
        assert again.wait(WAIT_SECONDS)
    assert "A scheduled function failed" in caplog.text


def test_metrics_are_told_to_nobody_meanwhile() -> None:
    with Schedule(lambda _event, _context: None):
        assert logging.getLogger(LOGGER).disabled
    assert not logging.getLogger(LOGGER).disabled
