from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.store.directory import people

if TYPE_CHECKING:
    from chalicelib.records import Organization, User
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

ALL = "/api/v2/users"
ALWAYS = {
    "id",
    "username",
    "email",
    "created_at",
    "updated_at",
    "last_seen_at",
    "status",
    "login_type",
    "organization_ids",
    "roles",
    "has_ai_seat",
}
TAKEN = "This value is already in use and should be unique."
NOT_FOUND = {"message": "Resource not found or you do not have access to this resource"}
ELSEWHERE = "6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21"


def of(row_id: str) -> str:
    return f"{ALL}/{row_id}"


def ann_with(**changes: object) -> dict[str, Any]:
    return {"username": "ann", "email": "ann@example.com", **changes}


@pytest.fixture
def acme(house: House) -> Organization:
    return house.organization("acme")


@pytest.fixture
def ann(house: House) -> User:
    return house.user("ann")


def test_put_creates_with_upstreams_fields(owner: Client) -> None:
    row_id = str(uuid4())
    reply = owner.put(of(row_id), ann_with())
    assert reply.status == 201
    body = reply.json
    assert set(body) == ALWAYS
    assert body["created_at"] == body["updated_at"]
    assert {name: body[name] for name in ALWAYS - {"created_at", "updated_at"}} == {
        "id": row_id,
        "username": "ann",
        "email": "ann@example.com",
        "last_seen_at": "0001-01-01T00:00:00Z",
        "status": "active",
        "login_type": "none",
        "organization_ids": [],
        "roles": [],
        "has_ai_seat": False,
    }
    assert owner.get(of(row_id)).json == body


def test_put_keeps_all_it_is_given_and_doing_it_again_changes_nothing(owner: Client, acme: Organization) -> None:
    row_id = str(uuid4())
    whole = ann_with(
        name="Ann Onymous",
        avatar_url="https://example.com/a.png",
        status="dormant",
        login_type="oidc",
        roles=["auditor", "user-admin"],
        organization_ids=[acme.id],
        organization_roles={ELSEWHERE: ["organization-auditor"]},
    )
    first = owner.put(of(row_id), whole)
    second = owner.put(of(row_id), whole)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    assert set(first.json) == ALWAYS | {"name", "avatar_url"}
    for name in ("username", "email", "name", "avatar_url", "status", "login_type"):
        assert first.json[name] == whole[name]
    assert first.json["organization_ids"] == sorted([acme.id, ELSEWHERE])
    assert first.json["roles"] == [
        {"name": "auditor", "display_name": "Auditor"},
        {"name": "user-admin", "display_name": "User Admin"},
    ]
    kept = people.get_user(row_id)
    assert kept is not None
    assert kept.organization_roles == {acme.id: (), ELSEWHERE: ("organization-auditor",)}


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("name", "Other"),
        ("avatar_url", "/other.png"),
        ("status", "suspended"),
        ("login_type", "github"),
        ("username", "anna"),
        ("email", "anna@example.com"),
        ("organization_ids", []),
        ("roles", []),
    ],
)
def test_put_keeps_what_is_left_out(
    owner: Client, house: House, acme: Organization, change: str, value: object
) -> None:
    before = house.user(
        "ann",
        "auditor",
        name="Ann",
        avatar_url="/a.png",
        login_type="oidc",
        organizations={acme.id: ("organization-admin",)},
    )
    old = owner.get(of(before.id)).json
    reply = owner.put(of(before.id), ann_with(**{change: value}))
    assert reply.status == 200
    new = reply.json
    assert new["updated_at"] > old["updated_at"]
    assert new == {**old, change: value, "updated_at": new["updated_at"]}
    assert owner.get(of(before.id)).json == new


def test_null_is_left_out(owner: Client, house: House, acme: Organization) -> None:
    before = house.user("ann", "auditor", name="Ann", organizations={acme.id: ()})
    nulls = dict.fromkeys(
        ("name", "avatar_url", "status", "login_type", "roles", "organization_ids", "organization_roles")
    )
    reply = owner.put(of(before.id), ann_with(**nulls))
    assert reply.status == 200
    assert reply.json == owner.get(of(before.id)).json
    assert (reply.json["name"], len(reply.json["roles"]), len(reply.json["organization_ids"])) == ("Ann", 1, 1)


def test_an_emptied_name_is_left_out_of_the_answer(owner: Client, house: House) -> None:
    before = house.user("ann", name="Ann", avatar_url="/a.png")
    assert set(owner.get(of(before.id)).json) == ALWAYS | {"name", "avatar_url"}
    assert set(owner.put(of(before.id), ann_with(name="", avatar_url="")).json) == ALWAYS


def test_implied_roles_are_not_listed_and_repeated_ones_once(owner: Client, acme: Organization) -> None:
    row_id = str(uuid4())
    body = ann_with(
        roles=["member", "auditor", "auditor"],
        organization_roles={acme.id: ["organization-member", "organization-auditor", "organization-auditor"]},
    )
    reply = owner.put(of(row_id), body)
    assert [role["name"] for role in reply.json["roles"]] == ["auditor"]
    kept = people.get_user(row_id)
    assert kept is not None
    assert kept.organization_roles == {acme.id: ("organization-auditor",)}


@pytest.mark.parametrize("form", ["{}", "{{{}}}", "urn:uuid:{}"])
def test_every_form_of_an_id_is_the_same_user(owner: Client, ann: User, form: str) -> None:
    path = form.format(ann.id.upper()).replace("{", "%7B").replace("}", "%7D")
    assert owner.get(of(path)).json["id"] == ann.id
    assert owner.put(of(path), ann_with()).json["id"] == ann.id


@pytest.mark.parametrize("name", ["ann", "ANN", "aNn", "a%6en"])
def test_lookup_by_username_whatever_its_case(owner: Client, ann: User, name: str) -> None:
    assert owner.get(of(name)).json["id"] == ann.id


def test_lookup_of_oneself(house: House, ann: User) -> None:
    caller = house.client(ann)
    for name in ("me", "ann", ann.id):
        assert caller.get(of(name)).json["id"] == ann.id
    assert caller.get(of("ME")).status == 404


@pytest.mark.parametrize("name", ["nobody", ELSEWHERE, "ann@example.com", "%00", "x" * 2_000, "%F0%9F%A6%80" * 300])
def test_nobody_is_not_found(owner: Client, ann: User, name: str) -> None:
    assert ann
    for suffix in ("", "/organizations"):
        reply = owner.get(of(name) + suffix)
        assert (reply.status, reply.json) == (404, NOT_FOUND)
    assert owner.delete(of(name)).status == 404


@pytest.mark.needs("transactions")
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"username": "ANN", "email": "x@example.com"}, ["username"]),
        ({"username": "x", "email": "Ann@Example.com"}, ["email"]),
        ({"username": "Ann", "email": "ANN@example.com"}, ["username", "email"]),
    ],
)
def test_names_and_addresses_are_unique_whatever_their_case(
    *, owner: Client, house: House, ann: User, assert_error: CheckError, changes: dict[str, str], fields: list[str]
) -> None:
    other = house.user("other")
    for row_id in (str(uuid4()), other.id):
        reply = owner.put(of(row_id), changes)
        assert reply.status == 409
        assert assert_error(reply) == {
            "message": "User already exists.",
            "validations": [{"field": field, "detail": TAKEN} for field in fields],
        }
    assert owner.get(of(other.id)).json["username"] == "other"
    assert owner.get(of(ann.id)).json["email"] == "ann@example.com"


def test_a_rename_frees_the_name_and_the_address(owner: Client, ann: User) -> None:
    assert owner.put(of(ann.id), {"username": "ANN", "email": "ANN@example.com"}).json["username"] == "ANN"
    assert owner.put(of(ann.id), {"username": "anna", "email": "anna@example.com"}).status == 200
    assert owner.get(of("ann")).status == 404
    assert owner.put(of(str(uuid4())), ann_with()).status == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "a--b"}, "username"),
        ({"username": "a" * 33}, "username"),
        ({"username": "me me"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@c"}, "email"),
        ({"email": "a@b@c"}, "email"),
        ({"email": f"{'a' * 254}@b"}, "email"),
        ({"status": "gone"}, "status"),
        ({"login_type": "magic"}, "login_type"),
        ({"roles": [1]}, "roles.0"),
        ({"roles": ["x" * 129]}, "roles.0"),
        ({"roles": ["auditor"] * 129}, "roles"),
        ({"roles": "owner"}, "roles"),
        ({"organization_ids": ["acme"]}, "organization_ids.0"),
        ({"organization_ids": [str(uuid4()) for _ in range(257)]}, "organization_ids"),
        ({"organization_roles": {ELSEWHERE: [None]}}, f"organization_roles.{ELSEWHERE}.0"),
        ({"email": ""}, "email"),
        ({"is_service_account": "yes, please"}, "is_service_account"),
        ({"github_com_user_id": -1}, "github_com_user_id"),
        ({"organization_roles": []}, "organization_roles"),
        ({"name": "x" * 1_025}, "name"),
    ],
)
def test_values_that_are_none(owner: Client, assert_error: CheckError, changes: dict[str, object], field: str) -> None:
    reply = owner.put(of(str(uuid4())), ann_with(**changes))
    assert reply.status == 400
    assert [validation["field"] for validation in assert_error(reply)["validations"]] == [field]


@pytest.mark.parametrize("name", ["me", "ann", "1234", f"{ELSEWHERE}0"])
def test_put_wants_an_id(owner: Client, ann: User, assert_error: CheckError, name: str) -> None:
    assert ann
    reply = owner.put(of(name), ann_with())
    assert reply.status == 400
    assert assert_error(reply)["validations"] == [{"field": "user", "detail": 'Path param "user" must be a valid uuid'}]


def test_deleting_is_soft_and_the_tokens_stop_at_once(owner: Client, house: House, ann: User) -> None:
    caller = house.client(ann)
    assert caller.get(of("me")).status == 200
    reply = owner.delete(of("ann"))
    assert (reply.status, reply.json) == (200, {"message": "User has been deleted!"})
    refused = caller.get(of("me"))
    assert (refused.status, refused.json["detail"]) == (401, "API key is invalid.")
    assert owner.get(of("ann")).json == NOT_FOUND
    for name in ("ann", ann.id):
        assert owner.delete(of(name)).status == 404
    assert [user["username"] for user in owner.get(ALL).json["users"]] == ["root"]
    kept = people.get_user(ann.id)
    assert kept is not None
    assert kept.deleted
    assert kept.username == "ann"


def test_a_deleted_name_is_free_and_a_deleted_user_can_be_put_back(owner: Client, ann: User) -> None:
    owner.delete(of("ann"))
    other = str(uuid4())
    assert owner.put(of(other), ann_with()).status == 201
    assert owner.put(of(ann.id), ann_with()).status == 409
    assert owner.put(of(ann.id), {"username": "anna", "email": "anna@example.com"}).status == 201
    assert owner.get(of("anna")).json["id"] == ann.id
    assert owner.get(of("ann")).json["id"] == other


def test_nobody_deletes_themselves(owner: Client, root: User, assert_error: CheckError) -> None:
    for name in ("me", "root", root.id):
        reply = owner.delete(of(name))
        assert reply.status == 403
        assert assert_error(reply)["message"] == "You cannot delete yourself!"


@pytest.fixture
def visible_users(house: House, acme: Organization) -> Mapping[str, User]:
    return {
        "ann": house.user("ann", organizations={acme.id: ()}),
        "Bob": house.user("Bob", organizations={acme.id: ("organization-auditor",)}),
        "chief": house.user("chief", "owner"),
    }


@pytest.mark.parametrize(
    ("site", "inside", "all_seen"),
    [
        (("owner",), None, True),
        (("auditor",), None, True),
        (("user-admin",), None, True),
        (("template-admin",), None, True),
        ((), ("organization-admin",), True),
        ((), ("organization-user-admin",), True),
        ((), ("organization-auditor",), False),
        ((), ("organization-template-admin",), False),
        ((), (), False),
        ((), None, False),
    ],
)
def test_who_sees_whom(
    *,
    house: House,
    acme: Organization,
    visible_users: Mapping[str, User],
    site: tuple[str, ...],
    inside: tuple[str, ...] | None,
    all_seen: bool,
) -> None:
    zoe = house.user("zoe", *site, organizations={} if inside is None else {acme.id: inside})
    caller = house.client(zoe)
    listed = caller.get(ALL).json
    seen = ["ann", "Bob", "chief", "zoe"] if all_seen else ["zoe"]
    assert [user["username"] for user in listed["users"]] == seen
    assert listed["count"] == len(seen)
    for name, user in visible_users.items():
        for path in (name, user.id):
            assert caller.get(of(path)).status == (200 if all_seen else 404)
            assert caller.get(f"{of(path)}/organizations").status == (200 if all_seen else 404)
            if not all_seen:
                assert caller.get(of(path)).json == NOT_FOUND


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["ann", "Bob", "chief", "root"]),
        ({"limit": "2"}, ["ann", "Bob"]),
        ({"limit": "2", "offset": "1"}, ["Bob", "chief"]),
        ({"offset": "3"}, ["root"]),
        ({"offset": "9"}, []),
        ({"limit": "0"}, ["ann", "Bob", "chief", "root"]),
    ],
)
def test_pages_of_users(
    owner: Client, visible_users: Mapping[str, User], query: dict[str, str], names: list[str]
) -> None:
    assert visible_users
    body = owner.get(ALL, query=query).json
    assert set(body) - {"next_after_id"} == {"users", "count"}
    assert ("next_after_id" in body) is (bool(names) and names[-1] != "root")
    assert ([user["username"] for user in body["users"]], body["count"]) == (names, 4)


def test_a_bad_page_is_refused(owner: Client, assert_error: CheckError) -> None:
    reply = owner.get(ALL, query={"limit": "-1"})
    assert reply.status == 400
    assert assert_error(reply)["message"] == "Query parameters have invalid values."


def test_the_organizations_of_a_user(owner: Client, house: House, acme: Organization) -> None:
    zeta, gone = house.organization("Zeta"), house.organization("gone")
    ann = house.user("ann", organizations={zeta.id: (), acme.id: (), gone.id: (), ELSEWHERE: ()})
    owner.delete(f"/api/v2/organizations/{gone.id}")
    for name in ("ann", ann.id):
        assert [row["name"] for row in owner.get(f"{of(name)}/organizations").json] == ["acme", "Zeta"]
    bob = house.client(house.user("bob", organizations={acme.id: ("organization-admin",)}))
    assert [row["name"] for row in bob.get(f"{of('ann')}/organizations").json] == ["acme"]
    assert owner.get(of("ann")).json["organization_ids"] == sorted([zeta.id, acme.id, gone.id, ELSEWHERE])


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        # create, update a member, update oneself, delete a member
        (("owner",), (201, 200, 200, 200)),
        (("user-admin",), (201, 200, 200, 200)),
        (("auditor",), (403, 403, 403, 403)),
        (("template-admin",), (403, 403, 403, 403)),
        ((), (403, 404, 403, 404)),
    ],
)
def test_who_changes_whom(
    house: House, ann: User, assert_error: CheckError, role: tuple[str, ...], statuses: tuple[int, ...]
) -> None:
    bob = house.user("bob", *role)
    caller = house.client(bob)
    replies = [
        caller.put(of(str(uuid4())), {"username": "new", "email": "new@example.com"}),
        caller.put(of(ann.id), ann_with(name="Ann")),
        caller.put(of(bob.id), {"username": "bob", "email": "bob@example.com", "name": "Bob"}),
        caller.delete(of(ann.id)),
    ]
    assert tuple(reply.status for reply in replies) == statuses
    for reply in replies:
        if reply.status >= 400:
            assert_error(reply)


@pytest.mark.parametrize(
    ("granter", "change", "allowed"),
    [
        ("owner", {"roles": ["owner", "auditor", "user-admin", "template-admin"]}, True),
        ("owner", {"organization_roles": {ELSEWHERE: ["organization-admin"]}}, True),
        ("user-admin", {"roles": []}, True),
        ("user-admin", {"roles": ["member"]}, True),
        ("user-admin", {"roles": ["user-admin"]}, False),
        ("user-admin", {"roles": ["auditor"]}, False),
        ("user-admin", {"roles": ["owner"]}, False),
        ("user-admin", {"organization_ids": [ELSEWHERE]}, True),
        ("user-admin", {"organization_roles": {ELSEWHERE: []}}, True),
        ("user-admin", {"organization_roles": {ELSEWHERE: ["organization-workspace-access"]}}, True),
        ("user-admin", {"organization_roles": {ELSEWHERE: ["organization-admin"]}}, False),
        ("user-admin", {"organization_roles": {ELSEWHERE: ["organization-auditor"]}}, False),
    ],
)
@pytest.mark.parametrize("new", [True, False])
def test_roles_are_granted_by_those_who_may_assign_them(
    *,
    house: House,
    assert_error: CheckError,
    granter: str,
    change: dict[str, Any],
    allowed: bool,
    new: bool,
) -> None:
    caller = house.client(house.user("bob", granter))
    row_id = str(uuid4()) if new else house.user("ann").id
    reply = caller.put(of(row_id), ann_with(**change))
    assert reply.status == ((201 if new else 200) if allowed else 403)
    if not allowed:
        assert assert_error(reply)["message"] == "Forbidden."
        kept = people.get_user(row_id)
        assert kept is None or (kept.roles, kept.organization_roles) == ((), {})


@pytest.mark.parametrize(
    ("roles", "organizations", "change"),
    [
        (("auditor",), {}, {"roles": []}),
        (("auditor",), {}, {"roles": ["template-admin"]}),
        ((), {ELSEWHERE: ("organization-admin",)}, {"organization_roles": {ELSEWHERE: []}}),
        ((), {ELSEWHERE: ("organization-admin",)}, {"organization_ids": []}),
    ],
)
def test_roles_are_taken_by_those_who_may_assign_them(
    owner: Client,
    house: House,
    roles: tuple[str, ...],
    organizations: dict[str, tuple[str, ...]],
    change: dict[str, Any],
) -> None:
    ann = house.user("ann", *roles, organizations=organizations)
    assert house.client(house.user("bob", "user-admin")).put(of(ann.id), ann_with(**change)).status == 403
    assert owner.put(of(ann.id), ann_with(**change)).status == 200


@pytest.mark.parametrize(
    "change", [{"name": "X"}, {"status": "suspended"}, {"email": "mine@example.com"}, {"username": "x"}]
)
def test_only_an_owner_changes_an_owner(owner: Client, house: House, change: dict[str, str]) -> None:
    chief = house.user("ann", "owner")
    admin = house.client(house.user("bob", "user-admin"))
    assert admin.put(of(chief.id), ann_with(**change)).status == 403
    assert admin.put(of(chief.id), ann_with()).status == 200
    assert admin.delete(of(chief.id)).status == 403
    assert owner.put(of(chief.id), ann_with(**change)).status == 200
    assert owner.delete(of(chief.id)).status == 200


def stored(user_id: str) -> User:
    user = people.get_user(user_id)
    assert user is not None
    return user


@pytest.mark.parametrize(
    ("roles", "organizations"), [(("owner",), {}), (("auditor",), {}), ((), {ELSEWHERE: ("organization-admin",)})]
)
def test_who_is_put_back_comes_without_roles_and_old_tokens_stay_shut(
    owner: Client, house: House, roles: tuple[str, ...], organizations: dict[str, tuple[str, ...]]
) -> None:
    ann = house.user("ann", *roles, organizations=organizations)
    old = house.client(ann)
    people.save_user(replace(ann, deleted=True, updated_at=times.now()), ann)
    admin = house.client(house.user("bob", "user-admin"))
    assert admin.put(of(ann.id), ann_with(roles=["auditor"])).status == 403
    back = admin.put(of(ann.id), ann_with())
    assert back.status == 201
    assert (back.json["roles"], back.json["organization_ids"]) == ([], [])
    assert old.get("/api/v2/users/me").status == 401
    assert house.client(stored(ann.id)).get("/api/v2/users/me").status == 200
    owner.delete(of(ann.id))
    assert owner.put(of(ann.id), ann_with(roles=list(roles))).status == 201


@pytest.mark.parametrize(
    "held",
    [
        {"scopes": ("user:read",)},
        {"scopes": ("user:read", "user:update_personal")},
        {"allow_list": ("organization:*",)},
        {"allow_list": ("user:6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21",)},
    ],
)
def test_a_narrowed_owner_changes_nobody(house: House, root: User, ann: User, held: dict[str, Any]) -> None:
    caller = house.client(root, **held)
    assert caller.put(of(str(uuid4())), {"username": "x", "email": "x@example.com"}).status == 403
    assert caller.put(of(ann.id), ann_with(name="X")).status in (403, 404)
    assert caller.delete(of(ann.id)).status in (403, 404)
    kept = people.get_user(ann.id)
    assert kept == ann


@pytest.mark.parametrize("missing", ["assign_role:assign", "organization_member:create"])
def test_scopes_bound_what_is_assigned(house: House, root: User, missing: str) -> None:
    everything = {"user:*", "assign_role:assign", "assign_org_role:assign", "organization_member:create"}
    change = ann_with(roles=["auditor"], organization_ids=[ELSEWHERE])
    assert house.client(root, scopes=tuple(everything - {missing})).put(of(str(uuid4())), change).status == 403
    assert house.client(root, scopes=tuple(everything)).put(of(str(uuid4())), change).status == 201
