"""There is always an active owner, nobody suspends themselves, and nobody removes whom they may not take roles from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.api import lifetimes, tokens, trail, usage, user_changes, user_edits
from chalicelib.records import User
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys, people
from chalicelib.store.dynamodb import transaction
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import UserItem

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

USERS = "/api/v2/users"
ENDINGS: tuple[dict[str, Any], ...] = (
    {"status": "suspended"},
    {"status": "dormant"},
    {"roles": []},
    {"roles": ["auditor"]},
)


def body(user: User, **changes: Any) -> dict[str, Any]:
    return {"username": user.username, "email": user.email, **changes}


def put(client: Client, user: User, **changes: Any) -> Reply:
    return client.put(f"{USERS}/{user.id}", body(user, **changes))


def active_owners() -> set[str]:
    return {user.id for user in people.list_users() if "owner" in user.roles and user.status == "active"}


@pytest.fixture(params=[True, False], ids=["transactions", "no transactions"])
def _engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction.TRANSACTIONS, "is_lacking", not request.param)


@pytest.mark.usefixtures("_engines")
@pytest.mark.parametrize("change", ENDINGS, ids=str)
def test_the_last_active_owner_stays(
    house: House, owner: Client, root: User, assert_error: CheckError, change: dict[str, Any]
) -> None:
    house.user("sleeper", "owner", status="suspended")
    reply = put(owner, root, **change)
    assert reply.status == 400
    assert "last active owner" in " ".join(assert_error(reply).values())
    assert people.get_user(root.id) == replace(root, last_seen_at=people.get_user(root.id).last_seen_at)  # type: ignore[union-attr]
    second = house.user("second", "owner")
    assert put(house.client(second), root, **change).status == 200
    assert active_owners() == {second.id}


def test_an_owner_may_go_while_another_stays(house: House, owner: Client, root: User) -> None:
    second = house.user("second", "owner")
    assert owner.delete(f"{USERS}/{second.id}").status == 200
    third = house.user("third", "owner", status="suspended")
    assert owner.delete(f"{USERS}/{third.id}").status == 200
    assert active_owners() == {root.id}
    assert put(owner, root, roles=[]).status == 400


def test_a_dormant_owner_counts_again_once_awake(house: House, owner: Client, root: User) -> None:
    sleeper = house.user("sleeper", "owner", status="dormant")
    assert put(owner, root, roles=[]).status == 400
    assert house.client(sleeper).get(f"{USERS}/me").status == 200
    assert put(owner, root, roles=[]).status == 200
    assert active_owners() == {sleeper.id}


def test_nobody_suspends_themselves(house: House, root: User, assert_error: CheckError) -> None:
    del root
    for role in ("owner", "user-admin"):
        user = house.user(f"self-{role}", role)
        reply = put(house.client(user), user, status="suspended")
        assert reply.status in (400, 403)
        assert people.get_user(user.id).status == "active"  # type: ignore[union-attr]
    second = house.user("second", "owner")
    reply = put(house.client(second), second, status="suspended")
    assert (reply.status, assert_error(reply)["message"]) == (400, "You cannot suspend yourself.")


@pytest.mark.usefixtures("_engines")
@pytest.mark.parametrize("change", [{"roles": []}, {"status": "suspended"}], ids=str)
def test_two_who_remove_each_other_at_once_leave_one(
    house: House, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = house.user("one", "owner"), house.user("other", "owner")
    clients = {one.id: house.client(one), other.id: house.client(other)}
    for client in clients.values():
        client.get(f"{USERS}/me")
    both_have_read, original, statuses = threading.Barrier(2), people.save_user, []
    waiting = threading.local()

    def together(*arguments: Any) -> None:
        if not getattr(waiting, "over", False):
            waiting.over = True
            both_have_read.wait(30)
        original(*arguments)

    monkeypatch.setattr(people, "save_user", together)

    def remove(client: Client, user: User) -> None:
        statuses.append(put(client, user, **change).status)

    threads = [
        threading.Thread(target=remove, args=(clients[one.id], other)),
        threading.Thread(target=remove, args=(clients[other.id], one)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 400]
    assert len(active_owners()) == 1


@pytest.mark.usefixtures("_engines")
def test_of_two_owners_who_delete_each_other_one_stays_with_a_token_that_opens(
    house: House, owner: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = house.user("second", "owner")
    as_second = house.client(second)
    replies: list[Reply] = []
    delete_tokens = trail.delete_tokens

    def meanwhile(*given: Any) -> None:
        monkeypatch.setattr(user_edits, "delete_tokens", delete_tokens)
        replies.append(as_second.delete(f"{USERS}/{root.id}"))
        delete_tokens(*given)

    monkeypatch.setattr(user_edits, "delete_tokens", meanwhile)
    replies.append(owner.delete(f"{USERS}/{second.id}"))
    assert [reply.status for reply in replies] == [404, 200], "the other one is no owner any more"
    assert active_owners() == {root.id}
    assert owner.get(f"{USERS}/me").status == 200
    assert as_second.get(f"{USERS}/me").status == 401


@pytest.mark.usefixtures("_engines")
def test_the_last_owner_loses_nothing_to_who_was_let_in_as_one(
    house: House, owner: Client, root: User, assert_error: CheckError, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = house.user("other", "user-admin")
    monkeypatch.setattr(user_changes, "check_delete", lambda *_: None)
    reply = house.client(other).delete(f"{USERS}/{root.id}")
    assert reply.status == 400
    assert "last active owner" in assert_error(reply)["message"]
    assert owner.get(f"{USERS}/me").status == 200


def test_a_deployment_from_before_the_item_of_owners_keeps_its_last_owner(
    house: House, owner: Client, root: User
) -> None:
    second = house.user("second", "owner")
    key = {"id": {"S": "owners#active"}}
    call("DeleteItem", {"TableName": UserItem.Meta.table_name, "Key": key})
    assert put(owner, second, roles=[]).status == 200
    assert put(owner, root, roles=[]).status == 400
    call("DeleteItem", {"TableName": UserItem.Meta.table_name, "Key": key})
    assert put(owner, second, roles=["owner"]).status == 200
    assert put(owner, second, roles=[]).status == 200
    assert put(owner, root, roles=[]).status == 400
    assert active_owners() == {root.id}


def test_an_owner_whom_the_item_lacks_is_added_before_they_leave(house: House, owner: Client, root: User) -> None:
    second = house.user("second", "owner")
    request = UserItem("owners#active").get_update_kwargs_from_instance(actions=[UserItem.owners.delete({second.id})])
    call("UpdateItem", request)
    assert put(owner, second, roles=[]).status == 200
    assert put(owner, root, roles=[]).status == 400


# Who may take a role away may suspend and delete, and nobody else.


@pytest.mark.parametrize("role", ["owner", "auditor", "template-admin", "user-admin"])
def test_a_user_admin_removes_nobody_whose_role_is_not_theirs_to_take(
    house: House, root: User, assert_error: CheckError, role: str
) -> None:
    del root
    admin = house.client(house.user("admin", "user-admin"))
    held = house.user("held", role)
    replies = [admin.delete(f"{USERS}/{held.id}"), *(put(admin, held, status=one) for one in ("suspended", "dormant"))]
    for reply in replies:
        assert reply.status == 403
        assert_error(reply)
    assert people.get_user(held.id) == held
    plain = house.user("plain")
    assert put(admin, plain, status="suspended").status == 200
    assert admin.delete(f"{USERS}/{plain.id}").status == 200


def test_a_user_admin_removes_no_administrator_of_an_organization(house: House) -> None:
    acme = house.organization()
    admin = house.client(house.user("admin", "user-admin"))
    held = house.user("held", organizations={acme.id: ("organization-auditor",)})
    member = house.user("just-a-member", organizations={acme.id: ()})
    assert admin.delete(f"{USERS}/{held.id}").status == 403
    assert admin.delete(f"{USERS}/{member.id}").status == 200


# A role that bounds lifetimes bounds the tokens that there are.


def test_who_becomes_owner_keeps_no_token_that_an_owner_could_not_have(
    house: House, owner: Client, ann: User, trail: Callable[[], list[Any]]
) -> None:
    as_ann = house.client(ann)
    short = house.token(ann, expires_at=times.now() + timedelta(hours=1))
    before = api_keys.get(short[:10])
    assert put(owner, ann, roles=["owner"]).status == 200
    most = times.now() + timedelta(microseconds=Settings().max_admin_token_lifetime // 1_000)
    kept = api_keys.get(as_ann.token[:10])
    assert kept is not None
    assert times.now() < kept.expires_at <= most
    assert api_keys.get(short[:10]) == before
    assert as_ann.get(f"{USERS}/me").status == 200
    rows = [row for row in trail() if row.additional_fields.get("changed_api_key_id") == kept.id]
    assert [(row.action, set(row.diff)) for row in rows] == [("write", {"expires_at"})]
    assert put(owner, ann, roles=["owner"]).status == 200
    again = api_keys.get(as_ann.token[:10])
    assert again is not None
    assert (again.revision, again.expires_at) == (kept.revision, kept.expires_at)


def test_a_session_of_who_becomes_owner_slides_no_further_than_an_owners(
    house: House, owner: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, short = 30 * 86_400 * 10**9, 2 * 86_400 * 10**9
    settings = Settings(default_token_lifetime=long, max_admin_token_lifetime=short)
    for module in (lifetimes, tokens, usage):
        monkeypatch.setattr(module, "current", lambda: settings)
    session = house.client(ann).post(f"{USERS}/me/keys").json["key"]
    kept = api_keys.get(session[:10])
    assert kept is not None
    assert kept.expires_at > times.now() + timedelta(days=29)
    assert put(owner, ann, roles=["owner"]).status == 200
    assert replace(owner, token=session).get(f"{USERS}/me").status == 200
    used = api_keys.get(session[:10])
    assert used is not None
    assert used.expires_at <= times.now() + timedelta(days=2)
