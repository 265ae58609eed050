"""Tokens: minted here, shown once."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib import times
from chalicelib.access import allow_list, lifetime, scopes, secret
from chalicelib.access.decide import Object, decide
from chalicelib.api import lookup
from chalicelib.api.authentication import Caller, authenticated
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.errors import BadRequest, Conflict, Forbidden, Validation
from chalicelib.models.base import parse
from chalicelib.models.tokens import CreateToken
from chalicelib.settings import current
from chalicelib.store import api_keys
from chalicelib.store.records import APIKey, User

routes = Routes(__name__)

_FAILED = "Failed to create API key."
_NANOSECONDS_A_SECOND = 1_000_000_000
_OWNER = "owner"


@routes.view("/api/v2/users/{user}/keys/tokens", methods=["POST"])
@authenticated
def create(call: Call, caller: Caller, user: str) -> Answer:
    """Mint a token; its secret is in this answer and nowhere else."""
    asked = parse(CreateToken, call.body)
    entries = _entries(asked)
    owner = lookup.user(caller, user)
    if not decide(caller.subject, "create", Object("api_key", owner=owner.id)):
        raise Forbidden(detail="Your token or your roles do not let you create tokens for this user.")
    now = times.now()
    grant = _bounded(caller, _wanted(asked, entries, owner, now))
    made = secret.generate()
    key = APIKey(
        id=made.id,
        hashed_secret=made.hashed,
        user_id=owner.id,
        login_type=lifetime.FIXED_LIFETIME,
        token_name=asked.token_name or f"token_{secret.generate().id}",
        scopes=grant.scopes,
        allow_list=tuple(str(entry) for entry in grant.allow_list),
        created_at=now,
        updated_at=now,
        expires_at=grant.expires_at,
        last_used=times.EPOCH,
        lifetime_seconds=max(1, (grant.expires_at - now) // timedelta(seconds=1)),
    )
    try:
        api_keys.add(key)
    except api_keys.NameTaken as error:
        raise Conflict(
            f'A token with name "{key.token_name}" already exists.',
            validations=[Validation("name", "This value is already in use and should be unique.")],
        ) from error
    return Answer({"key": made.text}, 201)


def max_token_lifetime(owner: User) -> int:
    """The longest lifetime, in nanoseconds, of a token of this user."""
    return current().max_admin_token_lifetime if _OWNER in owner.roles else current().max_token_lifetime


def _entries(asked: CreateToken) -> list[allow_list.Entry]:
    try:
        return [allow_list.parse(entry) for entry in asked.allow_list]
    except allow_list.InvalidAllowList as error:
        raise BadRequest("Request body must be valid JSON.", str(error)) from error


def _wanted(asked: CreateToken, entries: list[allow_list.Entry], owner: User, now: datetime) -> lifetime.Grant:
    """What is asked for. What is wrong with it is told in Coder's order: scopes, allow list, lifetime."""
    try:
        names = scopes.requested(asked.scope, asked.scopes)
        allowed = allow_list.normalise(entries)
    except (scopes.UnsupportedScope, allow_list.TooManyEntries) as error:
        raise BadRequest(_FAILED, str(error)) from error
    try:
        nanoseconds = lifetime.resolve(asked.lifetime, current().default_token_lifetime, max_token_lifetime(owner))
    except lifetime.InvalidLifetime as error:
        raise BadRequest("Failed to validate create API key request.", str(error)) from error
    seconds = nanoseconds // _NANOSECONDS_A_SECOND
    return lifetime.Grant(names, allowed, lifetime.resolve_expiry(now, seconds, lifetime_seconds=seconds).expires_at)


def _bounded(caller: Caller, wanted: lifetime.Grant) -> lifetime.Grant:
    """What the new token gets: what is asked for, as far as the calling token holds it itself."""
    held = lifetime.Grant(caller.key.scopes, caller.subject.allow_list, caller.key.expires_at)
    try:
        return lifetime.inherit_within_caller(held, wanted)
    except lifetime.ExceedsCaller as error:
        raise Forbidden(_FAILED, str(error)) from error
