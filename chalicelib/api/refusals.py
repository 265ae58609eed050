"""Refused and failed uses of known tokens, as rows of the audit log: at most one an hour for each token and kind."""

from __future__ import annotations

import logging
from dataclasses import replace

from chalicelib import times
from chalicelib.api.http import Call
from chalicelib.api.trail import Resource, row
from chalicelib.errors import GatebookError, Unavailable
from chalicelib.records import APIKey, Refusal
from chalicelib.store.directory import api_keys
from chalicelib.store.logs.audit_rows import writes_of

_ACTION = "login"
_log = logging.getLogger(__name__)


def note(call: Call, key: APIKey, refusal: Refusal, error: GatebookError) -> None:
    """Write a row for a refused use of a token, unless one of the kind was written within the hour.

    Who sent a wrong secret is nobody known; the row of any other refusal names the user of the token. The answer to the
    request does not depend on it.
    """
    now = times.now()
    noted = key.failed_at if refusal is Refusal.FAILED else key.refused_at
    if noted is not None and now - noted < api_keys.REFUSALS_APART:
        return
    about = Resource("api_key", key.user_id, key.token_name)
    more = {"api_key_id": key.id, "reason": error.detail or error.message, "route": call.route}
    made = row(call, None, _ACTION, error.status, about, more=more)
    known = made if refusal is Refusal.FAILED else replace(made, user_id=key.user_id)
    try:
        api_keys.note_refusal(key, refusal, now, *writes_of(known))
    except Unavailable:
        _log.warning("A refused use of a token could not be noted")
