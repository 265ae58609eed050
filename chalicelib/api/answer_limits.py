"""Bounds of an answer: its bytes, its rows, and how long a request may read before it answers."""

from __future__ import annotations

import time

from chalicelib.api.http import Call
from chalicelib.settings import current
from chalicelib.store.dynamodb.budget import Budget

LARGEST_ANSWER = 5_000_000
"""Bytes of an answer's rows: Lambda takes six million, headers and escapes of the whole included."""
MOST_ROWS = 5_000
"""Rows of one answer, whatever the limit that the client asks for."""
ANSWERING_SECONDS = 13.0
"""Seconds kept back, of the time there is, for the call of the store that is under way and for the answer."""


def reading_budget(call: Call) -> Budget:
    """Rows and time that a request may read for."""
    return Budget(current().max_rows_read, time.monotonic() + call.remaining_seconds - ANSWERING_SECONDS)
