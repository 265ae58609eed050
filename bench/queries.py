"""The queries of each log whose pages are measured: every filter alone, and the presets of the UI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bench import budgets, events, rows
from bench.budgets import Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS

CONNECTION_ROUTE = "/api/v2/connectionlog"
AUDIT_ROUTE = "/api/v2/audit"
_ONE, _PRESET = budgets.ROWS_PER_ROW, budgets.ROWS_PER_ROW_OF_PRESET
_LONG_AGO = events.wire(events.NOON - timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose pages are measured.

    Attributes:
        name: `connection` or `audit`.
        route: where it is asked.
        rows: the name of the list of rows in the answer.
        table: where its rows are.
        items: makes them, from one number to another.
        units: the budget of read units of a page.
        queries: `q` -> the budget of rows read per row returned: every filter alone, and the presets of the UI.
        optional: the lanes that a deployment may have beside the others, each with a query that it answers.
    """

    name: str
    route: str
    rows: str
    table: str
    items: Callable[[int, int], Iterator[Item]]
    units: Budget
    queries: Mapping[str, Budget]
    optional: Mapping[str, str]

    @property
    def every_lane(self) -> dict[str, str]:
        """The environment of a deployment that has every lane of this log, the optional ones too."""
        return {f"GATEBOOK_{self.name.upper()}_LANES": ",".join(["*", *self.optional])}


CONNECTION = Log(
    "connection",
    CONNECTION_ROUTE,
    "connection_logs",
    CONNECTION_LOGS.table_name,
    rows.connection_items,
    budgets.CONNECTION_PAGE_READ_UNITS,
    {
        "": _ONE,
        "organization:org-1": _ONE,
        "workspace_owner:person-1": _ONE,
        "workspace_owner_email:person-1@example.com": _ONE,
        "type:ssh": _ONE,
        "type:workspace_app": _ONE,
        "username:person-1": _ONE,
        "user_email:person-1@example.com": _ONE,
        f'connected_after:"{_LONG_AGO}"': _ONE,
        f'connected_before:"{_LONG_AGO}"': _ONE,
        f"workspace_id:{events.made_id('workspace', 1)}": _ONE,
        f"connection_id:{events.made_id('connection', 250)}": _ONE,
        "status:ongoing": _ONE,
        "status:completed": _ONE,
        "status:ongoing type:ssh": _PRESET,
    },
    {"organization_type": "organization:org-1 type:ssh"},
)

AUDIT = Log(
    "audit",
    AUDIT_ROUTE,
    "audit_logs",
    AUDIT_LOGS.table_name,
    rows.audit_items,
    budgets.AUDIT_PAGE_READ_UNITS,
    {
        "": _ONE,
        f"request_id:{events.made_id('request', 250)}": _ONE,
        f"resource_id:{events.made_id('template', 1)}": _ONE,
        "resource_target:template-1": _ONE,
        "username:person-1": _ONE,
        "email:person-1@example.com": _ONE,
        f"date_from:{events.NOON:%Y-%m-%d}": _ONE,
        f"date_to:{events.NOON:%Y-%m-%d}": _ONE,
        "organization:org-1": _ONE,
        "resource_type:template": _ONE,
        "action:create": _ONE,
        "build_reason:initiator": _ONE,
        "resource_type:workspace action:create": _PRESET,
        "resource_type:template action:create": _PRESET,
        "resource_type:user action:delete": _PRESET,
        "resource_type:workspace_build action:start build_reason:initiator": _PRESET,
        "resource_type:api_key action:login": _PRESET,
    },
    {"organization_resource_type": "organization:org-1 resource_type:template"},
)

LOGS = (CONNECTION, AUDIT)
