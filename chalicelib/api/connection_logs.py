"""The connection log: rows out by query."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.access.decide import reach
from chalicelib.api.caller import Caller
from chalicelib.api.http import Call
from chalicelib.api.log_resource import Log
from chalicelib.api.log_routes import reading
from chalicelib.api.parameters import boolean
from chalicelib.errors import Forbidden
from chalicelib.models.connection_logs import connection_log_json, contradicted_json, sourced_json
from chalicelib.records import ConnectionLog
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.store.logs.tables import CONNECTION_LOGS, WITH_CONFLICTS

LOG = Log(CONNECTION_LOGS, CONNECTION_FILTERS, "connection_log", "connection_logs", connection_log_json)
SOURCED = replace(LOG, as_json=sourced_json)
CONTRADICTED = replace(LOG, stored=WITH_CONFLICTS, as_json=contradicted_json)


def _log_for(call: Call, caller: Caller) -> Log[ConnectionLog]:
    """The log as the caller may see it: with senders, and conflicts on request, for who may read all."""
    conflicts = boolean(call.query("conflicts"))
    if reach(caller.subject, "read", LOG.resource).site:
        return CONTRADICTED if conflicts else SOURCED
    if conflicts:
        raise Forbidden("Forbidden.", "Conflicts are shown to those who may read the whole log.")
    return LOG


list_rows, list_filters, summarize, show_row = reading(LOG, _log_for)
