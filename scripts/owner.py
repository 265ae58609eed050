"""Owners of a deployment, made by those who run it: no open route makes the first one."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from chalicelib import times
from chalicelib.access import allow_list, scopes, secret
from chalicelib.access.lifetime import FIXED_LIFETIME
from chalicelib.api.trail import organization_trail, user_trail
from chalicelib.logs.audit_event import OWN_MARK
from chalicelib.records import APIKey, AuditLog, Organization, User
from chalicelib.settings import current
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.default_organization import default_organization_id
from chalicelib.store.logs.audit_rows import writes_of

_OWNER = "owner"
_ORGANIZATION = "gatebook"


def usable_owner() -> User | None:
    """An owner who may sign in, the first by username; None where there is none."""
    return next((user for user in people.list_users() if is_usable(user)), None)


def is_usable(user: User | None) -> bool:
    """Whether this is an owner who may sign in."""
    return user is not None and not user.deleted and user.status != "suspended" and _OWNER in user.roles


def make_owner(username: str, email: str) -> User:
    """Make an owner, a member of the default organization, as clients ask what belongs to the first one of theirs.

    Where there is no organization yet, one is made: a placeholder until the platform sends its own.

    Raises:
        Taken: another user has the username or the e-mail address.
    """
    now = times.now()
    organization = default_organization_id() or _make_organization(now)
    owner = User(
        id=str(uuid4()),
        username=username,
        email=email,
        name="",
        avatar_url="",
        status="active",
        login_type="none",
        roles=(_OWNER,),
        organization_roles={organization: ()} if organization else {},
        created_at=now,
        updated_at=now,
    )
    people.save_user(owner, None, *user_trail(None, None, 201, None, owner))
    return owner


def _make_organization(now: datetime) -> str | None:
    if next(people.list_organizations(), None):
        return None
    made = Organization(
        id=str(uuid4()),
        name=_ORGANIZATION,
        display_name=_ORGANIZATION.title(),
        description="Made with the first owner.",
        icon="",
        is_default=True,
        created_at=now,
        updated_at=now,
    )
    people.save_organization(made, None, *organization_trail(None, None, 201, None, made))
    return made.id


def mint_token(owner: User, command: str) -> str:
    """Make a token that opens everything to an owner, with its trail; only this answer has its secret.

    Args:
        owner: whose it is.
        command: what made it, such as `bootstrap`: the trail names it, and so does the token.
    """
    now, made = times.now(), secret.generate()
    lifetime = timedelta(microseconds=current().max_admin_token_lifetime // 1_000)
    key = APIKey(
        id=made.id,
        hashed_secret=made.hashed,
        user_id=owner.id,
        login_type=FIXED_LIFETIME,
        token_name=f"{command}_{made.id}",
        scopes=scopes.DEFAULT,
        allow_list=tuple(str(entry) for entry in allow_list.DEFAULT),
        created_at=now,
        updated_at=now,
        expires_at=now + lifetime,
        last_used=times.EPOCH,
        lifetime_seconds=lifetime // timedelta(seconds=1),
    )
    api_keys.add(key, *writes_of(_trail(key, command)))
    return made.text


def _trail(key: APIKey, command: str) -> AuditLog:
    return AuditLog(
        id=str(uuid4()),
        time=key.created_at,
        user_id=key.user_id,
        organization_id=None,
        ip=None,
        user_agent=f"scripts/{command}",
        resource_type="api_key",
        resource_id=key.user_id,
        resource_target=key.token_name,
        resource_icon="",
        action="create",
        status_code=201,
        request_id=str(uuid4()),
        diff={},
        additional_fields={OWN_MARK: True, "changed_api_key_id": key.id},
    )
