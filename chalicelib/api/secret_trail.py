"""The trail of user secrets: made, changed, deleted, and each release of a value. No value is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.api import trail
from chalicelib.api.caller import Caller
from chalicelib.api.http import Call
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.audit_rows import writes_of
from chalicelib.vault.secret import Secret

RELEASED: Final = "open"
"""The action of a release."""


def changed(
    call: Call, caller: Caller, status: int, before: Secret | None, after: Secret | None, *, value: bool
) -> list[Write]:
    """The trail of a secret that was made (`before` is None), changed or deleted (`after` is None).

    Args:
        call: the request.
        caller: who sent it.
        status: of the answer.
        before: the secret as it was.
        after: the secret as it is.
        value: whether the value has changed; the row has that fact and nothing more of it.
    """
    secret = after or before
    assert secret is not None  # noqa: S101 - something was made, changed or deleted
    action = "create" if before is None else "delete" if after is None else "write"
    return writes_of(
        trail.row(
            call,
            caller,
            action,
            status,
            _resource(secret),
            before=_fields(caller, before, "before"),
            after=_fields(caller, after, "after" if value else "before"),
        )
    )


def released(call: Call, caller: Caller, secret: Secret) -> list[Write]:
    """The trail of a value that leaves now, to the token that asked for it."""
    return writes_of(trail.row(call, caller, RELEASED, 200, _resource(secret)))


def _resource(secret: Secret) -> trail.Resource:
    return trail.Resource("user_secret", secret.id, secret.name)


def _fields(caller: Caller, secret: Secret | None, value: str) -> Mapping[str, Any] | None:
    """A secret as diffs compare it. In the place of the value stands a word that changes when the value does."""
    if secret is None:
        return None
    names = ("id", "name", "description", "env_name", "file_path", "enabled")
    return {"user_id": caller.user.id, "value": value, **{name: getattr(secret, name) for name in names}}
