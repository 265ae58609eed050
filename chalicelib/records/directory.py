"""Users and organizations, as they are mirrored from the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from chalicelib.times import NEVER

UserStatus = Literal["active", "dormant", "suspended"]
"""A dormant user becomes active by using a token; a suspended one may not use any."""

LoginType = Literal["password", "github", "oidc", "token", "none", ""]
"""The ways to sign in to the platform; nobody has a password here."""


PREBUILDS_USER: Final = "c42fdf75-3097-471c-8c33-fb52454d81c0"
"""The platform's own user who owns prebuilt workspaces. It is no person: it is found by name, and in no list."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization, mirrored from the platform."""

    id: str
    name: str
    display_name: str
    description: str
    icon: str
    is_default: bool
    created_at: datetime
    updated_at: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A user, mirrored from the platform, or the owner that the bootstrap makes.

    Attributes:
        roles: site roles granted, without the implied `member`.
        organization_roles: organization id -> roles granted there; being a key is being a member.
        is_service_account: a machine, not a person; it may have no e-mail address.
        github_com_user_id: the user's number at github.com; 0 where that is not known.
        deleted: softly deleted: old log rows still name it, no list or search does, and its tokens are refused.
    """

    id: str
    username: str
    email: str
    name: str
    avatar_url: str
    status: str
    login_type: str
    roles: tuple[str, ...]
    organization_roles: Mapping[str, tuple[str, ...]]
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime = NEVER
    deleted: bool = False
    is_service_account: bool = False
    github_com_user_id: int = 0

    @property
    def is_listed(self) -> bool:
        """Whether lists and counts of users have it."""
        return not self.deleted and self.id != PREBUILDS_USER


PREBUILDS: Final = User(
    id=PREBUILDS_USER,
    username="prebuilds",
    email="",
    name="Prebuilds Owner",
    avatar_url="",
    status="active",
    login_type="none",
    roles=(),
    organization_roles=MappingProxyType({}),
    created_at=NEVER,
    updated_at=NEVER,
)
"""That user as every platform has it, until it is mirrored in."""
