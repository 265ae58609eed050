"""One line of JSON per request: what was asked, what became of it, how long it took, by which token, at what cost.

The line is CloudWatch's embedded metric format, so that the same line gives the metrics by route. Neither the path nor
the query string is in it, because a token may be: only the route, as it is declared. Views add what only they know by
`note`. Nothing is printed unless the deployment says so (`GATEBOOK_REQUEST_LOG`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from chalicelib.embedded_metrics import metric_line
from chalicelib.settings import current

UNMATCHED = "unmatched"

_FIRST_SERVER_ERROR = 500
_UNITS = {
    "Duration": "Milliseconds",
    "RowsRead": "Count",
    "ServerErrors": "Count",
    "RejectedEvents": "Count",
    "StoreRefusals": "Count",
    "ContradictingEvents": "Count",
}

_notes: ContextVar[dict[str, Any] | None] = ContextVar("notes", default=None)


def note(**known: Any) -> None:  # noqa: ANN401 - any JSON value
    """Put more into the line of the request that this thread serves."""
    notes = _notes.get()
    if notes is not None:
        notes |= known


@contextmanager
def logged(route: str, request_id: str) -> Iterator[dict[str, Any]]:
    """Around one request; prints its line at the end.

    Args:
        route: method and path as declared; UNMATCHED for a request that no route takes.
        request_id: the gateway's.

    Yields:
        The notes, for the status to be put in.
    """
    notes: dict[str, Any] = {}
    token = _notes.set(notes)
    began = time.perf_counter()
    try:
        yield notes
    finally:
        _notes.reset(token)
        if current().request_log == "json":
            milliseconds = round((time.perf_counter() - began) * 1_000, 3)
            write(_line(route, request_id, {**notes, "Duration": milliseconds}, time.time_ns() // 1_000_000))


def write(line: str) -> None:
    """Print a line, in one piece, so that lines of requests at the same time stay whole."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _line(route: str, request_id: str, notes: Mapping[str, Any], timestamp: int) -> str:
    status = notes.get("status", _FIRST_SERVER_ERROR)
    fields = {"request_id": request_id, "status": status, **notes}
    if status >= _FIRST_SERVER_ERROR:
        fields["ServerErrors"] = 1
    metrics = {name: (fields.pop(name), unit) for name, unit in _UNITS.items() if name in fields}
    return metric_line(timestamp, {"Deployment": current().table_prefix, "Route": route}, metrics, fields)
