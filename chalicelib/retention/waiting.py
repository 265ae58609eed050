"""Counts the rows that are past their cut-off and still there, and those that a hold keeps; at most 2,000 of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from chalicelib.records import API_KEYS, DATA_SETS
from chalicelib.retention.holds import Hold, keeping_by
from chalicelib.retention.log_purge import past_plan
from chalicelib.retention.policy import CutOffs, Policy
from chalicelib.retention.purge import LOG_OF
from chalicelib.store.directory import expired_keys
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.count import count_rows

CAP = 2_000
_MOST_ROWS_READ = 10_000
"""To learn which rows are held they are read, not counted alone."""


class Waiting(NamedTuple):
    """Rows that are past their time: those that the next run deletes, and those that are held; CAP + 1 means more."""

    waiting: int = 0
    held: int = 0


def count(rules: Policy, cut_offs: CutOffs, holds: Iterable[Hold]) -> dict[str, Waiting]:
    """Data set -> rows."""
    holds = tuple(holds)
    return {name: _count(name, rules, cut_offs, holds) for name in DATA_SETS}


def _count(name: str, rules: Policy, cut_offs: CutOffs, holds: tuple[Hold, ...]) -> Waiting:
    most = CAP + 1
    cut_off = cut_offs[name]
    if cut_off is None:
        return Waiting()
    if name == API_KEYS:
        return Waiting(expired_keys.count_ended(cut_off, most))
    log = LOG_OF[name]
    past = past_plan(log, name, cut_off)
    number = count_rows(log, [past], Budget(), most).number
    held_by = keeping_by(rules, cut_offs, holds, log.name).holds
    if not number or not held_by:
        return Waiting(number)
    held = count_rows(log, [replace(past, any_of=held_by)], Budget(_MOST_ROWS_READ), most).number
    return Waiting(number - held if number <= CAP else most, held)
