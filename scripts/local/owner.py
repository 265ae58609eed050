"""The first owner of a deployment, and a token that opens everything to them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from chalicelib import times
from chalicelib.access import allow_list, scopes, secret
from chalicelib.access.lifetime import FIXED_LIFETIME
from chalicelib.api.trail import user_trail
from chalicelib.settings import current
from chalicelib.store import api_keys, directory
from chalicelib.store.audit_rows import writes_of
from chalicelib.store.records import APIKey, AuditLog, User

_OWNER = "owner"


def ensure_owner(kept_token: str | None) -> str:
    """Make the owner where there is none, and answer a token of theirs.

    Args:
        kept_token: one from an earlier start; it is answered again while it still opens everything.
    """
    if kept_token and _opens(kept_token):
        return kept_token
    owner = next((user for user in directory.list_users() if _is_usable(user)), None) or _made()
    return _minted(owner)


def _is_usable(user: User | None) -> bool:
    return user is not None and not user.deleted and user.status != "suspended" and _OWNER in user.roles


def _opens(token: str) -> bool:
    try:
        key_id, key_secret = secret.split(token)
    except secret.MalformedToken:
        return False
    key = api_keys.get(key_id) if secret.is_key_id(key_id) else None
    if key is None or not secret.matches(key_secret, key.hashed_secret) or key.expires_at <= times.now():
        return False
    return _is_usable(directory.get_user(key.user_id))


def _made() -> User:
    now = times.now()
    owner = User(
        id=str(uuid4()),
        username=current().owner_username,
        email=current().owner_email,
        name="",
        avatar_url="",
        status="active",
        login_type="none",
        roles=(_OWNER,),
        organization_roles={},
        created_at=now,
        updated_at=now,
    )
    directory.save_user(owner, None, *user_trail(None, None, 201, None, owner))
    return owner


def _minted(owner: User) -> str:
    now, made = times.now(), secret.generate()
    lifetime = timedelta(microseconds=current().max_admin_token_lifetime // 1_000)
    key = APIKey(
        id=made.id,
        hashed_secret=made.hashed,
        user_id=owner.id,
        login_type=FIXED_LIFETIME,
        token_name=f"serve_{made.id}",
        scopes=scopes.DEFAULT,
        allow_list=tuple(str(entry) for entry in allow_list.DEFAULT),
        created_at=now,
        updated_at=now,
        expires_at=now + lifetime,
        last_used=times.EPOCH,
        lifetime_seconds=lifetime // timedelta(seconds=1),
    )
    api_keys.add(key, *writes_of(_trail(key)))
    return made.text


def _trail(key: APIKey) -> AuditLog:
    return AuditLog(
        id=str(uuid4()),
        time=key.created_at,
        user_id=key.user_id,
        organization_id=None,
        ip=None,
        user_agent="scripts/serve",
        resource_type="api_key",
        resource_id=key.user_id,
        resource_target=key.token_name,
        resource_icon="",
        action="create",
        status_code=201,
        request_id=str(uuid4()),
        diff={},
        additional_fields={"changed_api_key_id": key.id},
    )
