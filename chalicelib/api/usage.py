"""Notes that a token is in use: at most once an hour, and never so that an answer depends on it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from chalicelib.access import lifetime
from chalicelib.access.decide import Secret
from chalicelib.api.lifetimes import as_timedelta, max_token_lifetime
from chalicelib.api.trail import user_trail
from chalicelib.errors import Unavailable
from chalicelib.records import APIKey, User
from chalicelib.settings import current
from chalicelib.store.directory import api_keys, people

_OK = 200
_WOKEN = {"automatic_actor": "coder", "automatic_subsystem": "dormancy"}
"""The additional fields that Coder writes for a change that the platform makes by itself."""

_log = logging.getLogger(__name__)


def record(key: APIKey, user: User, now: datetime, secret: Secret) -> None:
    """Write when the token and the user were last seen, slide a session, and wake a dormant user, with a row.

    Args:
        key: the token.
        user: whose it is.
        now: the time of use.
        secret: which of its secrets was brought; a retired one is no use of the token.
    """
    if secret is Secret.RETIRED:
        return
    dormant = user.status == "dormant"
    received = secret is Secret.CURRENT and key.retry_secret is not None
    key_is_stale = received or lifetime.use_is_stale(key.last_used, now)
    user_is_stale = dormant or lifetime.use_is_stale(user.last_seen_at, now)
    try:
        if key_is_stale:
            end = key.expires_at
            if not current().disable_session_expiry_refresh:
                end = lifetime.slide(end, now, key.lifetime_seconds, key.login_type)
            if key.login_type != lifetime.FIXED_LIFETIME:
                end = min(end, now + as_timedelta(max_token_lifetime(user)))
            api_keys.touch(key, now, end)
        if user_is_stale:
            awake = replace(user, status="active") if dormant else user
            trail = user_trail(None, None, _OK, user, awake, more=_WOKEN) if dormant else ()
            people.touch_user(user, now, awake.status, *trail)
    except Unavailable:
        # The request can be answered all the same; the next one tries again.
        _log.warning("The use of a token could not be noted")
