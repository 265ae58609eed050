"""How much a caller may do in a minute: failed authentication by address, and requests that bring events by token.

Each is a setting, and 0 switches it off, which costs nothing. A process takes a tenth of the minute at once, and so
knows without a call who has used theirs up. Where the store does not answer, nobody is limited: a limit is no reason to
refuse what could be done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib import times
from chalicelib.errors import TooManyRequests, Unavailable
from chalicelib.settings import current
from chalicelib.store.directory import slices

_SECONDS = 60
_SLICES = 10
MOST_CALLERS = 10_000
"""That a process remembers: more than a minute can bring of those who are not all new."""

_log = logging.getLogger(__name__)


class Limit(NamedTuple):
    """The requests that are limited.

    Attributes:
        name: of the limit.
        most: reads the setting: how many in a minute.
        message: of the error.
    """

    name: str
    most: Callable[[], int]
    message: str


FAILURES = Limit(
    "failures",
    lambda: current().failures_per_minute,
    "Too many requests from your address had a token that opens nothing.",
)
INGEST = Limit(
    "ingest", lambda: current().ingest_requests_per_minute, "Too many requests with events came with your token."
)


@dataclass(slots=True)
class _Held:
    """The minute of one caller in this process; `is_spent` where no more requests are left in it."""

    window: int
    left: int = 0
    is_spent: bool = False


_held: dict[tuple[str, str], _Held] = {}


def count(limit: Limit, caller: str) -> None:
    """Count one request of a caller.

    Raises:
        TooManyRequests: they have used up their minute.
    """
    most = limit.most()
    if not most:
        return
    seconds = int(times.now().timestamp())
    window = seconds // _SECONDS
    held = _held_by((limit.name, caller), window)
    if not held.left and not held.is_spent:
        size = max(1, most // _SLICES)
        try:
            held.is_spent = not slices.take(
                f"{limit.name}#{caller}", window, size=size, most=most, ends_at=(window + 1) * _SECONDS
            )
        except Unavailable:
            _log.warning("A limit could not be counted")
            return
        held.left = 0 if held.is_spent else size
    if held.is_spent:
        raise TooManyRequests(limit.message, retry_after_seconds=_SECONDS - seconds % _SECONDS)
    held.left -= 1


def _held_by(caller: tuple[str, str], window: int) -> _Held:
    held = _held.get(caller)
    if held is None or held.window != window:
        if len(_held) >= MOST_CALLERS:
            _held.clear()
        held = _held[caller] = _Held(window)
    return held
