"""Retention on the wire: runs that are asked for, and holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.models.base import Model
from chalicelib.records import API_KEYS, AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, CONNECTION_LOGS

_MAX_QUERY = 2_000
_MAX_REASON = 1_000


class StartRun(Model):
    """The body of `POST /retention/runs`."""

    dry_run: Annotated[bool, Field(strict=True)] = False


class PutHold(Model):
    """The body of `PUT /retention/holds/{name}`; an empty `q` holds every row of the log."""

    log: Literal["connection", "audit"]
    q: Annotated[str, Field(max_length=_MAX_QUERY)]
    reason: Annotated[str, Field(min_length=1, max_length=_MAX_REASON)]


class CutOffsJSON(TypedDict):
    """The earliest moment that is kept of each data set; null where everything is."""

    api_keys: str | None
    audit_connection_events: str | None
    connection_logs: str | None
    audit_logs: str | None


class DataSetCountsJSON(TypedDict):
    """How many rows of each data set."""

    api_keys: int
    audit_connection_events: int
    connection_logs: int
    audit_logs: int


class PolicyJSON(DataSetCountsJSON):
    """How long each data set is kept, in nanoseconds; zero or less keeps for ever."""

    keep_ongoing: bool


class RunJSON(TypedDict):
    """A run of the purge; `finished_at` is null while it is under way, and `error` is there where one happened.

    `lag_seconds` is how far the oldest row that is left, and not held, is behind its cut-off; older records lack it.
    """

    id: str
    started_at: str
    finished_at: str | None
    dry_run: bool
    cutoffs: CutOffsJSON
    purged: DataSetCountsJSON
    remaining: bool
    lag_seconds: NotRequired[int]
    error: NotRequired[str]


class RetentionJSON(TypedDict):
    """The policy, what it means at this moment, and what it has done lately."""

    policy: PolicyJSON
    cutoffs: CutOffsJSON
    waiting: DataSetCountsJSON
    held: DataSetCountsJSON
    waiting_cap: int
    running: RunJSON | None
    runs: list[RunJSON]


class HoldJSON(TypedDict):
    """A hold as clients read it; `matches` and `conditions` are its filter with all names resolved."""

    name: str
    log: str
    q: str
    reason: str
    created_by: str
    created_at: str
    matches: dict[str, list[str]]
    conditions: list[str]


class HoldsJSON(TypedDict):
    """Every hold, by name."""

    holds: list[HoldJSON]


def cut_offs_json(cut_offs: Mapping[str, datetime | None]) -> CutOffsJSON:
    """Cut-offs as JSON: data set -> a moment, or null where everything is kept."""
    texts = {name: times.wire(moment) if moment else None for name, moment in cut_offs.items()}
    return {
        "api_keys": texts[API_KEYS],
        "audit_connection_events": texts[AUDIT_CONNECTION_EVENTS],
        "connection_logs": texts[CONNECTION_LOGS],
        "audit_logs": texts[AUDIT_LOGS],
    }


def counts_json(counts: Mapping[str, int]) -> DataSetCountsJSON:
    """A number of each data set as JSON; none where it is not named."""
    return {
        "api_keys": counts.get(API_KEYS, 0),
        "audit_connection_events": counts.get(AUDIT_CONNECTION_EVENTS, 0),
        "connection_logs": counts.get(CONNECTION_LOGS, 0),
        "audit_logs": counts.get(AUDIT_LOGS, 0),
    }
