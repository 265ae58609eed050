"""Revokes the token of an external provider where it was issued: once, in ten seconds at the most."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

GITHUB: Final = "github"
_GITHUB_URL: Final = "https://api.github.com/applications/{}/grant"
_TIMEOUT: Final = Timeout(total=10)
_LONGEST_TEXT: Final = 200

Send = Callable[..., Any]
"""Sends a request as `urllib3.PoolManager.request` does."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a provider, with the client that it was issued to.

    Attributes:
        type: `github`, or any other kind, which is revoked by RFC 7009.
        url: where it is revoked; "" where the provider revokes none.
    """

    type: str
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)


class NotRevoked(Exception):
    """The provider did not revoke the token; the message says why, and has no token in it."""


def revoke(token: Token, send: Send | None = None) -> bool:
    """Revoke a token; False where its provider revokes none.

    Raises:
        NotRevoked: the provider did not answer, or with another status than the one for success.
    """
    if token.type != GITHUB and not token.url:
        return False
    method, url, success, options = _github(token) if token.type == GITHUB else _by_rfc_7009(token)
    try:
        answer = (send or _pool().request)(method, url, redirect=False, retries=False, **options)
    except HTTPError as error:
        raise NotRevoked(f"failed to revoke token: {type(error).__name__}") from error
    if answer.status != success:
        text = answer.data[:_LONGEST_TEXT].decode(errors="replace")
        for secret in (token.client_secret, token.access_token, token.refresh_token):
            text = text.replace(secret, "***") if secret else text
        raise NotRevoked(f"failed to revoke token: {answer.status} {text}".rstrip())
    return True


def _by_rfc_7009(token: Token) -> tuple[str, str, int, Mapping[str, Any]]:
    form = {
        "client_id": token.client_id,
        "client_secret": token.client_secret,
        "token_type_hint": "refresh_token" if token.refresh_token else "access_token",
        "token": token.refresh_token or token.access_token,
    }
    headers = {
        "Authorization": f"Bearer {token.access_token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return "POST", token.url, 200, {"body": urlencode(form), "headers": headers}


def _github(token: Token) -> tuple[str, str, int, Mapping[str, Any]]:
    basic = make_headers(basic_auth=f"{token.client_id}:{token.client_secret}")
    headers = {**basic, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    body = json.dumps({"access_token": token.access_token})
    return "DELETE", _GITHUB_URL.format(quote(token.client_id, safe="")), 204, {"body": body, "headers": headers}


@cache
def _pool() -> PoolManager:
    return PoolManager(timeout=_TIMEOUT)
