"""Tokens after they are made: every field, in order, and only to those who may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.access.secret import split
from chalicelib.store.directory import api_keys, people

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

KEYS = "/api/v2/users/me/keys"
MINE = f"{KEYS}/tokens"
NOT_FOUND = {"message": "Resource not found or you do not have access to this resource"}
FIELDS = {
    "id",
    "user_id",
    "last_used",
    "expires_at",
    "created_at",
    "updated_at",
    "login_type",
    "scope",
    "scopes",
    "token_name",
    "lifetime_seconds",
    "allow_list",
}
WORKSPACE = "5c9e0ff5-5d3f-4b5a-9d0e-0b4d8e6f7a01"


def made(reply: Reply) -> str:
    """The id of a token, from the answer that minted it."""
    assert reply.status == 201
    return split(reply.json["key"])[0]


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200
    return [key["id"] for key in reply.json]


def own(client: Client) -> str:
    return client.token[:10]


# Showing one.


def test_every_field_of_a_token_never_used(as_ann: Client, ann: User) -> None:
    body = {
        "token_name": "ci",
        "scopes": ["workspace:read"],
        "allow_list": [f"workspace:{WORKSPACE}"],
        "lifetime": 604_800 * 1_000_000_000,
    }
    key_id = made(as_ann.post(MINE, body))
    key = as_ann.get(f"{KEYS}/{key_id}").json
    kept = api_keys.get(key_id)
    assert kept is not None
    assert key == {
        "id": key_id,
        "user_id": ann.id,
        "last_used": "1970-01-01T00:00:00Z",
        "expires_at": times.wire(kept.created_at + timedelta(days=7)),
        "created_at": times.wire(kept.created_at),
        "updated_at": times.wire(kept.created_at),
        "login_type": "token",
        "scope": "",
        "scopes": ["workspace:read"],
        "token_name": "ci",
        "lifetime_seconds": 604_800,
        "allow_list": [f"workspace:{WORKSPACE}"],
    }
    assert set(key) == FIELDS


@pytest.mark.parametrize(
    ("scopes", "scope"),
    [
        (["coder:all"], "all"),
        (["coder:application_connect"], "application_connect"),
        (["coder:all", "coder:application_connect"], "application_connect"),
        (["user:read", "coder:all"], "all"),
        (["workspace:read"], ""),
        ([], "all"),
    ],
)
def test_the_older_field_for_the_scope(as_ann: Client, scopes: list[str], scope: str) -> None:
    body = as_ann.get(f"{KEYS}/{made(as_ann.post(MINE, {'scopes': scopes}))}").json
    assert (body["scope"], body["scopes"]) == (scope, scopes or ["coder:all"])
    assert body["allow_list"] == ["*:*"]


def test_the_longest_lifetime_is_a_whole_number(as_ann: Client) -> None:
    reply = as_ann.get(f"{MINE}/tokenconfig")
    assert reply.text == '{"max_token_lifetime":3155760000000000000}\n'
    key_id = made(as_ann.post(MINE, {"lifetime": reply.json["max_token_lifetime"]}))
    assert '"lifetime_seconds":3155760000,' in as_ann.get(f"{KEYS}/{key_id}").text


def test_allowed_ips_are_shown_where_there_are_any(as_ann: Client) -> None:
    body = {"allowed_ips": ["192.0.2.77/24", "2001:DB8::/32", " 203.0.113.7 "]}
    key_id = made(as_ann.post(MINE, body))
    key = as_ann.get(f"{KEYS}/{key_id}").json
    assert key["allowed_ips"] == ["192.0.2.0/24", "2001:db8::/32", "203.0.113.7/32"]
    assert set(key) == FIELDS | {"allowed_ips"}


@pytest.mark.parametrize("path", [f"{KEYS}/{{id}}", f"{MINE}/{{name}}"])
def test_a_token_by_id_and_by_name(as_ann: Client, path: str) -> None:
    key_id = made(as_ann.post(MINE, {"token_name": "ci/main é"}))
    reply = as_ann.get(path.format(id=key_id, name="ci%2Fmain%20%C3%A9"))
    assert reply.status == 200
    assert set(reply.json) == FIELDS
    assert reply.json["id"] == key_id


def test_an_expired_token_is_shown(house: House, ann: User, as_ann: Client) -> None:
    token = house.token(ann, expires_at=times.now() - timedelta(days=1), token_name="old")
    assert as_ann.get(f"{KEYS}/{token[:10]}").json["id"] == token[:10]
    assert as_ann.get(f"{MINE}/old").json["id"] == token[:10]


def test_by_id_any_login_type_is_shown_and_by_name_tokens_alone(as_ann: Client) -> None:
    session = made(as_ann.post(KEYS))
    assert as_ann.get(f"{KEYS}/{session}").json["login_type"] == "password"
    assert as_ann.get(f"{KEYS}/{session}").json["token_name"] == ""
    assert as_ann.get(f"{MINE}/{session}").status == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{KEYS}/0123456789",
        f"{KEYS}/gbk_012345",
        f"{KEYS}/x",
        f"{KEYS}/name%23me%23ci",
        f"{KEYS}/{'x' * 3_000}",
        f"{MINE}/nothing",
        f"{MINE}/%20",
        f"{MINE}/{'x' * 3_000}",
        f"{MINE}/{'%C3%A9' * 1_500}",
        "/api/v2/users/nobody/keys/0123456789",
        "/api/v2/users/nobody/keys/tokens",
        "/api/v2/users/nobody/keys/tokens/x",
        "/api/v2/users/nobody/keys/tokens/tokenconfig",
    ],
)
def test_what_is_not_there_is_not_found(as_ann: Client, assert_error: CheckError, path: str) -> None:
    reply = as_ann.get(path)
    assert reply.status == 404
    assert assert_error(reply) == NOT_FOUND


@pytest.mark.parametrize(
    ("method", "subpath"),
    [
        ("GET", "{id}"),
        ("GET", "tokens/{name}"),
        ("DELETE", "{id}"),
        ("PUT", "{id}/expire"),
        ("PATCH", "{id}"),
        ("POST", "{id}/rotate"),
    ],
)
@pytest.mark.parametrize("user", ["me", "ann"])
@pytest.mark.parametrize("role", [(), ("auditor",), ("user-admin",), ("template-admin",)])
def test_a_strangers_token_is_not_there(
    *,
    house: House,
    ann: User,
    as_ann: Client,
    assert_error: CheckError,
    method: str,
    subpath: str,
    user: str,
    role: tuple[str, ...],
) -> None:
    key_id = made(as_ann.post(MINE, {"token_name": "ci"}))
    before = api_keys.get(key_id)
    caller = house.client(house.user("bob", *role))
    body = {"scopes": ["user:read"]} if method == "PATCH" else None
    reply = caller.send(method, f"/api/v2/users/{user}/keys/{subpath.format(id=key_id, name='ci')}", body)
    assert reply.status == 404
    assert assert_error(reply) == NOT_FOUND
    assert api_keys.get(key_id) == before
    assert ann.username == "ann"


@pytest.mark.parametrize("user", ["me", "ann", "root", "bob"])
def test_by_id_the_user_in_the_path_is_not_compared(
    house: House, owner: Client, as_ann: Client, root: User, user: str
) -> None:
    house.user("bob")
    key_id = made(as_ann.post(MINE, {}))
    assert root.username == "root"
    path = f"/api/v2/users/{user}/keys/{key_id}"
    assert owner.get(path).json["id"] == key_id
    assert owner.put(f"{path}/expire").status == 204
    assert owner.delete(path).status == 204


# Listing them.


def test_a_list_holds_every_field_and_the_username_oldest_first(as_ann: Client, house: House, ann: User) -> None:
    now = times.now()
    for minutes in (3, 1, 2):
        house.token(ann, created_at=now + timedelta(minutes=minutes), token_name=f"t{minutes}")
    listed = as_ann.get(MINE).json
    assert [key["token_name"] for key in listed][1:] == ["t1", "t2", "t3"]
    for key in listed:
        assert set(key) == FIELDS | {"username"}
        assert key["username"] == "ann"
        assert key == {**as_ann.get(f"{KEYS}/{key['id']}").json, "username": "ann"}


def test_session_keys_are_not_listed(as_ann: Client) -> None:
    made(as_ann.post(KEYS))
    assert ids(as_ann.get(MINE)) == [own(as_ann)]


def test_no_tokens_are_an_empty_list(house: House, owner: Client) -> None:
    house.user("bob")
    reply = owner.get("/api/v2/users/bob/keys/tokens")
    assert (reply.status, reply.text) == (200, "[]\n")


def test_a_token_that_may_read_none_lists_none(house: House, ann: User) -> None:
    caller = house.client(ann, scopes=("user:read",))
    assert caller.get(MINE).text == "[]\n"
    caller = house.client(ann, allow_list=("user:*", "workspace:*"))
    assert caller.get(MINE).text == "[]\n"


def test_an_allow_list_of_one_token_lists_that_one(house: House, ann: User, as_ann: Client) -> None:
    one = house.client(ann, allow_list=("user:*", f"api_key:{own(as_ann)}"))
    assert ids(one.get(MINE)) == [own(as_ann)]
    assert one.get(f"{KEYS}/{own(as_ann)}").status == 200
    assert one.get(f"{KEYS}/{own(one)}").status == 404


@pytest.mark.parametrize("yes", ["1", "t", "T", "TRUE", "true", "True"])
@pytest.mark.parametrize("flag", ["include_all", "include_expired"])
def test_flags_that_are_true(house: House, owner: Client, ann: User, root: User, flag: str, yes: str) -> None:
    hers = house.token(ann)[:10]
    expired = house.token(root, expires_at=times.now() - timedelta(days=1))[:10]
    more = hers if flag == "include_all" else expired
    assert set(ids(owner.get(MINE, query={flag: yes}))) == {own(owner), more}


@pytest.mark.parametrize("no", ["0", "f", "F", "FALSE", "false", "False", "", "yes", "tRUE", "2", " true"])
@pytest.mark.parametrize("flag", ["include_all", "include_expired"])
def test_flags_that_are_not(house: House, owner: Client, ann: User, root: User, flag: str, no: str) -> None:
    house.token(ann)
    house.token(root, expires_at=times.now() - timedelta(days=1))
    assert ids(owner.get(MINE, query={flag: no})) == [own(owner)]


def test_a_token_leaves_the_list_at_the_moment_it_ends(house: House, ann: User, as_ann: Client, clock: Clock) -> None:
    short = house.token(ann, expires_at=clock.moment + timedelta(minutes=1))[:10]
    assert short in ids(as_ann.get(MINE))
    clock.forward(timedelta(minutes=1, microseconds=-1))
    assert short in ids(as_ann.get(MINE))
    clock.forward(timedelta(microseconds=1))
    assert short not in ids(as_ann.get(MINE))
    assert short in ids(as_ann.get(MINE, query={"include_expired": "true"}))


def test_everybodys_tokens_are_those_the_caller_may_read(
    house: House, owner: Client, as_ann: Client, ann: User
) -> None:
    bob = house.user("bob", "auditor", "user-admin")
    as_bob = house.client(bob)
    everybody = {"include_all": "true"}
    assert set(ids(owner.get(MINE, query=everybody))) == {own(owner), own(as_ann), own(as_bob)}
    assert {key["username"] for key in owner.get(MINE, query=everybody).json} == {"root", "ann", "bob"}
    assert ids(as_ann.get(MINE, query=everybody)) == [own(as_ann)]
    assert ids(as_bob.get(MINE, query=everybody)) == [own(as_bob)]
    assert ids(as_bob.get(f"/api/v2/users/{ann.id}/keys/tokens")) == []


def test_the_username_is_empty_for_whom_the_caller_may_not_read(
    house: House, root: User, as_ann: Client, ann: User
) -> None:
    caller = house.client(root, allow_list=(f"user:{root.id}", "api_key:*"))
    listed = {key["id"]: key["username"] for key in caller.get(MINE, query={"include_all": "1"}).json}
    assert listed == {own(caller): "root", own(as_ann): ""}
    people.save_user(replace(ann, deleted=True, updated_at=times.now()), ann)
    assert len(ids(caller.get(MINE, query={"include_all": "1"}))) == 1


def test_pages_walk_the_whole_list_once(house: House, ann: User, as_ann: Client) -> None:
    for _ in range(6):
        house.token(ann)
    whole = ids(as_ann.get(MINE))
    assert len(whole) == 7
    for limit in (1, 2, 3, 7, 50):
        walked: list[str] = []
        while True:
            query = {"limit": str(limit)} | ({"after_id": walked[-1]} if walked else {})
            listed = ids(as_ann.get(MINE, query=query))
            walked += listed
            assert len(listed) <= limit
            if len(listed) < limit:
                break
        assert walked == whole
    assert ids(as_ann.get(MINE, query={"limit": "0"})) == whole
    assert ids(as_ann.get(MINE, query={"after_id": whole[3]})) == whole[4:]


def test_a_page_counts_what_is_shown(house: House, ann: User, as_ann: Client) -> None:
    for days in (-1, 1, -1, 1):
        house.token(ann, expires_at=times.now() + timedelta(days=days))
    assert len(ids(as_ann.get(MINE, query={"limit": "3"}))) == 3
    assert len(ids(as_ann.get(MINE, query={"limit": "3", "include_expired": "1"}))) == 3


@pytest.mark.parametrize("after", ["x", "0123456789", "gbk_012345", "name#x#y", "x" * 5_000])
def test_a_page_behind_nothing(as_ann: Client, assert_error: CheckError, after: str) -> None:
    reply = as_ann.get(MINE, query={"after_id": after})
    assert reply.status == 400
    assert assert_error(reply) == {
        "message": "Query parameters have invalid values.",
        "validations": [{"field": "after_id", "detail": 'Query param "after_id" must be the id of a token'}],
    }


def test_a_page_behind_a_strangers_token_says_no_more_than_behind_none(
    owner: Client, as_ann: Client, assert_error: CheckError
) -> None:
    refused = [as_ann.get(MINE, query={"after_id": after}) for after in (own(owner), "0123456789")]
    assert refused[0].status == 400
    assert assert_error(refused[0]) == assert_error(refused[1])


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "2147483648", "9" * 30])
def test_a_wrong_limit(as_ann: Client, assert_error: CheckError, limit: str) -> None:
    reply = as_ann.get(MINE, query={"limit": limit})
    assert reply.status == 400
    assert [wrong["field"] for wrong in assert_error(reply)["validations"]] == ["limit"]


# What there is to know before one mints.


@pytest.mark.parametrize(
    ("user", "hours"), [("root", 168), ("ann", 876_600), ("ada", 876_600)], ids=["owner", "member", "user-admin"]
)
def test_the_longest_lifetime_is_that_of_the_user_in_the_path(
    house: House, owner: Client, ann: User, user: str, hours: int
) -> None:
    house.user("ada", "user-admin", "auditor")
    assert ann.username == "ann"
    reply = owner.get(f"/api/v2/users/{user}/keys/tokens/tokenconfig")
    assert (reply.status, reply.json) == (200, {"max_token_lifetime": hours * 3_600 * 1_000_000_000})


def test_the_longest_lifetime_wants_no_scope_but_reading_the_user(house: House, ann: User) -> None:
    assert house.client(ann, scopes=("user:read",)).get(f"{MINE}/tokenconfig").status == 200
    assert house.client(ann, scopes=("api_key:*",)).get(f"{MINE}/tokenconfig").status == 404


def test_the_scopes_are_public_sorted_and_without_aliases(client: Client) -> None:
    names = client.get("/api/v2/auth/scopes").json["external"]
    assert names == sorted(names, key=str.encode)
    assert {"coder:all", "coder:application_connect", "api_key:*", "coder:logs.read"} <= set(names)
    assert not {"all", "application_connect", "no_user_data"} & set(names)


# Ending one.


@pytest.mark.parametrize("token", ["token", "session", "expired"])
def test_what_is_deleted_is_gone(house: House, ann: User, as_ann: Client, token: str) -> None:
    texts = {
        "token": as_ann.post(MINE, {}).json["key"],
        "session": as_ann.post(KEYS).json["key"],
        "expired": house.token(ann, expires_at=times.now() - timedelta(days=1)),
    }
    text = texts[token]
    reply = as_ann.delete(f"{KEYS}/{text[:10]}")
    assert (reply.status, reply.text) == (204, "")
    assert as_ann.get(f"{KEYS}/{text[:10]}").status == 404
    assert as_ann.delete(f"{KEYS}/{text[:10]}").status == 404
    assert replace(as_ann, token=text).get("/api/v2/users/me").json["detail"] == "API key is invalid."


def test_deleting_wants_no_right_to_read(house: House, ann: User, as_ann: Client) -> None:
    caller = house.client(ann, scopes=("user:read", "api_key:delete"))
    assert caller.get(f"{KEYS}/{own(as_ann)}").status == 404
    assert caller.delete(f"{KEYS}/{own(as_ann)}").status == 204


@pytest.mark.parametrize("scopes", [("user:read", "api_key:read"), ("user:read", "api_key:update"), ("api_key:*",)])
def test_expiring_wants_the_right_to_read_and_to_change(
    house: House, ann: User, as_ann: Client, assert_error: CheckError, scopes: tuple[str, ...]
) -> None:
    reply = house.client(ann, scopes=scopes).put(f"{KEYS}/{own(as_ann)}/expire")
    assert reply.status == 404
    assert assert_error(reply) == NOT_FOUND
    assert as_ann.get("/api/v2/users/me").status == 200


def test_what_is_expired_has_ended_on_the_next_request_and_stays(as_ann: Client, clock: Clock) -> None:
    token = as_ann.post(MINE, {"token_name": "ci"}).json["key"]
    holder = replace(as_ann, token=token)
    assert holder.get("/api/v2/users/me").status == 200
    reply = as_ann.put(f"{KEYS}/{token[:10]}/expire")
    assert (reply.status, reply.text) == (204, "")
    refused = holder.get("/api/v2/users/me")
    assert refused.status == 401
    assert refused.json["detail"].startswith('API key expired at "')
    assert as_ann.get(f"{MINE}/ci").json["expires_at"] == times.wire(clock.moment)


def test_expiring_again_changes_nothing(as_ann: Client, clock: Clock, trail: Callable[[], list[Any]]) -> None:
    key_id = made(as_ann.post(MINE, {}))
    assert as_ann.put(f"{KEYS}/{key_id}/expire").status == 204
    ended, rows = api_keys.get(key_id), len(trail())
    clock.forward(timedelta(minutes=5))
    assert as_ann.put(f"{KEYS}/{key_id}/expire").status == 204
    assert api_keys.get(key_id) == ended
    assert len(trail()) == rows


def test_a_token_may_end_itself(as_ann: Client) -> None:
    assert as_ann.put(f"{KEYS}/{own(as_ann)}/expire").status == 204
    assert as_ann.get("/api/v2/users/me").status == 401


@pytest.mark.parametrize("path", [f"{KEYS}/0123456789", f"{KEYS}/x", f"{KEYS}/name%23a%23b", f"{KEYS}/{'x' * 3_000}"])
def test_nothing_that_is_not_there_is_ended(as_ann: Client, assert_error: CheckError, path: str) -> None:
    for reply in (as_ann.delete(path), as_ann.put(f"{path}/expire")):
        assert reply.status == 404
        assert assert_error(reply) == NOT_FOUND


@pytest.mark.parametrize(("method", "subpath"), [("PUT", "/expire"), ("DELETE", "")])
def test_a_name_is_taken_until_its_token_has_ended_or_is_deleted(
    as_ann: Client, assert_error: CheckError, method: str, subpath: str
) -> None:
    key_id = made(as_ann.post(MINE, {"token_name": "ci"}))
    reply = as_ann.post(MINE, {"token_name": "ci"})
    assert reply.status == 409
    assert assert_error(reply)["message"] == 'A token with name "ci" already exists.'
    as_ann.send(method, f"{KEYS}/{key_id}{subpath}")
    assert as_ann.post(MINE, {"token_name": "ci"}).status == 201


def test_two_mints_that_draw_one_id_are_two_tokens(as_ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.access import secret  # noqa: PLC0415 - only this test replaces something in it

    original, drawn = secret.generate, iter(["gbk_aaaaaa", "gbk_aaaaaa", "gbk_bbbbbb"])
    monkeypatch.setattr(secret, "generate", lambda: original(key_id=next(drawn)))
    tokens = [as_ann.post(MINE, {}).json["key"] for _ in range(2)]
    assert [split(token)[0] for token in tokens] == ["gbk_aaaaaa", "gbk_bbbbbb"]
    assert all(replace(as_ann, token=token).get("/api/v2/users/me").status == 200 for token in tokens)
