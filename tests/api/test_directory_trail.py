"""Every change of a user, a membership or an organization and its audit rows happen together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.api import trail as trails
from chalicelib.api.trail import Resource
from chalicelib.errors import Unavailable
from chalicelib.store.directory import api_keys, people
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb import contention, transaction
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.logs.audit_rows import writes_of

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, Organization, User
    from tests.api.conftest import Client, House

Trail = Callable[[], list["AuditLog"]]
CheckError = Callable[..., dict[str, Any]]
ACME, ZETA = str(uuid4()), str(uuid4())
NIL = "00000000-0000-0000-0000-000000000000"


def of(user_id: str) -> str:
    return f"/api/v2/users/{user_id}"


def at(organization_id: str) -> str:
    return f"/api/v2/organizations/{organization_id}"


def ann_with(**changes: Any) -> dict[str, Any]:
    return {"username": "ann", "email": "ann@example.com", **changes}


def summary(row: AuditLog) -> tuple[str, str, str | None]:
    return row.resource_type, row.action, row.organization_id


def sides(row: AuditLog) -> dict[str, tuple[Any, Any]]:
    assert not any(change["secret"] for change in row.diff.values())
    return {name: (change.get("old"), change.get("new")) for name, change in row.diff.items()}


def test_a_new_user_and_its_memberships_are_told(owner: Client, root: User, trail: Trail) -> None:
    row_id = str(uuid4())
    body = ann_with(roles=["auditor"], organization_roles={ACME: ["organization-admin"]}, organization_ids=[ZETA])
    reply = replace(owner, source_ip="203.0.113.7").put(of(row_id), body, headers={"User-Agent": "sync/1"})
    assert reply.status == 201
    rows = sorted(trail(), key=lambda row: (row.resource_type, row.organization_id or ""), reverse=True)
    assert sorted(map(summary, rows), key=str) == sorted(
        [("user", "create", None), ("organization_member", "create", ACME), ("organization_member", "create", ZETA)],
        key=str,
    )
    for row in rows:
        assert (row.resource_id, row.resource_target, row.status_code) == (row_id, "ann", 201)
        assert (row.user_id, row.ip, row.user_agent) == (root.id, "203.0.113.7", "sync/1")
        assert row.additional_fields == {"gatebook": True, "api_key_id": owner.token[:10]}
    assert len({row.request_id for row in rows}) == 1
    assert rows[0].request_id != NIL
    assert sides(rows[0]) == {
        "id": ("", row_id),
        "email": ("", "ann@example.com"),
        "username": ("", "ann"),
        "status": ("", "active"),
        "login_type": ("", "none"),
        "rbac_roles": (None, ["auditor"]),
    }
    members = {row.organization_id: sides(row) for row in rows[1:]}
    assert members[ACME] == {"username": ("", "ann"), "user_id": ("", row_id), "roles": (None, ["organization-admin"])}
    assert members[ZETA].keys() >= {"username", "user_id"}


CHANGES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str | None]], dict[str, tuple[Any, Any]]]] = {
    "nothing": ({}, [], {}),
    "a name": ({"name": "Ann"}, [("user", "write", None)], {"name": ("", "Ann")}),
    "what a diff leaves out": ({"avatar_url": "/a.png"}, [("user", "write", None)], {}),
    "a site role": ({"roles": ["auditor"]}, [("user", "write", None)], {"rbac_roles": ([], ["auditor"])}),
    "a status": ({"status": "suspended"}, [("user", "write", None)], {"status": ("active", "suspended")}),
    "a new membership": (
        {"organization_ids": [ACME, ZETA]},
        [("organization_member", "create", ZETA)],
        {"username": ("", "ann"), "roles": (None, [])},
    ),
    "a membership less": (
        {"organization_ids": []},
        [("organization_member", "delete", ACME)],
        {"username": ("ann", "")},
    ),
    "an organization role": (
        {"organization_roles": {ACME: ["organization-auditor"]}},
        [("organization_member", "write", ACME)],
        {"roles": ([], ["organization-auditor"])},
    ),
    "both": (
        {"name": "Ann", "organization_ids": []},
        [("user", "write", None), ("organization_member", "delete", ACME)],
        {"name": ("", "Ann")},
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_changes_of_a_user_is_told_and_nothing_else(owner: Client, house: House, trail: Trail, case: str) -> None:
    ann = house.user("ann", organizations={ACME: ()})
    changes, expected, diff = CHANGES[case]
    assert owner.put(of(ann.id), ann_with(**changes)).status == 200
    rows = trail()
    assert sorted(map(summary, rows), key=str) == sorted(expected, key=str)
    if rows:
        first = next(row for row in rows if summary(row) == expected[0])
        assert sides(first).items() >= diff.items()
        assert first.status_code == 200


def test_a_user_who_is_deleted_and_comes_back_is_told(owner: Client, house: House, trail: Trail) -> None:
    ann = house.user("ann", organizations={ACME: ()})
    owner.delete(of(ann.id))
    owner.put(of(ann.id), ann_with())
    rows = trail()
    members = [row for row in rows if row.resource_type == "organization_member"]
    assert [summary(row) for row in members] == [("organization_member", "delete", ACME)]
    assert sides(members[0]) == {"username": ("ann", ""), "user_id": (ann.id, ""), "roles": ([], None)}
    deleted, created = (row for row in rows if row.resource_type == "user")
    assert (summary(deleted), summary(created)) == (("user", "delete", None), ("user", "create", None))
    assert sides(deleted) == {"deleted": (False, True)}
    assert sides(created)["deleted"] == (True, False)


def test_the_life_of_an_organization_is_told(owner: Client, trail: Trail) -> None:
    owner.put(at(ACME), {"name": "acme"})
    owner.put(at(ACME), {"name": "acme"})
    owner.put(at(ACME), {"name": "acme", "icon": "/x.svg"})
    owner.delete(at(ACME))
    owner.put(at(ACME), {"name": "acme"})
    rows = trail()
    assert [row.action for row in rows] == ["create", "write", "delete", "create"]
    for row in rows:
        assert (row.resource_type, row.resource_id, row.resource_target) == ("organization", ACME, "acme")
        assert row.organization_id == ACME
    made, changed, deleted, again = map(sides, rows)
    assert made.keys() == {"name", "display_name", "updated_at"}
    assert changed.keys() == {"icon", "updated_at"}
    assert deleted["deleted"] == (False, True)
    assert again["deleted"] == (True, False)


def test_the_auditor_of_an_organization_reads_who_was_let_into_it(owner: Client, house: House) -> None:
    auditor = house.client(house.user("bob", organizations={ACME: ("organization-auditor",)}))
    ann = house.user("ann")
    owner.put(of(ann.id), ann_with(organization_ids=[ACME, ZETA], name="Ann"))
    (row,) = auditor.get("/api/v2/audit").json["audit_logs"]
    assert (row["resource_type"], row["resource_target"]) == ("organization_member", "ann")
    assert row["organization_id"] == ACME
    assert row["description"] == "{user} created organization member {target}"


REFUSED: list[tuple[str, str, Callable[[User, Organization], str], Any]] = [
    ("a taken name", "PUT", lambda user, _: of(user.id), {"username": "root", "email": "x@example.com"}),
    ("a wrong body", "PUT", lambda user, _: of(user.id), {"username": "a b"}),
    ("a taken organization name", "PUT", lambda _, __: at(str(uuid4())), {"name": "acme"}),
    ("an unknown user", "DELETE", lambda _, __: of(str(uuid4())), None),
    ("oneself", "DELETE", lambda _, __: of("me"), None),
]


@pytest.mark.parametrize(("method", "path", "body"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused_is_not_told(
    owner: Client, house: House, trail: Trail, method: str, path: Callable[[User, Organization], str], body: Any
) -> None:
    ann, acme = house.user("ann"), house.organization("acme")
    assert owner.send(method, path(ann, acme), body).status >= 400
    # A refused use of the token is no change of what it was refused.
    assert [row for row in trail() if row.action != "login"] == []


WRITES: dict[str, tuple[str, Callable[[User, Organization], str], Any]] = {
    "make a user": ("PUT", lambda _, __: of(ZETA), {"username": "new", "email": "new@example.com"}),
    "change a user": ("PUT", lambda ann, _: of(ann.id), ann_with(username="anna", organization_ids=[ACME])),
    "delete a user": ("DELETE", lambda ann, _: of(ann.id), None),
    "make an organization": ("PUT", lambda _, __: at(ZETA), {"name": "zeta"}),
    "change an organization": ("PUT", lambda _, acme: at(acme.id), {"name": "acme2"}),
    "delete an organization": ("DELETE", lambda _, acme: at(acme.id), None),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("failure", ["unavailable", "refused"])
def test_without_its_row_a_change_does_not_happen(
    *, owner: Client, house: House, trail: Trail, monkeypatch: pytest.MonkeyPatch, name: str, failure: str
) -> None:
    ann, acme = house.user("ann"), house.organization("acme")
    users, organizations = list(people.list_users()), list(people.list_organizations())
    original = store_engine.call

    def failing(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            writes = [dict(write) for write in request["TransactItems"]]
            assert writes[-1]["Put"]["TableName"] == AuditLogItem.Meta.table_name
            if failure == "unavailable":
                raise Unavailable
            row = {name: writes[-1]["Put"][name] for name in ("TableName", "Item")}
            writes[-1] = {"Put": {**row, "ConditionExpression": "attribute_exists(id)"}}
            request = {"TransactItems": writes}
        answer: dict[str, Any] = original(operation, request)
        return answer

    monkeypatch.setattr(transaction, "call", failing)
    monkeypatch.setattr(contention, "FIRST_PAUSE_SECONDS", 0)
    method, path, body = WRITES[name]
    assert owner.send(method, path(ann, acme), body).status == 503
    monkeypatch.undo()
    assert [replace(user, last_seen_at=user.created_at) for user in people.list_users()] == [
        replace(user, last_seen_at=user.created_at) for user in users
    ]
    assert list(people.list_organizations()) == organizations
    assert trail() == []


def test_more_memberships_than_one_transaction_holds_are_all_changed_and_all_told(
    owner: Client, house: House, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = house.user("ann")
    sizes: list[int] = []
    original = store_engine.call

    def counted(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        sizes.append(len(request["TransactItems"]))
        answer: dict[str, Any] = original(operation, request)
        return answer

    monkeypatch.setattr(transaction, "call", counted)
    many, others = (sorted(str(uuid4()) for _ in range(200)) for _ in range(2))
    assert owner.put(of(ann.id), ann_with(organization_ids=many, username="anna")).status == 200
    assert owner.put(of(ann.id), ann_with(organization_ids=others, email="anna@example.com")).status == 200
    assert max(sizes) <= 100
    assert len(sizes) == 3 + 5
    assert sorted(owner.get(of(ann.id)).json["organization_ids"]) == others
    rows = trail()
    members = [summary(row) for row in rows if row.resource_type == "organization_member"]
    assert sorted(members) == sorted(
        [("organization_member", action, key) for key in many for action in ("create", "delete")]
        + [("organization_member", "create", key) for key in others]
    )
    assert [row.action for row in rows if row.resource_type == "user"] == ["write", "write"]


def kept_of(user_id: str) -> tuple[User | None, int]:
    return people.get_user(user_id, consistent=True), len(list(api_keys.of_user(user_id)))


@pytest.mark.parametrize("failing_write", range(5))
@pytest.mark.parametrize("happens", [False, True], ids=["nothing happens", "no answer comes"])
def test_a_deletion_that_fails_at_any_write_is_finished_by_repeating_it(
    owner: Client, house: House, trail: Trail, monkeypatch: pytest.MonkeyPatch, *, failing_write: int, happens: bool
) -> None:
    many = sorted(str(uuid4()) for _ in range(100))
    ann = house.user("ann", organizations=dict.fromkeys(many, ()))
    tokens = {house.token(ann)[:10] for _ in range(70)}
    original, writes = store_engine.call, 0

    def failing(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal writes
        writes += 1
        if writes - 1 != failing_write:
            answer: dict[str, Any] = original(operation, request)
            return answer
        if happens:
            original(operation, request)
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(transaction, "call", failing)
        assert owner.delete(of(ann.id)).status == 503
    assert writes == failing_write + 1
    finished = happens and failing_write == 4
    user, left = kept_of(ann.id)
    assert user is not None
    assert user.deleted is finished
    assert left == max(0, len(tokens) - 30 * (failing_write + happens))
    assert owner.delete(of(ann.id)).status == (404 if finished else 200)
    gone, left = kept_of(ann.id)
    assert gone is not None
    assert (gone.deleted, gone.organization_roles, left) == (True, {}, 0)
    rows = trail()
    assert sorted(row.additional_fields["changed_api_key_id"] for row in rows if row.resource_type == "api_key") == (
        sorted(tokens)
    )
    members = [row for row in rows if row.resource_type == "organization_member"]
    assert sorted(map(summary, members)) == [("organization_member", "delete", key) for key in many]
    assert [summary(row) for row in rows if row.resource_type == "user"] == [("user", "delete", None)]


def test_what_the_service_does_by_itself_is_told_of_nobody(owner: Client, trail: Trail) -> None:
    about = Resource("retention_run", str(uuid4()), "connection_logs")
    made = trails.row(None, None, "delete", 200, about, more={"rows": 7})
    transact(writes_of(made))
    assert trail() == [made]
    assert (made.user_id, made.request_id, made.ip) == (NIL, NIL, None)
    assert made.additional_fields == {"gatebook": True, "rows": 7}
    (row,) = owner.get("/api/v2/audit", query={"q": "retention_run"}).json["audit_logs"]
    assert (row["user"], row["description"]) == (None, "{user} deleted retention run {target}")
