"""Pauses between attempts at a row that others are changing too."""

from __future__ import annotations

import random
import time

FIRST_PAUSE_SECONDS = 0.01


def back_off(attempt: int) -> None:
    """Sleep a random time, twice as long at most after each attempt: of two writers, one then comes first."""
    time.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt))  # noqa: S311 - jitter, not a secret
