"""A token is revoked as its provider wants it, and a failure tells no secret."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from chalicelib.dispatch import revocation
from chalicelib.dispatch.outgoing import Limits, NoAnswer, Reply
from chalicelib.dispatch.revocation import NotRevoked, Token, revoke
from chalicelib.settings import Settings

TOKEN = Token("gitlab", "https://gitlab.example.com/oauth/revoke", "client", "s3cret", "access", "refresh")


@dataclass
class Provider:
    """Answers every request alike, and keeps it."""

    status: int
    text: bytes = b""

    def __call__(self, method: str, url: str, body: bytes, headers: Mapping[str, str], limits: Limits) -> Reply:
        self.request, self.body, self.headers, self.limits = (method, url), body.decode(), headers, limits
        return Reply(self.status, self.text)


def test_rfc_7009_revokes_the_refresh_token_where_there_is_one() -> None:
    provider = Provider(200)
    assert revoke(TOKEN, provider)
    assert provider.request == ("POST", TOKEN.url)
    form = {"client_id": ["client"], "client_secret": ["s3cret"]}
    assert parse_qs(provider.body) == {**form, "token_type_hint": ["refresh_token"], "token": ["refresh"]}
    assert provider.headers["Authorization"] == "Bearer access"
    assert revoke(replace(TOKEN, refresh_token=""), provider)
    assert parse_qs(provider.body)["token"] == ["access"]


def test_github_has_a_way_of_its_own() -> None:
    provider = Provider(204)
    assert revoke(replace(TOKEN, type="github", url="", client_id="a/b"), provider)
    assert provider.request == ("DELETE", "https://api.github.com/applications/a%2Fb/grant")
    assert json.loads(provider.body) == {"access_token": "access"}
    assert provider.headers["Authorization"].startswith("Basic ")


def test_a_provider_without_an_address_revokes_nothing() -> None:
    assert not revoke(replace(TOKEN, url=""), Provider(500))


@pytest.mark.parametrize("status", [201, 204, 302, 401, 500])
def test_any_other_status_is_a_failure_that_tells_no_secret(status: int) -> None:
    with pytest.raises(NotRevoked, match=f"failed to revoke token: {status}") as raised:
        revoke(TOKEN, Provider(status, b"no access for s3cret refresh"))
    assert not any(secret in str(raised.value) for secret in ("access ", "s3cret", "refresh"))


def test_a_secret_that_stands_where_the_text_is_cut_is_told_in_no_part() -> None:
    for before in range(190, 201):
        with pytest.raises(NotRevoked) as raised:
            revoke(TOKEN, Provider(500, b"-" * before + b"s3cret refresh"))
        assert "s3" not in str(raised.value)


def test_a_provider_that_does_not_answer_is_a_failure() -> None:
    def silent(*_: Any) -> Reply:
        raise NoAnswer("TimeoutError")

    with pytest.raises(NotRevoked, match="failed to revoke token: TimeoutError"):
        revoke(TOKEN, silent)
    assert "s3cret" not in repr(TOKEN)


@pytest.mark.parametrize(
    ("own", "address", "asked"),
    [
        ((), "93.184.215.14", True),
        ((), "127.0.0.1", False),
        ((), "10.1.2.3", False),
        ((), "169.254.169.254", False),
        (("10.1.0.0/16",), "10.1.2.3", True),
        (("10.1.0.0/16",), "::ffff:10.1.2.3", True),
        (("10.1.0.0/16",), "10.2.2.3", False),
        (("10.1.0.0/16",), "127.0.0.1", False),
    ],
)
def test_a_provider_is_asked_at_public_addresses_and_in_networks_of_ones_own(
    own: tuple[str, ...], address: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "current", lambda: Settings(revocation_networks=own))
    provider = Provider(200)
    assert revoke(TOKEN, provider)
    assert provider.limits.may_connect(address) is asked
    assert provider.limits.seconds <= 10


def test_what_listens_on_this_machine_is_told_from_what_does_not_by_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for port in (listening.getsockname()[1], 1):
            with pytest.raises(NotRevoked, match="failed to revoke token: the address is not a public one"):
                revoke(replace(TOKEN, url=f"https://127.0.0.1:{port}/revoke"))
