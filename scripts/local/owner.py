"""The owner of a local deployment, and a token that opens everything to them, kept or made."""

from __future__ import annotations

from chalicelib import times
from chalicelib.access import secret
from chalicelib.settings import current
from chalicelib.store.directory import api_keys, people
from scripts.owner import is_usable, make_owner, mint_token, usable_owner


def ensure_owner(kept_token: str | None) -> str:
    """Make the owner where there is none, and answer a token of theirs.

    Args:
        kept_token: one from an earlier start; it is answered again while it still opens everything.
    """
    if kept_token and _opens(kept_token):
        return kept_token
    owner = usable_owner() or make_owner(current().owner_username, current().owner_email)
    return mint_token(owner, "serve")


def _opens(token: str) -> bool:
    try:
        key_id, key_secret = secret.split(token)
    except secret.MalformedToken:
        return False
    key = api_keys.get(key_id) if secret.is_key_id(key_id) else None
    if key is None or not secret.matches(key_secret, key.hashed_secret) or key.expires_at <= times.now():
        return False
    return is_usable(people.get_user(key.user_id))
