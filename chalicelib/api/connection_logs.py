"""The connection log: events in by batch, rows out by query."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chalicelib.api import log_pages, service_lines
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.api.ingest import PAST_RETENTION, Intake, answer, give_up_at, received
from chalicelib.errors import GatebookError
from chalicelib.logs import connection
from chalicelib.logs.service_log import CONNECTION_LOG
from chalicelib.models.connection_logs import connection_log_json, parse_row
from chalicelib.models.results import Results
from chalicelib.retention import holds
from chalicelib.retention.keeping import Keeping
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.store.logs import connection_writer
from chalicelib.store.logs.tables import CONNECTION_LOGS

routes = Routes(__name__)

LOG = log_pages.Log(CONNECTION_LOGS, CONNECTION_FILTERS, "connection_log", "connection_logs", connection_log_json)
INTAKE = Intake(CONNECTION_LOG, "connection_log", "update", parse_row)


@routes.view("/api/v2/connectionlog", methods=["POST"])
@authenticated
def ingest(call: Call, caller: Caller) -> Answer:
    """Store events; the answer says of each what became of it."""
    results, accepted = received(call, caller.subject, INTAKE)
    made = dict(accepted)
    keeping = holds.keeping_of(CONNECTION_LOGS.name, [made for _, made in accepted])
    fold, late = connection.Fold(), connection.Fold()
    for index, row in accepted:
        # What is past its time by itself is not joined with what is not: it may not age it.
        (fold if keeping.keeps(row) else late).add(index, row)
    end = give_up_at(call)
    for some in filter(lambda each: each.rows, (fold, late)):
        _write(some, keeping, end, results, lambda index: service_lines.emit(call, INTAKE.message, made[index]))
    return answer(call, results)


def _write(
    fold: connection.Fold,
    keeping: Keeping,
    end: float,
    results: Results,
    told: Callable[[int], None],
) -> None:
    rows = list(fold.rows.values())
    answers = connection_writer.write_all(
        rows, connection.join, give_up_at=end, keeps=keeping.keeps, recent=keeping.recent
    )
    for row, written in zip(rows, answers, strict=True):
        if isinstance(written, GatebookError):
            for index in fold.events(row.id):
                results.failed(index, row.id, written)
            continue
        if not written.kept:
            for index in fold.events(row.id):
                results.stored(index, row.id, "unchanged", PAST_RETENTION)
            continue
        taken = written.after.given_id
        moved = f"The id {taken} is taken by another event." if taken else ""
        for index, status in fold.statuses(row.id, written.before):
            results.stored(index, written.after.id, status, moved)
            told(index)


@routes.view("/api/v2/connectionlog")
@partial(authenticated, names=partial(log_pages.names, log=LOG))
def list_rows(call: Call, caller: Caller) -> Answer:
    """The rows that `q` asks for and the caller may see, newest first."""
    return log_pages.answer(call, caller, LOG)
