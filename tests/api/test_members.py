"""Members of an organization as clients list, add, change and remove them, each change with its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import answer_limits
from chalicelib.records.directory import PREBUILDS_USER
from chalicelib.store.directory import active_users, people

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, Organization, User
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]
Trail = Callable[[], list["AuditLog"]]
NOT_FOUND = {"message": "Resource not found or you do not have access to this resource"}
ADMINS = ("organization-admin", "organization-user-admin")


@pytest.fixture
def acme(house: House) -> Organization:
    return house.organization("acme")


@pytest.fixture
def people_of_acme(house: House, acme: Organization) -> list[User]:
    return [
        house.user("ann", "auditor", organizations={acme.id: ("organization-auditor",)}, name="Ann Lee"),
        house.user("bob", organizations={acme.id: ()}, status="suspended"),
        house.user("cid", organizations={acme.id: ("organization-admin",)}, is_service_account=True, email=""),
    ]


def of(organization: Organization | str, subpath: str = "/members") -> str:
    return f"/api/v2/organizations/{organization if isinstance(organization, str) else organization.id}{subpath}"


def usernames(rows: list[dict[str, Any]]) -> list[str]:
    return [row["username"] for row in rows]


def test_all_members_are_listed_with_what_is_known_of_them(
    owner: Client, house: House, acme: Organization, people_of_acme: list[User]
) -> None:
    house.user("stranger")
    rows = owner.get(of("acme")).json
    assert usernames(rows) == ["ann", "bob", "cid"]
    ann = people_of_acme[0]
    assert {name: rows[0][name] for name in ("user_id", "organization_id", "email", "name", "status")} == {
        "user_id": ann.id,
        "organization_id": acme.id,
        "email": "ann@example.com",
        "name": "Ann Lee",
        "status": "active",
    }
    assert rows[0]["roles"] == [
        {"name": "organization-auditor", "display_name": "Organization Auditor", "organization_id": acme.id}
    ]
    assert rows[0]["global_roles"] == [{"name": "auditor", "display_name": "Auditor"}]
    assert [row.get("is_service_account", False) for row in rows] == [False, False, True]
    assert owner.get(of(acme, "/members/ann")).json == rows[0]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("user_id:{bob}", ["bob"]),
        ("user_id:{stranger}", []),
        ("include_system:true", ["ann", "bob", "cid"]),
        ("github_user_id:3", []),
    ],
)
def test_the_list_of_all_members_has_its_own_filters(
    owner: Client, house: House, acme: Organization, people_of_acme: list[User], query: str, names: list[str]
) -> None:
    ids = {"bob": people_of_acme[1].id, "stranger": house.user("stranger").id}
    assert usernames(owner.get(of(acme), query={"q": query.format_map(ids)}).json) == names


def test_a_wrong_query_about_members_is_refused(owner: Client, acme: Organization, assert_error: CheckError) -> None:
    for subpath, message in (
        ("/members", "Invalid organization member search query."),
        ("/paginated-members", "Invalid member search query."),
    ):
        reply = owner.get(of(acme, subpath), query={"q": "foo:bar"})
        assert reply.status == 400
        assert assert_error(reply)["message"] == message


def test_members_are_paged_and_searched(owner: Client, house: House, people_of_acme: list[User]) -> None:
    house.user("bea")
    assert people_of_acme
    walked: list[str] = []
    query = {"limit": "2"}
    while True:
        body = owner.get(of("acme", "/paginated-members"), query=query).json
        walked += usernames(body["members"])
        if "next_after_id" not in body:
            break
        query["after_id"] = body["next_after_id"]
    assert walked == ["ann", "bob", "cid"]
    assert owner.get(of("acme", "/paginated-members")).json["count"] == 3
    listed = owner.get(of("acme", "/paginated-members"), query={"q": "status:suspended"}).json
    assert (usernames(listed["members"]), listed["count"]) == (["bob"], 1)


def test_a_stranger_marks_no_place_among_members(owner: Client, house: House, people_of_acme: list[User]) -> None:
    assert people_of_acme
    stranger = house.user("bea")
    assert owner.get(of("acme", "/paginated-members"), query={"after_id": stranger.id}).status == 400


@pytest.mark.parametrize(
    ("site", "inside", "seen"),
    [
        (("owner",), None, True),
        (("auditor",), None, True),
        (("user-admin",), None, True),
        (("template-admin",), None, True),
        ((), (), True),
        ((), ("organization-auditor",), True),
        ((), None, False),
    ],
)
def test_who_sees_the_members(
    house: House,
    acme: Organization,
    people_of_acme: list[User],
    site: tuple[str, ...],
    inside: tuple[str, ...] | None,
    *,
    seen: bool,
) -> None:
    zoe = house.user("zoe", *site, organizations={} if inside is None else {acme.id: inside})
    caller = house.client(zoe)
    names = [user.username for user in people_of_acme] + (["zoe"] if inside is not None else [])
    paged = caller.get(of(acme, "/paginated-members"))
    if seen:
        assert usernames(caller.get(of(acme)).json) == names
        assert usernames(paged.json["members"]) == names
        assert caller.get(of(acme, "/members/ann")).status == 200
    else:
        for subpath in ("/members", "/paginated-members", "/members/ann", "/members/roles"):
            assert caller.get(of(acme, subpath)).json == NOT_FOUND


def test_a_token_that_reads_one_member_reads_no_other(
    house: House, root: User, acme: Organization, people_of_acme: list[User]
) -> None:
    bob = people_of_acme[1]
    narrowed = house.client(root, allow_list=("organization:*", f"organization_member:{bob.id}", "user:*"))
    assert usernames(narrowed.get(of(acme)).json) == ["bob"]
    assert narrowed.get(of(acme, "/paginated-members")).json == NOT_FOUND
    assert narrowed.get(of(acme, "/members/ann")).json == NOT_FOUND
    assert narrowed.get(of(acme, "/members/bob")).status == 200


def test_more_members_than_one_answer_holds_are_refused_with_the_way_to_read_them(
    owner: Client,
    acme: Organization,
    people_of_acme: list[User],
    assert_error: CheckError,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert people_of_acme
    monkeypatch.setattr(answer_limits, "LARGEST_ANSWER", 900)
    reply = owner.get(of(acme))
    assert reply.status == 400
    assert assert_error(reply)["detail"].endswith(f"{of(acme, '/paginated-members')}.")


def test_a_member_is_added_given_roles_and_removed_each_with_a_row(
    owner: Client, acme: Organization, ann: User, trail: Trail
) -> None:
    added = owner.post(of(acme, "/members/ann"))
    assert (added.status, added.json["user_id"], added.json["roles"]) == (200, ann.id, [])
    again = owner.post(of(acme, f"/members/{ann.id}"))
    assert (again.status, again.json["message"]) == (400, "User is already an organization member")
    given = owner.put(of("acme", "/members/ann/roles"), {"roles": ["organization-auditor", "organization-member"]})
    assert [role["display_name"] for role in given.json["roles"]] == ["Organization Auditor"]
    assert owner.get("/api/v2/users/ann").json["organization_ids"] == [acme.id]
    removed = owner.delete(of(acme, "/members/ann"))
    assert (removed.status, removed.text) == (204, "")
    for method in ("GET", "DELETE"):
        assert owner.send(method, of(acme, "/members/ann")).json == NOT_FOUND
    rows = trail()
    assert [(row.action, row.status_code) for row in rows] == [("create", 200), ("write", 200), ("delete", 204)]
    for row in rows:
        assert (row.resource_type, row.resource_id, row.resource_target) == ("organization_member", ann.id, "ann")
        assert row.organization_id == acme.id


@pytest.mark.parametrize(
    ("site", "inside", "adds", "makes_auditor"),
    [
        (("owner",), None, 200, 200),
        (("user-admin",), None, 200, 403),
        ((), ("organization-admin",), 200, 200),
        ((), ("organization-user-admin",), 200, 403),
        (("auditor",), None, 403, 403),
        ((), (), 404, 403),
        ((), None, 404, 404),
    ],
)
def test_who_changes_members(
    house: House,
    acme: Organization,
    site: tuple[str, ...],
    inside: tuple[str, ...] | None,
    adds: int,
    makes_auditor: int,
) -> None:
    caller = house.client(house.user("zoe", *site, organizations={} if inside is None else {acme.id: inside}))
    house.user("new")
    old = house.user("old", organizations={acme.id: ()})
    assert caller.post(of(acme, "/members/new")).status == adds
    roles = {"roles": ["organization-auditor"]}
    assert caller.put(of(acme, f"/members/{old.id}/roles"), roles).status == makes_auditor
    assert caller.delete(of(acme, f"/members/{old.id}")).status in (
        {204, 403} if makes_auditor == 200 else {204 if adds == 200 else makes_auditor}
    )


def test_removing_a_member_takes_the_right_to_take_their_roles(house: House, acme: Organization) -> None:
    auditor = house.user("ann", organizations={acme.id: ("organization-auditor",)})
    helper = house.client(house.user("zoe", organizations={acme.id: ("organization-user-admin",)}))
    assert helper.delete(of(acme, f"/members/{auditor.id}")).status == 403
    stored = people.get_user(auditor.id)
    assert stored == auditor
    chief = house.client(house.user("cid", organizations={acme.id: ("organization-admin",)}))
    assert chief.delete(of(acme, f"/members/{auditor.id}")).status == 204


def test_an_administrator_of_another_organization_changes_nothing(house: House, acme: Organization, ann: User) -> None:
    zeta = house.organization("zeta")
    admin = house.client(house.user("zoe", organizations={zeta.id: ("organization-admin",)}))
    bob = house.user("bob", organizations={acme.id: (), zeta.id: ()})
    for reply in (
        admin.post(of(acme, f"/members/{ann.id}")),
        admin.delete(of(acme, f"/members/{bob.id}")),
        admin.put(of(acme, f"/members/{bob.id}/roles"), {"roles": []}),
        admin.get(of(acme)),
    ):
        assert reply.json == NOT_FOUND


def test_nobody_removes_themselves_or_changes_their_own_roles(house: House, acme: Organization) -> None:
    caller = house.client(house.user("zoe", organizations={acme.id: ("organization-admin",)}))
    removed = caller.delete(of(acme, "/members/me"))
    assert (removed.status, removed.json["message"]) == (400, "cannot remove self from an organization")
    given = caller.put(of(acme, "/members/zoe/roles"), {"roles": []})
    assert (given.status, given.json["message"]) == (400, "You cannot change your own organization roles.")


@pytest.mark.parametrize("role", ["captain", "auditor", "owner"])
def test_a_role_that_is_none_of_an_organization_is_refused(
    owner: Client, house: House, acme: Organization, role: str
) -> None:
    house.user("bob", organizations={acme.id: ()})
    reply = owner.put(of(acme, "/members/bob/roles"), {"roles": [role]})
    assert (reply.status, reply.json["message"]) == (400, f'"{role}" is not a supported role')


def test_the_roles_of_an_organization(owner: Client, house: House, acme: Organization) -> None:
    listed = owner.get(of(acme, "/members/roles")).json
    assert {"organization-admin", "organization-auditor"} < {role["name"] for role in listed}
    assert "organization-member" not in {role["name"] for role in listed}
    assert all(role["assignable"] and role["organization_id"] == acme.id for role in listed)
    helper = house.client(house.user("zoe", organizations={acme.id: ("organization-user-admin",)}))
    grantable = {role["name"] for role in helper.get(of(acme, "/members/roles")).json if role["assignable"]}
    assert "organization-workspace-access" in grantable
    assert not grantable & {"organization-admin", "organization-auditor"}


def test_the_platforms_own_user_is_found_before_it_is_mirrored_in(owner: Client, house: House) -> None:
    reply = owner.get("/api/v2/users/prebuilds")
    assert (reply.status, reply.json["id"], reply.json["username"]) == (200, PREBUILDS_USER, "prebuilds")
    assert owner.get("/api/v2/users/Prebuilds").json == owner.get(f"/api/v2/users/{PREBUILDS_USER}").json == reply.json
    for query in ({}, {"q": "username:prebuilds"}, {"q": "prebuilds"}):
        assert owner.get("/api/v2/users", query=query).json["count"] == (0 if query else 1)
    assert house.client(house.user("ann")).get("/api/v2/users/prebuilds").status == 404
    for change in (
        owner.delete("/api/v2/users/prebuilds"),
        owner.put("/api/v2/users/prebuilds/roles", {"roles": []}),
        owner.put("/api/v2/users/prebuilds/status/suspend"),
        owner.put("/api/v2/users/prebuilds/profile", {"username": "other", "name": ""}),
    ):
        assert change.status == 404
    assert owner.post("/api/v2/users/prebuilds/keys/tokens", {"token_name": "x"}).status == 403


def test_the_platforms_own_user_is_found_and_in_no_list(owner: Client, house: House, acme: Organization) -> None:
    house.user("ann", organizations={acme.id: ()})
    before = owner.get("/api/v2/entitlements").json["features"]["user_limit"]["actual"]
    body = {"username": "prebuilds", "email": "prebuilds@example.com", "organization_ids": [acme.id]}
    assert owner.put(f"/api/v2/users/{PREBUILDS_USER}", body).status == 201
    assert owner.get("/api/v2/users/prebuilds").json["id"] == PREBUILDS_USER
    for query in ({}, {"q": "username:prebuilds"}, {"q": "prebuilds"}):
        assert "prebuilds" not in [row["username"] for row in owner.get("/api/v2/users", query=query).json["users"]]
    assert [row["username"] for row in owner.get(of(acme)).json] == ["ann"]
    assert [row["username"] for row in owner.get(of(acme, "/paginated-members")).json["members"]] == ["ann"]
    active_users.forget()
    assert owner.get("/api/v2/entitlements").json["features"]["user_limit"]["actual"] == before
