"""Revokes the token of an external provider where it was issued: once, in ten seconds at the most.

Who deposits a link names the address, and it is asked from inside the deployment: so it must be a public one, or in the
networks that the deployment names.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from chalicelib.access import networks
from chalicelib.dispatch import outgoing
from chalicelib.dispatch.outgoing import Limits, NoAnswer, Reply
from chalicelib.settings import current

GITHUB: Final = "github"
_GITHUB_URL: Final = "https://api.github.com/applications/{}/grant"
_SECONDS: Final = 10
_MOST_BYTES: Final = 4_000
_LONGEST_TEXT: Final = 200

Send = Callable[[str, str, bytes, Mapping[str, str], Limits], Reply]
"""Sends a request as `outgoing.ask` does."""


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


def revoke(token: Token, send: Send = outgoing.ask) -> bool:
    """Revoke a token; False where its provider revokes none.

    Raises:
        NotRevoked: the provider did not answer, or with another status than the one for success.
    """
    if token.type != GITHUB and not token.url:
        return False
    method, url, success, body, headers = _github(token) if token.type == GITHUB else _by_rfc_7009(token)
    try:
        answer = send(method, url, body, headers, Limits(_SECONDS, _MOST_BYTES, _may_connect))
    except NoAnswer as error:
        raise NotRevoked(f"failed to revoke token: {error}") from error
    if answer.status != success:
        text = answer.body.decode(errors="replace")
        # Before the text is cut: a part of a secret would not be known as one.
        for secret in (token.client_secret, token.access_token, token.refresh_token):
            text = text.replace(secret, "***") if secret else text
        raise NotRevoked(f"failed to revoke token: {answer.status} {text[:_LONGEST_TEXT]}".rstrip())
    return True


def _may_connect(address: str) -> bool:
    own = current().revocation_networks
    return networks.is_public(address) or (bool(own) and networks.contain(own, address))


def _by_rfc_7009(token: Token) -> tuple[str, str, int, bytes, Mapping[str, str]]:
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
    return "POST", token.url, 200, urlencode(form).encode(), headers


def _github(token: Token) -> tuple[str, str, int, bytes, Mapping[str, str]]:
    basic = b64encode(f"{token.client_id}:{token.client_secret}".encode()).decode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    body = json.dumps({"access_token": token.access_token}).encode()
    return "DELETE", _GITHUB_URL.format(quote(token.client_id, safe="")), 204, body, headers
