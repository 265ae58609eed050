"""The connection log: events in by batch, rows out by query."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice

from chalicelib import times
from chalicelib.access.decide import Object, Subject, decide, reach
from chalicelib.api.authentication import Caller, authenticated
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.api.ingest import Report
from chalicelib.api.parameters import Page, page
from chalicelib.errors import Forbidden, GatebookError, Unavailable
from chalicelib.logs import connection
from chalicelib.logs.service_log import CONNECTION_LOG
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.models.bodies import Entry, read_events
from chalicelib.models.connection_logs import ConnectionLogsJSON, connection_log_json, parse_event
from chalicelib.search.criteria import criteria
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.search.parser import UserReference, parse
from chalicelib.settings import current
from chalicelib.store import connection_reader, connection_writer, directory
from chalicelib.store.lanes import CONNECTION_LANES
from chalicelib.store.plan import Plan, plan
from chalicelib.store.records import ConnectionLog

routes = Routes(__name__)

COUNT_CAP = 2_000
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
@authenticated
def list_rows(call: Call, caller: Caller) -> Answer:
    """The rows that `q` asks for and the caller may see, newest first."""
    wanted = page(call)
    planned = _plan(caller, call.query("q"))
    count = connection_reader.count(planned, COUNT_CAP + 1) if planned else 0
    rows = _page_of(planned, wanted) if planned and count else []
    users = (
        directory.get_users(user_id for row in rows for user_id in (row.workspace_owner_id, row.user_id) if user_id)
        if rows
        else {}
    )
    organizations = directory.get_organizations(row.organization_id for row in rows) if rows else {}
    body: ConnectionLogsJSON = {
        "connection_logs": [connection_log_json(row, users, organizations) for row in rows],
        "count": count,
        "count_cap": COUNT_CAP,
    }
    return Answer(body)


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


def _plan(caller: Caller, query: str) -> Plan | None:
    def organization(name: str) -> str | None:
        row_id = directory.organization_id(name)
        seen = row_id and decide(caller.subject, "read", Object("organization", row_id, organization=row_id))
        return row_id if seen else None

    asked = parse(query, CONNECTION_FILTERS, me=caller.user.id, organization=organization)
    readable = reach(caller.subject, "read", "connection_log")
    if readable.nothing:
        return None
    wanted = criteria(asked, _user_ids).since(times.cut_off(current().connection_logs_retention))
    if not readable.site:
        wanted = wanted.narrowed("organization_id", readable.organizations)
    if readable.ids is not None:
        wanted = wanted.narrowed("id", readable.ids)
    return plan(wanted, CONNECTION_LANES, current().log_shards, more={"type": SESSION_TYPES})


def _user_ids(reference: UserReference) -> Sequence[str]:
    return directory.user_ids(reference.by, reference.text, deleted=reference.deleted)


def _page_of(planned: Plan, wanted: Page) -> list[ConnectionLog]:
    end = wanted.offset + wanted.limit
    return list(islice(connection_reader.rows(planned, expected=end), wanted.offset, end))
