"""Signing a browser in and out: a token is pasted once, and a cookie holds a narrower one that ends the same day.

The cookie cannot be read by scripts, is sent by pages of this service alone, and goes with its key. The pasted token is
kept nowhere, unless it may mint no other: then it is the cookie.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from chalicelib import times
from chalicelib.access import scopes
from chalicelib.access.lifetime import Grant
from chalicelib.api import minting
from chalicelib.api.authentication import TOKEN_HEADER, TOKEN_NAME, authenticate, authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.trail import delete_tokens
from chalicelib.errors import Forbidden, Unauthorized
from chalicelib.models.service import SessionJSON, SignedInJSON
from chalicelib.records import APIKey
from chalicelib.settings import current
from chalicelib.ui.stage import stage_path

SESSION_LIFETIME = timedelta(hours=8)
SESSION_SCOPES = (
    "api_key:create",
    "api_key:delete",
    "api_key:read",
    "api_key:update",
    "audit_log:read",
    "connection_log:read",
    "deployment_config:read",
    "deployment_config:update",
    "organization:read",
    "user:read",
)
"""The scopes of the page's session: tokens, both logs, retention, and the names of users and organizations."""

_NAME = "page-session-"


@authenticated
def show(_call: Call, caller: Caller) -> Answer:
    """Who is signed in, by which key and until when, and where links of rows lead to."""
    body: SignedInJSON = {
        "username": caller.user.username,
        "key_id": caller.key.id,
        "expires_at": times.wire(caller.opens_until),
        "dashboard_url": current().dashboard_url.rstrip("/"),
    }
    return Answer(body)


def sign_in(call: Call) -> Answer:
    """Answer a token, which comes in the header alone, with the cookie that the page goes on with."""
    token = call.header(TOKEN_HEADER)
    caller = authenticate(call, token=token)
    now = times.now()
    end = min(now + SESSION_LIFETIME, caller.opens_until)
    held = tuple(name for name in SESSION_SCOPES if scopes.covers(caller.key.scopes, name))
    text = _minted(call, caller, Grant(held, (), end)) if held else ""
    seconds = max(1, (end - now) // timedelta(seconds=1))
    body: SessionJSON = {"expires_at": times.wire(end), "minted": bool(text)}
    return Answer(body, 201, _cookie(call, text or token, seconds))


def sign_out(call: Call) -> Answer:
    """Take the cookie back and end its key, if it is one that signing in has minted."""
    try:
        caller = authenticate(call)
    except Unauthorized:
        return Answer(None, 204, _cookie(call, "", 0))
    if is_session(caller.key):
        caller.require_current_secret()
        delete_tokens(call, caller, [caller.key], "logout")
    return Answer(None, 204, _cookie(call, "", 0))


def is_session(key: APIKey) -> bool:
    """Whether signing in has minted the key: it has the name, no more scopes and no longer life."""
    return (
        key.token_name.startswith(_NAME)
        and {*key.scopes} <= {*SESSION_SCOPES}
        and timedelta(seconds=key.lifetime_seconds) <= SESSION_LIFETIME
    )


def _minted(call: Call, caller: Caller, wanted: Grant) -> str:
    """The secret of a new key; "" where the caller may mint none."""
    try:
        return minting.mint_own(call, caller, wanted, f"{_NAME}{uuid4()}")
    except Forbidden:
        return ""


def _cookie(call: Call, value: str, seconds: int) -> dict[str, str]:
    path = stage_path(call)
    where = path.rstrip("/") or path
    return {"Set-Cookie": f"{TOKEN_NAME}={value}; Path={where}; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict"}
