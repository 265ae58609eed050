"""Mints tokens and session keys: never wider than the calling token, once for each request, with their trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from chalicelib import times
from chalicelib.access import allow_list, lifetime, networks, secret
from chalicelib.access.decide import Object
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.idempotency import HEADER, Retry, repeated, under_way
from chalicelib.api.saving import saved
from chalicelib.api.trail import key_trail
from chalicelib.errors import Conflict, Forbidden, NotFound, Validation
from chalicelib.models.directory import WarningJSON
from chalicelib.models.tokens import IssuedKeyJSON
from chalicelib.records import APIKey, User
from chalicelib.records.directory import PREBUILDS_USER
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.operations import Operation
from chalicelib.store.directory.token_counts import TooManyTokens
from chalicelib.store.directory.token_names import NameTaken

FAILED = "Failed to create API key."
"""The message of a request for more than the calling token holds."""


def mint_own(call: Call, caller: Caller, wanted: lifetime.Grant, name: str) -> str:
    """Make a token of the caller's own user, with what is wanted of what the calling token holds; answers its secret.

    Raises:
        Forbidden: the caller may mint none, or holds less than is wanted.
    """
    check_may_mint(caller, caller.user)
    own = Wanted(bounded(caller, wanted), lifetime.FIXED_LIFETIME, caller.key.allowed_ips, name)
    return str(mint(call, caller, caller.user, lambda _user, _now: own).body["key"])


def check_may_mint(caller: Caller, owner: User) -> None:
    """Make sure that the caller may mint a token for the user.

    Raises:
        Forbidden: they may not.
    """
    if owner.id == PREBUILDS_USER:
        raise Forbidden
    if not caller.may("create", Object("api_key", owner=owner.id)):
        raise Forbidden(detail="Your token or your roles do not let you create tokens for this user.")


class Wanted(NamedTuple):
    """The token to be minted: what it holds, its login type, its networks, and its name, "" for one to be made up."""

    grant: lifetime.Grant
    login_type: str
    allowed_ips: tuple[str, ...]
    name: str = ""


def mint(
    call: Call, caller: Caller, owner: User, wanted: Callable[[User, datetime], Wanted], retry: Retry | None = None
) -> Answer:
    """Make a token, anew where its user was changed meanwhile, or in the one case in billions where its id is taken."""
    known = [owner]

    def write() -> Answer:
        user = known.pop() if known else people.get_user(owner.id, consistent=True)
        if user is None or user.deleted:
            raise NotFound
        key, text = _made(user, wanted, times.now())
        guards = [people.unchanged(user), *caller.unchanged()]
        if retry:
            guards.append(retry.begun(key))
        recovery = (
            f"If it was, it is at GET /api/v2/users/{user.id}/keys/tokens/{quote(key.token_name)}: rotate it to get a"
            f" secret, or delete it. With the header {HEADER} a request can be sent again."
        )
        try:
            with under_way(retry, "The token may have been made.", recovery):
                api_keys.add(key, *key_trail(call, caller, "create", 201, after=key), guards=guards)
        except NameTaken as error:
            raise name_taken(key.token_name) from error
        except TooManyTokens as error:
            raise Forbidden(
                FAILED, f"The user has {error.most} tokens, as many as a user may have; delete or expire one first."
            ) from error
        body: IssuedKeyJSON = {"key": text}
        if warnings := _warnings(key):
            body["warnings"] = warnings
        return Answer(body, 201)

    return saved(write)


def _warnings(key: APIKey) -> list[WarningJSON]:
    """The warnings to the owner of a new token."""
    types = allow_list.unreadable_by_releases(map(allow_list.parse, key.allow_list))
    if not types:
        return []
    detail = f"A Coder CLI that does not know {', '.join(types)} cannot list the tokens of this user any more."
    return [{"field": "allow_list", "detail": detail}]


def _made(owner: User, wanted: Callable[[User, datetime], Wanted], now: datetime) -> tuple[APIKey, str]:
    grant, login_type, allowed_ips, name = wanted(owner, now)
    issued = secret.generate()
    fixed = login_type == lifetime.FIXED_LIFETIME
    key = APIKey(
        id=issued.id,
        hashed_secret=issued.hashed,
        user_id=owner.id,
        login_type=login_type,
        token_name=name or (f"token_{issued.id.removeprefix(secret.PREFIX)}" if fixed else ""),
        scopes=grant.scopes,
        allow_list=tuple(str(entry) for entry in grant.allow_list),
        created_at=now,
        updated_at=now,
        expires_at=grant.expires_at,
        last_used=times.EPOCH,
        lifetime_seconds=max(1, (grant.expires_at - now) // timedelta(seconds=1)),
        allowed_ips=allowed_ips,
    )
    return key, issued.text


def repeated_mint(call: Call, caller: Caller, operation: Operation) -> Answer:
    """The answer to a mint that was done already, for a caller who could mint the token still."""
    key = api_keys.get(operation.key_id)
    if key is not None:
        check_reach(caller, key)
    return repeated(call, caller, operation)


def bounded(caller: Caller, wanted: lifetime.Grant) -> lifetime.Grant:
    """The rights of the new token: the requested ones, as far as the calling token holds them."""
    try:
        return lifetime.inherit_within_caller(caller.grant, wanted)
    except lifetime.ExceedsCaller as error:
        raise Forbidden(FAILED, str(error)) from error


def bounded_networks(caller: Caller, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The networks of the new token: the requested ones, all of which those of the calling token must cover.

    Raises:
        Forbidden: one of them is outside.
    """
    outside = networks.within(caller.key.allowed_ips, wanted)
    if outside is not None:
        raise Forbidden(
            FAILED,
            f'exceeds the creating API key: network "{outside}" is not covered by its allowed IPs'
            f" [{' '.join(caller.key.allowed_ips)}]; request a subset, or authenticate with a key that allows it",
        )
    return wanted or caller.key.allowed_ips


def check_reach(caller: Caller, key: APIKey) -> None:
    """A new secret is as good as a new token: it is only for a caller who could have minted this one.

    Raises:
        Forbidden: the token holds more than the caller's own, or the caller may mint none for its user.
    """
    if key.id == caller.key.id:
        return
    if not caller.may("create", Object("api_key", owner=key.user_id)):
        raise Forbidden(detail="Your token or your roles do not let you create tokens for this user.")
    entries = tuple(allow_list.parse(entry) for entry in key.allow_list)
    held = lifetime.Grant(key.scopes, entries, key.expires_at)
    granted = bounded(caller, held)
    bounded_networks(caller, key.allowed_ips)
    wider_network = bool(caller.key.allowed_ips) and not key.allowed_ips
    if wider_network or granted.expires_at < key.expires_at:
        raise Forbidden(FAILED, "exceeds the creating API key: the token outlives or outreaches it")


def name_taken(name: str) -> Conflict:
    """The answer to a token name that the user has given already."""
    return Conflict(
        f'A token with name "{name}" already exists.',
        validations=[Validation("name", "This value is already in use and should be unique.")],
    )
