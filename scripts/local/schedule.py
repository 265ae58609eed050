"""What stands in for EventBridge on a laptop: a scheduled function, called at the start and every ten minutes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

EVERY_SECONDS = 600.0
FUNCTION_SECONDS = 900.0
"""How long Lambda lets a function run."""

_ENDING_SECONDS = 1.0
_METRICS = "gatebook.metrics"

_log = logging.getLogger(__name__)


class Context:
    """What Lambda tells a function of itself: how long it may still run, which is no longer than until the end."""

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended
        self._end = time.monotonic() + FUNCTION_SECONDS

    def get_remaining_time_in_millis(self) -> float:
        """Nothing once the service is to end."""
        return 0.0 if self._ended.is_set() else (self._end - time.monotonic()) * 1_000


class Schedule:
    """Calls a function in the background, from the beginning of a `with` to its end.

    Metrics are not printed meanwhile: CloudWatch does not listen here.

    Args:
        function: takes an event and a context, as Lambda calls it.
        every: seconds from the end of one call to the beginning of the next.
    """

    def __init__(self, function: Callable[[dict[str, Any], Context], object], every: float = EVERY_SECONDS) -> None:
        self._function = function
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)

    def __enter__(self) -> Self:
        logging.getLogger(_METRICS).disabled = True
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # One that is under way has no more time by now; it ends with the process if it does not end by itself.
        self._ended.set()
        self._thread.join(_ENDING_SECONDS)
        logging.getLogger(_METRICS).disabled = False

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._function(_event(), Context(self._ended))
            except Exception:  # noqa: BLE001 - the service goes on, as it does when Lambda's function fails
                _log.exception("A scheduled function failed")
            self._ended.wait(self._every)


def _event() -> dict[str, Any]:
    return {
        "version": "0",
        "account": "local",
        "region": "local",
        "detail": {},
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "id": str(uuid4()),
        "resources": [],
    }
