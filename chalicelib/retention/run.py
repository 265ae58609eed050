"""One run of the purge under way: what it goes by, what it has done, and the record that is left of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from chalicelib import times
from chalicelib.records import DATA_SETS
from chalicelib.retention.holds import Hold, keeping_by
from chalicelib.retention.keeping import Keeping
from chalicelib.retention.lease import Lease
from chalicelib.retention.policy import CutOffs, Policy


@dataclass(slots=True)
class Run:
    """A run.

    Attributes:
        cut_offs: of the moment at which it was begun, to its end.
        give_up_at: on the clock of `time.monotonic`; no round begins after it.
        lease: None for a dry run, which deletes nothing.
        holds: those that a dry run goes by.
        purged: data set -> how many rows were deleted, or would be.
        behind: data set -> the moment of the oldest row that is left, where time was up before its end.
        waited: the data sets that there was no time for.
        errors: what went wrong, a sentence each.
    """

    rules: Policy
    cut_offs: CutOffs
    started_at: datetime
    give_up_at: float
    dry_run: bool = False
    lease: Lease | None = None
    holds: Sequence[Hold] = ()
    id: str = field(default_factory=lambda: str(uuid4()))
    purged: Counter[str] = field(default_factory=Counter)
    behind: dict[str, datetime] = field(default_factory=dict)
    waited: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def in_time(self) -> bool:
        """Whether there is time for another round."""
        return time.monotonic() < self.give_up_at

    def keeping(self, log: str) -> Keeping:
        """What the run keeps of a log, by the holds that it knows now."""
        return keeping_by(self.rules, self.cut_offs, self.lease.holds if self.lease else self.holds, log)

    def may_delete(self) -> bool:
        """Renew the lease; False where there are holds that the run did not know of, and rows must be looked at again.

        Raises:
            LeaseLost: another run has taken the lease over.
            Unavailable: the store did not answer.
        """
        return self.lease is None or self.lease.renew(self.record(None), give_up_at=self.give_up_at)

    @property
    def delete_by(self) -> float:
        """On the clock of `time.monotonic`; no delete begins after it."""
        return self.lease.delete_by if self.lease else 0.0

    def record(self, finished_at: datetime | None) -> dict[str, Any]:
        """The run as it is kept and shown; `finished_at` is null while it is under way."""
        made: dict[str, Any] = {
            "id": self.id,
            "started_at": times.wire(self.started_at),
            "finished_at": times.wire(finished_at) if finished_at else None,
            "dry_run": self.dry_run,
            "cutoffs": cut_offs_json(self.cut_offs),
            "purged": {name: self.purged[name] for name in DATA_SETS},
            "remaining": bool(self.behind),
        }
        return made | ({"error": " ".join(self.errors)} if self.errors else {})


def cut_offs_json(cut_offs: CutOffs) -> Mapping[str, str | None]:
    """Cut-offs as they are shown: data set -> a moment, or null where everything is kept."""
    return {name: times.wire(moment) if moment else None for name, moment in cut_offs.items()}
