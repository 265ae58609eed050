"""The trail: the audit row that is written in one transaction with the change that it records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from chalicelib import times
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.logs.addresses import address
from chalicelib.logs.audit_event import OWN_MARK, USER_AGENT_LENGTH, computed_diff
from chalicelib.logs.connection import NAMESPACE
from chalicelib.records import APIKey, AuditLog, Organization, Receipt, User
from chalicelib.search.values import NIL_UUID
from chalicelib.store.directory import api_keys
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.audit_rows import writes_of

_DELETED_AT_ONCE = 30
"""Tokens that one transaction deletes with their claims and a trail, of the 100 writes that it may have."""


class Resource(NamedTuple):
    """The subject of a row: resource type, id and name.

    Attributes:
        type: one of `vocabulary.AUDITED_TYPES`.
        id: a UUID.
        target: its name.
        organization_id: the organization it belongs to, whose auditors may read the row.
    """

    type: str
    id: str
    target: str = ""
    organization_id: str | None = None


def row(
    call: Call | None,
    caller: Caller | None,
    action: str,
    status: int,
    about: Resource,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> AuditLog:
    """The row that records an action of the service, now; `writes_of` puts it into the transaction of the action.

    Args:
        call: the request that asked for it; None for what the service does by itself, on a schedule.
        caller: the sender of the request; None where there was none. Its token is in `additional_fields.api_key_id`.
        action: one of `vocabulary.AUDIT_ACTIONS`.
        status: the HTTP status of the answer.
        about: what it was done to.
        before: the resource as it was, by the names of `logs.tracked`; None for one that is made.
        after: the resource as it is now; None for one that is deleted.
        more: additional fields.
    """
    now = times.now()
    return AuditLog(
        id=str(uuid4()),
        time=now,
        user_id=caller.user.id if caller else NIL_UUID,
        organization_id=about.organization_id,
        ip=address(call.source_ip) if call else None,
        user_agent=(call.header("User-Agent")[:USER_AGENT_LENGTH] or None) if call else None,
        resource_type=about.type,
        resource_id=about.id,
        resource_target=about.target,
        resource_icon="",
        action=action,
        status_code=status,
        request_id=_request_id(call) if call else NIL_UUID,
        diff=computed_diff(before, after, about.type, action, status),
        additional_fields={OWN_MARK: True, **({"api_key_id": caller.key.id} if caller else {}), **(more or {})},
        receipt=Receipt(now, caller.key.id) if caller else None,
    )


def key_trail(
    call: Call, caller: Caller, action: str, status: int, *, before: APIKey | None = None, after: APIKey | None = None
) -> list[Write]:
    """The trail of a token that was made (`before` is None), changed or deleted (`after` is None).

    The row names the token by its name and its user, as Coder's do. No secret and no hash is in it.
    """
    key = after or before
    assert key is not None  # noqa: S101 - something was made, changed or deleted
    return writes_of(
        row(
            call,
            caller,
            action,
            status,
            Resource("api_key", key.user_id, key.token_name),
            before=_key_fields(before),
            after=_key_fields(after),
            more={"changed_api_key_id": key.id, **_changes(before, after)},
        )
    )


def user_trail(
    call: Call | None,
    caller: Caller | None,
    status: int,
    before: User | None,
    after: User,
    *,
    more: Mapping[str, Any] | None = None,
) -> list[Write]:
    """The trail of a user that was made, changed or deleted, and of every membership that changed with it.

    Memberships are rows of their own, as Coder's are, for the auditors of the organization to read. `more` is what
    the row of the user has beside.
    """
    kept = None if before is None or before.deleted else before
    action = "create" if kept is None else "delete" if after.deleted else "write"
    writes: list[Write] = []
    if kept is None or replace(kept, organization_roles=after.organization_roles, updated_at=after.updated_at) != after:
        writes += writes_of(
            row(
                call,
                caller,
                action,
                status,
                Resource("user", after.id, after.username),
                before=_user_fields(before),
                after=_user_fields(after),
                more=more,
            )
        )
    for organization in changed_memberships(kept, after):
        old = _member_fields(kept, organization)
        new = _member_fields(after, organization)
        writes += writes_of(
            row(
                call,
                caller,
                "create" if old is None else "delete" if new is None else "write",
                status,
                Resource("organization_member", after.id, after.username, organization),
                before=old,
                after=new,
            )
        )
    return writes


def changed_memberships(before: User | None, after: User) -> list[str]:
    """The organizations in which the user's membership or roles are not what they were."""
    held = before.organization_roles if before else {}
    return sorted(
        key for key in {*held, *after.organization_roles} if held.get(key) != after.organization_roles.get(key)
    )


def organization_trail(
    call: Call | None, caller: Caller | None, status: int, before: Organization | None, after: Organization
) -> list[Write]:
    """The trail of an organization that was made, changed or deleted."""
    new = before is None or before.deleted
    return writes_of(
        row(
            call,
            caller,
            "create" if new else "delete" if after.deleted else "write",
            status,
            Resource("organization", after.id, after.name, after.id),
            before=_organization_fields(before),
            after=_organization_fields(after),
        )
    )


def delete_tokens(call: Call, caller: Caller, keys: Iterable[APIKey], action: str) -> None:
    """Delete tokens of one user, each with its trail, in transactions of several."""
    ids = [key.id for key in keys]
    for start in range(0, len(ids), _DELETED_AT_ONCE):
        saved(partial(_deleted, call, caller, ids[start : start + _DELETED_AT_ONCE], action))


def _deleted(call: Call, caller: Caller, ids: Sequence[str], action: str) -> Answer:
    keys = [key for key in map(api_keys.get, ids) if key is not None]
    if keys:
        api_keys.delete(keys, *(write for key in keys for write in key_trail(call, caller, action, 200, before=key)))
    return Answer(None)


def _key_fields(key: APIKey | None) -> Mapping[str, Any] | None:
    if key is None:
        return None
    moments: dict[str, datetime] = {name: getattr(key, name) for name in ("created_at", "expires_at", "last_used")}
    return {"user_id": key.user_id, **{name: times.wire(moment) for name, moment in moments.items()}}


def _user_fields(user: User | None) -> Mapping[str, Any] | None:
    if user is None:
        return None
    names = ("id", "email", "username", "status", "login_type", "deleted", "name")
    return {"rbac_roles": list(user.roles), **{name: getattr(user, name) for name in names}}


def _member_fields(user: User | None, organization: str) -> Mapping[str, Any] | None:
    if user is None or organization not in user.organization_roles:
        return None
    return {"username": user.username, "user_id": user.id, "roles": list(user.organization_roles[organization])}


def _organization_fields(organization: Organization | None) -> Mapping[str, Any] | None:
    if organization is None:
        return None
    names = ("name", "description", "deleted", "is_default", "display_name", "icon")
    fields = {name: getattr(organization, name) for name in names}
    return {"updated_at": times.wire(organization.updated_at), **fields}


def _changes(before: APIKey | None, after: APIKey | None) -> dict[str, Any]:
    """The changes that a diff of Coder's tokens lacks, of the secret only that it changed."""
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
