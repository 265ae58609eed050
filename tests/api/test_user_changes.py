"""Changes of a user by clients, each with its row: creation, status, profile and site roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.store.directory import people

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, House, Reply

USERS = "/api/v2/users"
CheckError = Callable[["Reply"], dict[str, Any]]
Trail = Callable[[], list["AuditLog"]]
NOT_FOUND = "Resource not found or you do not have access to this resource"
NEW = {"username": "dee", "email": "dee@example.com", "login_type": "none"}


def of(user: User | str, subpath: str = "") -> str:
    return f"{USERS}/{user if isinstance(user, str) else user.id}{subpath}"


def summaries(rows: list[AuditLog]) -> list[tuple[str, str, int]]:
    return [(row.resource_type, row.action, row.status_code) for row in rows]


def test_a_created_user_is_dormant_until_a_token_is_used(owner: Client, house: House, trail: Trail) -> None:
    acme = house.organization()
    body = {**NEW, "name": "Dee", "organization_ids": [acme.id], "roles": ["auditor", "member"]}
    reply = owner.post(USERS, body)
    assert reply.status == 201
    made = reply.json
    assert {name: made[name] for name in ("username", "email", "name", "status", "login_type")} == {
        **NEW,
        "name": "Dee",
        "status": "dormant",
    }
    assert [role["name"] for role in made["roles"]] == ["auditor"]
    assert made["organization_ids"] == [acme.id]
    assert owner.get(of("dee")).json == made
    assert sorted(summaries(trail())) == [("organization_member", "create", 201), ("user", "create", 201)]
    stored = people.get_user(made["id"])
    assert stored is not None
    assert house.client(stored).get(of("me")).status == 200
    assert owner.get(of("dee")).json["status"] == "active"


@pytest.mark.parametrize(
    ("sent", "login_type"),
    [
        ({}, "none"),
        ({"login_type": "github"}, "github"),
        ({"login_type": "oidc"}, "oidc"),
        ({"login_type": "none", "password": ""}, "none"),
        ({"disable_login": True, "login_type": ""}, "none"),
        ({"service_account": True}, "none"),
    ],
)
def test_ways_to_log_in_that_a_user_may_have(owner: Client, sent: dict[str, Any], login_type: str) -> None:
    reply = owner.post(USERS, {"username": "dee", "email": "dee@example.com", **sent})
    assert (reply.status, reply.json["login_type"]) == (201, login_type)
    assert reply.json.get("is_service_account", False) is bool(sent.get("service_account"))


@pytest.mark.parametrize("sent", [{"login_type": "password"}, {"password": "x"}, {"login_type": "token"}])
def test_there_are_no_passwords(owner: Client, assert_error: CheckError, sent: dict[str, Any]) -> None:
    reply = owner.post(USERS, {"username": "dee", "email": "dee@example.com", **sent})
    assert reply.status == 400
    body = assert_error(reply)
    assert body["message"] == "There are no passwords here."
    assert body["detail"] == "Create the user with login type none, github or oidc."
    assert [problem["field"] for problem in body["validations"]] == ["login_type"]
    assert owner.get(of("dee")).status == 404


def test_service_accounts_need_no_address_and_others_do(owner: Client, assert_error: CheckError) -> None:
    for name in ("robot", "droid"):
        assert owner.post(USERS, {"username": name, "service_account": True}).status == 201
    reply = owner.post(USERS, {"username": "dee"})
    assert reply.status == 400
    assert [problem["field"] for problem in assert_error(reply)["validations"]] == ["email"]
    wrong = owner.post(USERS, {"username": "x", "service_account": True, "login_type": "oidc"})
    assert (wrong.status, wrong.json["message"]) == (400, "Service accounts must use login type 'none'.")


def test_a_service_account_may_lose_its_address_and_take_it_back(owner: Client) -> None:
    robot = {"username": "robot", "is_service_account": True}
    row_id = str(uuid4())
    assert owner.put(of(row_id), {**robot, "email": "robot@example.com"}).status == 201
    assert owner.put(of(row_id), {**robot, "email": ""}).status == 200
    assert owner.post(USERS, {**NEW, "email": "robot@example.com"}).status == 201
    assert owner.put(of(row_id), {**robot, "email": "robot@example.com"}).status == 409
    assert owner.delete(of(row_id)).status == 200


@pytest.mark.needs("transactions")
@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"username": "ANN"}, 409, "User already exists."),
        ({"email": "Ann@example.com"}, 409, "User already exists."),
        ({"roles": ["captain"]}, 400, '"captain" is not a supported role'),
        ({"organization_ids": [str(uuid4())]}, 404, "Organization does not exist with the provided id"),
    ],
)
def test_users_that_cannot_be_created(
    owner: Client, ann: User, trail: Trail, assert_error: CheckError, change: dict[str, Any], status: int, message: str
) -> None:
    assert ann
    reply = owner.post(USERS, {**NEW, **change})
    assert reply.status == status
    assert assert_error(reply)["message"].startswith(message)
    assert trail() == []


@pytest.mark.parametrize(
    ("roles", "granted", "status"),
    [
        (("owner",), ["owner"], 201),
        (("user-admin",), [], 201),
        (("user-admin",), ["auditor"], 403),
        (("auditor",), [], 403),
        ((), [], 403),
    ],
)
def test_who_creates_users(house: House, roles: tuple[str, ...], granted: list[str], status: int) -> None:
    reply = house.client(house.user("bob", *roles)).post(USERS, {**NEW, "roles": granted})
    assert reply.status == status
    if "user-admin" not in roles and status == 403:
        assert reply.json["message"] == "You are not authorized to create users."


def test_suspending_closes_every_token_until_the_user_is_activated(
    owner: Client, house: House, ann: User, trail: Trail
) -> None:
    hers = house.client(ann)
    reply = owner.put(of("ann", "/status/suspend"))
    assert (reply.status, reply.json["status"]) == (200, "suspended")
    assert hers.get(of("me")).status == 401
    assert owner.put(of("ann", "/status/suspend")).status == 200
    assert owner.put(of(ann, "/status/activate")).json["status"] == "active"
    assert hers.get(of("me")).status == 200
    rows = trail()
    refused = ("api_key", "login", 401)
    assert summaries(rows) == [("user", "write", 200), refused, ("user", "write", 200)]
    changes = [row.diff["status"]["new"] for row in rows if row.resource_type == "user"]
    assert changes == ["suspended", "active"]


@pytest.mark.parametrize(
    ("roles", "target", "status"),
    [
        (("owner",), (), 200),
        (("owner",), ("auditor",), 200),
        (("owner",), ("owner",), 400),
        (("user-admin",), (), 200),
        (("user-admin",), ("auditor",), 403),
        (("user-admin",), ("owner",), 400),
        (("auditor",), (), 403),
        ((), (), 404),
    ],
)
def test_who_suspends_whom(house: House, roles: tuple[str, ...], target: tuple[str, ...], status: int) -> None:
    ann = house.user("ann", *target)
    caller = house.client(house.user("bob", *roles))
    assert caller.put(of(ann, "/status/suspend")).status == status
    stored = people.get_user(ann.id)
    assert stored is not None
    assert (stored.status == "suspended") is (status == 200)


def test_nobody_suspends_themselves_nor_an_owner(owner: Client, root: User, house: House) -> None:
    for name in ("me", root.id):
        reply = owner.put(of(name, "/status/suspend"))
        assert (reply.status, reply.json["message"]) == (400, "You cannot suspend yourself.")
    chief = house.user("chief", "owner")
    reply = owner.put(of(chief, "/status/suspend"))
    message = 'You cannot suspend a user with the "owner" role. You must remove the role first.'
    assert (reply.status, reply.json["message"]) == (400, message)


def test_a_user_changes_their_own_name_and_picture(as_ann: Client, trail: Trail) -> None:
    reply = as_ann.put(of("me", "/profile"), {"username": "ann", "name": "Ann Lee", "avatar_url": "/a.png"})
    assert (reply.status, reply.json["name"], reply.json["avatar_url"]) == (200, "Ann Lee", "/a.png")
    again = as_ann.put(of("me", "/profile"), {"username": "ann", "name": ""})
    assert "name" not in again.json
    assert again.json["avatar_url"] == "/a.png"
    assert summaries(trail()) == [("user", "write", 200)] * 2


def test_a_username_is_changed_by_those_who_change_users(owner: Client, as_ann: Client, house: House) -> None:
    house.user("bob")
    reply = as_ann.put(of("me", "/profile"), {"username": "anna"})
    assert (reply.status, reply.json["message"]) == (404, NOT_FOUND)
    assert owner.put(of("ann", "/profile"), {"username": "anna"}).json["username"] == "anna"
    taken = owner.put(of("anna", "/profile"), {"username": "BOB"})
    assert (taken.status, taken.json["message"]) == (409, "A user with this username already exists.")
    assert as_ann.put(of("bob", "/profile"), {"username": "bob", "name": "x"}).status == 404


def test_a_token_without_the_scope_changes_no_profile(house: House, ann: User) -> None:
    body = {"username": "ann", "name": "Ann"}
    for scopes, status in ((("user:read",), 403), (("user:read", "user:update_personal"), 200)):
        assert house.client(ann, scopes=scopes).put(of("me", "/profile"), body).status == status


def test_the_roles_of_a_user_are_read_and_given_anew(owner: Client, house: House, trail: Trail) -> None:
    acme = house.organization()
    ann = house.user("ann", "auditor", organizations={acme.id: ("organization-auditor",)})
    assert owner.get(of("ann", "/roles")).json == {
        "roles": ["auditor"],
        "organization_roles": {acme.id: ["organization-auditor"]},
    }
    reply = owner.put(of("ann", "/roles"), {"roles": ["user-admin", "member", "user-admin"]})
    assert (reply.status, [role["name"] for role in reply.json["roles"]]) == (200, ["user-admin"])
    assert owner.get(of(ann, "/roles")).json["roles"] == ["user-admin"]
    (row,) = trail()
    assert (row.action, row.diff["rbac_roles"]) == (
        "write",
        {"old": ["auditor"], "new": ["user-admin"], "secret": False},
    )


def test_roles_in_organizations_are_shown_to_those_who_read_members(house: House, ann: User) -> None:
    acme, zeta = house.organization("acme"), house.organization("zeta")
    bob = house.user("bob", organizations={acme.id: (), zeta.id: ("organization-auditor",)})
    admin = house.client(house.user("cid", organizations={acme.id: ("organization-admin",)}))
    assert admin.get(of(bob, "/roles")).json["organization_roles"] == {acme.id: []}
    assert house.client(ann).get(of(bob, "/roles")).status == 404


@pytest.mark.parametrize(
    ("roles", "given", "status", "message"),
    [
        (("owner",), ["auditor", "owner"], 200, ""),
        (("owner",), ["organization-admin"], 400, '"organization-admin" is not a supported role'),
        (("owner",), ["captain"], 400, '"captain" is not a supported role'),
        (("user-admin",), [], 200, ""),
        (("user-admin",), ["auditor"], 403, "Forbidden."),
        (("auditor",), [], 403, "Forbidden."),
        ((), [], 404, NOT_FOUND),
    ],
)
def test_who_gives_roles_to_whom(
    house: House, ann: User, roles: tuple[str, ...], given: list[str], status: int, message: str
) -> None:
    reply = house.client(house.user("bob", *roles)).put(of(ann, "/roles"), {"roles": given})
    assert (reply.status, reply.json.get("message", "")) == (status, message)


def test_nobody_changes_their_own_roles(owner: Client, root: User) -> None:
    for name in ("me", "root", root.id):
        reply = owner.put(of(name, "/roles"), {"roles": []})
        assert (reply.status, reply.json["message"]) == (400, "You cannot change your own roles.")


def test_the_roles_that_there_are(owner: Client, as_ann: Client, house: House) -> None:
    listed = owner.get(f"{USERS}/roles").json
    assert {role["name"] for role in listed} == {"owner", "auditor", "template-admin", "user-admin"}
    assert all(role["assignable"] and role["built_in"] for role in listed)
    auditor = next(role for role in listed if role["name"] == "auditor")
    assert {"negate": False, "resource_type": "audit_log", "action": "read"} in auditor["site_permissions"]
    assert auditor["display_name"] == "Auditor"
    assert not any(role["assignable"] for role in as_ann.get(f"{USERS}/roles").json)
    reader = house.client(house.user("cid", "owner"), scopes=("assign_role:read",))
    assert not any(role["assignable"] for role in reader.get(f"{USERS}/roles").json)


def test_a_role_that_is_unknown_here_costs_that_role_and_not_the_user(owner: Client, trail: Trail) -> None:
    row_id, acme = str(uuid4()), str(uuid4())
    body = {
        "username": "dee",
        "email": "dee@example.com",
        "roles": ["agents-access", "auditor"],
        "organization_roles": {acme: ["captain", "organization-auditor"]},
    }
    reply = owner.put(of(row_id), body)
    assert reply.status == 201
    assert [role["name"] for role in reply.json["roles"]] == ["auditor"]
    assert reply.json["warnings"] == [
        {"field": "roles.0", "detail": '"agents-access" is not a supported role and was left out'},
        {"field": f"organization_roles.{acme}.0", "detail": '"captain" is not a supported role and was left out'},
    ]
    before = len(trail())
    again = owner.put(of(row_id), body)
    assert (again.status, again.json["warnings"]) == (200, reply.json["warnings"])
    assert len(trail()) == before
    assert owner.get(of(row_id, "/roles")).json == {
        "roles": ["auditor"],
        "organization_roles": {acme: ["organization-auditor"]},
    }
    body["roles"] = ["auditor"]
    body["organization_roles"] = {}
    assert "warnings" not in owner.put(of(row_id), body).json


def test_a_deleted_user_is_answered_by_id_alone(owner: Client, as_ann: Client, ann: User, house: House) -> None:
    assert owner.delete(of(ann)).status == 200
    reply = owner.get(of(ann))
    assert (reply.status, reply.json["username"], reply.json["deleted"]) == (200, "ann", True)
    assert owner.get(of("ann")).status == 404
    assert house.client(house.user("bob")).get(of(ann)).status == 404
    assert as_ann.get(of("me")).status == 401
    for path, body in (("/status/activate", None), ("/profile", {"username": "ann"}), ("/roles", {"roles": []})):
        assert owner.put(of(ann, path), body).status == 404
