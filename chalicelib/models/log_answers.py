"""The answers of the lists and summaries of the logs."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from chalicelib.models.audit_logs import AuditLogJSON
from chalicelib.models.connection_logs import ConnectionLogJSON


class PlanJSON(TypedDict):
    """The plan of a read: the lane, the keys in it, and the fields that were checked row by row."""

    lane: str
    keys: list[str]
    why: str
    residual: dict[str, list[str]]
    conditions: list[str]


class CostJSON(TypedDict):
    """The cost of a read: rows, calls of the store, and its units, estimated from the sizes of items."""

    rows_read: int
    calls: int
    read_units: float


class ExplanationJSON(PlanJSON, CostJSON):
    """The plan of the newest rows, the plans of older ones, and what it all took."""

    older: NotRequired[list[PlanJSON]]


class LogPageJSON(TypedDict):
    """The fields beside the rows of a page.

    `count` is exact up to `count_cap`, and at least so many with `count_partial`. `next_cursor` is there where there
    are more rows; `partial` and `scanned_to` where the page has fewer rows than were asked for. In the order
    of arrival there is `settled_to`: what came before that moment is all on pages up to here.
    """

    count: NotRequired[int]
    count_cap: NotRequired[int]
    count_partial: NotRequired[bool]
    next_cursor: NotRequired[str]
    partial: NotRequired[bool]
    scanned_to: NotRequired[str]
    settled_to: NotRequired[str]
    explain: NotRequired[ExplanationJSON]


class ConnectionLogsJSON(LogPageJSON):
    """A page of the connection log, newest first."""

    connection_logs: list[ConnectionLogJSON]


class AuditLogsJSON(LogPageJSON):
    """A page of the audit log, newest first."""

    audit_logs: list[AuditLogJSON]


SpanJSON = TypedDict("SpanJSON", {"from": str, "to": str})
"""A first moment, and the first one after the end; `from` is no name that a class could give a field."""


class BucketJSON(SpanJSON):
    """How many rows a span of time has: `partial` where there are more, `values` where all of them were read."""

    count: int
    partial: NotRequired[bool]
    values: NotRequired[dict[str, int]]


class ValueCountJSON(TypedDict):
    """How many rows have a value: `partial` where there are more; `name` is that of a user or an organization."""

    value: str
    count: int
    partial: NotRequired[bool]
    name: NotRequired[str]


class SummaryJSON(SpanJSON):
    """Counts of the rows of a query, by time and by value; `approximate` where not every row was counted."""

    buckets: list[BucketJSON]
    facets: dict[str, list[ValueCountJSON]]
    approximate: bool
    partial: bool
    explain: NotRequired[CostJSON]
