from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.store.directory import people
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb import contention
from chalicelib.store.dynamodb.transaction import Write

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, Organization, User
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

ALL = "/api/v2/organizations"
FIELDS = {
    "id",
    "name",
    "display_name",
    "description",
    "icon",
    "created_at",
    "updated_at",
    "is_default",
    "default_org_member_roles",
}
NOT_FOUND = {"message": "Resource not found or you do not have access to this resource"}


def of(row_id: str) -> str:
    return f"{ALL}/{row_id}"


def test_put_creates_with_upstreams_fields(owner: Client) -> None:
    row_id = str(uuid4())
    reply = owner.put(of(row_id), {"name": "acme"})
    assert reply.status == 201
    body = reply.json
    assert set(body) == FIELDS
    assert body["created_at"] == body["updated_at"]
    assert body["created_at"].endswith("Z")
    assert {name: body[name] for name in FIELDS - {"created_at", "updated_at"}} == {
        "id": row_id,
        "name": "acme",
        "display_name": "acme",
        "description": "",
        "icon": "",
        "is_default": False,
        "default_org_member_roles": ["organization-workspace-access"],
    }
    assert owner.get(of(row_id)).json == body


def test_put_again_changes_nothing(owner: Client) -> None:
    whole = {
        "name": "acme",
        "display_name": "Acme Corp.",
        "description": "Rockets",
        "icon": "/rocket.svg",
    }
    row_id = str(uuid4())
    first = owner.put(of(row_id), whole)
    second = owner.put(of(row_id), whole)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    assert {name: first.json[name] for name in whole} == whole


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("display_name", "Other"),
        ("display_name", ""),
        ("description", ""),
        ("icon", "/emojis/1f680.png"),
    ],
)
def test_put_keeps_what_is_left_out(owner: Client, house: House, change: str, value: object) -> None:
    before = house.organization(display_name="Acme", description="Rockets", icon="/x.svg", is_default=True)
    old = owner.get(of(before.id)).json
    reply = owner.put(of(before.id), {"name": "acme", change: value})
    assert reply.status == 200
    new = reply.json
    assert new["updated_at"] > old["updated_at"]
    assert new == {**old, change: value, "updated_at": new["updated_at"]}
    assert owner.get(of(before.id)).json == new


def test_null_is_left_out(owner: Client, house: House) -> None:
    before = house.organization(description="Rockets")
    reply = owner.put(of(before.id), {"name": "acme", "description": None, "icon": None})
    assert reply.json == owner.get(of(before.id)).json
    assert reply.json["description"] == "Rockets"


@pytest.mark.parametrize("form", ["{}", "{{{}}}", "urn:uuid:{}"])
def test_every_form_of_an_id_is_the_same_organization(owner: Client, house: House, form: str) -> None:
    row = house.organization()
    path = form.format(row.id.upper()).replace("{", "%7B").replace("}", "%7D")
    assert owner.get(of(path)).json["id"] == row.id
    assert owner.put(of(path), {"name": "acme"}).json["id"] == row.id


@pytest.mark.parametrize("name", ["acme", "ACME", "aCmE"])
def test_lookup_by_name_whatever_its_case(owner: Client, house: House, name: str) -> None:
    row = house.organization("Acme")
    assert owner.get(of(name)).json["id"] == row.id


@pytest.mark.needs("transactions")
@pytest.mark.parametrize("name", ["acme", "ACME"])
def test_a_name_is_unique_whatever_its_case(owner: Client, house: House, assert_error: CheckError, name: str) -> None:
    house.organization("acme")
    other = house.organization("other")
    for row_id in (str(uuid4()), other.id):
        reply = owner.put(of(row_id), {"name": name})
        assert reply.status == 409
        assert assert_error(reply) == {
            "message": f'Organization already exists with the name "{name}".',
            "validations": [{"field": "name", "detail": "This value is already in use and should be unique."}],
        }
    assert owner.get(of(other.id)).json["name"] == "other"


def test_a_rename_frees_the_name_and_changing_its_case_takes_none(owner: Client, house: House) -> None:
    row = house.organization("acme")
    assert owner.put(of(row.id), {"name": "ACME"}).json["name"] == "ACME"
    assert owner.put(of(row.id), {"name": "emca"}).status == 200
    assert owner.get(of("acme")).status == 404
    assert owner.put(of(str(uuid4())), {"name": "acme"}).status == 201


def test_delete_frees_the_name_and_putting_it_back_makes_it_new(owner: Client, house: House) -> None:
    row = house.organization("acme")
    reply = owner.delete(of("acme"))
    assert (reply.status, reply.json) == (200, {"message": "Organization has been deleted."})
    for name in ("acme", row.id):
        assert owner.get(of(name)).json == NOT_FOUND
        assert owner.delete(of(name)).status == 404
    assert owner.get(ALL).json == []
    assert owner.put(of(row.id), {"name": "acme"}).status == 201
    assert owner.put(of(row.id), {"name": "acme"}).status == 200
    assert owner.get(of("acme")).json["id"] == row.id


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "a_b", "ü", "a b", "a" * 33, "a\n"])
def test_names_that_are_none(owner: Client, assert_error: CheckError, name: str) -> None:
    reply = owner.put(of(str(uuid4())), {"name": name})
    assert reply.status == 400
    assert [validation["field"] for validation in assert_error(reply)["validations"]] == ["name"]


@pytest.mark.parametrize("row_id", ["me", "acme", "1234", "344bf221-c7f5-454a-9d21-51d1ddb6236f0", "%20"])
def test_put_wants_an_id(owner: Client, assert_error: CheckError, row_id: str) -> None:
    reply = owner.put(of(row_id), {"name": "acme"})
    assert reply.status == 400
    assert assert_error(reply)["validations"] == [
        {"field": "organization", "detail": 'Path param "organization" must be a valid uuid'}
    ]


@pytest.fixture
def two(house: House) -> tuple[Organization, Organization]:
    return house.organization("acme"), house.organization("Zeta")


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ((), ["acme"]),
        (("owner",), ["acme", "Zeta"]),
        (("auditor",), ["acme", "Zeta"]),
        (("template-admin",), ["acme", "Zeta"]),
        (("user-admin",), ["acme", "Zeta"]),
    ],
)
def test_who_sees_which(
    house: House, two: tuple[Organization, Organization], role: tuple[str, ...], seen: list[str]
) -> None:
    bob = house.user("bob", *role, organizations={two[0].id: ()})
    caller = house.client(bob)
    assert [row["name"] for row in caller.get(ALL).json] == seen
    assert all(set(row) == FIELDS for row in caller.get(ALL).json)
    for row in two:
        for name in (row.id, row.name):
            reply = caller.get(of(name))
            assert reply.status == (200 if row.name in seen else 404)
            if reply.status == 404:
                assert reply.json == NOT_FOUND
    assert [row["name"] for row in caller.get("/api/v2/users/me/organizations").json] == ["acme"]


def test_a_stranger_sees_none(house: House, two: tuple[Organization, Organization]) -> None:
    caller = house.client(house.user("bob"))
    assert two
    assert caller.get(ALL).json == []
    assert caller.get("/api/v2/users/me/organizations").json == []


@pytest.mark.parametrize("scopes", [("user:read",), ("connection_log:read",)])
def test_scopes_narrow_what_is_seen(
    owner: Client, house: House, two: tuple[Organization, Organization], scopes: tuple[str, ...]
) -> None:
    assert len(owner.get(ALL).json) == 2
    caller = house.client(house.user("bob", "owner", organizations={two[0].id: ()}), scopes=scopes)
    assert caller.get(ALL).json == []
    assert caller.get(of("acme")).status == 404


def test_allow_lists_narrow_what_is_seen(house: House, two: tuple[Organization, Organization]) -> None:
    caller = house.client(house.user("bob", "owner"), allow_list=(f"organization:{two[1].id}",))
    assert [row["name"] for row in caller.get(ALL).json] == ["Zeta"]
    assert [caller.get(of(row.id)).status for row in two] == [404, 200]


@pytest.mark.parametrize(
    ("site", "inside", "statuses"),
    [
        # create, update its own, update another, delete another, delete its own
        (("owner",), (), (201, 200, 200, 200, 200)),
        ((), ("organization-admin",), (403, 200, 404, 404, 200)),
        ((), ("organization-auditor",), (403, 403, 404, 404, 403)),
        ((), (), (403, 403, 404, 404, 403)),
        (("auditor",), (), (403, 403, 403, 403, 403)),
        (("user-admin",), (), (403, 403, 403, 403, 403)),
        (("template-admin",), (), (403, 403, 403, 403, 403)),
    ],
)
def test_who_changes_which(
    *,
    house: House,
    assert_error: CheckError,
    two: tuple[Organization, Organization],
    site: tuple[str, ...],
    inside: tuple[str, ...],
    statuses: tuple[int, ...],
) -> None:
    own, other = two
    caller = house.client(house.user("bob", *site, organizations={own.id: inside}))
    replies = [
        caller.put(of(str(uuid4())), {"name": "new"}),
        caller.put(of(own.id), {"name": "acme", "icon": "/x"}),
        caller.put(of(other.id), {"name": "Zeta", "icon": "/x"}),
        caller.delete(of(other.id)),
        caller.delete(of(own.id)),
    ]
    assert tuple(reply.status for reply in replies) == statuses
    for reply in replies:
        if reply.status == 404:
            assert assert_error(reply) == NOT_FOUND
        if reply.status == 403:
            assert assert_error(reply)["message"] == "Forbidden."


def test_a_change_that_another_request_overtook_is_made_again(
    owner: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = house.organization(description="old")
    original = people.save_organization
    overtaken: list[Organization] = []

    def overtake(after: Organization, before: Organization | None, *trail: Write, present: Organization | None) -> None:
        if before is not None and not overtaken:
            overtaken.append(replace(before, icon="/theirs.svg", updated_at=times.now()))
            original(overtaken[0], before)
        original(after, before, *trail, present=present)

    monkeypatch.setattr(people, "save_organization", overtake)
    reply = owner.put(of(row.id), {"name": "acme", "description": "new"})
    assert (reply.status, reply.json["description"], reply.json["icon"]) == (200, "new", "/theirs.svg")
    assert overtaken


def test_a_change_that_is_always_overtaken_may_be_sent_again(
    owner: Client, house: House, assert_error: CheckError, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = house.organization()

    def overtaken(
        _after: Organization, _before: Organization | None, *_trail: Write, present: Organization | None
    ) -> None:
        assert present is None
        raise Changed

    monkeypatch.setattr(people, "save_organization", overtaken)
    monkeypatch.setattr(contention, "FIRST_PAUSE_SECONDS", 0)
    reply = owner.put(of(row.id), {"name": "acme", "icon": "/x"})
    assert_error(reply)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def test_a_created_organization_has_its_creator_as_member(
    owner: Client, root: User, trail: Callable[[], list[AuditLog]]
) -> None:
    reply = owner.post(ALL, {"name": "acme"})
    assert reply.status == 201
    assert (reply.json["name"], reply.json["display_name"]) == ("acme", "acme")
    assert owner.get(of("acme")).json == reply.json
    assert [row["name"] for row in owner.get("/api/v2/users/me/organizations").json] == ["acme"]
    rows = {row.resource_type: row for row in trail()}
    assert rows.keys() == {"organization", "organization_member"}
    for row in rows.values():
        assert (row.action, row.status_code, row.organization_id) == ("create", 201, reply.json["id"])
    assert rows["organization_member"].resource_id == root.id


@pytest.mark.needs("transactions")
def test_an_organization_whose_name_is_taken_is_not_created_in_part(
    owner: Client, house: House, assert_error: CheckError, trail: Callable[[], list[AuditLog]]
) -> None:
    house.organization("acme")
    reply = owner.post(ALL, {"name": "ACME"})
    assert reply.status == 409
    assert assert_error(reply)["message"] == 'Organization already exists with the name "ACME".'
    assert owner.get("/api/v2/users/me/organizations").json == []
    assert trail() == []


@pytest.mark.parametrize("role", ["user-admin", "auditor", ""])
def test_only_an_owner_creates_organizations(house: House, role: str) -> None:
    caller = house.client(house.user("bob", *([role] if role else [])))
    assert caller.post(ALL, {"name": "acme"}).status == 403


def test_a_patch_changes_what_it_names(owner: Client, house: House, trail: Callable[[], list[AuditLog]]) -> None:
    row = house.organization("acme", description="Rockets", icon="/x.svg")
    before = owner.get(of(row.id)).json
    reply = owner.patch(of("acme"), {"display_name": "Acme Inc.", "name": ""})
    assert reply.status == 200
    assert reply.json == {**before, "display_name": "Acme Inc.", "updated_at": reply.json["updated_at"]}
    assert owner.patch(of("acme"), {}).json == reply.json
    assert owner.patch(of("acme"), {"name": "emca", "description": ""}).json["description"] == ""
    assert owner.get(of("acme")).status == 404
    assert [(row.action, row.status_code) for row in trail()] == [("write", 200)] * 2
    house.organization("other")
    assert owner.patch(of("emca"), {"name": "OTHER"}).status == 409


def test_who_changes_an_organization(house: House) -> None:
    acme = house.organization("acme")
    callers = {
        "admin": house.user("cid", organizations={acme.id: ("organization-admin",)}),
        "member": house.user("mia", organizations={acme.id: ()}),
        "stranger": house.user("zoe"),
    }
    statuses = {
        name: house.client(user).patch(of(acme.id), {"icon": "/a.svg"}).status for name, user in callers.items()
    }
    assert statuses == {"admin": 200, "member": 403, "stranger": 404}
