"""Retention on the wire: runs that are asked for, and holds."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from chalicelib.models.base import Model

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
