"""Calls the functions that the app declares with a schedule, in place of EventBridge on a laptop."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

from chalice.app import Chalice, ScheduledEventConfig, ScheduleExpression

from chalicelib.embedded_metrics import LOGGER
from chalicelib.errors import GatebookError
from scripts.gateway.events import schedule_event

FUNCTION_SECONDS = 900.0
"""How long Lambda lets a function run."""

_ENDING_SECONDS = 1.0
_UNIT_SECONDS = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}

_log = logging.getLogger(__name__)


def seconds_between(expression: str | ScheduleExpression) -> float:
    """The time from one call to the next by a `rate(...)`, as EventBridge writes it: `rate(10 minutes)` is 600.

    Raises:
        ValueError: it is no rate.
    """
    text = expression if isinstance(expression, str) else expression.to_string()
    match = re.fullmatch(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)", text)
    if match is None:
        raise ValueError(f"{text} is not a rate, such as rate(10 minutes)")
    return int(match[1]) * _UNIT_SECONDS[match[2]]


@contextmanager
def scheduled(app: Chalice) -> Iterator[None]:
    """Call what an app has put on a schedule meanwhile, each at the beginning and then at its rate.

    Metrics are not printed meanwhile: CloudWatch does not listen here.
    """
    with ExitStack() as stack:
        stack.enter_context(_no_metrics())
        for source in app.event_sources:
            if isinstance(source, ScheduledEventConfig):
                every = seconds_between(source.schedule_expression)
                stack.enter_context(Schedule(app.handler_map[source.name], every, source.name))
        yield


@contextmanager
def _no_metrics() -> Iterator[None]:
    logger = logging.getLogger(LOGGER)
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


class Context:
    """The context of a function on Lambda: its name, and the time for which it may still run, at most until the end."""

    def __init__(self, ended: threading.Event, name: str) -> None:
        self.function_name = name
        self._ended = ended
        self._end = time.monotonic() + FUNCTION_SECONDS

    def get_remaining_time_in_millis(self) -> float:
        """Nothing once the service is to end."""
        return 0.0 if self._ended.is_set() else (self._end - time.monotonic()) * 1_000


class Schedule:
    """Calls a function in the background, from the beginning of a `with` to its end.

    Args:
        function: takes an event and a context, as Lambda calls it.
        every: seconds from the end of one call to the beginning of the next.
        name: of the schedule.
    """

    def __init__(
        self, function: Callable[[dict[str, Any], Context], object], every: float, name: str = "schedule"
    ) -> None:
        self._function = function
        self._every = every
        self._name = name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # One that is under way has no more time by now; it ends with the process if it does not end by itself.
        self._ended.set()
        self._thread.join(_ENDING_SECONDS)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._function(schedule_event(self._name), Context(self._ended, self._name))
            except GatebookError as error:
                _log.warning("The scheduled function %s failed: %s %s", self._name, error.message, error.detail)
            except Exception:  # noqa: BLE001 - the service goes on, as it does when Lambda's function fails
                _log.exception("The scheduled function %s failed", self._name)
            self._ended.wait(self._every)
