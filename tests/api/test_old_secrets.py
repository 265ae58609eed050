"""A secret that a rotation has replaced does its token's work until its grace is over, and nothing to tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

USERS = "/api/v2/users"
KEYS = f"{USERS}/me/keys"
HOUR = 3_600 * 10**9
USE_THE_NEW_ONE = "The secret you bring has been rotated; use the new one."


def rotated(client: Client, grace: int = HOUR) -> Client:
    """The client with its new secret; the one that it had is in its grace."""
    reply = client.post(f"{KEYS}/{client.token[:10]}/rotate", {"grace": grace})
    assert reply.status == 201
    return replace(client, token=reply.json["key"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{KEYS}/tokens", {}),
        ("POST", KEYS, None),
        ("POST", f"{KEYS}/{{own}}/rotate", {}),
        ("POST", f"{KEYS}/{{own}}/rotate", {"grace": HOUR}),
        ("PATCH", f"{KEYS}/{{own}}", {"token_name": "mine"}),
        ("PUT", f"{KEYS}/{{own}}/expire", None),
        ("DELETE", f"{KEYS}/{{own}}", None),
        ("POST", f"{KEYS}/{{other}}/rotate", {}),
        ("PATCH", f"{KEYS}/{{other}}", {"scopes": ["user:read"]}),
        ("PUT", f"{KEYS}/{{other}}/expire", None),
        ("DELETE", f"{KEYS}/{{other}}", None),
        ("POST", f"{USERS}/logout", None),
    ],
)
def test_an_old_secret_makes_changes_ends_and_deletes_no_token(
    *, house: House, ann: User, assert_error: CheckError, method: str, path: str, body: Any
) -> None:
    old = house.client(ann)
    other = house.token(ann)
    new = rotated(old)
    kept = [api_keys.get(token[:10]) for token in (old.token, other)]
    reply = old.send(method, path.format(own=old.token[:10], other=other[:10]), body)
    assert reply.status == 403
    assert assert_error(reply)["detail"] == USE_THE_NEW_ONE
    stored = [api_keys.get(token[:10]) for token in (old.token, other)]
    # That the use was refused is noted with the token, as with every token.
    assert [key and replace(key, refused_at=None) for key in stored] == kept
    assert {key.id for key in api_keys.of_user(ann.id)} == {old.token[:10], other[:10]}
    assert new.send(method, path.format(own=old.token[:10], other=other[:10]), body).status < 300


def test_an_old_secret_does_what_the_token_does_until_its_grace_is_over(
    house: House, owner: Client, clock: Clock
) -> None:
    del house
    rotated(owner)
    assert owner.get(f"{USERS}/me").status == 200
    assert owner.get(f"{KEYS}/tokens").json != []
    assert owner.get("/api/v2/audit").json["count"] > 0
    new = {"username": "new", "email": "new@example.com"}
    assert owner.put(f"{USERS}/0b8e5b0c-6f0b-4d3e-8f3a-0a4b5b6c7d8e", new).status == 201
    clock.forward(timedelta(hours=1))
    assert owner.get(f"{USERS}/me").status == 401


def test_an_old_secret_gives_nobody_a_role_and_deletes_nobody(
    house: House, owner: Client, ann: User, assert_error: CheckError
) -> None:
    acme = house.organization()
    member = house.user("member", organizations={acme.id: ()})
    new = rotated(owner)
    for user, roles in (
        (ann, {"roles": ["owner"]}),
        (member, {"organization_roles": {acme.id: ["organization-admin"]}}),
    ):
        reply = owner.put(f"{USERS}/{user.id}", {"username": user.username, "email": user.email, **roles})
        assert (reply.status, assert_error(reply)["detail"]) == (403, USE_THE_NEW_ONE)
    reply = owner.delete(f"{USERS}/{ann.id}")
    assert (reply.status, assert_error(reply)["detail"]) == (403, USE_THE_NEW_ONE)
    assert new.delete(f"{USERS}/{ann.id}").status == 200


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_an_old_secret_changes_nobodys_status(
    house: House, owner: Client, assert_error: CheckError, status: str
) -> None:
    eve = house.user("eve", status=status)
    change, wanted = ("activate", "active") if status == "suspended" else ("suspend", "suspended")
    new = rotated(owner)
    whole = {"username": eve.username, "email": eve.email, "status": wanted}
    for path, body in ((f"{USERS}/{eve.id}/status/{change}", None), (f"{USERS}/{eve.id}", whole)):
        reply = owner.put(path, body)
        assert (reply.status, assert_error(reply)["detail"]) == (403, USE_THE_NEW_ONE)
        assert new.get(f"{USERS}/{eve.id}").json["status"] == status
    assert owner.put(f"{USERS}/{eve.id}", {**whole, "status": status, "name": "Eve"}).status == 200
    assert new.put(f"{USERS}/{eve.id}/status/{change}").status == 200


def test_an_old_secret_makes_and_ends_no_membership(
    house: House, owner: Client, ann: User, assert_error: CheckError
) -> None:
    acme, lab = house.organization(), house.organization("lab")
    member = house.user("member", organizations={lab.id: ()})
    new = rotated(owner)
    joining, leaving = (f"/api/v2/organizations/{one.id}/members" for one in (acme, lab))
    other = house.user("other")
    known = {"username": other.username, "email": other.email}
    for method, path, body in (
        ("POST", f"{joining}/{ann.id}", None),
        ("DELETE", f"{leaving}/{member.id}", None),
        ("PUT", f"{USERS}/{other.id}", {**known, "organization_ids": [acme.id]}),
        ("POST", "/api/v2/organizations", {"name": "mine"}),
    ):
        reply = owner.send(method, path, body)
        assert (reply.status, assert_error(reply)["detail"]) == (403, USE_THE_NEW_ONE)
        assert new.send(method, path, body).status < 300


def test_who_may_not_at_all_is_not_told_to_bring_another_secret(house: House, ann: User, owner: Client) -> None:
    narrow = house.client(ann, scopes=("user:read", "api_key:read", "api_key:update"))
    rotated(narrow)
    assert narrow.delete(f"{KEYS}/{narrow.token[:10]}").status == 404
    assert narrow.put(f"{KEYS}/{owner.token[:10]}/expire").status == 404


@pytest.mark.parametrize("place", [{}, {"any_org": True}], ids=["their own", "anywhere"])
def test_what_an_old_secret_may_do_is_told_to_who_asks(house: House, place: dict[str, Any]) -> None:
    old = house.client(house.user("bea", organizations={house.organization().id: ()}))
    new = rotated(old)
    mine = {"resource_type": "api_key", "owner_id": "me"}
    actions = ("create", "read", "update", "delete")
    checks = {action: {"object": {**mine, **place}, "action": action} for action in actions}
    asked = {"checks": checks}
    expected = {"create": False, "read": True, "update": False, "delete": False}
    assert old.post("/api/v2/authcheck", asked).json == expected
    assert new.post("/api/v2/authcheck", asked).json == dict.fromkeys(expected, True)
