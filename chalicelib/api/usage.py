"""Notes that a token is in use: at most once an hour, and never so that an answer depends on it."""

from __future__ import annotations

import logging
from datetime import datetime

from chalicelib.access import lifetime
from chalicelib.errors import Unavailable
from chalicelib.settings import current
from chalicelib.store import api_keys, directory
from chalicelib.store.records import APIKey, User

_log = logging.getLogger(__name__)


def record(key: APIKey, user: User, now: datetime) -> None:
    """Write when the token and the user were last seen, move the end of a session, and wake a dormant user."""
    dormant = user.status == "dormant"
    key_is_stale = lifetime.use_is_stale(key.last_used, now)
    user_is_stale = dormant or lifetime.use_is_stale(user.last_seen_at, now)
    try:
        if key_is_stale:
            end = key.expires_at
            if not current().disable_session_expiry_refresh:
                end = lifetime.slide(end, now, key.lifetime_seconds, key.login_type)
            api_keys.touch(key, now, end)
        if user_is_stale:
            directory.touch_user(user, now, "active" if dormant else user.status)
    except Unavailable:
        # The request can be answered all the same; the next one tries again.
        _log.warning("The use of a token could not be noted")
