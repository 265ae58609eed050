"""The trail of links to external providers: kept, ended, and whether the token was revoked. No token is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid5

from chalicelib.api import trail
from chalicelib.api.caller import Caller
from chalicelib.api.http import Call
from chalicelib.logs.connection import NAMESPACE
from chalicelib.records import User
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.audit_rows import writes_of

TYPE: Final = "external_auth_link"


def kept(call: Call, caller: Caller, user: User, provider: str, link: Mapping[str, Any], *, new: bool) -> list[Write]:
    """The trail of a link that was deposited, or replaced."""
    more = _fields(user, provider, link)
    return writes_of(trail.row(call, caller, "create" if new else "write", 204, _about(user, provider), more=more))


def ended(call: Call, caller: Caller, provider: str, link: Mapping[str, Any]) -> list[Write]:
    """The trail of a link that its user has ended."""
    more = _fields(caller.user, provider, link)
    return writes_of(trail.row(call, caller, "delete", 200, _about(caller.user, provider), more=more))


def revoked(
    call: Call, caller: Caller, provider: str, link: Mapping[str, Any], outcome: Mapping[str, Any]
) -> list[Write]:
    """The trail of what the provider said to the revocation of a token whose link was ended."""
    more = {**_fields(caller.user, provider, link), **outcome}
    return writes_of(trail.row(call, caller, "write", 200, _about(caller.user, provider), more=more))


def _about(user: User, provider: str) -> trail.Resource:
    return trail.Resource(TYPE, str(uuid5(NAMESPACE, f"{TYPE}/{user.id}/{provider}")), provider)


def _fields(user: User, provider: str, link: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a link that are no secret; of the address the host alone, as its path may hold one."""
    return {
        "link": {
            "user_id": user.id,
            "username": user.username,
            "provider": provider,
            "type": link["type"],
            "revoked_at_host": urlsplit(link["revoke_url"]).hostname or "",
            "client_id": link["client_id"],
            "expires": link["expires"],
        }
    }
