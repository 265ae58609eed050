"""Refused and failed uses of known tokens, as rows of the audit log: at most one an hour for each token and kind.

A wrong secret takes the same calls whether its token is known or not, and whether a row was written within the hour or
not: one that stores the row or is refused. So the work tells nothing of which tokens there are, strangers fill no
table, and they write to no item that the holder of the token needs.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from uuid import uuid5

from chalicelib import times
from chalicelib.api.http import Call
from chalicelib.api.trail import Resource, row
from chalicelib.errors import GatebookError, Unavailable
from chalicelib.logs.connection import NAMESPACE
from chalicelib.records import APIKey, AuditLog
from chalicelib.search.values import NIL_UUID
from chalicelib.store.directory import api_keys
from chalicelib.store.logs import audit_writer
from chalicelib.store.logs.audit_rows import writes_of

_ACTION = "login"
_NO_HASH = bytes(32)
_log = logging.getLogger(__name__)


def note_failure(call: Call, key_id: str, key: APIKey | None, error: GatebookError) -> None:
    """Write a row for a wrong secret of a token, one in each hour of the clock; none for a token that is not known.

    Who sent it is nobody known. The answer to the request does not depend on it.
    """
    about = Resource("api_key", key.user_id, key.token_name) if key else Resource("api_key", NIL_UUID)
    made = _row(call, key_id, about, error)
    hour = times.wire(made.time.replace(minute=0, second=0, microsecond=0))
    # All rows of one token and hour have one id, so the first of them stays. It hangs on the secret's hash, which no
    # sender of events knows: who could foresee it could take it for an event of theirs, and no row would be written.
    hashed = (key.hashed_secret if key else _NO_HASH).hex()
    once = replace(made, id=str(uuid5(NAMESPACE, f"wrong secret of {key_id} at {hour}, not {hashed}")))
    try:
        audit_writer.write_once(once, known=key is not None)
    except Unavailable:
        _log.warning("A failed use of a token could not be noted")


def note_refusal(call: Call, key: APIKey, error: GatebookError) -> None:
    """Write a row for a refused use of a token with a right secret, unless one was written within the hour.

    The row names the user of the token. The answer to the request does not depend on it.
    """
    now = times.now()
    if key.refused_at is not None and now - key.refused_at < api_keys.REFUSALS_APART:
        return
    made = _row(call, key.id, Resource("api_key", key.user_id, key.token_name), error)
    try:
        api_keys.note_refusal(key, now, *writes_of(replace(made, user_id=key.user_id)))
    except Unavailable:
        _log.warning("A refused use of a token could not be noted")


def _row(call: Call, key_id: str, about: Resource, error: GatebookError) -> AuditLog:
    more = {"api_key_id": key_id, "reason": error.detail or error.message, "route": call.route}
    return row(call, None, _ACTION, error.status, about, more=more)
