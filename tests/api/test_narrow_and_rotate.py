"""A token is narrowed in place and gets a new secret without losing its restrictions; the old one lives for a grace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.access.secret import checksum, hash_secret
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import APIKey, User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

ME = "/api/v2/users/me"
KEYS = f"{ME}/keys"
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
WORKSPACE = "5c9e0ff5-5d3f-4b5a-9d0e-0b4d8e6f7a01"
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _expired_tokens_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "current", lambda: Settings(api_keys_retention=0))


def key_of(token: str) -> APIKey:
    key = api_keys.get(token[:10])
    assert key is not None
    return key


@pytest.fixture
def token(house: House, ann: User, clock: Clock) -> str:
    return house.token(ann, token_name="ci", expires_at=clock.moment + timedelta(hours=10))


@pytest.fixture
def path(token: str) -> str:
    return f"{KEYS}/{token[:10]}"


def opens(client: Client, token: str) -> bool:
    reply = replace(client, token=token).get(ME)
    assert reply.status in (200, 401)
    return reply.status == 200


# Narrowing.


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"scopes": ["user:read", "api_key:read"]}, {"scopes": ("user:read", "api_key:read")}),
        ({"scopes": ["all"]}, {}),
        ({"scopes": ["application_connect"]}, {"scopes": ("coder:application_connect",)}),
        ({"allow_list": ["user:*", "api_key:*"]}, {"allow_list": ("api_key:*", "user:*")}),
        ({"allow_list": [{"type": "workspace", "id": WORKSPACE.upper()}]}, {"allow_list": (f"workspace:{WORKSPACE}",)}),
        ({"allowed_ips": ["192.0.2.9/24"]}, {"allowed_ips": ("192.0.2.0/24",)}),
        ({"token_name": "deploy"}, {"token_name": "deploy"}),
        ({"expires_at": "2026-01-01T00:00:00Z"}, {"expires_at": datetime.fromisoformat("2026-01-01T00:00:00Z")}),
        (
            {"token_name": "n", "scopes": ["user:read"], "allow_list": ["user:*"], "allowed_ips": ["::/0"]},
            {"token_name": "n", "scopes": ("user:read",), "allow_list": ("user:*",), "allowed_ips": ("::/0",)},
        ),
        ({}, {}),
        ({"scopes": None, "allow_list": None, "allowed_ips": None, "expires_at": None, "token_name": None}, {}),
        ({"allowed_ips": []}, {}),
        ({"token_name": "ci", "unknown": 1}, {}),
    ],
)
def test_what_is_given_is_narrowed_and_the_rest_stays(
    *, as_ann: Client, clock: Clock, token: str, path: str, body: dict[str, Any], changes: dict[str, Any]
) -> None:
    before = key_of(token)
    clock.forward(timedelta(minutes=1))
    reply = as_ann.patch(path, body)
    assert reply.status == 200
    expected = replace(before, **changes, updated_at=clock.moment, revision=2) if changes else before
    assert key_of(token) == expected
    assert reply.json == as_ann.get(path).json
    assert reply.json["updated_at"] == times.wire(expected.updated_at)


def test_it_takes_effect_on_the_next_request(as_ann: Client, token: str, path: str) -> None:
    holder = replace(as_ann, token=token)
    assert holder.get(f"{KEYS}/tokens").json != []
    as_ann.patch(path, {"scopes": ["user:read"]})
    assert holder.get(f"{KEYS}/tokens").json == []
    as_ann.patch(path, {"allowed_ips": ["198.51.100.0/24"]})
    assert holder.get(ME).status == 403
    assert replace(holder, source_ip="198.51.100.9").get(ME).status == 200
    as_ann.patch(path, {"allow_list": ["workspace:*"]})
    assert replace(holder, source_ip="198.51.100.9").get(ME).status == 404
    as_ann.patch(path, {"expires_at": "2026-01-01T00:00:00Z"})
    assert replace(holder, source_ip="198.51.100.9").get(ME).status == 401


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"scopes": ["x:y"]}, 400, "Failed to change API key."),
        ({"scopes": ["debug_info:read"]}, 400, "Failed to change API key."),
        ({"allow_list": ["x"]}, 400, "Request body must be valid JSON."),
        ({"allow_list": ["user:*"] * 129}, 400, "Failed to change API key."),
        ({"allowed_ips": ["300.0.0.1"]}, 400, "Validation failed."),
        ({"allowed_ips": ["10.0.0.0/33"]}, 400, "Validation failed."),
        ({"allowed_ips": [7]}, 400, "Validation failed."),
        ({"allowed_ips": ["10.0.0.1"] * 65}, 400, "Validation failed."),
        ({"token_name": ""}, 400, "Validation failed."),
        ({"token_name": "x" * 257}, 400, "Validation failed."),
        ({"expires_at": "tomorrow"}, 400, "Validation failed."),
        ({"expires_at": 5}, 400, "Validation failed."),
        ({"token_name": "taken"}, 409, 'A token with name "taken" already exists.'),
    ],
)
def test_what_cannot_be_changed_like_this(
    *,
    house: House,
    ann: User,
    as_ann: Client,
    assert_error: CheckError,
    token: str,
    path: str,
    body: dict[str, Any],
    status: int,
    message: str,
) -> None:
    house.token(ann, token_name="taken")
    before = key_of(token)
    reply = as_ann.patch(path, body)
    assert reply.status == status
    assert assert_error(reply)["message"] == message
    assert key_of(token) == before


def test_a_renamed_token_is_found_by_its_new_name_alone(as_ann: Client, path: str) -> None:
    assert as_ann.patch(path, {"token_name": "deploy"}).status == 200
    assert as_ann.get(f"{KEYS}/tokens/deploy").status == 200
    assert as_ann.get(f"{KEYS}/tokens/ci").status == 404
    assert as_ann.post(f"{KEYS}/tokens", {"token_name": "ci"}).status == 201
    assert as_ann.post(f"{KEYS}/tokens", {"token_name": "deploy"}).status == 409


@pytest.mark.parametrize(("method", "subpath"), [("PATCH", ""), ("POST", "/rotate")])
def test_session_keys_are_neither_changed_nor_rotated(
    as_ann: Client, assert_error: CheckError, method: str, subpath: str
) -> None:
    session = as_ann.post(KEYS).json["key"]
    before = key_of(session)
    reply = as_ann.send(method, f"{KEYS}/{session[:10]}{subpath}", {})
    assert reply.status == 400
    assert assert_error(reply)["detail"] == "A session key ends with its session."
    assert key_of(session) == before


@pytest.mark.parametrize(("method", "subpath"), [("PATCH", ""), ("POST", "/rotate")])
@pytest.mark.parametrize(
    "held", [("user:read", "api_key:read"), ("user:read", "api_key:update"), ("api_key:*",), ("user:read",)]
)
def test_both_want_the_right_to_read_and_to_change(
    *, house: House, ann: User, path: str, method: str, subpath: str, held: tuple[str, ...]
) -> None:
    assert house.client(ann, scopes=held).send(method, f"{path}{subpath}", {}).status == 404


# Rotating.


def test_a_new_secret_has_the_old_id_and_the_old_restrictions(
    house: House, ann: User, as_ann: Client, clock: Clock
) -> None:
    token = house.token(
        ann, scopes=("user:read",), allow_list=("user:*",), allowed_ips=("192.0.2.0/24",), token_name="ci"
    )
    before = key_of(token)
    clock.forward(timedelta(minutes=1))
    reply = as_ann.post(f"{KEYS}/{token[:10]}/rotate")
    assert reply.status == 201
    assert set(reply.json) == {"key"}
    made = reply.json["key"]
    assert made[:11] == token[:11]
    assert made != token
    after = key_of(token)
    assert after == replace(
        before, hashed_secret=hash_secret(made[11:]), updated_at=clock.moment, revision=before.revision + 1
    )
    assert opens(as_ann, made)
    assert not opens(as_ann, token)


@pytest.mark.parametrize("body", [None, "", {}, {"grace": 0}])
def test_without_a_grace_the_old_secret_is_done_at_once(as_ann: Client, token: str, path: str, body: Any) -> None:
    made = as_ann.post(f"{path}/rotate", body).json["key"]
    assert not opens(as_ann, token)
    assert opens(as_ann, made)
    assert key_of(token).previous_secret is None


@pytest.mark.parametrize("grace", [timedelta(seconds=1), timedelta(hours=1), timedelta(hours=9, minutes=59)])
def test_the_old_secret_opens_for_the_grace_and_no_longer(
    as_ann: Client, clock: Clock, token: str, path: str, grace: timedelta
) -> None:
    made = as_ann.post(f"{path}/rotate", {"grace": grace // MICROSECOND * 1_000}).json["key"]
    assert opens(as_ann, token)
    clock.forward(grace - MICROSECOND)
    assert opens(as_ann, token)
    clock.forward(MICROSECOND)
    assert not opens(as_ann, token)
    assert opens(as_ann, made)


@pytest.mark.parametrize("grace", [10 * HOUR, 11 * HOUR, 2**63 - 1])
def test_no_grace_outlives_the_token(as_ann: Client, clock: Clock, token: str, path: str, grace: int) -> None:
    made = as_ann.post(f"{path}/rotate", {"grace": grace}).json["key"]
    assert key_of(token).previous_until == key_of(token).expires_at
    clock.forward(timedelta(hours=10) - MICROSECOND)
    assert opens(as_ann, token)
    clock.forward(MICROSECOND)
    assert not opens(as_ann, token)
    assert not opens(as_ann, made)


def test_only_the_last_secret_has_a_grace(as_ann: Client, token: str, path: str) -> None:
    second = as_ann.post(f"{path}/rotate", {"grace": HOUR}).json["key"]
    third = as_ann.post(f"{path}/rotate", {"grace": HOUR}).json["key"]
    assert [opens(as_ann, secret) for secret in (token, second, third)] == [False, True, True]
    fourth = as_ann.post(f"{path}/rotate").json["key"]
    assert [opens(as_ann, secret) for secret in (token, second, third, fourth)] == [False, False, False, True]


def test_ending_a_token_ends_both_of_its_secrets(as_ann: Client, token: str, path: str) -> None:
    made = as_ann.post(f"{path}/rotate", {"grace": HOUR}).json["key"]
    assert as_ann.put(f"{path}/expire").status == 204
    assert not opens(as_ann, token)
    assert not opens(as_ann, made)
    kept = key_of(token)
    assert (kept.previous_secret, kept.previous_until) == (None, None)


def test_an_expired_token_does_not_come_back_by_rotation(as_ann: Client, clock: Clock, token: str, path: str) -> None:
    clock.forward(timedelta(hours=11))
    reply = as_ann.post(f"{path}/rotate", {"grace": HOUR})
    if reply.status == 201:
        assert not opens(as_ann, reply.json["key"])
    assert not opens(as_ann, token)


def test_a_token_of_coders_own_format_stays_one(house: House, ann: User, as_ann: Client) -> None:
    house.token(ann, id="WuoWs4ZsMX", hashed_secret=hash_secret("x" * 22))
    assert opens(as_ann, f"WuoWs4ZsMX-{'x' * 22}")
    made = as_ann.post(f"{KEYS}/WuoWs4ZsMX/rotate").json["key"]
    assert made.startswith("WuoWs4ZsMX-")
    assert len(made) == 33
    assert opens(as_ann, made)


@pytest.mark.parametrize(
    "body", [{"grace": -1}, {"grace": 2**63}, {"grace": 1.5}, {"grace": "1h"}, {"grace": True}, {"grace": None}]
)
def test_a_grace_is_a_number_of_nanoseconds(
    as_ann: Client, assert_error: CheckError, token: str, path: str, body: dict[str, Any]
) -> None:
    before = key_of(token)
    reply = as_ann.post(f"{path}/rotate", body)
    assert reply.status == 400
    assert [wrong["field"] for wrong in assert_error(reply)["validations"]] == ["grace"]
    assert key_of(token) == before


# Two at once.


@pytest.mark.parametrize(
    ("method", "subpath", "body"),
    [
        ("PATCH", "", {"scopes": ["user:read"]}),
        ("POST", "/rotate", {}),
        ("PUT", "/expire", None),
        ("DELETE", "", None),
    ],
)
def test_what_another_request_changed_meanwhile_is_not_undone(
    *,
    as_ann: Client,
    token: str,
    path: str,
    method: str,
    subpath: str,
    body: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "delete" if method == "DELETE" else "change"
    original, pending = getattr(api_keys, name), [True]

    def overtaken(*arguments: Any, **guards: Any) -> None:
        if pending:
            pending.clear()
            before = key_of(token)
            api_keys_change(replace(before, allowed_ips=("192.0.2.0/24",), token_name="moved"), before)
        original(*arguments, **guards)

    api_keys_change = api_keys.change
    monkeypatch.setattr(api_keys, name, overtaken)
    reply = as_ann.send(method, f"{path}{subpath}", body)
    assert reply.status < 300
    assert not pending
    if method == "DELETE":
        assert api_keys.get(token[:10]) is None
        assert as_ann.post(f"{KEYS}/tokens", {"token_name": "moved"}).status == 201
        return
    after = key_of(token)
    assert (after.allowed_ips, after.token_name, after.revision) == (("192.0.2.0/24",), "moved", 3)
    if method == "POST":
        assert after.hashed_secret == hash_secret(reply.json["key"][11:])


# Where a token may be used from.


@pytest.mark.parametrize(
    ("allowed", "source_ip", "let_in"),
    [
        ((), "203.0.113.7", True),
        (("203.0.113.0/24",), "203.0.113.7", True),
        (("203.0.113.0/24",), "203.0.114.7", False),
        (("203.0.113.0/24",), "::ffff:203.0.113.7", True),
        (("203.0.113.0/24",), "::ffff:203.0.114.7", False),
        (("2001:db8::/32",), "2001:db8::7", True),
        (("2001:db8::/32",), "2001:db9::7", False),
        (("2001:db8::/32", "10.0.0.0/8"), "10.255.0.1", True),
        (("0.0.0.0/0",), "2001:db8::7", False),
        (("0.0.0.0/0", "::/0"), "", False),
    ],
)
def test_a_token_opens_from_its_networks_alone(
    *,
    house: House,
    ann: User,
    assert_error: CheckError,
    allowed: tuple[str, ...],
    source_ip: str,
    let_in: bool,
) -> None:
    caller = replace(house.client(ann, allowed_ips=allowed), source_ip=source_ip)
    reply = caller.get(ME)
    assert reply.status == (200 if let_in else 403)
    if not let_in:
        assert assert_error(reply)["detail"] == f"This token may not be used from {source_ip}."
    spoofed = {"X-Forwarded-For": "203.0.113.7, 10.0.0.1", "X-Real-Ip": "203.0.113.7", "Forwarded": "for=203.0.113.7"}
    assert caller.get(ME, headers=spoofed).status == reply.status


def test_the_networks_are_kept_from_who_has_a_wrong_secret(house: House, ann: User) -> None:
    from chalicelib.access.secret import generate  # noqa: PLC0415 - one test makes a wrong secret

    caller = house.client(ann, allowed_ips=("203.0.113.0/24",))
    assert replace(caller, token=generate(key_id=caller.token[:10]).text).get(ME).status == 401


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("2001:DB8::1/64", "2001:db8::/64"),
        ("::1", "::1/128"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_networks_are_kept_in_one_form(as_ann: Client, given: str, kept: str) -> None:
    token = as_ann.post(f"{KEYS}/tokens", {"allowed_ips": [given]}).json["key"]
    assert key_of(token).allowed_ips == (kept,)


@pytest.mark.parametrize("given", ["", "x", "10.0.0.0/33", "10.0.0.1:80", "1", "fe80::1%eth0", "*"])
def test_what_is_no_network_is_refused(as_ann: Client, assert_error: CheckError, given: str) -> None:
    reply = as_ann.post(f"{KEYS}/tokens", {"allowed_ips": ["10.0.0.1", given]})
    assert reply.status == 400
    (wrong,) = assert_error(reply)["validations"]
    assert wrong["field"] == "allowed_ips.1"
    assert repr(given) in wrong["detail"]


# Mistyped.


def test_a_typo_is_refused_without_asking_the_store(
    as_ann: Client, store_calls: list[str], assert_error: CheckError
) -> None:
    token = as_ann.token
    mistyped = [
        f"{token[:place]}{'a' if token[place] != 'a' else 'b'}{token[place + 1 :]}"
        for place in range(len("gbk_"), len(token))
        if token[place] != "-"
    ]
    for text in (*mistyped, token[:-1], token[1:], f"{token}x", token.lower(), token.upper(), token.swapcase()):
        store_calls.clear()
        reply = replace(as_ann, token=text).get(ME)
        assert reply.status == 401
        assert assert_error(reply)["detail"].startswith(("Invalid API key format: ", "API key is invalid."))
        assert store_calls == []


def test_the_right_checksum_opens_nothing_by_itself(as_ann: Client) -> None:
    key_id, entropy = as_ann.token[:10], "x" * 16
    forged = f"{key_id}-{entropy}{checksum(key_id, entropy)}"
    assert replace(as_ann, token=forged).get(ME).json["detail"] == "API key secret is invalid."


def test_an_empty_list_is_no_way_to_narrow(as_ann: Client, house: House, ann: User) -> None:
    token = house.token(ann)
    for field in ("scopes", "allow_list"):
        reply = as_ann.patch(f"/api/v2/users/me/keys/{token[:10]}", {field: []})
        assert (reply.status, reply.json["validations"][0]["field"]) == (400, field)


def test_a_token_that_has_ended_is_neither_narrowed_nor_rotated(as_ann: Client, house: House, ann: User) -> None:
    path = f"/api/v2/users/me/keys/{house.token(ann)[:10]}"
    assert as_ann.put(f"{path}/expire").status == 204
    before = as_ann.get(path).json
    assert as_ann.post(f"{path}/rotate", {}).status == 400
    assert as_ann.patch(path, {"expires_at": "1999-01-01T00:00:00Z"}).status == 400
    assert as_ann.get(path).json == before


def test_who_may_not_mint_gets_no_secret_by_rotation(house: House, ann: User) -> None:
    other = house.token(ann, scopes=("user:read",))
    holder = house.client(ann, scopes=("api_key:read", "api_key:update", "user:read"))
    assert holder.post(f"/api/v2/users/me/keys/{other[:10]}/rotate", {}).status == 403
