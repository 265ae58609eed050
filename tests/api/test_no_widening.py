"""No token comes by more than it holds: not by minting, not by a session, not by rotating, not by changing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.access import allow_list, networks, scopes
from chalicelib.access.catalogue import PUBLIC
from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import APIKey, User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

KEYS = "/api/v2/users/me/keys"
MINE = f"{KEYS}/tokens"
FAILED = "Failed to create API key."
SECOND = 1_000_000_000
WORKSPACE = "5c9e0ff5-5d3f-4b5a-9d0e-0b4d8e6f7a01"
MANAGE = ("user:read", "api_key:*")


def key_of(token: str) -> APIKey:
    key = api_keys.get(token[:10])
    assert key is not None
    return key


def asks(what: str, name: str, held: str, reason: str) -> str:
    problem = f'exceeds the creating API key: {what} "{name}" is not {reason} [{held}]; request a subset,'
    return f"{problem} or authenticate with a key that "


@pytest.mark.parametrize(
    ("held", "body", "detail"),
    [
        (
            {"scopes": MANAGE},
            {"scopes": ["workspace:read"]},
            asks("scope", "workspace:read", "user:read api_key:*", "among its scopes") + "holds it",
        ),
        (
            {"scopes": MANAGE},
            {"scopes": ["all"]},
            asks("scope", "coder:all", "user:read api_key:*", "among its scopes") + "holds it",
        ),
        (
            {"scopes": MANAGE},
            {"scopes": ["user:read", "user:*"]},
            asks("scope", "user:*", "user:read api_key:*", "among its scopes") + "holds it",
        ),
        (
            {"scopes": ("user:read", "api_key:create", "api_key:read", "api_key:update", "api_key:delete")},
            {"scopes": ["api_key:*"]},
            asks(
                "scope",
                "api_key:*",
                "user:read api_key:create api_key:read api_key:update api_key:delete",
                "among its scopes",
            )
            + "holds it",
        ),
        (
            {"allow_list": ("api_key:*", "user:*")},
            {"allow_list": ["*:*"]},
            asks("allow list entry", "*:*", "api_key:* user:*", "covered by its allow list") + "allows it",
        ),
        (
            {"allow_list": ("api_key:*", "user:*", f"workspace:{WORKSPACE}")},
            {"allow_list": ["workspace:*"]},
            asks(
                "allow list entry",
                "workspace:*",
                f"api_key:* user:* workspace:{WORKSPACE}",
                "covered by its allow list",
            )
            + "allows it",
        ),
        (
            {"allowed_ips": ("192.0.2.0/24",)},
            {"allowed_ips": ["192.0.2.0/25", "0.0.0.0/0"]},
            asks("network", "0.0.0.0/0", "192.0.2.0/24", "covered by its allowed IPs") + "allows it",
        ),
        (
            {"allowed_ips": ("192.0.2.0/24",)},
            {"allowed_ips": ["::/0"]},
            asks("network", "::/0", "192.0.2.0/24", "covered by its allowed IPs") + "allows it",
        ),
    ],
)
def test_more_than_the_token_holds_is_refused_in_the_words_clients_know(
    *, house: House, ann: User, assert_error: CheckError, held: dict[str, Any], body: dict[str, Any], detail: str
) -> None:
    caller = house.client(ann, **held)
    reply = caller.post(MINE, body)
    assert reply.status == 403
    assert assert_error(reply) == {"message": FAILED, "detail": detail}
    assert [key.id for key in api_keys.of_user(ann.id)] == [caller.token[:10]]


@pytest.mark.parametrize("path", [MINE, KEYS])
@pytest.mark.parametrize(
    "held",
    [
        {"scopes": MANAGE},
        {"allow_list": ("api_key:*", "user:*")},
        {"allowed_ips": ("192.0.2.0/24",)},
        {"scopes": MANAGE, "allow_list": ("api_key:*", "user:*"), "allowed_ips": ("192.0.2.0/24",)},
    ],
)
def test_what_is_not_asked_for_is_inherited(house: House, ann: User, path: str, held: dict[str, Any]) -> None:
    caller = house.client(ann, **held)
    reply = caller.post(path, {})
    assert reply.status == 201
    mother, child = key_of(caller.token), key_of(reply.json["key"])
    for name in ("scopes", "allow_list", "allowed_ips"):
        assert getattr(child, name) == getattr(mother, name)


@pytest.mark.parametrize("path", [MINE, KEYS])
def test_the_end_is_inherited_too_unless_the_token_is_all_of_its_user(
    house: House, ann: User, clock: Clock, path: str
) -> None:
    end = clock.moment + timedelta(hours=1)
    narrow = house.client(ann, scopes=MANAGE, expires_at=end)
    whole = house.client(ann, expires_at=end)
    bound = house.client(ann, expires_at=end, allowed_ips=("192.0.2.0/24",))
    for caller in (narrow, bound):
        child = key_of(caller.post(path, {}).json["key"])
        assert (child.expires_at, child.login_type) == (end, "token"), "and use does not put it off"
    assert key_of(whole.post(path, {}).json["key"]).expires_at == clock.moment + timedelta(days=7)


def test_a_whole_token_bound_to_a_network_mints_none_that_is_not(house: House, ann: User) -> None:
    caller = house.client(ann, allowed_ips=("192.0.2.0/24",))
    for path in (MINE, KEYS):
        token = caller.post(path, {}).json["key"]
        assert replace(caller, token=token).get("/api/v2/users/me").status == 200
        assert replace(caller, token=token, source_ip="198.51.100.1").get("/api/v2/users/me").status == 403


# By rotating.


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ({"scopes": MANAGE}, "exceeds the creating API key: scope"),
        ({"allow_list": ("api_key:*", "user:*")}, "exceeds the creating API key: allow list entry"),
        ({"allowed_ips": ("192.0.2.0/24",)}, "exceeds the creating API key: the token outlives or outreaches it"),
        (
            {"scopes": ("coder:all",), "allow_list": ("*:*",), "allowed_ips": ("192.0.2.0/32", "192.0.2.1/32")},
            "exceeds the creating API key: the token outlives or outreaches it",
        ),
    ],
)
def test_a_narrow_token_gets_no_secret_of_a_wider_one(
    house: House, as_ann: Client, ann: User, assert_error: CheckError, held: dict[str, Any], reason: str
) -> None:
    caller, before = house.client(ann, **held), key_of(as_ann.token)
    for body in ({}, {"grace": SECOND}):
        reply = caller.post(f"{KEYS}/{as_ann.token[:10]}/rotate", body)
        assert reply.status == 403
        assert assert_error(reply)["detail"].startswith(reason)
    assert key_of(as_ann.token).hashed_secret == before.hashed_secret


def test_a_token_gets_no_secret_of_one_that_outlives_it(
    house: House, ann: User, clock: Clock, assert_error: CheckError
) -> None:
    caller = house.client(ann, scopes=MANAGE, expires_at=clock.moment + timedelta(hours=1))
    longer = house.token(ann, scopes=MANAGE, expires_at=clock.moment + timedelta(hours=1, microseconds=1))
    as_long = house.token(ann, scopes=MANAGE, expires_at=clock.moment + timedelta(hours=1))
    reply = caller.post(f"{KEYS}/{longer[:10]}/rotate")
    assert reply.status == 403
    assert assert_error(reply)["detail"] == "exceeds the creating API key: the token outlives or outreaches it"
    assert caller.post(f"{KEYS}/{as_long[:10]}/rotate").status == 201


def test_a_token_rotates_itself_and_narrower_ones(house: House, ann: User) -> None:
    caller = house.client(ann, scopes=MANAGE, allowed_ips=("192.0.2.0/24",))
    narrower = house.token(ann, scopes=("user:read",), allowed_ips=("192.0.2.0/25",))
    assert caller.post(f"{KEYS}/{narrower[:10]}/rotate").status == 201
    assert caller.post(f"{KEYS}/{caller.token[:10]}/rotate").status == 201


# By changing.


@pytest.mark.parametrize(
    ("held", "body", "detail"),
    [
        (
            {"scopes": ("user:read", "api_key:*")},
            {"scopes": ["user:read", "workspace:read"]},
            (
                'exceeds the API key: scope "workspace:read" is not among its scopes [user:read api_key:*]; request a'
                " subset, or authenticate with a key that holds it"
            ),
        ),
        (
            {"scopes": ("user:read",)},
            {"scopes": ["coder:all"]},
            (
                'exceeds the API key: scope "coder:all" is not among its scopes [user:read]; request a'
                " subset, or authenticate with a key that holds it"
            ),
        ),
        (
            {"allow_list": (f"workspace:{WORKSPACE}",)},
            {"allow_list": ["workspace:*"]},
            (
                'exceeds the API key: allow list entry "workspace:*" is not covered by its allow list'
                f" [workspace:{WORKSPACE}]; request a subset, or authenticate with a key that allows it"
            ),
        ),
        (
            {"expires_at": datetime.fromisoformat("2990-01-01T00:00:00Z")},
            {"expires_at": "2990-01-01T00:00:00.000001Z"},
            "exceeds the API key: expires_at can only become earlier",
        ),
        (
            {"allowed_ips": ("192.0.2.0/24",)},
            {"allowed_ips": []},
            "exceeds the API key: its allowed IPs are [192.0.2.0/24]; request a subset",
        ),
        (
            {"allowed_ips": ("192.0.2.0/24",)},
            {"allowed_ips": ["192.0.2.0/23"]},
            "exceeds the API key: its allowed IPs are [192.0.2.0/24]; request a subset",
        ),
    ],
)
def test_not_even_a_wider_token_widens_another(
    *, house: House, owner: Client, ann: User, assert_error: CheckError, held: dict[str, Any], body: Any, detail: str
) -> None:
    token = house.token(ann, **held)
    before = key_of(token)
    reply = owner.patch(f"{KEYS}/{token[:10]}", body)
    assert reply.status == 400
    assert assert_error(reply) == {"message": "Failed to change API key.", "detail": detail}
    assert key_of(token) == before


# By chains of any of them.

BODIES = st.fixed_dictionaries(
    {},
    optional={
        "scopes": st.lists(st.sampled_from(["user:read", "api_key:*", "api_key:create", *PUBLIC]), max_size=4),
        "allow_list": st.lists(
            st.sampled_from(["*:*", "api_key:*", "user:*", "workspace:*", f"workspace:{WORKSPACE}"]), max_size=3
        ),
        "allowed_ips": st.lists(
            st.sampled_from(["0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "192.0.2.0/30", "::/0"]), max_size=2
        ),
        "lifetime": st.integers(SECOND, 400 * 24 * 3_600 * SECOND),
    },
)
ROUTES = {
    "mint": ("POST", "/tokens"),
    "session": ("POST", ""),
    "rotate": ("POST", "/{}/rotate"),
    "change": ("PATCH", "/{}"),
}
STEPS = st.tuples(st.sampled_from(["mint", "mint", "session", "rotate", "change"]), BODIES)
HELD = st.fixed_dictionaries(
    {
        "scopes": st.sampled_from([("coder:all",), MANAGE, ("user:read", "coder:apikeys.manage_self", "file:read")]),
        "allow_list": st.sampled_from([("*:*",), ("api_key:*", "user:*"), ("api_key:*", "user:*", "workspace:*")]),
        "allowed_ips": st.sampled_from([(), ("192.0.2.0/24",), ("192.0.2.0/30", "2001:db8::/32")]),
        "expires_at": st.sampled_from([times.now() + timedelta(hours=hours) for hours in (1, 100, 10_000)]),
    }
)


def exceeds(child: APIKey, mother: APIKey) -> list[str]:
    """The rights of the one beyond the other, each restriction read on its own."""
    held = [allow_list.parse(entry) for entry in mother.allow_list]
    whole = "coder:all" in mother.scopes and "*:*" in mother.allow_list
    excess = [name for name in child.scopes if not scopes.covers(mother.scopes, name)]
    excess += [entry for entry in child.allow_list if not allow_list.covers(held, allow_list.parse(entry))]
    if mother.allowed_ips and (not child.allowed_ips or networks.within(mother.allowed_ips, child.allowed_ips)):
        excess.append(f"networks {child.allowed_ips}")
    if not whole and child.expires_at > mother.expires_at:
        excess.append("end")
    if not whole and child.login_type != "token":
        excess.append("sliding")
    return excess


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HELD, st.lists(STEPS, min_size=1, max_size=5))
def test_no_chain_of_requests_ends_with_more(
    house: House, ann: User, held: dict[str, Any], steps: list[tuple[str, dict[str, Any]]]
) -> None:
    caller = house.client(ann, **held)
    first = key_of(caller.token)
    for step, body in steps:
        mother = key_of(caller.token)
        method, subpath = ROUTES[step]
        sent = caller.send(method, f"{KEYS}{subpath.format(mother.id)}", body if step in ("mint", "change") else None)
        assert sent.status in (200, 201, 400, 403, 404, 401)
        if sent.status == 201:
            caller = replace(caller, token=sent.json["key"])
        if sent.status < 300:
            child = key_of(caller.token)
            assert exceeds(child, mother) == []
            # An end may be later only while every token of the chain was all of its user.
            assert [more for more in exceeds(child, first) if more != "end"] == []
