"""Makes secrets, and answers with each once: tokens, session keys, and new secrets of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from chalicelib import times
from chalicelib.access import allow_list, lifetime, scopes, secret
from chalicelib.access.decide import Secret
from chalicelib.api import lookup
from chalicelib.api.authentication import authenticated, wrong_secret
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.idempotency import HEADER, Retry, repeated, repeating, retry_of, under_way
from chalicelib.api.lifetimes import as_timedelta, max_token_lifetime
from chalicelib.api.minting import (
    FAILED,
    Wanted,
    bounded,
    bounded_networks,
    check_may_mint,
    check_reach,
    mint,
    repeated_mint,
)
from chalicelib.api.saving import saved
from chalicelib.api.trail import key_trail
from chalicelib.errors import BadRequest, Conflict
from chalicelib.models.base import parse
from chalicelib.models.tokens import CreateToken, IssuedKeyJSON, RotateToken
from chalicelib.records import APIKey, User
from chalicelib.settings import current
from chalicelib.store.directory import api_keys

_NANOSECONDS_A_SECOND = 1_000_000_000
_SESSION = "password"


@authenticated
def create_token(call: Call, caller: Caller, user: str) -> Answer:
    """Mint a token; its secret is in this answer and nowhere else."""
    owner = lookup.user(caller, user)
    asked = parse(CreateToken, call.body)
    entries = parse_entries(asked.allow_list)
    check_may_mint(caller, owner)
    retry = retry_of(call, caller, owner.id)
    if retry and retry.earlier:
        return repeated_mint(call, caller, retry.earlier)

    def wanted(owner: User, now: datetime) -> Wanted:
        grant = bounded(caller, _wanted(asked, entries, owner, now))
        allowed_ips = bounded_networks(caller, asked.allowed_ips)
        return Wanted(grant, lifetime.FIXED_LIFETIME, allowed_ips, asked.token_name)

    return mint(call, caller, owner, wanted, retry)


@authenticated
def create_session(call: Call, caller: Caller, user: str) -> Answer:
    """Make a session key, as `coder login` does with the token it has: no wider, and sliding only for all of it."""
    owner = lookup.user(caller, user)
    check_may_mint(caller, owner)
    retry = retry_of(call, caller, owner.id)
    if retry and retry.earlier:
        return repeated_mint(call, caller, retry.earlier)

    def wanted(owner: User, now: datetime) -> Wanted:
        seconds = min(current().default_token_lifetime, max_token_lifetime(owner)) // _NANOSECONDS_A_SECOND
        expiry = lifetime.resolve_expiry(now, seconds, lifetime_seconds=seconds)
        grant = bounded(caller, lifetime.Grant((), (), expiry.expires_at))
        login_type = _SESSION if grant.unrestricted else lifetime.FIXED_LIFETIME
        return Wanted(grant, login_type, caller.key.allowed_ips)

    return mint(call, caller, owner, wanted, retry)


@partial(authenticated, retired=True)
def rotate(call: Call, caller: Caller, user: str, keyid: str) -> Answer:
    """Give a token a new secret; the old one opens for the grace asked for, and no longer than the token lives."""
    retry = retry_of(call, caller, keyid)
    caller = repeating(caller, retry)
    if caller.subject.secret is Secret.RETIRED:
        raise wrong_secret()
    asked = parse(RotateToken, call.body or b"{}")
    lookup.user(caller, user)
    key = lookup.api_key(caller, keyid, "read", "update")
    check_changeable(key, times.now())
    check_reach(caller, key)
    if retry and retry.earlier:
        return repeated(call, caller, retry.earlier)
    return saved(partial(_rotated, call, caller, key, asked.grace, retry))


def _rotated(call: Call, caller: Caller, key: APIKey, grace: int, retry: Retry | None) -> Answer:
    before = lookup.api_key(caller, key.id, "read", "update")
    guards = caller.unchanged(before)
    if not secret.same(before.hashed_secret, key.hashed_secret):
        # A second rotation would end the grace that the first one has promised.
        raise Conflict("The token was rotated by another request at the same time.", "Use the secret that it issued.")
    now = times.now()
    check_changeable(before, now)
    issued = secret.generate(key_id=before.id)
    until = min(now + as_timedelta(grace), before.expires_at) if grace else None
    own = caller.key.hashed_secret if retry and before.id == caller.key.id else None
    after = before.with_secret(issued.hashed, now, until, own)
    if retry:
        guards.append(retry.begun(after))
    recovery = (
        "Look at its updated_at. Where the secret you bring is refused, rotate it with another token of its user or"
        f" with an owner's. With the header {HEADER} a rotation can be sent again."
    )
    with under_way(retry, "The token may have a new secret.", recovery):
        api_keys.change(
            after, before, *key_trail(call, caller, "write", 201, before=before, after=after), guards=guards
        )
    return Answer(IssuedKeyJSON(key=issued.text), 201)


def check_changeable(key: APIKey, now: datetime) -> None:
    """Make sure that a token is one to narrow or rotate.

    Raises:
        BadRequest: it is a session key, or it has ended.
    """
    if key.login_type != lifetime.FIXED_LIFETIME:
        raise BadRequest("Only tokens can be changed.", "A session key ends with its session.")
    if key.expires_at <= now:
        raise BadRequest("The token has expired.", "It can be deleted; mint another one.")


def parse_entries(given: Sequence[object]) -> list[allow_list.Entry]:
    """The entries of an allow list as they were sent.

    Raises:
        BadRequest: one of them is none.
    """
    try:
        return [allow_list.parse(entry) for entry in given]
    except allow_list.InvalidAllowList as error:
        raise BadRequest("Request body must be valid JSON.", str(error)) from error


def _wanted(asked: CreateToken, entries: Sequence[allow_list.Entry], owner: User, now: datetime) -> lifetime.Grant:
    """The requested rights. Errors come in Coder's order: scopes, allow list, lifetime."""
    try:
        names = scopes.requested(asked.scope, asked.scopes)
        allowed = allow_list.normalise(entries)
    except (scopes.UnsupportedScope, allow_list.TooManyEntries) as error:
        raise BadRequest(FAILED, str(error)) from error
    try:
        nanoseconds = lifetime.resolve(asked.lifetime, current().default_token_lifetime, max_token_lifetime(owner))
    except lifetime.InvalidLifetime as error:
        raise BadRequest("Failed to validate create API key request.", str(error)) from error
    return lifetime.Grant(names, allowed, now + as_timedelta(nanoseconds))
