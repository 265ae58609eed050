"""Users and organizations as clients read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NotRequired

from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.access.roles import DEFAULT_ORGANIZATION_ROLES, ROLES
from chalicelib.errors import Validation
from chalicelib.records import Organization, User
from chalicelib.store.platform.rows import Mirrored


class RoleJSON(TypedDict):
    """A role granted to a user."""

    name: str
    display_name: str
    organization_id: NotRequired[str]


class UserJSON(TypedDict):
    """codersdk.User; `name` and `avatar_url` are left out when empty, and what is false but for `has_ai_seat`.

    `deleted` is ours: a user who was deleted can still be looked up by id.
    """

    id: str
    username: str
    name: NotRequired[str]
    avatar_url: NotRequired[str]
    email: str
    created_at: str
    updated_at: str
    last_seen_at: str
    status: str
    login_type: str
    organization_ids: list[str]
    roles: list[RoleJSON]
    is_service_account: NotRequired[bool]
    deleted: NotRequired[bool]
    has_ai_seat: bool


def role_json(name: str) -> RoleJSON:
    """A role by name; one that is not known here has its name alone."""
    role = ROLES.get(name)
    return {"name": name, "display_name": role.display_name if role else name}


class WarningJSON(TypedDict):
    """A field of a request, and what the sender should know of it, such as why a part of it was left out."""

    field: str
    detail: str


class StoredUserJSON(UserJSON):
    """A user as stored now, and what of the request was left out."""

    warnings: NotRequired[list[WarningJSON]]


class UserRolesJSON(TypedDict):
    """The site roles of a user, and those in each organization where the caller may read who is a member."""

    roles: list[str]
    organization_roles: dict[str, list[str]]


class UserPageJSON(TypedDict):
    """The fields beside the users of a page.

    `count` is exact, unless `count_cap` says where counting ended or `count_partial` that it was cut short. Where there
    are more users, `next_after_id` and `next_offset` are the `after_id` and `offset` of the next request.
    """

    count: NotRequired[int]
    count_cap: NotRequired[int]
    count_partial: NotRequired[bool]
    next_after_id: NotRequired[str]
    next_offset: NotRequired[int]
    partial: NotRequired[bool]


class UsersJSON(UserPageJSON):
    """A page of users, by username."""

    users: list[UserJSON]


class OrganizationJSON(TypedDict):
    """codersdk.Organization; beyond the implied `organization-member` nobody gets a role by joining."""

    id: str
    name: str
    display_name: str
    description: str
    icon: str
    created_at: str
    updated_at: str
    is_default: bool
    default_org_member_roles: list[str]


class MinimalOrganizationJSON(TypedDict):
    """The organization beside a log row."""

    id: str
    name: str
    display_name: str
    icon: str


def user_json(user: User, *, with_organizations: bool = True) -> UserJSON:
    """A user as clients read it; beside a log row without organizations, and without `deleted`."""
    body: UserJSON = {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "created_at": times.wire(user.created_at),
        "updated_at": times.wire(user.updated_at),
        "last_seen_at": times.wire(user.last_seen_at),
        "status": user.status,
        "login_type": user.login_type,
        "organization_ids": sorted(user.organization_roles) if with_organizations else [],
        "roles": [role_json(role) for role in user.roles],
        "has_ai_seat": False,
    }
    if user.name:
        body["name"] = user.name
    if user.avatar_url:
        body["avatar_url"] = user.avatar_url
    if user.is_service_account:
        body["is_service_account"] = True
    if user.deleted and with_organizations:
        body["deleted"] = True
    return body


def stored_user_json(user: User, left_out: Sequence[Validation]) -> StoredUserJSON | UserJSON:
    """A user as stored now, with what of the request was left out, where there is any."""
    body = user_json(user)
    if not left_out:
        return body
    return {**body, "warnings": [{"field": field, "detail": detail} for field, detail in left_out]}


def unknown_user_json(user_id: str, username: str = "") -> UserJSON:
    """A user of whom a reader learns the id and the username alone."""
    never = times.wire(times.NEVER)
    return {
        "id": user_id,
        "username": username,
        "email": "",
        "created_at": never,
        "updated_at": never,
        "last_seen_at": never,
        "status": "",
        "login_type": "",
        "organization_ids": [],
        "roles": [],
        "has_ai_seat": False,
    }


class Beside:
    """The users and organizations that stand beside the rows of a page, each made JSON once for all of them.

    Attributes:
        users: by id.
        organizations: by id.
        mirrored: objects of the platform, by the ids of their items.
    """

    def __init__(
        self,
        users: Mapping[str, User],
        organizations: Mapping[str, Organization],
        known_to_reader: Callable[[User], bool] = lambda _: True,
        mirrored: Mapping[str, Mirrored] = MappingProxyType({}),
    ) -> None:
        """Begin a page.

        Args:
            users: by id.
            organizations: by id.
            known_to_reader: whether the reader may know more of a user than the id and the username.
            mirrored: objects of the platform, by the ids of their items.
        """
        self._known_to_reader = known_to_reader
        self.users = users
        self.organizations = organizations
        self.mirrored = mirrored
        self._user_json: dict[str, UserJSON] = {}
        self._organization_json: dict[str, MinimalOrganizationJSON] = {}

    def username(self, user_id: str) -> str:
        """Today's name of a user; "" of one that the directory does not know."""
        user = self.users.get(user_id)
        return user.username if user else ""

    def user(self, user_id: str) -> UserJSON:
        """A user, without organizations; of one that the reader may not know, or nobody knows, no more than the names.

        Of a user that the directory does not know, the row itself knows the id alone.
        """
        if user_id not in self._user_json:
            user = self.users.get(user_id)
            if user is not None and self._known_to_reader(user):
                known = user_json(user, with_organizations=False)
            else:
                known = unknown_user_json(user_id, self.username(user_id))
            self._user_json[user_id] = known
        return self._user_json[user_id]

    def organization(self, organization_id: str) -> MinimalOrganizationJSON:
        """An organization; of one that the directory does not know, the id alone."""
        if organization_id not in self._organization_json:
            known = self.organizations.get(organization_id)
            self._organization_json[organization_id] = minimal_organization_json(organization_id, known)
        return self._organization_json[organization_id]


def organization_json(organization: Organization) -> OrganizationJSON:
    """An organization as clients read it."""
    return {
        "id": organization.id,
        "name": organization.name,
        "display_name": organization.display_name,
        "description": organization.description,
        "icon": organization.icon,
        "created_at": times.wire(organization.created_at),
        "updated_at": times.wire(organization.updated_at),
        "is_default": organization.is_default,
        "default_org_member_roles": [*DEFAULT_ORGANIZATION_ROLES],
    }


def minimal_organization_json(organization_id: str, organization: Organization | None) -> MinimalOrganizationJSON:
    """The organization beside a log row; of one the directory does not know, the row knows the id."""
    return {
        "id": organization_id,
        "name": organization.name if organization else "",
        "display_name": organization.display_name if organization else "",
        "icon": organization.icon if organization else "",
    }
