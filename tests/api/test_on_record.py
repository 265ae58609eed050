"""Every route that changes something writes an audit row, but for those that a table names with the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.dispatch import revocation
from chalicelib.logs.audit_event import OWN_MARK
from chalicelib.routes import ROUTES
from tests.api.matrix import (
    AUDIT,
    CASES,
    CONNECTIONS,
    CREDENTIALS,
    EXPORT,
    EXPORTS,
    HEC,
    LEFT_TO_THE_PLATFORM,
    MEMBER,
    NOTIFICATIONS,
    OTLP,
    RETENTION,
    SECRET,
    USER,
    USERS,
    Case,
    Stage,
    is_refused_to_all,
)
from tests.api.test_exports import run

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, House

Trail = Callable[[], "list[AuditLog]"]
WORKSPACE = "/api/v2/workspaces/{workspace}"
LINK = "/api/v2/external-auth/{provider}"
PREBUILDS = "/api/v2/prebuilds/settings"

UNRECORDED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "it takes in what others report, which is stored with the token that wrote it": (
        ("POST", CONNECTIONS),
        ("POST", AUDIT),
        ("POST", f"{AUDIT}/testgenerate"),
        ("POST", HEC),
        ("POST", f"{HEC}/event"),
        ("POST", f"{HEC}/event/1.0"),
        ("POST", f"{HEC}/raw"),
        ("POST", f"{HEC}/raw/1.0"),
        ("POST", OTLP),
        ("POST", "/api/v2/usage/events"),
    ),
    "it mirrors what the platform did, and reports itself": (
        ("PUT", "/api/v2/directory"),
        ("PUT", "/api/v2/templates/{template}"),
        ("PUT", "/api/v2/templateversions/{templateversion}"),
        ("PUT", WORKSPACE),
        ("PUT", "/api/v2/workspacebuilds/{workspacebuild}"),
        ("PUT", "/api/v2/workspaceagents/{workspaceagent}"),
        ("PUT", "/api/v2/provisionerdaemons/{daemon}"),
        ("PUT", "/api/v2/provisionerjobs/{job}"),
        ("PUT", "/api/v2/provisionerjobs/{job}/logs"),
    ),
    "it is of the user's own inbox, and opens nothing": (
        ("POST", f"{NOTIFICATIONS}/custom"),
        ("POST", f"{NOTIFICATIONS}/test"),
        ("PUT", f"{USER}/notifications/preferences"),
        ("PUT", f"{NOTIFICATIONS}/inbox/{{id}}/read-status"),
        ("PUT", f"{NOTIFICATIONS}/inbox/mark-all-as-read"),
    ),
    "it changes nothing: it answers a question, or refuses": (
        ("POST", "/api/v2/authcheck"),
        ("POST", f"{HEC}/ack"),
        ("POST", f"{USERS}/first"),
        ("POST", f"{USERS}/login"),
        *((method, f"/api/v2{path}") for method, path in LEFT_TO_THE_PLATFORM if method != "GET"),
        *(("PUT", f"{WORKSPACE}/{what}") for what in ("autostart", "ttl", "dormant", "extend")),
    ),
}
NOT_ON_RECORD = frozenset(route for routes in UNRECORDED.values() for route in routes)
RELEASES = {("GET", f"{SECRET}/value"), ("GET", CREDENTIALS), ("GET", EXPORT)}
"""The reads that are on record: what leaves by them is used elsewhere."""
CHANGES: Mapping[tuple[str, str], Any] = {
    ("PUT", f"{USER}/roles"): {"roles": ["auditor"]},
    ("PUT", f"{MEMBER}/roles"): {"roles": ["organization-auditor"]},
    ("PUT", f"{NOTIFICATIONS}/settings"): {"notifier_paused": True},
    ("PUT", f"{NOTIFICATIONS}/templates/{{id}}/method"): {"method": "smtp"},
    ("PUT", PREBUILDS): {"reconciliation_paused": True},
    ("POST", f"{RETENTION}/runs"): {},
    ("PUT", f"{RETENTION}/holds/{{name}}"): {"log": "connection", "q": "type:vscode", "reason": "a case"},
}
"""The bodies of routes that change nothing by those of the matrix."""
FIRST: Mapping[tuple[str, str], tuple[Case, ...]] = {
    ("PUT", f"{USER}/status/activate"): (Case("PUT", f"{USER}/status/suspend"),),
    ("GET", CREDENTIALS): (Case("PUT", CREDENTIALS, {"agent_token": "token"}),),
    ("DELETE", LINK): (
        Case("PUT", f"{USERS}/me/external-auth/{{provider}}", {"type": "gitlab", "access_token": "token"}),
    ),
}
"""The requests that make it possible."""


@pytest.fixture
def stage(
    house: House,
    owner: Client,
    root: User,
    keeps_secrets: None,
    keeps_exports: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    assert keeps_secrets is None
    assert keeps_exports == []
    monkeypatch.setattr(revocation, "revoke", lambda _token: True)
    return Stage(house, owner, root)


def test_every_route_that_changes_something_is_tried_or_named() -> None:
    changing = {(route.method, route.path) for route in ROUTES if route.method != "GET"}
    tried = {(case.method, case.path) for case in CASES} | {("DELETE", "/ui/session")}
    assert changing <= tried | NOT_ON_RECORD
    assert changing >= NOT_ON_RECORD
    assert len(NOT_ON_RECORD) == sum(map(len, UNRECORDED.values()))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_route_changes_is_on_record(house: House, root: User, stage: Stage, trail: Trail, case: Case) -> None:
    place = (case.method, case.path)
    client = house.client(root, allow_list=("*:*", *stage.allow_list()))
    for first in FIRST.get(place, ()):
        assert stage.call(first, client).status < 300
    changing = replace(case, body=CHANGES.get(place, case.body))
    if place == ("GET", EXPORT):
        export_id = client.post(EXPORTS, {"log": "connection"}).json["id"]
        run(export_id)
        changing = replace(case, path=f"{EXPORTS}/{export_id}")
    before = {row.id for row in trail()}
    reply = stage.call(changing, client)
    assert case.opened(reply)
    made = [row for row in trail() if row.id not in before]
    if case.opened is not is_refused_to_all and place not in NOT_ON_RECORD:
        assert reply.status < 300 or case.method == "GET", f"{reply.status} changes nothing"
    own = [row for row in made if row.additional_fields.get(OWN_MARK)]
    expected = place in RELEASES if case.method == "GET" else place not in NOT_ON_RECORD
    assert bool(own) is expected
    for row in own:
        assert (row.user_id, row.additional_fields["api_key_id"]) == (root.id, client.token[:10])
        assert row.action in ("create", "write", "delete", "open", "read", "login", "logout")


def test_who_signs_out_of_the_page_is_on_record(house: House, root: User, client: Client, trail: Trail) -> None:
    cookie = client.post("/ui/session", {}, headers={"Coder-Session-Token": house.token(root)}).headers["set-cookie"]
    before = trail()
    assert client.delete("/ui/session", headers={"Cookie": cookie.partition(";")[0]}).status == 204
    (row,) = trail()[len(before) :]
    assert (row.resource_type, row.action, row.user_id) == ("api_key", "logout", root.id)
