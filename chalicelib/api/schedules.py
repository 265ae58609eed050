"""The work of the scheduled functions, which no request does."""

from __future__ import annotations

from typing import Any

from chalicelib import times
from chalicelib.dispatch import usage
from chalicelib.dispatch.sweep import sweep

_ENDING_SECONDS = 30.0
"""Kept back, of the time that a scheduled run has, for the attempt under way."""


def dispatch(context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own, or what stands in for it
    """Send the waiting notifications and usage events, for as long as the function may run."""
    ended = sweep(context.get_remaining_time_in_millis() / 1_000 - _ENDING_SECONDS)
    return {"ended": ended, "usage_events": usage.run(times.now())}
