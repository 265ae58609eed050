"""The trail: the audit row that is written in one transaction with the change it tells of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4, uuid5

from chalicelib import times
from chalicelib.api.authentication import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.logs.addresses import address
from chalicelib.logs.connection import NAMESPACE
from chalicelib.logs.diff import diff
from chalicelib.store import api_keys
from chalicelib.store.audit_rows import write_of
from chalicelib.store.records import APIKey, AuditLog
from chalicelib.store.transaction import Write

_USER_AGENT_LENGTH = 256
_DELETED_AT_ONCE = 30
"""Tokens that one transaction deletes with their claims and a trail, of the 100 writes that it may have."""


def key_trail(
    call: Call, caller: Caller, action: str, status: int, *, before: APIKey | None = None, after: APIKey | None = None
) -> Write:
    """The trail of a token that was made (`before` is None), changed or deleted (`after` is None).

    The row names the token by its name and its user, as Coder's do; which token did it is in
    `additional_fields.api_key_id`. No secret and no hash is in it.
    """
    key = after or before
    assert key is not None  # noqa: S101 - something was made, changed or deleted
    return write_of(
        AuditLog(
            id=str(uuid4()),
            time=times.now(),
            user_id=caller.user.id,
            organization_id=None,
            ip=address(call.source_ip),
            user_agent=call.header("User-Agent")[:_USER_AGENT_LENGTH] or None,
            resource_type="api_key",
            resource_id=key.user_id,
            resource_target=key.token_name,
            resource_icon="",
            action=action,
            status_code=status,
            request_id=_request_id(call),
            diff=diff(_fields(before), _fields(after), "api_key"),
            additional_fields={"api_key_id": caller.key.id, "changed_api_key_id": key.id, **_changes(before, after)},
        )
    )


def delete_tokens(call: Call, caller: Caller, keys: Iterable[APIKey], action: str) -> None:
    """Delete tokens of one user, each with its trail, some at a time in one transaction."""
    ids = [key.id for key in keys]
    for start in range(0, len(ids), _DELETED_AT_ONCE):
        saved(partial(_deleted, call, caller, ids[start : start + _DELETED_AT_ONCE], action))


def _deleted(call: Call, caller: Caller, ids: Sequence[str], action: str) -> Answer:
    keys = [key for key in map(api_keys.get, ids) if key is not None]
    if keys:
        api_keys.delete(keys, *(key_trail(call, caller, action, 200, before=key) for key in keys))
    return Answer(None)


def _fields(key: APIKey | None) -> Mapping[str, Any] | None:
    if key is None:
        return None
    moments: dict[str, datetime] = {name: getattr(key, name) for name in ("created_at", "expires_at", "last_used")}
    return {"user_id": key.user_id, **{name: times.wire(moment) for name, moment in moments.items()}}


def _changes(before: APIKey | None, after: APIKey | None) -> dict[str, Any]:
    """What a diff of tokens leaves out, for Coder's tokens never change in it: the secret only as the fact."""
    if before is None or after is None:
        return {}
    changes: dict[str, Any] = {
        name: {"old": getattr(before, name), "new": getattr(after, name)}
        for name in ("token_name", "scopes", "allow_list", "allowed_ips")
        if getattr(before, name) != getattr(after, name)
    }
    if before.hashed_secret != after.hashed_secret:
        changes["secret"] = {"secret": True}
    return {"changes": changes} if changes else {}


def _request_id(call: Call) -> str:
    given = call.request_id
    try:
        return str(UUID(given))
    except ValueError:
        return str(uuid5(NAMESPACE, given)) if given else str(uuid4())
