"""How long a token of a user may live, by the settings and by the user's roles."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.records import User
from chalicelib.settings import current
from chalicelib.store.directory.owners import OWNER

_NANOSECONDS_A_MICROSECOND = 1_000


def max_token_lifetime(user: User) -> int:
    """The longest lifetime of a token of this user, in nanoseconds: owners have a maximum of their own."""
    return current().max_admin_token_lifetime if OWNER in user.roles else current().max_token_lifetime


def as_timedelta(nanoseconds: int) -> timedelta:
    """A lifetime as it comes from clients and settings, in whole microseconds."""
    return timedelta(microseconds=nanoseconds // _NANOSECONDS_A_MICROSECOND)
