from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.access import scopes
from chalicelib.settings import current
from chalicelib.store.directory import api_keys
from chalicelib.ui import session
from chalicelib.ui.session import SESSION_LIFETIME, SESSION_SCOPES

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply

SESSION = "/ui/session"
SAME_SITE = {"Origin": "https://gatebook.example.com", "Sec-Fetch-Site": "same-origin"}


def cookie(reply: Reply) -> str:
    match = re.fullmatch(r"coder_session_token=([^;]*); .*", reply.headers["set-cookie"])
    assert match
    return match[1]


def with_cookie(client: Client, method: str, path: str, value: str, **headers: str) -> Reply:
    return client.send(method, path, headers={"Cookie": f"coder_session_token={value}", **headers})


@pytest.fixture
def token(house: House, root: User) -> str:
    return house.token(root)


def signed_in(client: Client, token: str, **headers: str) -> Reply:
    return client.post(SESSION, {}, headers={"Coder-Session-Token": token, **headers})


def test_a_pasted_token_is_exchanged_for_a_narrower_one_that_ends_today(
    client: Client, token: str, clock: Clock
) -> None:
    reply = signed_in(client, token)
    assert reply.status == 201
    attributes = reply.headers["set-cookie"].split("; ")[1:]
    assert attributes == ["Path=/prod", f"Max-Age={8 * 3_600}", "HttpOnly", "Secure", "SameSite=Strict"]
    minted = api_keys.get(cookie(reply).partition("-")[0])
    assert minted is not None
    assert cookie(reply) != token
    assert set(minted.scopes) == set(SESSION_SCOPES)
    assert minted.expires_at == clock() + SESSION_LIFETIME
    assert token not in reply.text
    assert cookie(reply) not in reply.text


def test_the_session_opens_what_the_page_shows_and_cannot_be_read_by_its_scripts(client: Client, token: str) -> None:
    value = cookie(signed_in(client, token))
    for path in (
        "/api/v2/connectionlog",
        "/api/v2/audit",
        "/api/v2/retention",
        "/api/v2/users/me/keys/tokens",
        SESSION,
    ):
        assert with_cookie(client, "GET", path, value).status == 200, path
    assert with_cookie(client, "GET", SESSION, value).json["username"] == "root"


def test_the_session_holds_no_more_than_the_token_did(house: House, root: User, client: Client) -> None:
    narrow = house.token(
        root,
        scopes=("audit_log:read", "user:read", "api_key:create"),
        allow_list=("audit_log:*", "user:*", "api_key:*"),
    )
    minted = api_keys.get(cookie(signed_in(client, narrow)).partition("-")[0])
    assert minted is not None
    assert minted.id != narrow[:10]
    assert set(minted.scopes) == {"audit_log:read", "user:read", "api_key:create"}
    assert set(minted.allow_list) == {"api_key:*", "audit_log:*", "user:*"}


def test_the_session_of_a_token_that_is_bound_to_networks_opens_from_them_alone(
    house: House, root: User, client: Client
) -> None:
    value = cookie(signed_in(client, house.token(root, allowed_ips=("192.0.2.0/24",))))
    assert with_cookie(client, "GET", SESSION, value).status == 200
    assert with_cookie(replace(client, source_ip="198.51.100.1"), "GET", SESSION, value).status == 403


def test_the_session_ends_no_later_than_the_token_does(house: House, root: User, client: Client, clock: Clock) -> None:
    end = clock() + timedelta(hours=1)
    reply = signed_in(client, house.token(root, expires_at=end))
    assert reply.json["expires_at"] == times.wire(end)
    assert "Max-Age=3600;" in reply.headers["set-cookie"]


def test_a_token_that_may_mint_none_is_the_session_itself(house: House, root: User, client: Client) -> None:
    reader = house.token(root, scopes=("coder:logs.read",))
    reply = signed_in(client, reader)
    assert (reply.status, cookie(reply), reply.json["minted"]) == (201, reader, False)
    assert "Max-Age=28800;" in reply.headers["set-cookie"]


def test_signing_out_ends_the_minted_key_and_never_the_pasted_token(client: Client, token: str) -> None:
    value = cookie(signed_in(client, token))
    reply = with_cookie(client, "DELETE", SESSION, value, **SAME_SITE)
    assert (reply.status, cookie(reply)) == (204, "")
    assert "Max-Age=0;" in reply.headers["set-cookie"]
    assert with_cookie(client, "GET", SESSION, value).status == 401
    assert client.get("/api/v2/users/me", headers={"Coder-Session-Token": token}).status == 200


def test_a_session_whose_secret_was_replaced_ends_by_its_new_one_alone(client: Client, token: str) -> None:
    value = cookie(signed_in(client, token))
    rotation = client.send(
        "POST",
        f"/api/v2/users/me/keys/{value[:10]}/rotate",
        {"grace": 60 * 10**9},
        headers={"Cookie": f"coder_session_token={value}", **SAME_SITE},
    )
    assert rotation.status == 201
    assert with_cookie(client, "DELETE", SESSION, value, **SAME_SITE).status == 403
    assert with_cookie(client, "GET", SESSION, rotation.json["key"]).status == 200
    assert with_cookie(client, "DELETE", SESSION, rotation.json["key"], **SAME_SITE).status == 204
    assert with_cookie(client, "GET", SESSION, rotation.json["key"]).status == 401


def test_signing_out_leaves_a_token_alive_that_was_the_session(house: House, root: User, client: Client) -> None:
    reader = house.token(root, scopes=("coder:logs.read",), token_name="page-session-of-mine")
    value = cookie(signed_in(client, reader))
    assert with_cookie(client, "DELETE", SESSION, value, **SAME_SITE).status == 204
    assert client.get("/api/v2/users/me", headers={"Coder-Session-Token": reader}).status == 200


@pytest.mark.parametrize("value", ["", "nonsense", f"{'a' * 10}-{'b' * 22}"])
def test_signing_out_takes_back_a_cookie_that_opens_nothing(client: Client, value: str) -> None:
    reply = with_cookie(client, "DELETE", SESSION, value, **SAME_SITE)
    assert (reply.status, cookie(reply)) == (204, "")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_site_can_sign_anybody_out(client: Client, token: str, site: str) -> None:
    value = cookie(signed_in(client, token))
    reply = with_cookie(client, "DELETE", SESSION, value, Origin="https://evil.example", **{"Sec-Fetch-Site": site})
    assert reply.status == 403
    assert with_cookie(client, "GET", SESSION, value).status == 200


def test_a_cookie_signs_nobody_in_again(client: Client, token: str) -> None:
    value = cookie(signed_in(client, token))
    assert with_cookie(client, "POST", SESSION, value, **SAME_SITE).status == 401


def test_an_old_cookie_is_not_in_the_way_of_another_token(client: Client, house: House, token: str) -> None:
    ann = house.token(house.user("ann"))
    value = cookie(signed_in(client, token))
    reply = signed_in(client, ann, Cookie=f"coder_session_token={value}")
    assert reply.status == 201
    assert with_cookie(client, "GET", SESSION, cookie(reply)).json["username"] == "ann"


@pytest.mark.parametrize("given", ["", "nonsense", f"{'a' * 10}-{'b' * 22}"])
def test_what_is_no_token_signs_nobody_in(
    client: Client, assert_error: Callable[[Reply], dict[str, Any]], given: str
) -> None:
    reply = signed_in(client, given)
    assert reply.status == 401
    assert "set-cookie" not in reply.headers
    assert_error(reply)


def test_signing_in_and_out_is_in_the_audit_log(
    client: Client, token: str, trail: Callable[[], list[AuditLog]]
) -> None:
    value = cookie(signed_in(client, token))
    with_cookie(client, "DELETE", SESSION, value, **SAME_SITE)
    assert [(row.resource_type, row.action) for row in trail()] == [("api_key", "create"), ("api_key", "logout")]


def test_every_scope_of_a_session_stands_for_something() -> None:
    for name in SESSION_SCOPES:
        assert scopes.expand(name)


def test_the_token_that_was_pasted_is_told_until_when_the_session_lasts(client: Client, token: str) -> None:
    reply = signed_in(client, token)
    end = datetime.fromisoformat(reply.json["expires_at"])
    assert timedelta(0) < end - times.now() <= SESSION_LIFETIME


def test_a_session_of_a_secret_in_its_grace_ends_with_the_grace(client: Client, token: str, clock: Clock) -> None:
    rotation = client.post(
        f"/api/v2/users/me/keys/{token[:10]}/rotate", {"grace": 60 * 10**9}, headers={"Coder-Session-Token": token}
    )
    assert rotation.status == 201
    reply = signed_in(client, token)
    assert reply.json == {"expires_at": times.wire(clock() + timedelta(minutes=1)), "minted": False}
    assert "Max-Age=60;" in reply.headers["set-cookie"]
    session_now = with_cookie(client, "GET", SESSION, cookie(reply)).json
    assert session_now["expires_at"] == reply.json["expires_at"]


def test_the_page_is_told_where_links_of_rows_lead(client: Client, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = cookie(signed_in(client, token))
    assert with_cookie(client, "GET", SESSION, value).json["dashboard_url"] == ""
    settings = replace(current(), dashboard_url="https://coder.example.com/")
    monkeypatch.setattr(session, "current", lambda: settings)
    assert with_cookie(client, "GET", SESSION, value).json["dashboard_url"] == "https://coder.example.com"
