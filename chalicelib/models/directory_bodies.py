"""The bodies of requests about users, memberships and organizations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.models.base import LONG_TEXT, Model, ShortText, Uuid
from chalicelib.records import LoginType, UserStatus
from chalicelib.search import values

_MAX_ORGANIZATIONS = 256
_MAX_ROLES = 128
_MAX_ROLE_NAME = 128


def _no_id(name: str) -> str:
    try:
        values.uuid(name)
    except values.WrongValue:
        return name
    raise ValueError("must not look like an id")


def _no_other_meaning(name: str) -> str:
    if name.lower() == "me":
        raise ValueError('"me" means whoever asks')
    return _no_id(name)


Name = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$")]
Username = Annotated[Name, AfterValidator(_no_other_meaning)]
Email = Annotated[str, Field(max_length=254, pattern=r"^([^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+)?$")]
"""An e-mail address; an empty text is the lack of one."""
OrganizationName = Annotated[Name, AfterValidator(_no_id)]
LongText = Annotated[str, Field(max_length=LONG_TEXT)]
OrganizationIds = Annotated[list[Uuid], Field(max_length=_MAX_ORGANIZATIONS)]
RoleNames = Annotated[list[Annotated[str, Field(max_length=_MAX_ROLE_NAME)]], Field(max_length=_MAX_ROLES)]


class PutOrganization(Model):
    """The new state of an organization; a field that is left out keeps its value, or is empty in a new one."""

    name: OrganizationName
    display_name: ShortText | None = None
    description: LongText | None = None
    icon: ShortText | None = None


class MirroredOrganization(PutOrganization):
    """The new state of an organization as the platform sends it, which alone says which one is its default."""

    is_default: bool | None = None


class PatchOrganization(Model):
    """The changes of an organization; an empty name stands for the present one."""

    name: OrganizationName | Literal[""] | None = None
    display_name: ShortText | None = None
    description: LongText | None = None
    icon: ShortText | None = None


class PutUser(Model):
    """The new state of a user; a field that is left out keeps its value, or takes the default in a new one.

    `organization_ids` are the memberships; `organization_roles` gives roles in them, and makes a member where needed.
    """

    username: Username
    email: Email
    name: ShortText | None = None
    avatar_url: ShortText | None = None
    status: UserStatus | None = None
    login_type: LoginType | None = None
    roles: RoleNames | None = None
    organization_ids: OrganizationIds | None = None
    organization_roles: Annotated[dict[Uuid, RoleNames], Field(max_length=_MAX_ORGANIZATIONS)] | None = None
    is_service_account: bool | None = None
    github_com_user_id: Annotated[int, Field(strict=True, ge=0, lt=2**63)] | None = None


class NewUser(Model):
    """codersdk.CreateUserRequestWithOrgs; `organization_id` and `disable_login` are sent by older clients."""

    username: Username
    email: Email = ""
    name: ShortText = ""
    password: str = ""
    login_type: LoginType = ""
    user_status: UserStatus | None = None
    organization_ids: OrganizationIds | None = None
    organization_id: Uuid | Literal[""] | None = None
    service_account: bool = False
    disable_login: bool = False
    roles: RoleNames | None = None


class Profile(Model):
    """The fields of a user that users may change themselves."""

    username: Username
    name: ShortText = ""
    avatar_url: ShortText | None = None


class Roles(Model):
    """The whole set of roles that a user is to have."""

    roles: RoleNames
