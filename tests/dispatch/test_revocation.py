"""A token is revoked as its provider wants it, and a failure tells no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from urllib3.exceptions import ConnectTimeoutError

from chalicelib.dispatch.revocation import NotRevoked, Token, revoke

TOKEN = Token("gitlab", "https://gitlab.example.com/oauth/revoke", "client", "s3cret", "access", "refresh")


@dataclass
class Provider:
    """Answers every request alike, and keeps it."""

    status: int
    data: bytes = b""

    def __call__(self, *request: str, **options: Any) -> Provider:
        self.request, self.options = request, options
        return self


def test_rfc_7009_revokes_the_refresh_token_where_there_is_one() -> None:
    provider = Provider(200)
    assert revoke(TOKEN, provider)
    assert provider.request == ("POST", TOKEN.url)
    form = {"client_id": ["client"], "client_secret": ["s3cret"]}
    assert parse_qs(provider.options["body"]) == {**form, "token_type_hint": ["refresh_token"], "token": ["refresh"]}
    assert provider.options["headers"]["Authorization"] == "Bearer access"
    assert revoke(replace(TOKEN, refresh_token=""), provider)
    assert parse_qs(provider.options["body"])["token"] == ["access"]


def test_github_has_a_way_of_its_own() -> None:
    provider = Provider(204)
    assert revoke(replace(TOKEN, type="github", url="", client_id="a/b"), provider)
    assert provider.request == ("DELETE", "https://api.github.com/applications/a%2Fb/grant")
    assert json.loads(provider.options["body"]) == {"access_token": "access"}
    assert provider.options["headers"]["authorization"].startswith("Basic ")


def test_a_provider_without_an_address_revokes_nothing() -> None:
    assert not revoke(replace(TOKEN, url=""), Provider(500))


@pytest.mark.parametrize("status", [201, 204, 302, 401, 500])
def test_any_other_status_is_a_failure_that_tells_no_secret(status: int) -> None:
    with pytest.raises(NotRevoked, match=f"failed to revoke token: {status}") as raised:
        revoke(TOKEN, Provider(status, b"no access for s3cret refresh"))
    assert not any(secret in str(raised.value) for secret in ("access ", "s3cret", "refresh"))


def test_a_provider_that_does_not_answer_is_a_failure() -> None:
    def silent(*_: str, **__: Any) -> Provider:
        raise ConnectTimeoutError

    with pytest.raises(NotRevoked, match="ConnectTimeoutError"):
        revoke(TOKEN, silent)
    assert "s3cret" not in repr(TOKEN)
