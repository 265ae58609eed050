"""One run of the purge: what it goes by, what it has done so far, and the record that it leaves.

Every run does the same steps: it begins, and then, for each page of rows, it makes sure that it knows all holds and
removes what none of them keeps; at last it ends. A `LeasedRun` does these steps; a `DryRun` only counts.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from chalicelib import times
from chalicelib.models.retention import RunJSON, counts_json, cut_offs_json
from chalicelib.retention.holds import Hold, keeping_by
from chalicelib.retention.keeping import Keeping
from chalicelib.retention.policy import CutOffs, Policy, raised
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.tables import LogTable, Row
from chalicelib.store.retention.state import State


class Trail(Protocol):
    """Gives the writes of the trail of a run."""

    def __call__(self, record: Mapping[str, Any], *, own: bool) -> Sequence[Write]:
        """The writes; `own` is False for the record of another run, whose process died."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """The conditions of a run from its start to its end.

    Attributes:
        rules: the policy.
        cut_offs: those of the moment at which the run started.
        started_at: that moment.
        give_up_at: on the clock of `time.monotonic`; no page is read after it.
        run_id: a UUID.
    """

    rules: Policy
    cut_offs: CutOffs
    started_at: datetime
    give_up_at: float
    run_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(slots=True)
class Progress:
    """The progress of a run.

    Attributes:
        purged: data set -> how many rows it has stamped or removed, or would have.
        oldest_left: data set -> the moment of the oldest row that is past its time and still there.
        waiting: the data sets that it had no time for.
        errors: what went wrong, a sentence each.
        floors: data set -> the moment before which rows were purged, or are about to be, by this run or another.
    """

    purged: Counter[str] = field(default_factory=Counter)
    oldest_left: dict[str, datetime] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    floors: dict[str, datetime] = field(default_factory=dict)


class Run(ABC):
    """A run of the purge.

    Args:
        mandate: what it goes by.
    """

    dry: bool

    def __init__(self, mandate: Mandate) -> None:
        self.mandate = mandate
        self.progress = Progress()

    @property
    @abstractmethod
    def holds(self) -> Sequence[Hold]:
        """The holds that the run knows."""

    @abstractmethod
    def begin(self) -> State | None:
        """Begin the run, and return the state of retention; None when another run is under way."""

    def go_by(self, known: State) -> None:
        """Keep no more than was kept before, whatever the policy says: what was purged stays purged."""
        self.progress.floors = dict(known.floors)
        self.mandate = replace(self.mandate, cut_offs=raised(self.mandate.cut_offs, known.floors))

    def raise_floor(self, data_set: str, moment: datetime) -> None:
        """Note that rows of a data set before a moment were purged, or are about to be."""
        self.progress.floors[data_set] = max(moment, self.progress.floors.get(data_set, moment))

    def renew_until_holds_current(self) -> None:
        """Make sure that the run may remove something now and knows every hold.

        Raises:
            LeaseLost: another run has taken the lease over.
            Unavailable: the store did not answer.
        """
        while not self.renew():
            continue

    @abstractmethod
    def renew(self) -> bool:
        """Make sure that the run may remove rows now; False where it knows more holds than before, and may not yet.

        Raises:
            LeaseLost: another run has taken the lease over.
            Unavailable: the store did not answer.
        """

    @abstractmethod
    def remove_rows(self, log: LogTable[Row], rows: Sequence[Row], data_set: str) -> bool:
        """Remove rows and count them; False when there was no time for all of them."""

    @abstractmethod
    def remove_keys(self, ids: Sequence[str]) -> bool:
        """Remove expired tokens and count them; False when there was no time to begin."""

    @abstractmethod
    def end(self, finished_at: datetime, remembered: Mapping[str, Any]) -> RunJSON:
        """Store the record of the run with its trail, and return the record.

        Args:
            finished_at: now.
            remembered: what the next run needs to know.

        Raises:
            Unavailable: the store did not answer.
        """

    def in_time(self) -> bool:
        """Whether there is time for another page."""
        return time.monotonic() < self.mandate.give_up_at

    def keeping(self, log: str) -> Keeping:
        """The rows of a log that are kept, by the holds that the run knows now."""
        return keeping_by(self.mandate.rules, self.mandate.cut_offs, self.holds, log)

    def record(self, finished_at: datetime | None) -> RunJSON:
        """The run as JSON; `finished_at` is null while it is under way."""
        made: RunJSON = {
            "id": self.mandate.run_id,
            "started_at": times.wire(self.mandate.started_at),
            "finished_at": times.wire(finished_at) if finished_at else None,
            "dry_run": self.dry,
            "cutoffs": cut_offs_json(self.mandate.cut_offs),
            "purged": counts_json(self.progress.purged),
            "remaining": bool(self.progress.oldest_left),
            "lag_seconds": int(lag(self.mandate, self.progress).total_seconds()),
        }
        if self.progress.errors:
            made["error"] = " ".join(self.progress.errors)
        return made


def lag(mandate: Mandate, progress: Progress) -> timedelta:
    """How far the oldest row that is left, and not held, is behind its cut-off."""
    behind = (cut_off - oldest for name, oldest in progress.oldest_left.items() if (cut_off := mandate.cut_offs[name]))
    return max(behind, default=timedelta(0))
