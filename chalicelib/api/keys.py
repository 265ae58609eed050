"""Existing tokens: list, read, narrow, expire, delete. No answer here holds a secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from chalicelib import times
from chalicelib.access import allow_list, lifetime, networks, scopes
from chalicelib.access.decide import Object, decide, reach
from chalicelib.api import answer_limits, links, lookup
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.lifetimes import max_token_lifetime
from chalicelib.api.minting import name_taken
from chalicelib.api.parameters import boolean, int32
from chalicelib.api.saving import saved
from chalicelib.api.tokens import check_changeable, parse_entries
from chalicelib.api.trail import key_trail
from chalicelib.errors import BadRequest, Invalid, NotFound, Validation
from chalicelib.models.base import parse
from chalicelib.models.sending import bytes_sent
from chalicelib.models.tokens import NarrowToken, TokenConfigJSON, api_key_json
from chalicelib.records import APIKey, User
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.token_names import NameTaken

DEFAULT_LIMIT = 500
AT_ONCE = 100
"""Tokens whose users are read in one call."""


@authenticated
def list_tokens(call: Call, caller: Caller, user: str) -> Answer:
    """A user's tokens, or with `include_all` everybody's, as far as the caller may read them, oldest first.

    `include_expired` shows expired ones too. A page has at most `limit` tokens, 500 where nothing is said, and fewer
    where they are long; the header `Link` names the next one, which `after_id` asks for.
    """
    owner = lookup.user(caller, user)
    wrong: list[Validation] = []
    limit = int32(call, "limit", wrong)
    after = api_keys.get(call.query("after_id")) if call.query("after_id") else None
    if call.query("after_id") and (
        after is None or after.login_type != lifetime.FIXED_LIFETIME or not _readable(caller, after)
    ):
        wrong.append(Validation("after_id", 'Query param "after_id" must be the id of a token'))
    if wrong:
        raise Invalid(wrong, "Query parameters have invalid values.")
    keys = _listed(caller, owner, after, everybodys=boolean(call.query("include_all")))
    now = times.now()
    ended = boolean(call.query("include_expired"))
    wanted = (key for key in keys if (key.expires_at > now or ended) and _readable(caller, key))
    texts, last, more = _page(caller, wanted, limit or DEFAULT_LIMIT)
    headers = links.next_page(call, {"after_id": last}) if more else {}
    return Answer(Encoded(f"[{','.join(texts)}]"), headers=headers)


def _listed(caller: Caller, owner: User, after: APIKey | None, *, everybodys: bool) -> Iterator[APIKey]:
    """The tokens of a user, or everybody's: for who may read their own alone, these, without a look at all others."""
    if everybodys and reach(caller.subject, "read", "api_key").site:
        return api_keys.list_all(after)
    return api_keys.of_user(caller.user.id if everybodys else owner.id, after)


def _page(caller: Caller, keys: Iterator[APIKey], limit: int) -> tuple[list[str], str, bool]:
    """One page of tokens as JSON, the id of its last token, and whether there are more."""
    texts: list[str] = []
    size, last = 0, ""
    while chunk := list(islice(keys, AT_ONCE)):
        users = people.get_users(key.user_id for key in chunk)
        for key in chunk:
            user = users.get(key.user_id)
            # What a user had before their deletion is never listed again, not even when they come back.
            if user is None or user.deleted or key.created_at < user.created_at:
                continue
            known = decide(caller.subject, "read", lookup.user_object(user.id))
            text = encoded({**api_key_json(key), "username": user.username if known else ""}).text
            size += bytes_sent(text)
            if len(texts) == limit or (texts and size > answer_limits.LARGEST_ANSWER):
                return texts, last, True
            texts.append(text)
            last = key.id
    return texts, last, False


@authenticated
def token_config(_call: Call, caller: Caller, user: str) -> Answer:
    """The longest lifetime that a token of this user may have, in nanoseconds."""
    return Answer(TokenConfigJSON(max_token_lifetime=max_token_lifetime(lookup.user(caller, user))))


@authenticated
def show_by_name(_call: Call, caller: Caller, user: str, keyname: str) -> Answer:
    """The user's token of this name."""
    key = api_keys.get_by_name(lookup.user(caller, user).id, keyname)
    if key is None or not _readable(caller, key):
        raise NotFound
    return Answer(api_key_json(key))


@authenticated
def show(_call: Call, caller: Caller, user: str, keyid: str) -> Answer:
    """The token or session key with this id."""
    lookup.user(caller, user)
    return Answer(api_key_json(lookup.api_key(caller, keyid, "read")))


@authenticated
def narrow(call: Call, caller: Caller, user: str, keyid: str) -> Answer:
    """Take scopes, objects, networks or time away from a token, or rename it; nothing is ever added."""
    asked = parse(NarrowToken, call.body)
    lookup.user(caller, user)

    def write() -> Answer:
        before = lookup.api_key(caller, keyid, "read", "update")
        check_changeable(before, times.now())
        after = _narrowed(before, asked)
        if after != before:
            after = replace(after, updated_at=times.now())
            try:
                rows = key_trail(call, caller, "write", 200, before=before, after=after)
                api_keys.change(after, before, *rows, guards=caller.unchanged(before))
            except NameTaken as error:
                raise name_taken(after.token_name) from error
        return Answer(api_key_json(after))

    return saved(write)


@authenticated
def expire(call: Call, caller: Caller, user: str, keyid: str) -> Answer:
    """End a token now and keep it for the record; one that has ended keeps its end."""
    lookup.user(caller, user)

    def write() -> Answer:
        before = lookup.api_key(caller, keyid, "read", "update")
        now = times.now()
        if before.expires_at > now:
            after = replace(
                before, expires_at=now, updated_at=now, previous_secret=None, previous_until=None, retry_secret=None
            )
            rows = key_trail(call, caller, "write", 204, before=before, after=after)
            api_keys.change(after, before, *rows, guards=caller.unchanged(before))
        return Answer(None, 204)

    return saved(write)


@authenticated
def delete(call: Call, caller: Caller, user: str, keyid: str) -> Answer:
    """Delete a token or session key, expired or not; its name is free again."""
    lookup.user(caller, user)

    def write() -> Answer:
        before = lookup.api_key(caller, keyid, "delete")
        rows = key_trail(call, caller, "delete", 204, before=before)
        api_keys.delete([before], *rows, guards=caller.unchanged(before))
        return Answer(None, 204)

    return saved(write)


def _readable(caller: Caller, key: APIKey) -> bool:
    return bool(decide(caller.subject, "read", Object("api_key", key.id, owner=key.user_id)))


def _narrowed(before: APIKey, asked: NarrowToken) -> APIKey:
    """The token after a change that only takes away.

    Raises:
        BadRequest: something would be added; the detail says what.
    """
    entries = tuple(allow_list.parse(entry) for entry in before.allow_list)
    held = lifetime.Grant(before.scopes, entries, before.expires_at)
    end = asked.expires_at or before.expires_at
    try:
        names = scopes.requested("", asked.scopes or ())
        wanted = allow_list.normalise(parse_entries(asked.allow_list or ()))
        grant = lifetime.inherit_within_caller(held, lifetime.Grant(names, wanted, end), "the API key")
    except (scopes.UnsupportedScope, allow_list.TooManyEntries, lifetime.ExceedsCaller) as error:
        raise BadRequest("Failed to change API key.", str(error)) from error
    if end > before.expires_at:
        raise BadRequest("Failed to change API key.", "exceeds the API key: expires_at can only become earlier")
    ips = before.allowed_ips if asked.allowed_ips is None else asked.allowed_ips
    outside = networks.within(before.allowed_ips, ips)
    if outside is not None or (before.allowed_ips and not ips):
        raise BadRequest(
            "Failed to change API key.",
            f"exceeds the API key: its allowed IPs are [{' '.join(before.allowed_ips)}]; request a subset",
        )
    return replace(
        before,
        scopes=grant.scopes,
        allow_list=tuple(str(entry) for entry in grant.allow_list),
        expires_at=end,
        allowed_ips=ips,
        token_name=asked.token_name or before.token_name,
    )
