"""Every gated route opens for exactly the scopes and allow lists that cover what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app import app
from chalicelib import times
from chalicelib.access import scopes
from chalicelib.access.catalogue import PUBLIC
from chalicelib.access.decide import CLOSED_TO_REPLACED_SECRETS
from chalicelib.access.policy import ACTIONS
from chalicelib.lanes.plan import Criteria
from chalicelib.retention import placing
from chalicelib.retention.holds import Hold

if TYPE_CHECKING:
    from chalicelib.records import Organization, User
    from tests.api.conftest import Client, House, Reply

UNGATED = {
    ("GET", "/healthz"),
    ("GET", "/api/v2/buildinfo"),
    ("GET", "/api/v2/auth/scopes"),
    ("GET", "/api/v2/users/authmethods"),
    ("GET", "/api/v2/users/first"),
    ("POST", "/api/v2/users/first"),
    ("POST", "/api/v2/users/login"),
    ("GET", "/"),
    ("GET", "/cli-auth"),
    ("GET", "/ui"),
    ("GET", "/ui/{version}/{asset}"),
    ("DELETE", "/ui/session"),
}
READ_USER = "user:read"
Opened = Callable[["Reply"], bool]


def succeeded(reply: Reply) -> bool:
    return reply.status < 300


def listed(reply: Reply) -> bool:
    """A list opens when there is something in it: what may not be seen is left out of it."""
    return succeeded(reply) and bool(reply.json)


def counted(reply: Reply) -> bool:
    return succeeded(reply) and bool(reply.json["count"])


@dataclass(frozen=True)
class Case:
    """One thing that a route does.

    Attributes:
        needs: the permissions, all of them.
        body: what is sent; texts in braces name what is there.
        opened: tells by the answer.
        named: what the path names where that is not the obvious thing.
    """

    method: str
    path: str
    needs: str = ""
    body: Any = None
    opened: Opened = succeeded
    named: Mapping[str, str] | None = None

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(self.needs.split())

    def __str__(self) -> str:
        return f"{self.method} {self.path}{' of another' if self.named else ''}"


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
RETENTION = "/api/v2/retention"
HOLDS = f"{RETENTION}/holds"
HOLD = {"log": "connection", "q": "type:ssh", "reason": "a case"}
NEW = {"username": "{fresh}", "email": "{fresh}@example.com"}
CASES = (
    Case("GET", "/ui/session"),
    Case("POST", "/ui/session"),
    Case("GET", USERS, "user:read", opened=counted),
    Case("GET", USER, "user:read"),
    Case("PUT", USER, "user:create", NEW, named={"user": "new"}),
    Case("PUT", USER, "user:update", {"username": "bob", "email": "bob@example.com", "name": "Bob"}),
    Case("DELETE", USER, "user:read user:delete"),
    Case("GET", f"{USER}/login-type", "user:read"),
    Case("GET", f"{USER}/organizations", "user:read organization:read", opened=listed),
    Case("GET", f"{USER}/organizations/{{organization}}", "user:read organization:read"),
    Case("POST", USERS, "user:create", NEW),
    Case("PUT", f"{USER}/status/suspend", "user:read user:update"),
    Case("PUT", f"{USER}/status/activate", "user:read user:update"),
    Case("PUT", f"{USER}/profile", "user:read user:update", {"username": "{fresh}"}),
    Case("GET", f"{USERS}/roles", "assign_role:read", opened=listed),
    Case("GET", f"{USER}/roles", "user:read"),
    Case("PUT", f"{USER}/roles", "user:read assign_role:assign", {"roles": []}),
    Case("GET", f"{ORGANIZATION}/members", "organization:read organization_member:read", opened=listed),
    Case("GET", f"{ORGANIZATION}/paginated-members", "organization:read organization_member:read", opened=counted),
    Case("GET", f"{ORGANIZATION}/members/roles", "organization:read assign_org_role:read", opened=listed),
    Case("GET", MEMBER, "organization:read organization_member:read"),
    Case("POST", MEMBER, "organization:read user:read organization_member:create", named={"user": "stranger"}),
    Case("DELETE", MEMBER, "organization:read organization_member:read organization_member:delete"),
    Case(
        "PUT",
        f"{MEMBER}/roles",
        "organization:read organization_member:read assign_org_role:assign",
        {"roles": []},
    ),
    Case("GET", ORGANIZATIONS, "organization:read", opened=listed),
    Case("POST", ORGANIZATIONS, "organization:create organization_member:create", {"name": "{fresh}"}),
    Case("PATCH", ORGANIZATION, "organization:read organization:update", {"description": "{fresh}"}),
    Case("GET", ORGANIZATION, "organization:read"),
    Case("PUT", ORGANIZATION, "organization:create", {"name": "{fresh}"}, named={"organization": "new"}),
    Case("PUT", ORGANIZATION, "organization:update", {"name": "acme", "description": "{fresh}"}),
    Case("DELETE", ORGANIZATION, "organization:read organization:delete"),
    Case("POST", f"{KEYS}/tokens", "user:read api_key:create", {}),
    Case("POST", KEYS, "user:read api_key:create"),
    Case("GET", f"{KEYS}/tokens", "user:read api_key:read", opened=listed),
    Case("GET", f"{KEYS}/tokens/tokenconfig", "user:read"),
    Case("GET", f"{KEYS}/tokens/{{keyname}}", "user:read api_key:read"),
    Case("GET", KEY, "user:read api_key:read"),
    Case("PATCH", KEY, "user:read api_key:read api_key:update", {"token_name": "{fresh}"}),
    Case("PUT", f"{KEY}/expire", "user:read api_key:read api_key:update"),
    Case("POST", f"{KEY}/rotate", "user:read api_key:read api_key:update", {}, named={"keyid": "own"}),
    Case("DELETE", KEY, "user:read api_key:delete"),
    Case("GET", CONNECTIONS, "connection_log:read", opened=counted),
    Case("POST", CONNECTIONS, "connection_log:update", EVENT),
    Case("GET", AUDIT, "audit_log:read", opened=counted),
    Case("POST", AUDIT, "audit_log:create", AUDITED),
    Case("POST", f"{AUDIT}/testgenerate", "audit_log:create", {"organization_id": "{organization}"}),
    Case("GET", RETENTION, "deployment_config:read"),
    Case("POST", f"{RETENTION}/runs", "deployment_config:update", {"dry_run": True}),
    Case("GET", HOLDS, "deployment_config:update"),
    Case("PUT", f"{HOLDS}/{{name}}", "deployment_config:update", HOLD),
    Case("DELETE", f"{HOLDS}/{{name}}", "deployment_config:update"),
    # What a caller may ask and end of its own.
    Case("POST", "/api/v2/authcheck", "", {"checks": {}}),
    Case("POST", f"{USERS}/logout"),
)


class Stage:
    """The things that the paths name, made anew when a request has changed them."""

    def __init__(self, house: House, root: User) -> None:
        self.house, self.root = house, root
        self.acme: Organization = house.organization("acme")
        self.set_up()

    def set_up(self) -> None:
        self.bob = self.house.user(f"b{uuid4().hex[:12]}", organizations={self.acme.id: ()})
        self.stranger = self.house.user(f"s{uuid4().hex[:12]}")
        self.key = self.house.token(self.bob)[:10]
        state, known = placing.known()
        if not known:
            placing.save(state, [Hold("a-case", "connection", "", "a case", self.bob.id, times.now(), Criteria())])

    def call(self, case: Case, client: Client) -> Reply:
        fresh = f"n{uuid4().hex[:12]}"
        names = {
            "user": self.bob.id,
            "organization": self.acme.id,
            "keyid": self.key,
            "keyname": f"test-{self.key}",
            "name": "a-case",
        }
        others = {"new": str(uuid4()), "own": client.token[:10], "stranger": self.stranger.id}
        names |= {name: others[what] for name, what in (case.named or {}).items()}
        known = {**names, "fresh": fresh, "root": self.root.id}
        body = case.body
        if body:
            body = {name: value.format_map(known) if isinstance(value, str) else value for name, value in body.items()}
        return client.send(case.method, case.path.format_map(names), body)


@pytest.fixture
def stage(house: House, owner: Client, root: User) -> Stage:
    stage = Stage(house, root)
    for path, body in ((CONNECTIONS, EVENT), (AUDIT, AUDITED)):
        assert stage.call(Case("POST", path, body=body), owner).json["results"][0]["status"] == "created"
    return stage


def granted(names: tuple[str, ...]) -> set[str]:
    """What scopes grant, each action spelled out: a reading of its own, beside the gate's."""
    found = set()
    for name in names:
        for resource, action, _ in scopes.expand(name):
            resources = ACTIONS if resource == "*" else (resource,)
            found |= {f"{one}:{each}" for one in resources for each in ACTIONS[one] if action in ("*", each)}
    return found


def test_every_gated_route_says_what_it_needs() -> None:
    gated = {(method, path) for path, methods in app.routes.items() for method in methods} - UNGATED
    assert {(case.method, case.path) for case in CASES} == gated


def test_what_routes_need_is_in_the_policy() -> None:
    for case in CASES:
        for permission in case.permissions:
            resource, action = permission.split(":")
            assert action in ACTIONS[resource]


NEEDED = frozenset[str]().union(*(case.permissions for case in CASES))
OF_NO_USE = tuple(name for name in PUBLIC if not granted((name,)) & NEEDED)
"""Scopes add up and never take away, so what all of these together do not open, none of them does."""


@pytest.mark.parametrize("names", [*((name,) for name in PUBLIC if name not in OF_NO_USE), OF_NO_USE], ids=" ".join)
def test_a_scope_opens_exactly_what_it_covers(house: House, root: User, stage: Stage, names: tuple[str, ...]) -> None:
    for with_user in (False, True):
        held = (*names, READ_USER) if with_user else names
        allowed = granted(held)
        client = house.client(root, scopes=held)
        for case in CASES:
            # Reading the user is what most routes begin with: with and without it, where it makes a difference.
            if with_user is not ("{user}" in case.path and READ_USER in case.permissions):
                continue
            should = case.permissions <= allowed
            reply = stage.call(case, client)
            assert case.opened(reply) is should, f"{case} with {held}: {reply.status} {reply.text}"
            if should and (case.method != "GET"):
                stage.set_up()
                if case.method in ("DELETE", "POST"):
                    client = house.client(root, scopes=held)
                if (case.method, case.path) == ("DELETE", ORGANIZATION):
                    stage.acme = house.organization("acme")
                    stage.set_up()


WITH_NEEDS = [case for case in CASES if case.needs]


@pytest.mark.parametrize("case", WITH_NEEDS, ids=str)
def test_without_one_of_the_things_it_needs_a_route_is_closed(
    house: House, root: User, stage: Stage, case: Case
) -> None:
    for missing in sorted(case.permissions):
        held = tuple(sorted(case.permissions - {missing})) or ("workspace:read",)
        reply = stage.call(case, house.client(root, scopes=held))
        assert not case.opened(reply), f"{case} without {missing}: {reply.status} {reply.text}"
        assert reply.status in (200, 403, 404)


@pytest.mark.parametrize("case", WITH_NEEDS, ids=str)
def test_with_exactly_what_it_needs_a_route_is_open(house: House, root: User, stage: Stage, case: Case) -> None:
    types = sorted({permission.split(":")[0] for permission in case.permissions})
    client = house.client(root, scopes=tuple(sorted(case.permissions)), allow_list=tuple(f"{one}:*" for one in types))
    reply = stage.call(case, client)
    assert case.opened(reply), f"{case}: {reply.status} {reply.text}"


@pytest.mark.parametrize("case", WITH_NEEDS, ids=str)
def test_with_the_allow_list_narrowed_away_a_route_is_closed(
    house: House, root: User, stage: Stage, case: Case
) -> None:
    for missing in sorted({permission.split(":")[0] for permission in case.permissions}):
        others = tuple(f"{one}:*" for one in ACTIONS if one != missing)
        elsewhere = () if missing == "api_key" else (f"{missing}:{uuid4()}",)
        for allow_list in ((), ("workspace:*",), others, (*others, *elsewhere)):
            reply = stage.call(case, house.client(root, allow_list=allow_list))
            assert not case.opened(reply), f"{case} without {missing}: {reply.status} {reply.text}"


FOR_EVERYBODY = {USERS, f"{USERS}/roles"}
OF_OTHERS = [
    case for case in WITH_NEEDS if case.path not in FOR_EVERYBODY and not (case.named and "keyid" in case.named)
]


@pytest.mark.parametrize("case", OF_OTHERS, ids=str)
def test_no_scope_opens_what_the_role_does_not_grant(house: House, stage: Stage, case: Case) -> None:
    mallory = house.user(f"m{uuid4().hex[:12]}")
    reply = stage.call(case, house.client(mallory))
    assert not case.opened(reply), f"{case}: {reply.status} {reply.text}"


# Every route for every state in which a token or its user may be.

REFUSED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], int]] = {
    "expired": ({"expires_at": times.EPOCH}, {}, 401),
    "from elsewhere": ({"allowed_ips": ("198.51.100.0/24",)}, {}, 403),
    "of a suspended user": ({}, {"status": "suspended"}, 401),
    "from before its user": ({"created_at": times.EPOCH}, {}, 401),
}
"""State of a token -> how the token is made, how its user is, and what every route answers."""


@pytest.mark.parametrize("state", REFUSED)
def test_a_token_that_may_not_be_used_opens_no_route(house: House, stage: Stage, state: str) -> None:
    token, user, status = REFUSED[state]
    client = house.client(house.user("eve", "owner", **user), **token)
    for case in CASES:
        reply = stage.call(case, client)
        assert reply.status == status, f"{case} by a token {state}: {reply.status} {reply.text}"


def test_without_a_token_no_gated_route_opens(client: Client, stage: Stage) -> None:
    for case in CASES:
        assert stage.call(case, client).status == 401, str(case)


def closed_to_replaced_secrets(case: Case) -> bool:
    pairs = {tuple(permission.split(":")) for permission in case.permissions}
    return bool(pairs & CLOSED_TO_REPLACED_SECRETS) or case.path == f"{USERS}/logout"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_secret_in_its_grace_opens_what_its_token_opens_but_for_tokens(
    house: House, root: User, stage: Stage, case: Case
) -> None:
    old = house.client(root)
    reply = old.post(f"{USERS}/me/keys/{old.token[:10]}/rotate", {"grace": 3_600 * 10**9})
    assert reply.status == 201
    reply = stage.call(case, old)
    if closed_to_replaced_secrets(case):
        assert reply.status == 403, f"{case}: {reply.status} {reply.text}"
        assert replace(old, token=old.token).get(f"{USERS}/me").status == 200
    else:
        assert case.opened(reply), f"{case}: {reply.status} {reply.text}"
