"""A laptop has a scheduler: the purge runs at the start of the service and then again and again, until the end."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any

import pytest
from chalice.app import Chalice, CloudWatchEvent, Rate, ScheduledEventConfig

from app import app as gatebook
from chalicelib.embedded_metrics import LOGGER
from chalicelib.errors import Unavailable
from scripts.local import schedule
from scripts.local.schedule import Context, Schedule, scheduled, seconds_between

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

    with Schedule(function, every=600):
        assert begun.wait(WAIT_SECONDS)
    assert left == [0.0]


@pytest.mark.parametrize(
    ("error", "words"),
    [(RuntimeError("no"), "RuntimeError: no"), (Unavailable("the disk is full"), "the disk is full")],
)
def test_a_function_that_fails_is_called_again_and_says_why(
    caplog: pytest.LogCaptureFixture, error: Exception, words: str
) -> None:
    calls: list[int] = []
    again = threading.Event()

    def function(_event: dict[str, Any], _context: Context) -> None:
        calls.append(1)
        if len(calls) > 1:
            again.set()
        raise error

    with Schedule(function, every=0.001):
        assert again.wait(WAIT_SECONDS)
    assert "The scheduled function schedule failed" in caplog.text
    assert words in caplog.text
    assert ("Traceback" in caplog.text) is isinstance(error, RuntimeError)


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(10 minutes)", 600), ("rate(2 hours)", 7_200), (Rate(1, unit=Rate.DAYS), 86_400)],
)
def test_a_rate_is_read_as_eventbridge_reads_it(expression: Any, seconds: float) -> None:
    assert seconds_between(expression) == seconds


@pytest.mark.parametrize("expression", ["rate(0 minutes)", "rate(1 week)", "cron(0 1 * * ? *)", "10 minutes"])
def test_what_is_no_rate_is_an_error_that_names_it(expression: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expression)):
        seconds_between(expression)


def test_every_schedule_of_the_app_is_run_and_metrics_are_told_to_nobody_meanwhile() -> None:
    app = Chalice("toy", configure_logs=False)
    called: dict[str, threading.Event] = {"often": threading.Event(), "daily": threading.Event()}

    @app.schedule("rate(1 minute)", name="often")
    def often(event: CloudWatchEvent) -> None:
        called["often"].set()
        assert event.resources == ["arn:aws:events:us-east-1:123456789012:rule/often"]

    @app.schedule("rate(1 day)", name="daily")
    def daily(event: CloudWatchEvent) -> None:
        assert event.source == "aws.events"
        called["daily"].set()

    with scheduled(app):
        assert all(one.wait(WAIT_SECONDS) for one in called.values())
        assert logging.getLogger(LOGGER).disabled
    assert not logging.getLogger(LOGGER).disabled
    assert not {thread.name for thread in threading.enumerate()} & called.keys()


def test_the_rates_of_the_service_are_understood() -> None:
    rates = [
        source.schedule_expression for source in gatebook.event_sources if isinstance(source, ScheduledEventConfig)
    ]
    assert rates
    assert all(seconds_between(rate) > 0 for rate in rates)
