"""A request for each thing that each route does, the things that the requests are about, and whether a route opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalicelib import times
from chalicelib.lanes.criteria import Criteria
from chalicelib.notifications.templates import CUSTOM
from chalicelib.retention import placing
from chalicelib.retention.holds import Hold
from chalicelib.store.secrets import shelf
from chalicelib.vault.secret import Secret
from scripts.docs.access import BY_NAME, RIGHTS

if TYPE_CHECKING:
    from chalicelib.records import Organization, User
    from tests.api.conftest import Client, House, Reply

UNGATED = {
    ("GET", "/healthz"),
    ("GET", "/services/collector/health"),
    ("GET", "/services/collector/health/1.0"),
    ("POST", "/services/collector/ack"),
    ("GET", "/api/v2/buildinfo"),
    ("GET", "/api/v2/openapi.json"),
    ("GET", "/api/v2/auth/scopes"),
    ("GET", "/api/v2/users/authmethods"),
    ("GET", "/api/v2/users/first"),
    ("POST", "/api/v2/users/first"),
    ("POST", "/api/v2/users/login"),
    ("GET", "/"),
    ("GET", "/cli-auth"),
    ("GET", "/ui"),
    ("GET", "/api/v2/init-script/{os}/{arch}"),
    ("GET", "/ui/{version}/{asset}"),
    ("DELETE", "/ui/session"),
}
Opened = Callable[["Reply"], bool]


def succeeded(reply: Reply) -> bool:
    return reply.status < 300


def listed(reply: Reply) -> bool:
    """A list opens when there is something in it: what may not be seen is left out of it."""
    return succeeded(reply) and bool(reply.json)


def counted(reply: Reply) -> bool:
    return succeeded(reply) and bool(reply.json["count"])


def lists_acme(reply: Reply) -> bool:
    return succeeded(reply) and "acme" in {row["name"] for row in reply.json}


def stored(reply: Reply) -> bool:
    """A batch is answered with 200, and row by row."""
    return succeeded(reply) and all(
        row["status"] in ("created", "updated", "unchanged") for row in reply.json["results"]
    )


def taken(reply: Reply) -> bool:
    """An exporter of OpenTelemetry is told of what is rejected alone."""
    return succeeded(reply) and reply.json == {"partialSuccess": {}}


def summed(reply: Reply) -> bool:
    return succeeded(reply) and any(bucket["count"] for bucket in reply.json["buckets"])


def taken_in(reply: Reply) -> bool:
    """A batch of objects is answered with 200, and line by line."""
    return succeeded(reply) and not reply.json["rejected"]


def any_value(value: Any) -> dict[str, Any]:
    """A JSON value as OTLP has it."""
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": any_value(inner)} for key, inner in value.items()]}}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def refused_status(path: str, status: int) -> int:
    """The status by which a path refuses a token: Splunk's collector has 403 for one that opens nothing."""
    return 403 if path.startswith(HEC) and status == 401 else status


def is_refused_to_all(reply: Reply) -> bool:
    """Who knows the workspace is told that it is scheduled elsewhere."""
    return reply.status == 501


def knows_the_workspace(reply: Reply) -> bool:
    """Credentials are answered once: who comes later, and may, is told so."""
    return succeeded(reply) or (reply.status == 404 and "deposited" in reply.json["message"])


def is_of_nobody_else(reply: Reply) -> bool:
    """A link is its user's own: whoever asks has one, or none."""
    return reply.status in (200, 404)


def is_as_asked(reply: Reply) -> bool:
    return succeeded(reply) or reply.status == 304


def unrefused(reply: Reply) -> bool:
    """Nothing to change (304), nothing there (404) and nothing offered (501) are answers to who may ask."""
    return succeeded(reply) or reply.status in (304, 404, 501)


_PARAMETER = re.compile(r"\{(.+)\}")


@dataclass(frozen=True)
class Case:
    """One thing that a route does.

    Attributes:
        body: what is sent; texts in braces name what is there.
        opened: tells by the answer.
        named: what the path names where that is not the obvious thing.
        query: parameters; texts in braces name what is there.
    """

    method: str
    path: str
    body: Any = None
    opened: Opened = succeeded
    named: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None

    @property
    def is_of_caller(self) -> bool:
        """Whether it is about what only the caller has."""
        return self.named in (OWN, {"keyid": "own"})

    @property
    def permissions(self) -> frozenset[str]:
        """The rights that it needs, all of them."""
        return frozenset(RIGHTS[str(self)].split())

    def __str__(self) -> str:
        """Its name in the table of what routes need."""
        new = self.named is not None and "new" in self.named.values()
        return f"{self.method} {self.path}{' (new)' if new else ''}"


USERS = "/api/v2/users"
USER = f"{USERS}/{{user}}"
KEYS = f"{USER}/keys"
KEY = f"{KEYS}/{{keyid}}"
ORGANIZATIONS = "/api/v2/organizations"
ORGANIZATION = f"{ORGANIZATIONS}/{{organization}}"
MEMBER = f"{ORGANIZATION}/members/{{user}}"
CONNECTIONS = "/api/v2/connectionlog"
EVENT = {
    "time": "2025-07-10T10:14:38.942776Z",
    "connection_status": "connected",
    "organization_id": "{organization}",
    "workspace_owner_id": "{root}",
    "workspace_id": "{root}",
    "workspace_name": "dev",
    "agent_name": "main",
    "type": "ssh",
    "ip": "10.1.2.3",
    "connection_id": "{root}",
}
THAT_DAY = {"from": "2025-07-10", "to": "2025-07-10"}
AUDIT = "/api/v2/audit"
AUDITED = {
    "time": "2025-07-10T10:14:38.942776Z",
    "user_id": "{root}",
    "organization_id": "{organization}",
    "resource_type": "template",
    "resource_id": "{root}",
    "resource_target": "rust",
    "action": "write",
    "status_code": 200,
}
HEC = "/services/collector"
OTLP = "/v1/logs"
COLLECTED = [{"event": EVENT}, {"event": AUDITED}]
EXPORTED = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": any_value(made)} for made in (EVENT, AUDITED)]}]}]}
RETENTION = "/api/v2/retention"
HOLDS = f"{RETENTION}/holds"
HOLD = {"log": "connection", "q": "type:ssh", "reason": "a case"}
EXPORTS = "/api/v2/exports"
EXPORT = f"{EXPORTS}/{{id}}"
ASKED = {"log": "connection", "q": "organization:{organization}"}
SECRETS = f"{USER}/secrets"
SECRET = f"{SECRETS}/{{name}}"
OWN = {"user": "me"}
NOTIFICATIONS = "/api/v2/notifications"
TEMPLATE = {
    "organization_id": "{organization}",
    "name": "rust",
    "active_version_id": "{templateversion}",
    "disable_everyone_group_access": True,
}
TEMPLATE_VERSION = {"organization_id": "{organization}", "template_id": "{template}", "name": "v1"}
WORKSPACE = {"organization_id": "{organization}", "owner_id": "{bob}", "template_id": "{template}", "name": "dev"}
BUILD = {
    "workspace_id": "{workspace}",
    "template_version_id": "{templateversion}",
    "job_id": "{job}",
    "build_number": 1,
    "transition": "start",
    "has_external_agent": True,
}
AGENT = {"workspace_build_id": "{workspacebuild}", "name": "main"}
DAEMON = {"organization_id": "{organization}", "name": "daemon"}
JOB = {"organization_id": "{organization}", "initiator_id": "{root}", "type": "workspace_build"}
DRY_RUN = {**JOB, "type": "template_version_dry_run", "input": {"template_version_id": "{templateversion}"}}
CREDENTIALS = "/api/v2/workspaces/{workspace}/external-agent/{agent}/credentials"
USED = {"id": "{fresh}", "event_type": "dc_managed_agents_v1", "event_data": {"count": 1}}
USED |= {"created_at": "2025-07-10T10:14:38Z"}
LICENSE = dict.fromkeys(("iat", "nbf", "exp"), "2025-07-10T10:14:38Z")
MIRRORED: dict[str, dict[str, Any]] = {
    "templates/{template}": TEMPLATE,
    "templateversions/{templateversion}": TEMPLATE_VERSION,
    "workspaces/{workspace}": WORKSPACE,
    "workspacebuilds/{workspacebuild}": BUILD,
    "workspaceagents/{workspaceagent}": AGENT,
    "provisionerdaemons/{daemon}": DAEMON,
    "provisionerjobs/{job}": JOB,
    "provisionerjobs/{dry_run}": DRY_RUN,
}
LEFT_TO_THE_PLATFORM = (
    ("POST", "/users/{user}/workspaces"),
    ("POST", "/workspaces/{workspace}/builds"),
    ("PATCH", "/workspaces/{workspace}"),
    ("PUT", "/workspaces/{workspace}/autoupdates"),
    ("PUT", "/workspaces/{workspace}/favorite"),
    ("DELETE", "/workspaces/{workspace}/favorite"),
    ("PATCH", "/workspacebuilds/{workspacebuild}/cancel"),
    ("GET", "/workspacebuilds/{workspacebuild}/parameters"),
    ("GET", "/workspacebuilds/{workspacebuild}/state"),
    ("GET", "/workspaceagents/{workspaceagent}/connection"),
    ("GET", "/workspaceagents/{workspaceagent}/coordinate"),
    ("GET", "/workspaceagents/{workspaceagent}/listening-ports"),
    ("GET", "/workspaceagents/{workspaceagent}/containers"),
    ("PATCH", "/templates/{template}"),
    ("DELETE", "/templates/{template}"),
    ("PATCH", "/templates/{template}/versions"),
    ("POST", "/templates/{template}/versions/archive"),
    ("PATCH", "/templateversions/{templateversion}"),
    ("PATCH", "/templateversions/{templateversion}/cancel"),
    ("POST", "/templateversions/{templateversion}/archive"),
    ("POST", "/templateversions/{templateversion}/unarchive"),
    ("GET", "/templateversions/{templateversion}/rich-parameters"),
    ("POST", "/templateversions/{templateversion}/dynamic-parameters/evaluate"),
    ("POST", "/templateversions/{templateversion}/dry-run"),
    ("PATCH", "/templateversions/{templateversion}/dry-run/{job}/cancel"),
    ("POST", "/organizations/{organization}/templates"),
    ("POST", "/organizations/{organization}/templateversions"),
    ("POST", "/files"),
    ("GET", "/files/{file}"),
    ("GET", "/workspaces/{workspace}/acl"),
    ("PATCH", "/workspaces/{workspace}/acl"),
    ("DELETE", "/workspaces/{workspace}/acl"),
    ("GET", "/workspaceagents/{workspaceagent}/logs"),
    ("DELETE", "/organizations/{organization}/provisionerkeys/{provisionerkey}"),
    ("GET", "/users/{user}/gitsshkey"),
    ("PUT", "/users/{user}/gitsshkey"),
    ("GET", "/workspaceagents/connection"),
    ("GET", "/groups"),
    ("GET", "/settings/idpsync/organization"),
    ("PATCH", "/settings/idpsync/organization"),
    ("GET", "/organizations/{organization}/groups"),
    ("POST", "/organizations/{organization}/groups"),
    ("GET", "/organizations/{organization}/groups/{group}"),
    ("POST", "/organizations/{organization}/members/roles"),
    ("PUT", "/organizations/{organization}/members/roles"),
    ("GET", "/organizations/{organization}/settings/idpsync/groups"),
    ("PATCH", "/organizations/{organization}/settings/idpsync/groups"),
    ("GET", "/organizations/{organization}/settings/idpsync/roles"),
    ("PATCH", "/organizations/{organization}/settings/idpsync/roles"),
    ("GET", "/organizations/{organization}/provisionerkeys"),
    ("POST", "/organizations/{organization}/provisionerkeys"),
    ("GET", "/workspaceproxies"),
    ("PATCH", "/templates/{template}/acl"),
    ("GET", "/groups/{group}"),
    ("PATCH", "/groups/{group}"),
    ("DELETE", "/groups/{group}"),
    ("PATCH", "/settings/idpsync/organization/config"),
    ("PATCH", "/settings/idpsync/organization/mapping"),
    ("POST", "/workspaceproxies"),
    ("GET", "/workspaceproxies/{proxy}"),
    ("PATCH", "/workspaceproxies/{proxy}"),
    ("DELETE", "/workspaceproxies/{proxy}"),
    ("GET", "/licenses"),
    ("POST", "/licenses"),
    ("DELETE", "/licenses/{license}"),
)
"""The routes that refuse all who may know of the thing that they are about."""
NEW = {"username": "{fresh}", "email": "{fresh}@example.com"}
CASES = (
    Case("GET", "/ui/session"),
    Case("POST", "/ui/session"),
    Case("GET", USERS, opened=counted, query={"q": "search:{username}"}),
    Case("GET", USER),
    Case("PUT", USER, NEW, named={"user": "new"}),
    Case("PUT", USER, {"username": "{fresh}", "email": "{fresh}@example.com", "name": "Bob"}),
    Case("DELETE", USER),
    Case("GET", f"{USER}/login-type"),
    Case("GET", f"{USER}/organizations", opened=listed),
    Case("GET", f"{USER}/organizations/{{organization}}"),
    Case("POST", USERS, NEW),
    Case("PUT", f"{USER}/status/suspend"),
    Case("PUT", f"{USER}/status/activate"),
    Case("PUT", f"{USER}/profile", {"username": "{fresh}"}),
    Case("GET", f"{USERS}/roles", opened=listed),
    Case("GET", f"{USER}/roles"),
    Case("PUT", f"{USER}/roles", {"roles": []}),
    Case("GET", f"{ORGANIZATION}/members", opened=listed),
    Case("GET", f"{ORGANIZATION}/paginated-members", opened=counted),
    Case("GET", f"{ORGANIZATION}/members/roles", opened=listed),
    Case("GET", MEMBER),
    Case("POST", MEMBER, named={"user": "stranger"}),
    Case("DELETE", MEMBER),
    Case("PUT", f"{MEMBER}/roles", {"roles": []}),
    Case("GET", ORGANIZATIONS, opened=lists_acme),
    Case("POST", ORGANIZATIONS, {"name": "{fresh}"}),
    Case("PATCH", ORGANIZATION, {"description": "{fresh}"}),
    Case("GET", ORGANIZATION),
    Case("PUT", ORGANIZATION, {"name": "{fresh}"}, named={"organization": "new"}),
    Case("PUT", ORGANIZATION, {"name": "acme", "description": "{fresh}", "is_default": False}),
    Case("DELETE", ORGANIZATION),
    Case("POST", f"{KEYS}/tokens", {}),
    Case("POST", KEYS),
    Case("GET", f"{KEYS}/tokens", opened=listed),
    Case("GET", f"{KEYS}/tokens/tokenconfig"),
    Case("GET", f"{KEYS}/tokens/{{keyname}}"),
    Case("GET", KEY),
    Case("PATCH", KEY, {"token_name": "{fresh}"}),
    Case("PUT", f"{KEY}/expire"),
    Case("POST", f"{KEY}/rotate", {}, named={"keyid": "own"}),
    Case("DELETE", KEY),
    Case("GET", "/api/v2/deployment/user-secrets/capabilities"),
    Case("POST", SECRETS, {"name": "{fresh}", "value": "s3cret"}, named=OWN),
    Case("POST", f"{SECRETS}/batch", {"format": "env", "content": "{fresh}=s3cret"}, named=OWN),
    Case("GET", SECRETS, opened=listed, named=OWN),
    Case("GET", SECRET, named=OWN),
    Case("PATCH", SECRET, {"description": "{fresh}"}, named=OWN),
    Case("DELETE", SECRET, named=OWN),
    Case("GET", f"{SECRET}/value", named=OWN),
    Case("GET", CONNECTIONS, opened=counted),
    Case("POST", CONNECTIONS, EVENT, stored),
    Case("GET", f"{CONNECTIONS}/{{id}}", named={"id": "connection"}),
    Case("GET", f"{CONNECTIONS}/summary", opened=summed, query=THAT_DAY),
    Case("GET", f"{CONNECTIONS}/filters"),
    Case("GET", AUDIT, opened=counted),
    Case("POST", AUDIT, AUDITED, stored),
    Case("GET", f"{AUDIT}/{{id}}", named={"id": "audited"}),
    Case("GET", f"{AUDIT}/summary", opened=summed, query=THAT_DAY),
    Case("GET", f"{AUDIT}/filters"),
    Case("POST", f"{AUDIT}/testgenerate", {"organization_id": "{organization}"}),
    Case("POST", HEC, COLLECTED, stored),
    Case("POST", f"{HEC}/event", COLLECTED, stored),
    Case("POST", f"{HEC}/event/1.0", COLLECTED, stored),
    Case("POST", f"{HEC}/raw", [EVENT, AUDITED], stored),
    Case("POST", f"{HEC}/raw/1.0", [EVENT, AUDITED], stored),
    Case("POST", OTLP, EXPORTED, taken),
    Case("GET", "/api/v2/rejections"),
    Case("POST", EXPORTS, ASKED),
    Case("GET", EXPORT),
    Case("DELETE", EXPORT),
    Case("GET", RETENTION),
    Case("POST", f"{RETENTION}/runs", {"dry_run": True}),
    Case("GET", HOLDS),
    Case("PUT", f"{HOLDS}/{{name}}", HOLD),
    Case("DELETE", f"{HOLDS}/{{name}}"),
    Case("PUT", "/api/v2/directory", {"kind": "template", "id": "{template}", **TEMPLATE}, taken_in),
    Case("PUT", "/api/v2/templates/{template}", TEMPLATE),
    Case("PUT", "/api/v2/templateversions/{templateversion}", TEMPLATE_VERSION),
    Case("PUT", "/api/v2/workspaces/{workspace}", WORKSPACE),
    Case("PUT", "/api/v2/workspacebuilds/{workspacebuild}", BUILD),
    Case("PUT", "/api/v2/workspaceagents/{workspaceagent}", AGENT),
    Case("PUT", "/api/v2/provisionerdaemons/{daemon}", DAEMON),
    Case("PUT", "/api/v2/provisionerjobs/{job}", JOB),
    Case("GET", f"{ORGANIZATION}/provisionerjobs", opened=listed),
    Case("GET", f"{ORGANIZATION}/provisionerjobs/{{job}}"),
    Case("GET", f"{ORGANIZATION}/provisionerdaemons", opened=listed),
    Case("PUT", "/api/v2/provisionerjobs/{job}/logs", {"logs": []}),
    Case("GET", "/api/v2/templates", opened=listed),
    Case("GET", "/api/v2/templates/{template}"),
    Case("GET", "/api/v2/templates/{template}/acl"),
    Case("GET", "/api/v2/templates/{template}/versions", opened=listed),
    Case("GET", "/api/v2/templates/{template}/versions/{version}"),
    Case("GET", "/api/v2/templateversions/{templateversion}"),
    Case("GET", "/api/v2/templateversions/{templateversion}/presets"),
    Case("GET", "/api/v2/templateversions/{templateversion}/logs"),
    Case("GET", "/api/v2/templateversions/{templateversion}/dry-run/{job}/logs", named={"job": "dry_run"}),
    Case("GET", f"{ORGANIZATION}/templates", opened=listed),
    Case("GET", f"{ORGANIZATION}/templates/{{template}}", named={"template": "template_name"}),
    Case("GET", f"{ORGANIZATION}/templates/{{template}}/versions/{{version}}", named={"template": "template_name"}),
    Case("GET", "/api/v2/workspaces", opened=counted),
    Case("GET", "/api/v2/workspaces/{workspace}"),
    Case("GET", "/api/v2/workspaces/{workspace}/builds", opened=listed),
    Case("GET", "/api/v2/workspacebuilds/{workspacebuild}"),
    Case("GET", "/api/v2/workspacebuilds/{workspacebuild}/logs"),
    Case("GET", "/api/v2/workspaceagents/{workspaceagent}"),
    Case("GET", f"{USER}/workspace/{{workspacename}}"),
    *(
        Case(method, f"/api/v2{path}", {} if method != "GET" else None, is_refused_to_all)
        for method, path in LEFT_TO_THE_PLATFORM
    ),
    Case("PUT", "/api/v2/workspaces/{workspace}/autostart", {"schedule": ""}, is_refused_to_all),
    Case("PUT", "/api/v2/workspaces/{workspace}/ttl", {"ttl_ms": 0}, is_refused_to_all),
    Case("PUT", "/api/v2/workspaces/{workspace}/dormant", {"dormant": True}, is_refused_to_all),
    Case("PUT", "/api/v2/workspaces/{workspace}/extend", {"deadline": "2026-07-08T12:00:00Z"}, is_refused_to_all),
    Case("PUT", CREDENTIALS, {"agent_token": "token"}),
    Case("GET", CREDENTIALS, opened=knows_the_workspace),
    Case("POST", "/api/v2/usage/events", {"events": [USED]}),
    Case("GET", "/api/v2/usage/daily"),
    Case("PUT", "/api/v2/licenses/{license}", LICENSE),
    Case("GET", "/api/v2/entitlements"),
    Case("PUT", f"{USER}/external-auth/{{provider}}", {"type": "gitlab", "access_token": "token"}),
    Case("GET", "/api/v2/external-auth"),
    Case("GET", "/api/v2/external-auth/{provider}", opened=is_of_nobody_else),
    Case("DELETE", "/api/v2/external-auth/{provider}", opened=is_of_nobody_else),
    Case("GET", "/api/v2/prebuilds/settings"),
    Case("PUT", "/api/v2/prebuilds/settings", {"reconciliation_paused": False}, is_as_asked),
    Case("GET", f"{USER}/workspace/{{workspacename}}/builds/{{buildnumber}}"),
    Case("POST", f"{NOTIFICATIONS}/custom", {"content": {"title": "t", "message": "m"}}),
    Case("POST", f"{NOTIFICATIONS}/test"),
    Case("GET", f"{NOTIFICATIONS}/templates/custom", opened=listed),
    Case("GET", f"{NOTIFICATIONS}/templates/system", opened=listed),
    Case("PUT", f"{NOTIFICATIONS}/templates/{{id}}/method", {"method": "inbox"}, unrefused, named={"id": "custom"}),
    Case("GET", f"{NOTIFICATIONS}/dispatch-methods"),
    Case("GET", f"{NOTIFICATIONS}/settings"),
    Case("PUT", f"{NOTIFICATIONS}/settings", {"notifier_paused": False}, unrefused),
    Case("GET", f"{USER}/notifications/preferences"),
    Case("PUT", f"{USER}/notifications/preferences", {"template_disabled_map": {}}),
    Case("GET", f"{NOTIFICATIONS}/inbox"),
    Case("PUT", f"{NOTIFICATIONS}/inbox/{{id}}/read-status", {"is_read": True}, unrefused, named={"id": "random"}),
    Case("PUT", f"{NOTIFICATIONS}/inbox/mark-all-as-read"),
    Case("GET", f"{NOTIFICATIONS}/inbox/watch", opened=unrefused),
    # What a caller may ask and end of its own.
    Case("POST", "/api/v2/authcheck", {"checks": {}}),
    Case("POST", f"{USERS}/logout"),
)


class Stage:
    """The things that the requests are about, made anew when one has changed them."""

    def __init__(self, house: House, owner: Client, root: User) -> None:
        self.house, self.owner, self.root = house, owner, root
        self.rows: dict[str, str] = {}
        self.mirrored: dict[str, str] = {}
        self.key = ""
        self.set_up_organization()

    def set_up_organization(self) -> None:
        """Make the organization with a row in each log, and who is in it."""
        self.acme: Organization = self.house.organization("acme")
        self.set_up()
        for name, path, body in (("connection", CONNECTIONS, EVENT), ("audited", AUDIT, AUDITED)):
            reply = self.call(Case("POST", path, body), self.owner)
            assert stored(reply)
            self.rows[name] = reply.json["results"][0]["id"]
        parameters = (match[1] for match in map(_PARAMETER.search, MIRRORED) if match)
        self.mirrored = {name: str(uuid4()) for name in parameters}
        for place, body in MIRRORED.items():
            assert succeeded(self.call(Case("PUT", f"/api/v2/{place}", body), self.owner))

    def allow_list(self, case: Case | None = None) -> tuple[str, ...]:
        """The entries of an allow list that a path needs by name, as secrets do; none for other cases."""
        return tuple(f"user_secret:{one}" for one in self.secrets) if case is None or str(case) in BY_NAME else ()

    def set_up(self) -> None:
        """Make a member of the organization with a token and a secret, a stranger to it, and a hold."""
        self.bob = self.house.user(f"b{uuid4().hex[:12]}", organizations={self.acme.id: ()})
        self.stranger = self.house.user(f"s{uuid4().hex[:12]}")
        if self.mirrored:
            assert succeeded(self.call(Case("PUT", "/api/v2/workspaces/{workspace}", WORKSPACE), self.owner))
        self.key = self.house.token(self.bob)[:10]
        self.secrets = [self.set_up_secret(user) for user in (self.bob, self.root)]
        state, known = placing.known()
        if not known:
            placing.save(state, [Hold("a-case", "connection", "", "a case", self.bob.id, times.now(), Criteria())])

    def set_up_secret(self, user: User) -> str:
        """Let a user have one secret; its id."""
        kept, now = shelf.read(user.id), times.now()
        known = kept.secrets.get("a-case")
        if known is not None:
            return known.id
        made = Secret(str(uuid4()), "a-case", "", "", "", 6, now, now)
        shelf.put(kept, made, "s3cret")
        return made.id

    def set_up_after(self, case: Case) -> None:
        """Make anew what a request that was opened has changed."""
        if (case.method, case.path) == ("DELETE", ORGANIZATION):
            self.set_up_organization()
        elif case.method != "GET":
            self.set_up()

    def names(self, case: Case, client: Client) -> dict[str, str]:
        """The names of what is there, by what a path or a body calls it."""
        others = {"me": "me", "new": str(uuid4()), "own": client.token[:10], "stranger": self.stranger.id}
        others |= {**self.rows, **self.mirrored, "template_name": "rust"}
        others |= {"custom": CUSTOM.id, "random": str(uuid4())}
        return {
            "user": self.bob.id,
            "username": self.bob.username,
            "organization": self.acme.id,
            "keyid": self.key,
            "keyname": f"test-{self.key}",
            "name": "a-case",
            "fresh": f"n{uuid4().hex[:12]}",
            "root": self.root.id,
            "bob": self.bob.id,
            **self.mirrored,
            "version": "v1",
            "workspacename": "dev",
            "buildnumber": "1",
            "agent": "main",
            "provider": "gitlab",
            "license": self.acme.id,
            "file": self.acme.id,
            "group": "everyone",
            "provisionerkey": "ours",
            "proxy": "primary",
            **{name: others[what] for name, what in (case.named or {}).items()},
        }

    def call(self, case: Case, client: Client) -> Reply:
        """Send the request of a case."""
        names = self.names(case, client)
        if case.path == EXPORT:
            # Everybody sees their own alone: whoever may not make one names one that is not there.
            made = client.post(EXPORTS, filled(ASKED, names))
            names["id"] = made.json["id"] if succeeded(made) else str(uuid4())
        query = {name: text.format_map(names) for name, text in case.query.items()} if case.query else None
        return client.send(case.method, case.path.format_map(names), filled(case.body, names), query=query)


def filled(body: Any, names: Mapping[str, str]) -> Any:
    """A body with the names of what is there in the place of texts in braces."""
    match body:
        case str():
            return body.format_map(names)
        case dict():
            return {name: filled(value, names) for name, value in body.items()}
        case list():
            return [filled(value, names) for value in body]
    return body
