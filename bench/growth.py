"""The chart of the README: rows read per row returned at each size, as a run measured both sides."""

from __future__ import annotations

from collections.abc import Iterable

from bench.chart import Panel, Points, drawn
from bench.measures.pages import Cost
from bench.peer.compare import Peer, PeerCost

LINE_NAMES = {
    "": "no filter",
    "type:ssh": "type",
    "username:person-1": "username",
    "organization:org-1": "organization",
    "workspace_owner:person-1": "workspace_owner",
    "status:ongoing": "status:ongoing",
    "status:ongoing type:ssh": "status:ongoing type",
}
"""The queries of the connection log that are drawn, and the names of their lines."""


def chart(costs: Iterable[Cost], peer: Peer | None) -> str:
    """The SVG; the peer's half is missing where it was not measured."""
    panels = [Panel("Gatebook, from its lanes", _lines(costs))]
    if peer is not None:
        version = peer.version.partition(".")[0]
        panels.append(Panel(f"PostgreSQL {version}, Coder's columns and indexes", _lines(peer.costs)))
    return drawn(
        "Rows read for each row of a page",
        "Pages of 100, connection log, every query newest first; the same rows on both sides, the count left out",
        "rows in the table",
        "rows read per row returned",
        panels,
    )


def _lines(costs: Iterable[Cost] | Iterable[PeerCost]) -> dict[str, Points]:
    lines: dict[str, list[tuple[float, float]]] = {name: [] for name in LINE_NAMES.values()}
    for cost in costs:
        if cost.log == "connection" and cost.query in LINE_NAMES:
            lines[LINE_NAMES[cost.query]].append((cost.size, cost.per_row))
    return {name: sorted(points) for name, points in lines.items() if points}
