"""Calls that are made again while the store is throttled, for work that has minutes rather than a client's seconds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.deadline import TimeUp, allows

T = TypeVar("T")

FAILURES = (Unavailable, ClientError)
"""The errors of a call that could not be answered, or was refused for good."""

FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 5.0


def patiently(send: Callable[[], T], *, give_up_at: float) -> T:
    """The answer of `send`, repeated until the store gives one.

    Args:
        send: may be called again: it does the same, however often.
        give_up_at: on the clock of `time.monotonic`; no attempt but the first begins after it.

    Raises:
        Unavailable: the last refusal, when there was no time for another attempt.
        TimeUp: the deadline of the calls allows none.
    """
    attempt = 0
    while True:
        try:
            return send()
        except TimeUp:
            raise
        except Unavailable:
            if not pause(attempt, give_up_at=give_up_at):
                raise
        attempt += 1


def pause(attempt: int, *, give_up_at: float) -> bool:
    """Sleep before the next attempt, longer each time and never as long as others do; False when it is too late."""
    longest = min(_LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10))
    seconds = random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
    if time.monotonic() + seconds >= give_up_at or not allows(seconds):
        return False
    time.sleep(seconds)
    return True
