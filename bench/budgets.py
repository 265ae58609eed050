"""Every budget of the design, once. `scripts/bench` prints them, and the tests hold them."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.deployment import coldstart
from scripts.deployment.package import MAX_ZIP_BYTES


@dataclass(frozen=True, slots=True)
class Budget:
    """The most of something.

    Attributes:
        what: what is measured.
        most: how much of it there may be.
        unit: what it is counted in.
        timed: it is a ratio of times, which varies from run to run: missed only where it is over by `NOISE`.
        floor: the least that the design can do, where that is more than the budget; missed only where it is over that.
    """

    what: str
    most: float
    unit: str = ""
    timed: bool = False
    floor: float = 0.0

    def kept(self, value: float) -> bool:
        """Whether a value is within the budget."""
        return value <= self.most * (NOISE if self.timed else 1)

    def missed(self, value: float) -> bool:
        """Whether a value is over the budget and over what there is no way around."""
        return not self.kept(value) and value > self.floor


NOISE = 1.15
"""Times are the best of many rounds, interleaved, in one process; what they still vary by from run to run."""

SESSION_WRITE_UNITS = Budget("write units, session connect + disconnect together", 11, "WRU")
"""A lane for every filter: the row twice, six lanes that a session stays in, one that it enters and leaves (open
sessions by type), and one that it enters when it ends."""
WEB_WRITE_UNITS = Budget("write units, web event", 7, "WRU")
AUDIT_WRITE_UNITS = Budget("write units, audit event with a 10-field diff", 10, "WRU")
PURGE_WRITE_UNITS = Budget("write units, purge of a row: web event, closed session, audit row", 2, "WRU")
PURGE_EVENT_WRITE_UNITS = Budget("write units, purge of a connection event of the audit log", 3, "WRU")
"""It is in both of the lanes that the purge finds rows by."""
BULK_CALLS = Budget("calls, one request of 5,000 web events", 220, "calls")
BULK_SECONDS = Budget("time, one request of 5,000 web events at 5 ms a call", 1.0, "s", timed=True)
BULK_CPU = Budget("CPU of an event of a large request, against rows that are written one by one", 0.5, "x", timed=True)
ROWS_PER_ROW = Budget("rows read per row returned, one filter", 1.1)
ROWS_PER_ROW_OF_PRESET = Budget("rows read per row returned, presets of the UI", 1.5)
CONNECTION_PAGE_READ_UNITS = Budget("read units, page of 100, connection, the count left out", 65, "RRU")
AUDIT_PAGE_READ_UNITS = Budget("read units, page of 100, audit, the count left out", 15, "RRU")
GROWTH_OF_ROWS = Budget("page of 100 at the largest size against 1,000 rows: rows read", 1.0, "x")
GROWTH_OF_CALLS = Budget("page of 100 at the largest size against 1,000 rows: calls", 1.0, "x")
CURSOR_GROWTH = Budget("cursor, page 1,000 against page 1: rows read, calls and read units", 1.0, "x")
PAGE_CALLS = Budget("calls per page beside the token check, the count left out", 4)
OPEN_PAGE_CALLS = Budget("calls per page of open sessions, whose types are read side by side, the count left out", 16)
COUNTED_OPEN_PAGE_CALLS = Budget("calls per page of open sessions, its count included", 20)
COUNTED_PAGE_CALLS = Budget("calls per page beside the token check, its count included, as a page is by default", 4)
PAGE_ROUND_TRIPS = Budget("round trips of a page, its count and the token check included", 4)
ROWS_PER_ROW_OF_SHARDS = Budget("rows read per row returned, one filter, 16 shards", 1.2)
ROWS_PER_ROW_OF_AUDITOR = Budget("rows read per row returned, auditor of all of 50 organizations", 3)
AUDITOR_CALLS = Budget("calls, auditor of all of 50 organizations, count and token check included", 60)
AUDITOR_ROUND_TRIPS = Budget("round trips, auditor of all of 50 organizations, count and token check included", 6)
ROWS_OF_SEVERAL_ORGANIZATIONS = Budget(
    "auditor of some of 50 organizations: rows read, against the better of their own lanes merged and the broad lane",
    1.35,
    "x",
)
DIRECTORY_ROWS_PER_ROW = Budget("directory: one filter, rows read per row returned", 1.1)
DIRECTORY_ROWS_OF_A_PART = Budget(
    "directory: one filter, rows read by who may read a part, against all that it finds or all that they may", 1.1
)
DIRECTORY_ROWS_BESIDE_A_ROW = Budget("directory: rows read beside a row for what the answer says of it", 5)
"""A workspace has its template, version, build, job and agent."""
HEARTBEAT_WRITE_UNITS = Budget("write units, heartbeat of a daemon", 5, "WRU")
MIRROR_WRITE_UNITS = Budget("write units, one object mirrored in, the rows of its names left out, the most", 26, "WRU")
LETTER_WRITE_UNITS = Budget("write units, a letter of a new name by whose parts an object is found", 3, "WRU")
MIRROR_CALLS = Budget("calls, one object mirrored in, the token check left out", 11, "calls")
TOKEN_CALLS = Budget("calls per token check", 2)
PAGE_CPU = Budget("CPU, page of 100 through the handler against the bare query", 2.0, "x", timed=True)
"""Of a page that merges keys: against the bare queries of its keys."""
PAGE_CPU_WITH_HTTP = Budget("page CPU with HTTP in it, against the same calls made bare", 1.3, "x", timed=True)
IMPORT_TIME = Budget(
    "import of app.py against bare chalice, botocore client and pydantic", coldstart.BUDGETS["import"], "x", timed=True
)
COLD_START = Budget(
    "cold start to the first answer against a minimal app of the same libraries",
    coldstart.BUDGETS["start"],
    "x",
    timed=True,
)
COLD_PAGE = Budget(
    "cold start to the first page of the connection log, with its token, against the same minimal app",
    coldstart.BUDGETS["page"],
    "x",
    timed=True,
)
MEGABYTE = 1_024 * 1_024
PACKAGE_MEGABYTES = Budget("deployment package, zipped", MAX_ZIP_BYTES / MEGABYTE, "MB")
ALL_LANES_DOLLARS = Budget("all-in, 100 events a request, per million events, all lanes", 5.00, "$")
MONTH_DOLLARS = Budget(
    "a month at 100 events a second, everything, on demand, in the better table class", 2_100, "$", floor=2_105
)
"""The floor: writing takes a unit for the row and each lane, the purge two, and each lane stores its rows. A hundred
thousand pages a month are three dollars of it."""
PROVISIONED_MONTH_DOLLARS = Budget(
    "a month at 100 events a second, everything, provisioned, in the better table class", 1_250, "$"
)
LEAN_DOLLARS = Budget("all-in, 100 events a request, per million events, lean", 2.60, "$")
