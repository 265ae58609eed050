"""The audit log: rows out by query."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.access.decide import reach
from chalicelib.api.caller import Caller
from chalicelib.api.http import Call
from chalicelib.api.log_resource import Log
from chalicelib.api.log_routes import reading
from chalicelib.errors import Forbidden
from chalicelib.models.audit_logs import audit_log_json, sourced_json
from chalicelib.records import AuditLog
from chalicelib.search.filters import AUDIT_FILTERS
from chalicelib.store.logs.tables import AUDIT_LOGS

LOG = Log(AUDIT_LOGS, AUDIT_FILTERS, "audit_log", "audit_logs", audit_log_json)
SOURCED = replace(LOG, as_json=sourced_json)


def _log_for(_call: Call, caller: Caller) -> Log[AuditLog]:
    """The log as the caller may see it: one who may read all of it also gets the token that wrote a row, and when.

    Raises:
        Forbidden: the caller may read no row.
    """
    readable = reach(caller.subject, "read", LOG.resource)
    if readable.nothing:
        raise Forbidden
    return SOURCED if readable.site else LOG


list_rows, list_filters, summarize, show_row = reading(LOG, _log_for)
