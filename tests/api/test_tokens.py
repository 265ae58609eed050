from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.access.secret import PATTERN, hash_secret, split
from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import APIKey, User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

MINE = "/api/v2/users/me/keys/tokens"
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
WORKSPACE = "5c9e0ff5-5d3f-4b5a-9d0e-0b4d8e6f7a01"
FAILED = "Failed to create API key."
NOT_JSON = "Request body must be valid JSON."
WRONG_LIFETIME = "Failed to validate create API key request."


def stored(reply: Reply) -> APIKey:
    """The token as it is kept, from the answer that minted it."""
    assert reply.status == 201
    assert set(reply.json) == {"key"}
    key = api_keys.get(split(reply.json["key"])[0])
    assert key is not None
    return key


def test_a_minted_token_works_and_is_kept_as_its_hash_alone(as_ann: Client, ann: User) -> None:
    before = times.now()
    reply = as_ann.post(MINE, {})
    key = stored(reply)
    assert re.fullmatch(PATTERN, reply.json["key"])
    assert key.hashed_secret == hash_secret(split(reply.json["key"])[1])
    assert (key.user_id, key.login_type) == (ann.id, "token")
    assert (key.scopes, key.allow_list) == (("coder:all",), ("*:*",))
    assert key.token_name
    assert key.last_used == times.EPOCH
    assert timedelta(hours=168) <= key.expires_at - before < timedelta(hours=168, seconds=30)
    assert key.lifetime_seconds == 168 * 3_600
    assert replace(as_ann, token=reply.json["key"]).get("/api/v2/users/me").json["id"] == ann.id


def test_unnamed_tokens_get_different_names(as_ann: Client) -> None:
    names = {stored(as_ann.post(MINE, {"token_name": name})).token_name for name in ("", None, "", None)}
    assert len(names) == 4


@pytest.mark.parametrize(
    ("body", "scopes"),
    [
        ({"scope": "workspace:read"}, ("workspace:read",)),
        ({"scope": "application_connect"}, ("coder:application_connect",)),
        ({"scope": "all"}, ("coder:all",)),
        ({"scope": "coder:all"}, ("coder:all",)),
        ({"scopes": ["all"]}, ("coder:all",)),
        ({"scopes": ["template:use", "workspace:read", "template:use"]}, ("template:use", "workspace:read")),
        ({"scopes": ["all", "coder:all"]}, ("coder:all",)),
        ({"scope": "debug_info:read", "scopes": ["user:read"]}, ("user:read",)),
        ({"scope": "", "scopes": []}, ("coder:all",)),
        ({"scope": None, "scopes": None, "allow_list": None, "lifetime": None}, ("coder:all",)),
        ({"scopes": ["coder:logs.ingest"]}, ("coder:logs.ingest",)),
        ({"unknown": "field"}, ("coder:all",)),
    ],
)
def test_scopes(as_ann: Client, body: dict[str, Any], scopes: tuple[str, ...]) -> None:
    assert stored(as_ann.post(MINE, body)).scopes == scopes


@pytest.mark.parametrize(
    ("allow_list", "kept"),
    [
        ([], ("*:*",)),
        (["*:*"], ("*:*",)),
        (["workspace:*"], ("workspace:*",)),
        ([f"workspace:{WORKSPACE}"], (f"workspace:{WORKSPACE}",)),
        ([f" workspace:{WORKSPACE.upper()} "], (f"workspace:{WORKSPACE}",)),
        ([{"type": "workspace", "id": WORKSPACE}], (f"workspace:{WORKSPACE}",)),
        ([f"workspace:{WORKSPACE}", "workspace:*", "template:*"], ("template:*", "workspace:*")),
        (["user:*", "*:*"], ("*:*",)),
        (["api_key:WuoWs4ZsMX"], ("api_key:WuoWs4ZsMX",)),
        ([f"workspace:{uuid4()}" for _ in range(127)] + ["*:*"], ("*:*",)),
    ],
)
def test_allow_lists(as_ann: Client, allow_list: list[Any], kept: tuple[str, ...]) -> None:
    assert stored(as_ann.post(MINE, {"allow_list": allow_list})).allow_list == kept


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (0, 168 * 3_600),
        (SECOND, 1),
        (HOUR, 3_600),
        (3_600 * SECOND * 8_760, 8_760 * 3_600),
        (3_155_760_000 * SECOND, 3_155_760_000),
    ],
)
def test_lifetimes(as_ann: Client, lifetime: int, seconds: int) -> None:
    before = times.now()
    key = stored(as_ann.post(MINE, {"lifetime": lifetime}))
    assert key.lifetime_seconds == seconds
    assert key.expires_at - key.created_at == timedelta(seconds=seconds)
    assert key.created_at >= before


@pytest.mark.parametrize(
    ("body", "message", "detail"),
    [
        ({"scopes": ["x:y"]}, FAILED, 'invalid or unsupported API key scope: "x:y"'),
        (
            {"scopes": ["user:read", "debug_info:read", "x"]},
            FAILED,
            'invalid or unsupported API key scope: "debug_info:read"',
        ),
        ({"scope": "user:delete"}, FAILED, 'invalid or unsupported API key scope: "user:delete"'),
        ({"scope": "no_user_data"}, FAILED, 'invalid or unsupported API key scope: "no_user_data"'),
        ({"scope": "Workspace:read"}, FAILED, 'invalid or unsupported API key scope: "Workspace:read"'),
        ({"scope": "workspace:read "}, FAILED, 'invalid or unsupported API key scope: "workspace:read "'),
        ({"allow_list": ["workspace"]}, NOT_JSON, 'invalid allow_list entry "workspace": want <type>:<id>'),
        ({"allow_list": ["*"]}, NOT_JSON, 'invalid allow_list entry "*": want <type>:<id>'),
        ({"allow_list": [":"]}, NOT_JSON, 'invalid allow_list entry ":": want <type>:<id>'),
        ({"allow_list": ["unknown:*"]}, NOT_JSON, 'unknown resource type "unknown"'),
        ({"allow_list": ["Workspace:*"]}, NOT_JSON, 'unknown resource type "Workspace"'),
        ({"allow_list": ["workspace:bad"]}, NOT_JSON, 'invalid workspace ID (must be UUID): "bad"'),
        ({"allow_list": [{"type": "workspace"}]}, NOT_JSON, "allow_list entry must include both type and id"),
        ({"allow_list": [7]}, NOT_JSON, "invalid allow_list entry: expected object with type/id or string"),
        (
            {"allow_list": [f"workspace:{uuid4()}" for _ in range(129)]},
            FAILED,
            "allow_list has 129 entries; max allowed is 128",
        ),
        ({"allow_list": ["*:*"] * 129}, FAILED, "allow_list has 129 entries; max allowed is 128"),
        ({"lifetime": -1}, WRONG_LIFETIME, "lifetime must be positive number greater than 0"),
        ({"lifetime": 876_600 * HOUR + 1}, WRONG_LIFETIME, "lifetime must be less than 876600h0m0s"),
        # In Coder's order: the body, the scopes, the allow list, the lifetime.
        (
            {"allow_list": ["x"], "scopes": ["x"], "lifetime": -1},
            NOT_JSON,
            'invalid allow_list entry "x": want <type>:<id>',
        ),
        (
            {"allow_list": ["*:*"] * 129, "scopes": ["x"], "lifetime": -1},
            FAILED,
            'invalid or unsupported API key scope: "x"',
        ),
        ({"allow_list": ["*:*"] * 129, "lifetime": -1}, FAILED, "allow_list has 129 entries; max allowed is 128"),
    ],
)
def test_refusals(as_ann: Client, assert_error: CheckError, body: dict[str, Any], message: str, detail: str) -> None:
    reply = as_ann.post(MINE, body)
    assert reply.status == 400
    assert assert_error(reply) == {"message": message, "detail": detail}


@pytest.mark.parametrize("body", [{"lifetime": 1.5}, {"lifetime": 2**63}, {"lifetime": True}, {"scopes": [1]}])
def test_values_no_client_sends(as_ann: Client, assert_error: CheckError, body: dict[str, Any]) -> None:
    reply = as_ann.post(MINE, body)
    assert reply.status == 400
    assert assert_error(reply)["message"] == "Validation failed."


def test_an_owners_tokens_live_a_week_at_most(owner: Client, assert_error: CheckError) -> None:
    assert stored(owner.post(MINE, {"lifetime": 168 * HOUR})).lifetime_seconds == 168 * 3_600
    reply = owner.post(MINE, {"lifetime": 168 * HOUR + 1})
    assert reply.status == 400
    assert assert_error(reply)["detail"] == "lifetime must be less than 168h0m0s"


def test_the_maximum_is_the_one_of_the_user_it_is_for(
    owner: Client, as_ann: Client, ann: User, root: User, assert_error: CheckError
) -> None:
    long = {"lifetime": 8_760 * HOUR}
    assert stored(owner.post(f"/api/v2/users/{ann.username}/keys/tokens", long)).user_id == ann.id
    assert as_ann.post(MINE, long).status == 201
    assert owner.post(f"/api/v2/users/{root.id}/keys/tokens", long).status == 400
    assert assert_error(as_ann.post(f"/api/v2/users/{root.id}/keys/tokens", long))


def test_a_name_is_unique_per_user(owner: Client, as_ann: Client, ann: User, assert_error: CheckError) -> None:
    assert stored(as_ann.post(MINE, {"token_name": "ci"})).token_name == "ci"
    for path, caller in ((MINE, as_ann), (f"/api/v2/users/{ann.id}/keys/tokens", owner)):
        reply = caller.post(path, {"token_name": "ci"})
        assert reply.status == 409
        assert assert_error(reply) == {
            "message": 'A token with name "ci" already exists.',
            "validations": [{"field": "name", "detail": "This value is already in use and should be unique."}],
        }
    assert owner.post(MINE, {"token_name": "ci"}).status == 201
    assert as_ann.post(MINE, {"token_name": "CI"}).status == 201


def test_the_name_of_a_token_that_has_ended_is_free_and_its_record_keeps_it(
    as_ann: Client, assert_error: CheckError, clock: Clock
) -> None:
    first = as_ann.post(MINE, {"token_name": "ci", "lifetime": 10**9}).json["key"][:10]
    clock.forward(timedelta(seconds=1) - timedelta.resolution)
    assert as_ann.post(MINE, {"token_name": "ci"}).status == 409
    clock.forward(timedelta.resolution)
    second = as_ann.post(MINE, {"token_name": "ci"}).json["key"][:10]
    assert as_ann.get(f"{MINE}/ci").json["id"] == second
    named = {key["id"]: key["token_name"] for key in as_ann.get(MINE, query={"include_expired": "true"}).json}
    assert (named[first], named[second]) == ("ci", "ci")
    assert as_ann.get(f"/api/v2/users/me/keys/{first}").json["token_name"] == "ci"
    reply = as_ann.post(MINE, {"token_name": "ci"})
    assert (reply.status, assert_error(reply)["message"]) == (409, 'A token with name "ci" already exists.')
    # The record of the first goes without taking the name from the second.
    assert as_ann.delete(f"/api/v2/users/me/keys/{first}").status == 204
    assert as_ann.get(f"{MINE}/ci").json["id"] == second
    assert as_ann.delete(f"/api/v2/users/me/keys/{second}").status == 204
    assert as_ann.post(MINE, {"token_name": "ci"}).status == 201


def test_a_token_may_be_renamed_to_a_name_that_has_ended(house: House, ann: User, as_ann: Client) -> None:
    ended = house.token(ann, token_name="ci", expires_at=times.now() - timedelta(days=1))
    other = house.token(ann, token_name="other")
    assert as_ann.patch(f"/api/v2/users/me/keys/{other[:10]}", {"token_name": "ci"}).status == 200
    assert as_ann.get(f"{MINE}/ci").json["id"] == other[:10]
    assert as_ann.delete(f"/api/v2/users/me/keys/{ended[:10]}").status == 204
    assert as_ann.get(f"{MINE}/ci").json["id"] == other[:10]


@pytest.mark.parametrize("role", [(), ("auditor",), ("user-admin",), ("template-admin",)])
def test_only_an_owner_mints_for_others(
    house: House, ann: User, assert_error: CheckError, role: tuple[str, ...]
) -> None:
    bob = house.user("bob", *role)
    caller = house.client(bob)
    reply = caller.post(f"/api/v2/users/{ann.id}/keys/tokens", {})
    # Whoever may not even see the user hears that there is none.
    assert reply.status == (403 if role else 404)
    assert_error(reply)
    for name in ("me", "bob", "BOB", bob.id):
        assert caller.post(f"/api/v2/users/{name}/keys/tokens", {}).status == 201


@pytest.mark.parametrize("name", ["nobody", "6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21", "%00", "%2e"])
def test_nobody_mints_for_nobody(owner: Client, assert_error: CheckError, name: str) -> None:
    reply = owner.post(f"/api/v2/users/{name}/keys/tokens", {})
    assert reply.status == 404
    assert assert_error(reply) == {"message": "Resource not found or you do not have access to this resource"}


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({"scopes": ("user:read", "api_key:create")}, 201),
        ({"scopes": ("user:read", "api_key:*")}, 201),
        ({"scopes": ("user:read", "coder:apikeys.manage_self")}, 201),
        ({"scopes": ("coder:apikeys.manage_self",)}, 404),
        ({"scopes": ("user:read",)}, 403),
        ({"scopes": ("user:read", "api_key:read")}, 403),
        ({"scopes": ("coder:application_connect",)}, 404),
        ({"allow_list": ("user:*", "api_key:*")}, 201),
        ({"allow_list": ("user:*",)}, 403),
        ({"allow_list": ("api_key:*",)}, 404),
        ({"allow_list": ("user:*", "api_key:WuoWs4ZsMX")}, 403),
    ],
)
def test_what_a_token_needs_to_mint(
    house: House, ann: User, assert_error: CheckError, held: dict[str, Any], status: int
) -> None:
    reply = house.client(ann, **held).post(MINE, {})
    assert reply.status == status
    if status == 403:
        assert assert_error(reply)["message"] == "Forbidden."


def test_what_is_left_out_is_inherited(house: House, ann: User) -> None:
    held = ("user:read", "api_key:create")
    end = times.now() + timedelta(hours=1)
    allowed = ("api_key:*", "user:*")
    caller = house.client(ann, scopes=held, allow_list=allowed, expires_at=end)
    key = stored(caller.post(MINE, {"lifetime": 24 * HOUR}))
    assert (key.scopes, key.allow_list, key.expires_at) == (held, allowed, end)
    assert key.lifetime_seconds in (3_599, 3_600)
    assert stored(caller.post(MINE, {"lifetime": SECOND})).lifetime_seconds == 1


@pytest.mark.parametrize("held", [{}, {"scopes": ("coder:all", "user:read")}])
def test_an_unrestricted_token_does_not_cap_the_end(house: House, ann: User, held: dict[str, Any]) -> None:
    caller = house.client(ann, expires_at=times.now() + timedelta(minutes=1), **held)
    assert stored(caller.post(MINE, {"lifetime": HOUR})).lifetime_seconds == 3_600


@pytest.mark.parametrize(
    ("held", "body", "detail"),
    [
        (
            {"scopes": ("user:read", "api_key:create")},
            {"scopes": ["user:read", "workspace:read"]},
            (
                'exceeds the creating API key: scope "workspace:read" is not among its scopes'
                " [user:read api_key:create]; request a subset, or authenticate with a key that holds it"
            ),
        ),
        (
            {"scopes": ("user:read", "api_key:create")},
            {"scope": "all"},
            (
                'exceeds the creating API key: scope "coder:all" is not among its scopes'
                " [user:read api_key:create]; request a subset, or authenticate with a key that holds it"
            ),
        ),
        (
            {"allow_list": ("api_key:*", "user:*")},
            {"allow_list": ["user:*", f"workspace:{WORKSPACE}"]},
            (
                f'exceeds the creating API key: allow list entry "workspace:{WORKSPACE}" is not covered by its allow'
                " list [api_key:* user:*]; request a subset, or authenticate with a key that allows it"
            ),
        ),
        (
            {"allow_list": ("api_key:*", "user:*")},
            {"allow_list": ["*:*"]},
            (
                'exceeds the creating API key: allow list entry "*:*" is not covered by its allow'
                " list [api_key:* user:*]; request a subset, or authenticate with a key that allows it"
            ),
        ),
    ],
)
def test_no_token_mints_a_wider_one(
    *, house: House, ann: User, assert_error: CheckError, held: dict[str, Any], body: dict[str, Any], detail: str
) -> None:
    reply = house.client(ann, **held).post(MINE, body)
    assert reply.status == 403
    assert assert_error(reply) == {"message": FAILED, "detail": detail}


def test_a_narrowed_token_is_narrow(owner: Client, root: User, assert_error: CheckError) -> None:
    narrow = {"scopes": ["user:read"], "allow_list": [f"user:{root.id}"]}
    minted = replace(owner, token=owner.post(MINE, narrow).json["key"])
    assert minted.get("/api/v2/users/me").status == 200
    assert [user["id"] for user in minted.get("/api/v2/users").json["users"]] == [root.id]
    assert minted.get("/api/v2/organizations").json == []
    assert minted.logs().json == {"connection_logs": [], "count": 0, "count_cap": 2000}
    assert_error(minted.post("/api/v2/connectionlog", {"events": []}))
    assert minted.put(f"/api/v2/organizations/{uuid4()}", {"name": "acme"}).status == 403
    assert minted.post(MINE, {}).status == 403


def test_an_ingest_token_writes_and_reads_nothing(
    owner: Client, assert_error: CheckError, make_event: Callable[..., dict[str, Any]]
) -> None:
    minted = replace(owner, token=owner.post(MINE, {"scopes": ["coder:logs.ingest"]}).json["key"])
    assert minted.post("/api/v2/connectionlog", make_event()).status == 200
    assert minted.logs().json["count"] == 0
    assert owner.logs().json["count"] == 1
    reply = minted.get("/api/v2/users/me")
    assert reply.status == 404
    assert assert_error(reply) == {"message": "Resource not found or you do not have access to this resource"}


def test_an_emptied_allow_list_opens_nothing(house: House, root: User) -> None:
    caller = house.client(root, allow_list=())
    assert caller.get("/api/v2/users/me").status == 404
    assert caller.get("/api/v2/users").json == {"users": [], "count": 0}
    assert caller.logs().json["count"] == 0
    assert caller.post("/api/v2/connectionlog", {"events": []}).status == 403
