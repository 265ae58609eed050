"""Makes secrets, and answers with each once: tokens, session keys, and new secrets of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

from chalicelib import times
from chalicelib.access import allow_list, lifetime, networks, scopes, secret
from chalicelib.access.decide import Object, Secret
from chalicelib.api import lookup
from chalicelib.api.authentication import authenticated, wrong_secret
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.api.idempotency import HEADER, Retry, repeated, repeating, retry_of, under_way
from chalicelib.api.lifetimes import as_timedelta, max_token_lifetime
from chalicelib.api.saving import saved
from chalicelib.api.trail import key_trail
from chalicelib.errors import BadRequest, Conflict, Forbidden, NotFound, Validation
from chalicelib.models.base import parse
from chalicelib.models.tokens import CreateToken, RotateToken
from chalicelib.records import APIKey, User
from chalicelib.settings import current
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.operations import Operation
from chalicelib.store.directory.token_counts import TooManyTokens
from chalicelib.store.directory.token_names import NameTaken

routes = Routes(__name__)

_FAILED = "Failed to create API key."
_NANOSECONDS_A_SECOND = 1_000_000_000
_SESSION = "password"
_SYSTEM_USER = "c42fdf75-3097-471c-8c33-fb52454d81c0"
"""The user that owns prebuilt workspaces; it may have no tokens."""


@routes.view("/api/v2/users/{user}/keys/tokens", methods=["POST"])
@authenticated
def create_token(call: Call, caller: Caller, user: str) -> Answer:
    """Mint a token; its secret is in this answer and nowhere else."""
    owner = lookup.user(caller, user)
    asked = parse(CreateToken, call.body)
    entries = parse_entries(asked.allow_list)
    _check_may_mint(caller, owner)
    retry = retry_of(call, caller, owner.id)
    if retry and retry.earlier:
        return _repeated(call, caller, retry.earlier)

    def wanted(owner: User, now: datetime) -> Wanted:
        grant = _bounded(caller, _wanted(asked, entries, owner, now))
        allowed_ips = _bounded_networks(caller, asked.allowed_ips)
        return Wanted(grant, lifetime.FIXED_LIFETIME, allowed_ips, asked.token_name)

    return _mint(call, caller, owner, wanted, retry)


@routes.view("/api/v2/users/{user}/keys", methods=["POST"])
@authenticated
def create_session(call: Call, caller: Caller, user: str) -> Answer:
    """Make a session key, as `coder login` does with the token it has: no wider, and sliding only for all of it."""
    owner = lookup.user(caller, user)
    _check_may_mint(caller, owner)
    retry = retry_of(call, caller, owner.id)
    if retry and retry.earlier:
        return _repeated(call, caller, retry.earlier)

    def wanted(owner: User, now: datetime) -> Wanted:
        seconds = min(current().default_token_lifetime, max_token_lifetime(owner)) // _NANOSECONDS_A_SECOND
        expiry = lifetime.resolve_expiry(now, seconds, lifetime_seconds=seconds)
        grant = _bounded(caller, lifetime.Grant((), (), expiry.expires_at))
        login_type = _SESSION if grant.unrestricted else lifetime.FIXED_LIFETIME
        return Wanted(grant, login_type, caller.key.allowed_ips)

    return _mint(call, caller, owner, wanted, retry)


@routes.view("/api/v2/users/{user}/keys/{keyid}/rotate", methods=["POST"])
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
    _check_reach(caller, key)
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
    return Answer({"key": issued.text}, 201)


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


def name_taken(name: str) -> Conflict:
    """The answer to a token name that the user has given already."""
    return Conflict(
        f'A token with name "{name}" already exists.',
        validations=[Validation("name", "This value is already in use and should be unique.")],
    )


def mint_own(call: Call, caller: Caller, wanted: lifetime.Grant, name: str) -> str:
    """Make a token of the caller's own user, with what is wanted of what the calling token holds; answers its secret.

    Raises:
        Forbidden: the caller may mint none, or holds less than is wanted.
    """
    _check_may_mint(caller, caller.user)
    own = Wanted(_bounded(caller, wanted), lifetime.FIXED_LIFETIME, caller.key.allowed_ips, name)
    return str(_mint(call, caller, caller.user, lambda _user, _now: own).body["key"])


def _check_may_mint(caller: Caller, owner: User) -> None:
    if owner.id == _SYSTEM_USER:
        raise Forbidden
    if not caller.may("create", Object("api_key", owner=owner.id)):
        raise Forbidden(detail="Your token or your roles do not let you create tokens for this user.")


class Wanted(NamedTuple):
    """The token to be minted: what it holds, its login type, its networks, and its name, "" for one to be made up."""

    grant: lifetime.Grant
    login_type: str
    allowed_ips: tuple[str, ...]
    name: str = ""


def _mint(
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
                _FAILED, f"The user has {error.most} tokens, as many as a user may have; delete or expire one first."
            ) from error
        return Answer({"key": text, **_warnings(key)}, 201)

    return saved(write)


def _warnings(key: APIKey) -> dict[str, list[dict[str, str]]]:
    """The warnings to the owner of a new token, as fields of the answer; empty where there are none."""
    types = allow_list.unreadable_by_releases(map(allow_list.parse, key.allow_list))
    if not types:
        return {}
    detail = f"A Coder CLI that does not know {', '.join(types)} cannot list the tokens of this user any more."
    return {"warnings": [{"field": "allow_list", "detail": detail}]}


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


def _repeated(call: Call, caller: Caller, operation: Operation) -> Answer:
    """The answer to a mint that was done already, for a caller who could mint the token still."""
    key = api_keys.get(operation.key_id)
    if key is not None:
        _check_reach(caller, key)
    return repeated(call, caller, operation)


def _wanted(asked: CreateToken, entries: Sequence[allow_list.Entry], owner: User, now: datetime) -> lifetime.Grant:
    """The requested rights. Errors come in Coder's order: scopes, allow list, lifetime."""
    try:
        names = scopes.requested(asked.scope, asked.scopes)
        allowed = allow_list.normalise(entries)
    except (scopes.UnsupportedScope, allow_list.TooManyEntries) as error:
        raise BadRequest(_FAILED, str(error)) from error
    try:
        nanoseconds = lifetime.resolve(asked.lifetime, current().default_token_lifetime, max_token_lifetime(owner))
    except lifetime.InvalidLifetime as error:
        raise BadRequest("Failed to validate create API key request.", str(error)) from error
    return lifetime.Grant(names, allowed, now + as_timedelta(nanoseconds))


def _bounded(caller: Caller, wanted: lifetime.Grant) -> lifetime.Grant:
    """The rights of the new token: the requested ones, as far as the calling token holds them."""
    try:
        return lifetime.inherit_within_caller(caller.grant, wanted)
    except lifetime.ExceedsCaller as error:
        raise Forbidden(_FAILED, str(error)) from error


def _bounded_networks(caller: Caller, wanted: tuple[str, ...]) -> tuple[str, ...]:
    outside = networks.within(caller.key.allowed_ips, wanted)
    if outside is not None:
        raise Forbidden(
            _FAILED,
            f'exceeds the creating API key: network "{outside}" is not covered by its allowed IPs'
            f" [{' '.join(caller.key.allowed_ips)}]; request a subset, or authenticate with a key that allows it",
        )
    return wanted or caller.key.allowed_ips


def _check_reach(caller: Caller, key: APIKey) -> None:
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
    granted = _bounded(caller, held)
    _bounded_networks(caller, key.allowed_ips)
    wider_network = bool(caller.key.allowed_ips) and not key.allowed_ips
    if wider_network or granted.expires_at < key.expires_at:
        raise Forbidden(_FAILED, "exceeds the creating API key: the token outlives or outreaches it")
