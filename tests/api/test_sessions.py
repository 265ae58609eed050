"""Logging in makes a session key, logging out ends it, there are no passwords, and a check answers as the gate does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.access import decide
from chalicelib.access.decide import Reach, Subject
from chalicelib.access.policy import ACTIONS
from chalicelib.api import sessions
from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import APIKey, User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

ME = "/api/v2/users/me"
KEYS = f"{ME}/keys"
WEEK = timedelta(days=7)
SYSTEM_USER = "c42fdf75-3097-471c-8c33-fb52454d81c0"


def kept(reply: Reply) -> APIKey:
    assert reply.status == 201
    key = api_keys.get(reply.json["key"][:10])
    assert key is not None
    return key


# A session key.


def test_a_session_key_is_all_of_its_user_and_slides(as_ann: Client, ann: User, clock: Clock) -> None:
    reply = as_ann.post(KEYS)
    key = kept(reply)
    assert set(reply.json) == {"key"}
    assert "set-cookie" not in reply.headers
    assert (key.user_id, key.login_type, key.token_name) == (ann.id, "password", "")
    assert (key.scopes, key.allow_list, key.allowed_ips) == (("coder:all",), ("*:*",), ())
    assert (key.expires_at, key.lifetime_seconds) == (clock.moment + WEEK, 7 * 24 * 3_600)
    session = replace(as_ann, token=reply.json["key"])
    clock.forward(timedelta(days=6))
    assert session.get(ME).status == 200
    clock.forward(timedelta(days=6))
    assert session.get(ME).status == 200
    clock.forward(WEEK)
    assert session.get(ME).status == 401


def test_a_body_makes_no_difference(as_ann: Client) -> None:
    key = kept(as_ann.post(KEYS, {"lifetime": 1, "scopes": ["user:read"], "token_name": "x"}))
    assert (key.login_type, key.scopes, key.token_name) == ("password", ("coder:all",), "")


@pytest.mark.parametrize(
    "held",
    [
        {"scopes": ("user:read", "api_key:*")},
        {"allow_list": ("api_key:*", "user:*")},
        {"allowed_ips": ("192.0.2.0/24",)},
    ],
)
def test_the_session_of_a_narrow_token_is_as_narrow_and_does_not_slide(
    house: House, ann: User, clock: Clock, held: dict[str, tuple[str, ...]]
) -> None:
    end = clock.moment + timedelta(hours=5)
    caller = house.client(ann, expires_at=end, **held)
    key = kept(caller.post(KEYS))
    assert key.login_type == "token"
    assert key.token_name
    for name in ("scopes", "allow_list", "allowed_ips"):
        assert getattr(key, name) == getattr(api_keys.get(caller.token[:10]), name)
    assert key.expires_at == end


def test_an_owners_session_lives_no_longer_than_an_owners_token(owner: Client, clock: Clock) -> None:
    assert kept(owner.post(KEYS)).expires_at == clock.moment + WEEK


def test_the_user_of_the_platform_itself_has_no_keys(house: House, owner: Client, assert_error: CheckError) -> None:
    house.user("prebuilds", id=SYSTEM_USER)
    for path in ("keys", "keys/tokens"):
        reply = owner.post(f"/api/v2/users/{SYSTEM_USER}/{path}", {})
        assert reply.status == 403
        assert assert_error(reply)["message"] == "Forbidden."


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({"scopes": ("user:read", "api_key:create")}, 201),
        ({"scopes": ("user:read", "api_key:read")}, 403),
        ({"scopes": ("api_key:create",)}, 404),
        ({"allow_list": ("user:*", "api_key:*")}, 201),
        ({"allow_list": ("user:*",)}, 403),
        ({"allow_list": ("user:*", "api_key:WuoWs4ZsMX")}, 403),
    ],
)
def test_what_a_session_key_needs(house: House, ann: User, held: dict[str, Any], status: int) -> None:
    assert house.client(ann, **held).post(KEYS).status == status


# Logging out.


def test_logging_out_ends_the_token_that_did_it_and_the_ones_for_applications(
    house: House, ann: User, as_ann: Client, owner: Client, root: User
) -> None:
    session = replace(as_ann, token=as_ann.post(KEYS).json["key"])
    application = ("coder:application_connect",)
    gone = [house.token(ann, scopes=application) for _ in range(35)] + [
        house.token(ann, scopes=("user:read", *application))
    ]
    stays = [as_ann.token, house.token(root, scopes=application), house.token(ann, scopes=("user:read",)), owner.token]
    reply = session.post(f"{ME.removesuffix('me')}logout")
    assert (reply.status, reply.json) == (200, {"message": "Logged out!"})
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("coder_session_token=;")
    assert "Max-Age=0" in cookie
    assert [api_keys.get(token[:10]) for token in (session.token, *gone)] == [None] * 37
    assert all(api_keys.get(token[:10]) for token in stays)
    assert session.get(ME).status == 401


def test_a_token_logs_itself_out_whatever_its_scopes(house: House, ann: User) -> None:
    caller = house.client(ann, scopes=("coder:logs.ingest",))
    assert caller.post("/api/v2/users/logout").status == 200
    assert caller.post("/api/v2/users/logout").status == 401


# There are no passwords.


def test_the_ways_to_log_in(client: Client) -> None:
    reply = client.get("/api/v2/users/authmethods")
    assert reply.status == 200
    assert reply.json == {
        "password": {"enabled": False},
        "github": {"enabled": False, "default_provider_configured": False},
        "oidc": {"enabled": False, "signInText": "", "iconUrl": ""},
    }


@pytest.mark.parametrize("path", ["first", "login"])
@pytest.mark.parametrize("body", [None, "no json", {"email": "root@example.com", "password": "hunter2"}])
def test_no_password_opens_anything(
    client: Client, owner: Client, assert_error: CheckError, path: str, body: Any
) -> None:
    for caller in (client, owner):
        reply = caller.post(f"/api/v2/users/{path}", body)
        assert reply.status == 403
        assert assert_error(reply)["message"] == "Password authentication is disabled."
        assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("login_type", ["none", "oidc", "github", "password"])
def test_how_a_user_logs_in(house: House, owner: Client, as_ann: Client, login_type: str) -> None:
    house.user("bob", login_type=login_type)
    reply = owner.get("/api/v2/users/bob/login-type")
    assert (reply.status, reply.json) == (200, {"login_type": login_type})
    assert as_ann.get("/api/v2/users/bob/login-type").status == 404
    assert as_ann.get(f"{ME}/login-type").json == {"login_type": "none"}


# May I?

ACME = "1a2bb67e-0117-4168-92e0-58138989a7f5"
OTHER = "2a2bb67e-0117-4168-92e0-58138989a7f6"
BOB = "6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21"
WORKSPACE = "05567e23-31e2-4c00-bd05-4d499d437347"


def check(resource_type: str, action: str, **about: Any) -> dict[str, Any]:
    return {"action": action, "object": {"resource_type": resource_type, **about}}


MEMBER = {
    "own user": (check("user", "read", owner_id="me"), True),
    "own user by id": (check("user", "read", owner_id="{me}", resource_id="{me}"), True),
    "all users": (check("user", "read"), False),
    "another user": (check("user", "read", owner_id=BOB), False),
    "own tokens": (check("api_key", "create", owner_id="me"), True),
    "another's tokens": (check("api_key", "create", owner_id=BOB), False),
    "organization": (check("organization", "read", organization_id=ACME), True),
    "any organization": (check("organization", "read", any_org=True), True),
    "another organization": (check("organization", "read", organization_id=OTHER), False),
    "change an organization": (check("organization", "update", any_org=True), False),
    "own workspace": (check("workspace", "create", organization_id=ACME, owner_id="me"), True),
    "own workspace anywhere": (check("workspace", "create", any_org=True, owner_id="me"), True),
    "another's workspace": (check("workspace", "create", organization_id=ACME, owner_id=BOB), False),
    "another's workspace anywhere": (check("workspace", "create", any_org=True, owner_id=BOB), False),
    "anybody's workspace anywhere": (check("workspace", "create", any_org=True), False),
    "audit log": (check("audit_log", "read"), False),
    "audit log of any organization": (check("audit_log", "read", any_org=True), False),
    "no such type": (check("nothing", "read"), False),
    "no such action": (check("user", "fly"), False),
    "wildcards": (check("*", "*"), False),
}
AUDITOR = {
    "audit log": (check("audit_log", "read"), False),
    "audit log of the organization": (check("audit_log", "read", organization_id=ACME), True),
    "audit log of any organization": (check("audit_log", "read", any_org=True), True),
    "write it": (check("audit_log", "create", any_org=True), False),
}
OWNER = {
    "audit log": (check("audit_log", "read"), True),
    "audit log of any organization": (check("audit_log", "read", any_org=True), True),
    "another's workspace anywhere": (check("workspace", "create", any_org=True, owner_id=BOB), True),
    "another's tokens": (check("api_key", "delete", owner_id=BOB), True),
    "another's secrets": (check("user_secret", "read", owner_id=BOB), False),
}
LOG_READER = {
    "audit log": (check("audit_log", "read"), True),
    "audit log of any organization": (check("audit_log", "read", any_org=True), True),
    "write it": (check("audit_log", "create"), False),
    "own tokens": (check("api_key", "read", owner_id="me"), False),
}
ONE_WORKSPACE = {
    "that one": (check("workspace", "read", resource_id=WORKSPACE), True),
    "that one anywhere": (check("workspace", "read", resource_id=WORKSPACE, any_org=True), True),
    "another": (check("workspace", "read", resource_id=BOB), False),
    "a new one": (check("workspace", "create", owner_id="me"), False),
    "a new one anywhere": (check("workspace", "create", any_org=True), False),
    "users of any organization": (check("user", "read", any_org=True), False),
}
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...] | None, dict[str, Any], dict[str, Any]]] = {
    "member": ((), ("organization-workspace-access",), {}, MEMBER),
    "organization auditor": ((), ("organization-auditor",), {}, AUDITOR),
    "owner": (("owner",), None, {}, OWNER),
    "owner, logs read": (("owner",), None, {"scopes": ("coder:logs.read",)}, LOG_READER),
    "owner, one workspace": (("owner",), None, {"allow_list": (f"workspace:{WORKSPACE}",)}, ONE_WORKSPACE),
}


@pytest.mark.parametrize("who", ROWS)
def test_what_a_caller_may_do(house: House, who: str) -> None:
    roles, in_acme, held, rows = ROWS[who]
    house.organization("acme", id=ACME)
    user = house.user("bea", *roles, organizations={} if in_acme is None else {ACME: in_acme})
    checks = {
        name: {
            **asked,
            "object": {key: user.id if value == "{me}" else value for key, value in asked["object"].items()},
        }
        for name, (asked, _) in rows.items()
    }
    reply = house.client(user, **held).post("/api/v2/authcheck", {"checks": checks})
    assert reply.status == 200
    assert reply.json == {name: allowed for name, (_, allowed) in rows.items()}


def test_nothing_may_be_done_with_an_emptied_allow_list(house: House, root: User) -> None:
    checks = {
        f"{resource}:{action}:{any_org}": check(resource, action, any_org=any_org)
        for resource, actions in ACTIONS.items()
        for action in actions
        for any_org in (False, True)
    }
    reply = house.client(root, allow_list=()).post("/api/v2/authcheck", {"checks": checks})
    assert set(reply.json.values()) == {False}
    assert len(reply.json) == len(checks)


def test_a_thousand_questions_of_who_is_in_many_organizations_look_at_these_a_few_times(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {str(uuid4()): ("organization-auditor",) for _ in range(256)}
    bea = house.user("bea", organizations=places)
    looks: list[tuple[str, str]] = []

    def counted(subject: Subject, action: str, resource: str) -> Reach:
        looks.append((resource, action))
        return decide.reach(subject, action, resource)

    monkeypatch.setattr(sessions, "reach", counted)
    kinds = [("audit_log", True), ("connection_log", True), ("workspace", False)]
    checks = {str(number): check(kinds[number % 3][0], "read", any_org=True) for number in range(1_000)}
    reply = house.client(bea).post("/api/v2/authcheck", {"checks": checks})
    assert reply.json == {str(number): kinds[number % 3][1] for number in range(1_000)}
    assert sorted(looks) == sorted((kind, "read") for kind, _ in kinds)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"checks": {}}, 200, ""),
        ({}, 200, ""),
        ({"checks": None}, 400, "checks"),
        ({"checks": {"a": {"action": "read"}}}, 400, "checks.a.object"),
        ({"checks": {"a": {"action": 1, "object": {"resource_type": "user"}}}}, 400, "checks.a.action"),
        ({"checks": {str(number): check("user", "read") for number in range(1_001)}}, 400, "checks"),
    ],
)
def test_questions_must_be_asked_properly(
    as_ann: Client, assert_error: CheckError, body: dict[str, Any], status: int, field: str
) -> None:
    reply = as_ann.post("/api/v2/authcheck", body)
    assert reply.status == status
    if field:
        assert [wrong["field"] for wrong in assert_error(reply)["validations"]] == [field]


def test_a_question_about_no_type_is_none(as_ann: Client, assert_error: CheckError) -> None:
    reply = as_ann.post("/api/v2/authcheck", {"checks": {"see it": check("", "read")}})
    assert reply.status == 400
    assert assert_error(reply)["message"] == 'Object\'s "resource_type" field must be defined for key "see it".'


def test_a_session_that_was_left_alone_ends(house: House, ann: User, clock: Clock) -> None:
    end: datetime = clock.moment + WEEK
    session = house.client(ann, login_type="password", token_name="", expires_at=end)
    clock.forward(WEEK - timedelta(microseconds=1))
    assert session.get(ME).status == 200
    clock.forward(WEEK)
    assert session.get(ME).status == 401


def test_logging_out_deletes_no_token_that_the_caller_may_not_delete(house: House, ann: User) -> None:
    application = house.client(ann, scopes=("coder:application_connect", "user:read"))
    shipper = house.client(ann, scopes=("coder:logs.ingest",))
    assert shipper.post("/api/v2/users/logout").status == 200
    assert shipper.get("/api/v2/users/me").status == 401
    assert application.get("/api/v2/users/me").status == 200
