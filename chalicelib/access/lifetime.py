"""The bounds of a new token: how long it lives, and that it never holds more than the token that makes it.

Lifetimes come from clients in nanoseconds and are stored in seconds; the clock is always handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from chalicelib.access import allow_list, scopes
from chalicelib.access.allow_list import Entry
from chalicelib.durations import format_go
from chalicelib.search.values import quoted

FIXED_LIFETIME: Final = "token"
"""The login type of keys that a user requested by name; use never moves their end."""

USE_INTERVAL: Final = timedelta(hours=1)
"""The age at which the record of a token's last use is written anew, so that not every request writes."""

UNSET_LIFETIME_SECONDS: Final = 86_400
"""The stored lifetime of a token whose lifetime rounds down to zero."""


class InvalidLifetime(ValueError):
    """A client asks for a lifetime that no token may have."""


class ExceedsCaller(ValueError):
    """A token is asked to make one that holds more than itself."""


class Expiry(NamedTuple):
    """When a token ends, and the lifetime in seconds that is kept beside it for sliding."""

    expires_at: datetime
    lifetime_seconds: int


@dataclass(frozen=True, slots=True)
class Grant:
    """The rights of a token: canonical scopes, allow list, and end.

    In a request, empty scopes or an empty allow list mean "as the caller's".

    Attributes:
        bounded: whether the token is bound by something else as well: by networks, or by the grace of a rotation.
    """

    scopes: tuple[str, ...]
    allow_list: tuple[Entry, ...]
    expires_at: datetime
    bounded: bool = False

    @property
    def unrestricted(self) -> bool:
        """Whether the token is all of its user: then what it makes is bounded by the user alone.

        A token made by any other must be of login type `token`, which never slides, and must have a name.
        """
        return not self.bounded and "coder:all" in self.scopes and allow_list.ANYTHING in self.allow_list


def resolve(requested_ns: int | None, default_ns: int, max_ns: int) -> int:
    """The lifetime of a new token in nanoseconds.

    Args:
        requested_ns: what the client asks for; 0 and None mean the default.
        default_ns: the lifetime without a wish; where it is set above the maximum, the maximum holds.
        max_ns: the longest lifetime there may be, itself allowed.

    Raises:
        InvalidLifetime: for a negative lifetime, or one above the maximum.
    """
    if not requested_ns:
        return min(default_ns, max_ns)
    if requested_ns < 0:
        raise InvalidLifetime("lifetime must be positive number greater than 0")
    if requested_ns > max_ns:
        raise InvalidLifetime(f"lifetime must be less than {format_go(max_ns)}")
    return requested_ns


def resolve_expiry(
    now: datetime, default_seconds: int, *, expires_at: datetime | None = None, lifetime_seconds: int = 0
) -> Expiry:
    """When a token made now ends: an explicit end as it is, else after its lifetime, else after the default.

    A lifetime not given is the time from now to the end, in whole seconds.
    """
    if expires_at is None:
        expires_at = now + timedelta(seconds=lifetime_seconds or default_seconds)
    if not lifetime_seconds:
        lifetime_seconds = (expires_at - now) // timedelta(seconds=1)
    return Expiry(expires_at, lifetime_seconds or UNSET_LIFETIME_SECONDS)


def slide(expires_at: datetime, now: datetime, lifetime_seconds: int, login_type: str) -> datetime:
    """The end of a token that is being used now: moved on once an hour of it is gone, except for login type `token`.

    Args:
        expires_at: its end so far, not yet over.
        now: the time of use.
        lifetime_seconds: how long it lives from each use.
        login_type: how it came to be.
    """
    lifetime = timedelta(seconds=lifetime_seconds)
    if login_type != FIXED_LIFETIME and expires_at - now <= lifetime - USE_INTERVAL:
        return now + lifetime
    return expires_at


def end_unused(end: datetime, last_sign_of_life: datetime, unused_ns: int) -> datetime:
    """The end of a token that also ends by going unused for so many nanoseconds; 0 or less for never."""
    if unused_ns <= 0:
        return end
    return min(end, last_sign_of_life + timedelta(microseconds=unused_ns // 1_000))


def is_in_last_tenth(begin: datetime, end: datetime, now: datetime) -> bool:
    """Whether no more than a tenth is left of the time from the beginning to the end."""
    return 10 * (end - now) <= end - begin


def use_is_stale(last_used: datetime, now: datetime) -> bool:
    """Whether the record of a token's last use is more than an hour old and should be written anew."""
    return now - last_used > USE_INTERVAL


def _spaced(items: Iterable[object]) -> str:
    return f"[{' '.join(map(str, items))}]"


def _require_scope(caller: Grant, name: str, bound: str) -> None:
    try:
        covered = scopes.covers(caller.scopes, name)
    except scopes.CoverageUnknown as error:
        raise scopes.CoverageUnknown(
            f"compare scope {quoted(name)}: scope coverage could not be determined: {error}"
        ) from error
    if not covered:
        raise ExceedsCaller(
            f"exceeds {bound}: scope {quoted(name)} is not among its scopes {_spaced(caller.scopes)};"
            " request a subset, or authenticate with a key that holds it"
        )


def _require_entry(caller: Grant, entry: Entry, bound: str) -> None:
    if not allow_list.covers(caller.allow_list, entry):
        raise ExceedsCaller(
            f"exceeds {bound}: allow list entry {quoted(str(entry))} is not covered by its allow list"
            f" {_spaced(caller.allow_list)}; request a subset, or authenticate with a key that allows it"
        )


def inherit_within_caller(caller: Grant, requested: Grant, bound: str = "the creating API key") -> Grant:
    """The rights of a token that another token requests: at most those of the other.

    Scopes and allow list left empty are the caller's own. Unless the caller is unrestricted, the new token ends
    no later than the caller does.

    Args:
        caller: what the token holds that makes the request.
        requested: what is asked for.
        bound: the name of the caller in the text of the error.

    Raises:
        ExceedsCaller: for the first scope, then the first entry, that the caller does not hold itself.
        CoverageUnknown: when a scope stored in the caller stands for nothing: the service's fault, not the client's.
    """
    names = scopes.canonical_names(requested.scopes)
    for name in names:
        _require_scope(caller, name, bound)
    for entry in requested.allow_list:
        _require_entry(caller, entry, bound)
    if requested.allow_list and not allow_list.within(requested.allow_list, caller.allow_list):
        raise ExceedsCaller(
            f"exceeds {bound}: its allow list is bound to organizations"
            f" {_spaced(caller.allow_list)}, and so must be that of a key it creates"
        )
    return Grant(
        bounded=caller.bounded,
        scopes=names or caller.scopes,
        allow_list=requested.allow_list or caller.allow_list,
        expires_at=requested.expires_at if caller.unrestricted else min(requested.expires_at, caller.expires_at),
    )
