"""The operations of Coder's clients and of collectors beside those of the platform, for the fault matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from tests.faults.operations import (
    ACME,
    AUDIT,
    AUDITED,
    BOB,
    BOBS,
    CONNECTED,
    CONNECTIONS,
    NOTED,
    NOTIFICATIONS,
    ORGANIZATION,
    ORGANIZATIONS,
    SOMEBODY,
    USERS,
    WORKSPACE,
    Operation,
)

MEMBER = f"{ACME}/members/{BOB}"
ADDED = (("POST", MEMBER, None),)
RECORDS = [{"body": {"stringValue": json.dumps(event)}} for event in (CONNECTED, AUDITED)]
OTLP = {"resourceLogs": [{"scopeLogs": [{"logRecords": RECORDS}]}]}
LINE = {
    "ts": CONNECTED["time"],
    "level": "INFO",
    "msg": "connection_log",
    "fields": {
        "ID": BOB,
        "Time": CONNECTED["time"],
        "OrganizationID": ORGANIZATION,
        "WorkspaceOwnerID": SOMEBODY,
        "WorkspaceID": WORKSPACE,
        "WorkspaceName": "dev",
        "AgentName": "main",
        "Type": "ssh",
        "Code": None,
        "Ip": "10.1.2.3",
        "ConnectionID": SOMEBODY,
        "ConnectionStatus": "connected",
    },
}
PREBUILDS = "/api/v2/prebuilds/settings"
NOTHING_TO_CHANGE = (304,)
PLACED = {"name": "globex", "is_default": True}
ISSUED = dict.fromkeys(("iat", "nbf", "exp"), "2026-07-10T10:14:38Z")

OF_CLIENTS: Mapping[str, Operation] = {
    "ingest by OTLP": Operation("POST", "/v1/logs", OTLP),
    "ingest by HEC, raw": Operation("POST", "/services/collector/raw", CONNECTED),
    "ingest lines of the service log": Operation("POST", CONNECTIONS, [LINE, {"msg": "API server listening"}]),
    "create a user": Operation(
        "POST", USERS, {"username": "ann", "email": "ann@example.com", "login_type": "none"}, done_already=(409,)
    ),
    "edit a profile": Operation("PUT", f"{BOBS}/profile", {"username": "rob", "name": "Rob"}),
    "give roles": Operation("PUT", f"{BOBS}/roles", {"roles": ["auditor"]}),
    "activate a user": Operation("PUT", f"{BOBS}/status/activate", before=(("PUT", f"{BOBS}/status/suspend", None),)),
    "create an organization": Operation("POST", ORGANIZATIONS, {"name": "globex"}, done_already=(409,)),
    "make another organization the default one": Operation(
        "PUT",
        f"{ORGANIZATIONS}/{SOMEBODY}",
        PLACED,
        before=(("PUT", f"{ORGANIZATIONS}/{WORKSPACE}", {"name": "initech", "is_default": True}),),
    ),
    "give roles in an organization": Operation(
        "PUT", f"{MEMBER}/roles", {"roles": ["organization-auditor"]}, before=ADDED
    ),
    "remove a member": Operation("DELETE", MEMBER, before=ADDED, done_already=(404,)),
    "pause notifications": Operation(
        "PUT", f"{NOTIFICATIONS}/settings", {"notifier_paused": True}, done_already=NOTHING_TO_CHANGE
    ),
    "pause prebuilds": Operation("PUT", PREBUILDS, {"reconciliation_paused": True}, done_already=NOTHING_TO_CHANGE),
    "mirror a licence": Operation("PUT", f"/api/v2/licenses/{UUID(int=7)}", ISSUED),
    "log out": Operation("POST", f"{USERS}/logout", done_already=(401,)),
    "list members": Operation("GET", f"{ACME}/paginated-members", before=ADDED),
    "export a page": Operation("GET", AUDIT, query={"format": "csv"}, before=(("POST", AUDIT, [AUDITED]),)),
    "list unread notifications": Operation(
        "GET",
        f"{NOTIFICATIONS}/inbox",
        query={"read_status": "unread"},
        before=(("POST", f"{NOTIFICATIONS}/custom", NOTED),),
    ),
}
