"""The operations of the fault matrix: what is there before, the request, and the request again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply

ORGANIZATION = "1a2bb67e-0117-4168-92e0-58138989a7f5"
SOMEBODY = "fe8f4bab-3128-41f1-8fec-1cc0755affe5"
WORKSPACE = "05567e23-31e2-4c00-bd05-4d499d437347"
BOB = "0c9f4e7a-1b2d-4c3e-8f5a-6b7c8d9e0f11"
KEY = "abcdefghij"
ONCE = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
CONNECTED = {
    "time": "2026-07-10T10:14:38.942776Z",
    "connection_status": "connected",
    "organization_id": ORGANIZATION,
    "workspace_owner_id": SOMEBODY,
    "workspace_id": WORKSPACE,
    "workspace_name": "dev",
    "agent_name": "main",
    "type": "ssh",
    "ip": "10.1.2.3",
    "connection_id": SOMEBODY,
}
ENDED = {**CONNECTED, "connection_status": "disconnected", "time": "2026-07-10T11:14:38Z", "disconnect_reason": "left"}
WEB = {**CONNECTED, "type": "workspace_app", "connection_id": None, "id": WORKSPACE, "code": 200}
AUDITED = {
    "id": WORKSPACE,
    "time": "2026-07-10T10:14:38.942776Z",
    "user_id": SOMEBODY,
    "organization_id": ORGANIZATION,
    "resource_type": "template",
    "resource_id": WORKSPACE,
    "resource_target": "rust",
    "action": "write",
    "status_code": 200,
    "diff": {"name": {"old": "a", "new": "b", "secret": False}},
}
LARGE = {**AUDITED, "id": BOB, "diff": {"script": {"old": "é" * 90_000, "new": "x" * 90_000, "secret": False}}}


@dataclass(frozen=True)
class Operation:
    """A request that the matrix sends.

    Attributes:
        before: requests that the owner sends first.
        done_already: statuses by which a request that is sent again says that it has been done.
        impossible: names of faults that it cannot meet, such as a condition that fails on an id made by chance.
        adds: the tables to which a request that is sent again adds rows of its own: a new secret has its audit row.
        services: that it calls beside the store.
        prepare: puts there what no request can; gives the sender and the path.
    """

    method: str
    path: str
    body: Any = None
    before: tuple[tuple[str, str, Any], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    done_already: tuple[int, ...] = ()
    adds: tuple[str, ...] = ()
    impossible: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    prepare: Callable[[House, Client, str], tuple[Client, str]] | None = None

    @property
    def adds_to(self) -> tuple[str, ...]:
        return tuple(f"gatebook-{table}" for table in self.adds)

    def send(self, client: Client, path: str) -> Reply:
        return client.send(self.method, path, self.body, query=self.query or None, headers=self.headers)


USERS = "/api/v2/users"
BOBS = f"{USERS}/{BOB}"
KEYS = f"{BOBS}/keys"
ORGANIZATIONS = "/api/v2/organizations"
ACME = f"{ORGANIZATIONS}/{ORGANIZATION}"
HOLD = "/api/v2/retention/holds/case"
CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
HELD = {"log": "connection", "q": "type:ssh", "reason": "a case"}
ROWS = (("POST", CONNECTIONS, [CONNECTED, WEB]), ("POST", AUDIT, [AUDITED]))

OF_LOGS_AND_DIRECTORY: Mapping[str, Operation] = {
    "ingest a connect": Operation("POST", CONNECTIONS, CONNECTED),
    "ingest a disconnect": Operation("POST", CONNECTIONS, ENDED, before=(("POST", CONNECTIONS, CONNECTED),)),
    "ingest a batch": Operation("POST", CONNECTIONS, {"events": [CONNECTED, WEB]}),
    "ingest a contradiction": Operation(
        "POST", CONNECTIONS, {**CONNECTED, "ip": "10.9.9.9"}, before=(("POST", CONNECTIONS, CONNECTED),)
    ),
    "ingest an audit event": Operation("POST", AUDIT, AUDITED),
    "ingest a large audit event": Operation("POST", AUDIT, [AUDITED, LARGE]),
    "ingest by HEC": Operation("POST", "/services/collector", {"event": CONNECTED}),
    "mint": Operation("POST", f"{KEYS}/tokens", {"token_name": "ci"}, headers=ONCE, adds=("audit_logs",)),
    "mint without a key": Operation("POST", f"{KEYS}/tokens", {"token_name": "ci"}, done_already=(409,)),
    "narrow": Operation("PATCH", f"{KEYS}/{KEY}", {"scopes": ["user:read"]}),
    "rotate": Operation("POST", f"{KEYS}/{KEY}/rotate", {"grace": 3_600 * 10**9}, headers=ONCE, adds=("audit_logs",)),
    "expire": Operation("PUT", f"{KEYS}/{KEY}/expire"),
    "delete a token": Operation("DELETE", f"{KEYS}/{KEY}", done_already=(404,)),
    "make a user": Operation("PUT", f"{USERS}/{SOMEBODY}", {"username": "ann", "email": "ann@example.com"}),
    "change a user": Operation("PUT", BOBS, {"username": "rob", "email": "rob@example.com", "roles": ["auditor"]}),
    "suspend a user": Operation("PUT", f"{BOBS}/status/suspend"),
    "delete a user": Operation("DELETE", BOBS, done_already=(404,)),
    "make an organization": Operation("PUT", f"{ORGANIZATIONS}/{SOMEBODY}", {"name": "globex"}),
    "change an organization": Operation("PATCH", ACME, {"display_name": "Acme Ltd"}),
    "delete an organization": Operation("DELETE", ACME, done_already=(404,)),
    "add a member": Operation("POST", f"{ACME}/members/{BOB}", done_already=(400,)),
    "list connections": Operation("GET", CONNECTIONS, query={"q": "type:ssh"}, before=ROWS),
    "list audit rows": Operation("GET", AUDIT, query={"q": "action:write"}, before=ROWS),
    "sum up": Operation("GET", f"{CONNECTIONS}/summary", query={"facets": "type"}, before=ROWS),
    "list users": Operation("GET", USERS),
    "list tokens": Operation("GET", f"{KEYS}/tokens"),
    "place a hold": Operation("PUT", HOLD, HELD),
    "lift a hold": Operation("DELETE", HOLD, before=(("PUT", HOLD, HELD),), done_already=(404,)),
    "show retention": Operation("GET", "/api/v2/retention"),
    "purge": Operation(
        "POST",
        "/api/v2/retention/runs",
        {},
        before=ROWS,
        adds=("audit_logs", "retention_runs"),
        impossible=("cancelled for ConditionalCheckFailed",),
    ),
}

MIRRORED = "2f1c9a4e-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
TEMPLATE = {"organization_id": ORGANIZATION, "name": "rust", "updated_at": "2026-07-10T10:14:38Z"}
BUILT = {
    "updated_at": TEMPLATE["updated_at"],
    "workspace_id": WORKSPACE,
    "template_version_id": MIRRORED,
    "build_number": 1,
    "transition": "start",
}
WORKING = {"organization_id": ORGANIZATION, "owner_id": BOB, "template_id": MIRRORED, "name": "dev"}
OF_PLATFORM = (
    ("PUT", f"/api/v2/templates/{MIRRORED}", TEMPLATE),
    ("PUT", f"/api/v2/workspaces/{WORKSPACE}", {**WORKING, "updated_at": TEMPLATE["updated_at"]}),
)
JOB = {"organization_id": ORGANIZATION, "initiator_id": BOB, "type": "workspace_build"}
LOGGED = {"logs": [{"id": 1, "created_at": "2026-07-10T10:14:38Z", "output": "Applied"}]}
USAGE = {"id": "one", "event_type": "dc_managed_agents_v1", "event_data": {"count": 1}}
USED = {"events": [{**USAGE, "created_at": "2026-07-10T10:14:38Z"}]}
NOTED = {"content": {"title": "Done", "message": "The build is done."}}
NOTIFICATIONS = "/api/v2/notifications"

NEVER_MET = ("cancelled for ConditionalCheckFailed",)
"""The condition is that an item is not there yet, which holds, as the store was made anew."""

OF_THE_PLATFORM: Mapping[str, Operation] = {
    "mirror a template": Operation("PUT", f"/api/v2/templates/{MIRRORED}", TEMPLATE),
    "mirror a change of a template": Operation(
        "PUT",
        f"/api/v2/templates/{MIRRORED}",
        {**TEMPLATE, "name": "go", "updated_at": "2026-07-10T10:15:38Z"},
        before=OF_PLATFORM,
    ),
    "mirror a build": Operation(
        "PUT",
        f"/api/v2/workspacebuilds/{SOMEBODY}",
        BUILT,
        before=OF_PLATFORM,
    ),
    "mirror a batch": Operation("PUT", "/api/v2/directory", {"kind": "template", "id": MIRRORED, **TEMPLATE}),
    "mirror the log of a job": Operation(
        "PUT",
        f"/api/v2/provisionerjobs/{SOMEBODY}/logs",
        LOGGED,
        before=(("PUT", f"/api/v2/provisionerjobs/{SOMEBODY}", {**JOB, "updated_at": TEMPLATE["updated_at"]}),),
    ),
    "list workspaces": Operation("GET", "/api/v2/workspaces", before=OF_PLATFORM),
    "list templates": Operation("GET", "/api/v2/templates", before=OF_PLATFORM),
    "take usage in": Operation("POST", "/api/v2/usage/events", USED, impossible=NEVER_MET),
    "notify oneself": Operation("POST", f"{NOTIFICATIONS}/custom", NOTED, impossible=NEVER_MET),
    "mark notifications as read": Operation(
        "PUT", f"{NOTIFICATIONS}/inbox/mark-all-as-read", before=(("POST", f"{NOTIFICATIONS}/custom", NOTED),)
    ),
    "list notifications": Operation(
        "GET", f"{NOTIFICATIONS}/inbox", before=(("POST", f"{NOTIFICATIONS}/custom", NOTED),)
    ),
}


def set_up(house: House, operation: Operation, owner: Client) -> tuple[Client, str]:
    """Put there what the operation needs: an organization, a user with a token, and what it asks for itself.

    Returns:
        Who sends it, and its path.
    """
    house.organization("acme", id=ORGANIZATION)
    bob = house.user("bob", id=BOB)
    house.token(bob, id=KEY, token_name="own")
    location = ""
    for method, path, body in operation.before:
        reply = owner.send(method, path, body)
        assert reply.status < 300
        location = reply.headers.get("location", "")
    return operation.prepare(house, owner, location) if operation.prepare else (owner, operation.path)
