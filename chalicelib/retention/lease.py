"""The lease of a run: proof, before each round of deletes, that this run alone deletes and knows every hold.

A lease lasts a minute and a round may begin its calls for less than half of that, so that the last of them has been
answered, or given up, before another run may take the lease over.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.retention.holds import Hold, read
from chalicelib.store.dynamodb.patience import patiently
from chalicelib.store.retention import state as retention_state
from chalicelib.store.retention.state import LeaseLost, State

LEASE = timedelta(seconds=60)
ROUND_SECONDS = 20.0
"""The time after a renewal in which stamps may begin. A call takes about 20 seconds at the worst, with its retries."""

LAST_ROUND_SECONDS = 3.0
"""The time beyond its own for which a run may go on with a round that it has begun."""

__all__ = ["LEASE", "Lease", "LeaseLost"]


class Lease:
    """A lease that was taken.

    Attributes:
        holds: those that the run goes by.
        delete_by: on the clock of `time.monotonic`; no delete begins after it.
    """

    def __init__(self, holder: str, before: State) -> None:
        self.holds: list[Hold] = read(before.holds)
        self.delete_by = 0.0
        self._holder = holder
        self._version = before.version

    def renew(self, run: Mapping[str, Any], floors: Mapping[str, datetime], *, give_up_at: float) -> bool:
        """Keep the lease, and acknowledge the holds that the run goes by.

        Args:
            run: the record of the run so far.
            floors: of each data set, with what the run is about to purge.
            give_up_at: on the clock of `time.monotonic`.

        Returns:
            False where there are other holds now: the run must look at its rows again, and renew again.

        Raises:
            LeaseLost: another run has taken it over.
            Unavailable: the store did not answer.
        """
        began = 0.0

        def renewed() -> State | None:
            # An attempt may come minutes after the first: what it renews, and for how long, counts from itself.
            nonlocal began
            began = time.monotonic()
            return retention_state.renew(self._holder, self._version, end_of_lease(times.now()), run, floors)

        newer = patiently(renewed, give_up_at=give_up_at)
        if newer is not None:
            self.holds, self._version = read(newer.holds), newer.version
            return False
        self.delete_by = min(began + ROUND_SECONDS, give_up_at + LAST_ROUND_SECONDS)
        return True


def end_of_lease(now: datetime) -> datetime:
    """When a lease is over that is taken or renewed now."""
    return now + LEASE
