"""When the calls of a request must be over: no call begins that may not be answered by then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.connections import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS

LONGEST_ATTEMPT_SECONDS = float(CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS)
"""How long one attempt of a call may take that is not answered."""

_deadline: ContextVar[float] = ContextVar("deadline", default=inf)


class TimeUp(Unavailable):
    """A call was not begun, because it might be answered after the deadline. Nothing has happened."""


@contextmanager
def ends_by(moment: float) -> Iterator[None]:
    """Set the deadline of every call of this context; an earlier deadline that is set already stays.

    Args:
        moment: on the clock of `time.monotonic`.
    """
    token = _deadline.set(min(moment, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(token)


def allows(seconds: float) -> bool:
    """Whether what takes so many seconds is over by the deadline."""
    return time.monotonic() + seconds <= _deadline.get()
