"""The cost of pages of two filters, of which no lane answers both; and of a match that is rare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench import events
from bench.measures import gate, pages
from bench.measures.pages import PAGE, Cost
from bench.queries import AUDIT, CONNECTION, LOGS, Log
from bench.results import Result, Table
from bench.service import Service

PAIRS: Mapping[str, Sequence[str]] = {
    CONNECTION.name: (
        "organization:org-1 type:ssh",
        "organization:org-1 type:workspace_app",
        "organization:org-1 status:ongoing",
        "organization:org-1 status:completed",
        "organization:org-1 workspace_owner:person-1",
        "type:ssh status:completed",
        "type:workspace_app username:person-1",
        f"type:ssh workspace_id:{events.made_id('workspace', 1)}",
        "workspace_owner:person-1 status:ongoing",
        "organization:org-1 username:person-1",
    ),
    AUDIT.name: (
        "organization:org-1 resource_type:template",
        "organization:org-1 action:create",
        "organization:org-1 username:person-1",
        "username:person-1 action:create",
        "username:person-1 resource_type:workspace",
        "resource_target:template-1 action:write",
        "build_reason:initiator action:start",
        "organization:org-1 build_reason:initiator",
    ),
}
"""Log -> queries of two filters."""

RARE: Mapping[str, str] = {
    CONNECTION.name: "organization:org-1 agent:no-such-agent",
    AUDIT.name: "organization:org-1 ip:198.51.100.0/24",
}
"""Log -> a query that no row matches, and that no lane tells so."""


def measure(service: Service) -> Iterator[Result | Table]:
    """Pages of pairs of filters of both logs, on the tables as they are."""
    for log in LOGS:
        costs = [cost(service, log, query) for query in (*PAIRS[log.name], RARE[log.name])]
        yield Table(
            f"pairs {log.name}",
            f"Pages of {PAGE} of two filters, {log.name} log; the count left out of the rows, and counted in the rest",
            ("q", "returned", "rows read", "read per row", "calls", "round trips, token check included"),
            [[one.query, one.returned, one.rows, one.per_row, one.calls + one.count_calls, one.trips] for one in costs],
        )
        *pairs, rare = costs
        section = f"Page of two filters, {log.name} log"
        full = [one for one in pairs if one.returned == PAGE]
        worst = max(full, key=lambda one: one.per_row)
        yield Result(section, f"rows read per row returned, the most ({worst.query})", worst.per_row)
        most = max(pairs, key=lambda one: one.trips)
        yield Result(section, f"round trips, count and token check included, the most ({most.query})", most.trips)
        name = f"no match ({rare.query}): round trips for {rare.rows:,} rows"
        yield Result(section, name, rare.trips)


def cost(service: Service, log: Log, query: str) -> Cost:
    """The cost of a page of a query, the count and its round trips beside."""
    return pages.page(service, log, query, gate.token_check(service))
