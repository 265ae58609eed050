"""The trail: the audit row that is written in one transaction with the change it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from chalicelib import times
from chalicelib.api.authentication import Caller
from chalicelib.api.http import Call
from chalicelib.logs.addresses import address
from chalicelib.logs.connection import NAMESPACE
from chalicelib.logs.diff import diff
from chalicelib.store.audit_rows import write_of
from chalicelib.store.records import APIKey, AuditLog
from chalicelib.store.transaction import Write

_USER_AGENT_LENGTH = 256


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
            additional_fields={"api_key_id": caller.key.id, "changed_api_key_id": key.id},
        )
    )


def _fields(key: APIKey | None) -> Mapping[str, Any] | None:
    if key is None:
        return None
    moments: dict[str, datetime] = {name: getattr(key, name) for name in ("created_at", "expires_at", "last_used")}
    return {"user_id": key.user_id, **{name: times.wire(moment) for name, moment in moments.items()}}


def _request_id(call: Call) -> str:
    given = call.request_id
    try:
        return str(UUID(given))
    except ValueError:
        return str(uuid5(NAMESPACE, given)) if given else str(uuid4())
