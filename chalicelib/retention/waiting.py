"""How much is past its time and still there: counted by keys, at most two thousand rows of a data set."""

from __future__ import annotations

from chalicelib.records import API_KEYS
from chalicelib.retention.log_purge import past_plan
from chalicelib.retention.policy import CutOffs
from chalicelib.retention.purge import LOG_OF
from chalicelib.store.directory import expired_keys
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.count import count_rows

CAP = 2_000


def count(cut_offs: CutOffs) -> dict[str, int]:
    """Data set -> rows, those that are held among them; one more than `CAP` means more."""
    most = CAP + 1
    counts: dict[str, int] = {}
    for name, cut_off in cut_offs.items():
        if cut_off is None:
            counts[name] = 0
        elif name == API_KEYS:
            counts[name] = expired_keys.count_expired(cut_off, most)
        else:
            log = LOG_OF[name]
            counts[name] = count_rows(log, [past_plan(log, name, cut_off)], Budget(), most).number
    return counts
