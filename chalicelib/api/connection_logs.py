"""The connection log: events in by batch, rows out by query."""

from __future__ import annotations

import time
from functools import partial

from chalicelib.access.decide import Object, Subject, decide, reach
from chalicelib.api import log_pages
from chalicelib.api.authentication import Caller, authenticated
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.api.ingest import Report
from chalicelib.errors import Forbidden, GatebookError, Unavailable
from chalicelib.logs import connection
from chalicelib.logs.service_log import CONNECTION_LOG
from chalicelib.models.bodies import Entry, read_events
from chalicelib.models.connection_logs import connection_log_json, parse_event
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.store import connection_writer
from chalicelib.store.log_tables import CONNECTION_LOGS
from chalicelib.store.records import ConnectionLog

routes = Routes(__name__)

LOG = log_pages.Log(CONNECTION_LOGS, CONNECTION_FILTERS, "connection_log", "connection_logs", connection_log_json)
_ANSWERING_SECONDS = 6.0
"""Kept back, of the time there is, for the writes under way and the answer."""


@routes.view("/api/v2/connectionlog", methods=["POST"])
@authenticated
def ingest(call: Call, caller: Caller) -> Answer:
    """Store events; the answer says of each what became of it."""
    writable = reach(caller.subject, "update", "connection_log")
    if writable.nothing:
        raise Forbidden(detail="Your token or your roles do not let you write connection logs.")
    sent = read_events(call.body, CONNECTION_LOG)
    report = Report(sent.skipped)
    fold = connection.Fold()
    for entry in sent.entries:
        try:
            fold.add(entry.index, _row(caller.subject, entry))
        except GatebookError as error:
            report.rejected(entry.index, _own_id(entry), error)
    rows = list(fold.rows.values())
    give_up_at = time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS
    for row, written in zip(
        rows, connection_writer.write_all(rows, connection.join, give_up_at=give_up_at), strict=True
    ):
        if isinstance(written, Unavailable):
            for index in fold.events(row.id):
                report.failed(index, row.id, written)
            continue
        taken = written.after.given_id
        moved = f"The id {taken} is taken by another event." if taken else ""
        for index, status in fold.statuses(row.id, written.before):
            report.stored(index, written.after.id, status, moved)
    return report.answer()


@routes.view("/api/v2/connectionlog")
@partial(authenticated, names=partial(log_pages.names, log=LOG))
def list_rows(call: Call, caller: Caller) -> Answer:
    """The rows that `q` asks for and the caller may see, newest first."""
    return log_pages.answer(call, caller, LOG)


def _row(subject: Subject, entry: Entry) -> ConnectionLog:
    if entry.value is None:
        raise GatebookError(entry.problem)
    event = parse_event(entry.value)
    if not decide(subject, "update", Object("connection_log", organization=event.organization_id)):
        raise Forbidden(f"You may not write connection logs of organization {event.organization_id}.", "")
    return connection.row(event)


def _own_id(entry: Entry) -> str | None:
    given = entry.value.get("id") if entry.value else None
    return given if isinstance(given, str) else None
