"""The decision: allowed is what a role grants, a scope of the token grants, and the allow list names.

All three must say yes, so a token can narrow what its user may do and never widen it. A secret that a rotation has
replaced does a token's work until its grace is over, and nothing to tokens. Pure: the same subject, action and object
always give the same answer. The order of the votes is that of Coder's policy: a refusal of a wider level
wins over a grant of a narrower one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from chalicelib.access import allow_list, policy, scopes
from chalicelib.access.allow_list import Entry
from chalicelib.access.policy import Permission, Vote, vote
from chalicelib.access.roles import (
    DEFAULT_ORGANIZATION_ROLES,
    IMPLICIT_ORGANIZATION_ROLE,
    IMPLICIT_SITE_ROLE,
    ORGANIZATION_ROLES,
    SITE_ROLES,
    Role,
)


class Secret(Enum):
    """Which of a token's secrets a caller brings."""

    CURRENT = "current"
    REPLACED = "replaced"
    """The one that the last rotation replaced; it still opens, until its grace is over."""

    RETIRED = "retired"
    """One that opens nothing, except that the rotation which replaced it may be sent again with it."""


CLOSED_TO_REPLACED_SECRETS: Final = frozenset(
    {
        ("api_key", "create"),
        ("api_key", "update"),
        ("api_key", "delete"),
        # Deleting a user deletes their tokens; roles and memberships decide what every token of their holder opens.
        ("user", "delete"),
        ("assign_role", "assign"),
        ("assign_org_role", "assign"),
        ("organization_member", "create"),
        ("organization_member", "delete"),
    }
)
"""Resource and action -> whatever makes, changes, ends or deletes tokens, or decides what they open: it takes the
token's current secret. So does the status of a user, which is a part of what `user:update` changes."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks: the user, the roles granted to them, and what their token is narrowed to.

    Attributes:
        user_id: the user's id, lower-case text.
        roles: site roles granted; `member` is implied.
        organization_roles: organization id -> roles granted there; a key is a membership and implies
            `organization-member`. Names that are no role of this kind grant nothing.
        scopes: canonical names. A name that stands for nothing grants nothing.
        allow_list: the objects the token may touch; empty refuses every one.
        secret: which secret of the token was brought.
    """

    user_id: str
    roles: tuple[str, ...]
    organization_roles: Mapping[str, tuple[str, ...]]
    scopes: tuple[str, ...]
    allow_list: tuple[Entry, ...]
    secret: Secret = Secret.CURRENT


@dataclass(frozen=True, slots=True)
class Object:
    """The object of a decision: its type in the policy table, its id, owner and organization; `""` where it has none.

    An object that is only about to be created has no id.
    """

    type: str
    id: str = ""
    owner: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The action may go ahead."""

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True, slots=True)
class Denied:
    """The action may not go ahead; the reason is for the service's own log, not for the client."""

    reason: str

    def __bool__(self) -> Literal[False]:
        return False


class SecretReplaced(Denied):
    """The action may not go ahead with this secret of the token; with the current one it might."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The objects of one type that an action may touch, as sets that a query can name without asking row by row.

    An object is within reach when one of the first four says so and `ids` does not say otherwise.

    Attributes:
        site: every object, wherever it belongs; the next three are then left empty.
        organizations: every object of these organizations.
        own: the user's own objects that belong to no organization.
        own_in: the user's own objects in these organizations.
        ids: the only ids that the token may touch, or None when it may touch any.
    """

    site: bool = False
    organizations: frozenset[str] = frozenset()
    own: bool = False
    own_in: frozenset[str] = frozenset()
    ids: frozenset[str] | None = None

    @property
    def nothing(self) -> bool:
        """Whether no object can be within reach, so that there is no need to look."""
        anywhere = self.site or self.own or bool(self.organizations) or bool(self.own_in)
        return not anywhere or (self.ids is not None and not self.ids)

    def includes(self, user_id: str, obj: Object) -> bool:
        """Whether an object of the type the reach was made for is within it, for the user it was made for."""
        if self.ids is not None and obj.id not in self.ids:
            return False
        if self.site or obj.organization in self.organizations:
            return True
        owned = _owned(user_id, obj)
        return owned and (obj.organization in self.own_in if obj.organization else self.own)


_NOTHING: Final = Reach()


def _owned(user_id: str, obj: Object) -> bool:
    return bool(obj.owner) and obj.owner == user_id


def _granted(names: Iterable[str], known: Mapping[str, Role]) -> Iterator[Role]:
    return (known[name] for name in names if name in known)


def _site_roles(subject: Subject) -> Iterator[Role]:
    return _granted((IMPLICIT_SITE_ROLE, *subject.roles), SITE_ROLES)


def _organization_roles(subject: Subject, organization: str) -> tuple[Role, ...]:
    """The roles in one organization; none for a stranger to it, and none for objects that belong to no organization."""
    names = subject.organization_roles.get(organization) if organization else None
    if names is None:
        return ()
    held = dict.fromkeys((IMPLICIT_ORGANIZATION_ROLE, *DEFAULT_ORGANIZATION_ROLES, *names))
    return tuple(_granted(held, ORGANIZATION_ROLES))


def _site_vote(subject: Subject, resource: str, action: str) -> Vote:
    """The vote of all grants that hold everywhere, those that organization roles carry among them."""
    organization_roles = (role for key in subject.organization_roles for role in _organization_roles(subject, key))
    granted = (role.site for roles in (_site_roles(subject), organization_roles) for role in roles)
    return vote((permission for site in granted for permission in site), resource, action)


def _own_vote(subject: Subject, resource: str, action: str) -> Vote:
    return vote((permission for role in _site_roles(subject) for permission in role.user), resource, action)


def _organization_votes(roles: tuple[Role, ...], resource: str, action: str) -> tuple[Vote, Vote]:
    """The votes inside one organization: on everything in it, and on what the user owns there."""
    everything = vote((permission for role in roles for permission in role.organization), resource, action)
    owned = vote((permission for role in roles for permission in role.member), resource, action)
    return everything, owned


def _roles_allow(subject: Subject, action: str, obj: Object) -> bool:
    site = _site_vote(subject, obj.type, action)
    if site:
        return site > 0
    owned = _owned(subject.user_id, obj)
    if not obj.organization:
        return owned and _own_vote(subject, obj.type, action) > 0
    everything, own = _organization_votes(_organization_roles(subject, obj.organization), obj.type, action)
    return everything > 0 or (everything == 0 and owned and own > 0)


def _scope_permissions(names: Iterable[str]) -> Iterator[Permission]:
    for name in names:
        try:
            yield from scopes.expand(name)
        except scopes.UnknownScope:
            # A token may outlive a scope's name: what the name stood for is gone, the rest of the token still counts.
            continue


def _scopes_allow(subject: Subject, action: str, resource: str) -> bool:
    return vote(_scope_permissions(subject.scopes), resource, action) > 0


def _bound(subject: Subject, resource: str) -> frozenset[str] | None:
    """The organizations to which the token's allow list binds what it does to a resource; None where it does not."""
    return allow_list.organizations(subject.allow_list) if resource in policy.LOGS else None


def _within_bound(subject: Subject, obj: Object) -> Allowed | Denied:
    """Whether an object is in an organization to which the token is bound, where it is bound to any."""
    bound = _bound(subject, obj.type)
    if bound is None or obj.organization in bound:
        return Allowed()
    return Denied(f"the allow list of the token is bound to organizations that this {obj.type} is not in")


def decide(subject: Subject, action: str, obj: Object) -> Allowed | Denied:
    """Whether the subject may do the action to the object: (role) and (scopes) and (allow list), and the secret.

    An action that the policy table does not have on that type is denied to everyone.
    """
    what = f"{obj.type}:{action}"
    if not policy.exists(obj.type, action):
        return Denied(f"the policy has no {what}")
    if not _roles_allow(subject, action, obj):
        return Denied(f"no role of the user grants {what} here")
    if not _scopes_allow(subject, action, obj.type):
        return Denied(f"no scope of the token grants {what}")
    if not allow_list.contains(subject.allow_list, obj.type, obj.id):
        return Denied(f"the allow list of the token does not name {obj.type}:{obj.id or '<new>'}")
    bounded = _within_bound(subject, obj)
    if bounded and is_closed_to_secret(subject, action, obj.type):
        return SecretReplaced(f"{what} takes the token's current secret")
    return bounded


def is_closed_to_secret(subject: Subject, action: str, resource: str) -> bool:
    """Whether the action on that type takes the token's current secret, and the subject brings a replaced one."""
    return subject.secret is Secret.REPLACED and (resource, action) in CLOSED_TO_REPLACED_SECRETS


def reach(subject: Subject, action: str, resource: str) -> Reach:
    """Which objects of one type `decide` allows the action on, without looking at any of them."""
    if not policy.exists(resource, action) or not _scopes_allow(subject, action, resource):
        return _NOTHING
    site = _site_vote(subject, resource, action)
    if site < 0:
        return _NOTHING
    named = allow_list.ids(subject.allow_list, resource)
    bound = _bound(subject, resource)
    if site > 0:
        return Reach(site=True, ids=named) if bound is None else Reach(organizations=bound, ids=named)
    organizations, own_in = set(), set()
    for organization in subject.organization_roles:
        everything, own = _organization_votes(_organization_roles(subject, organization), resource, action)
        if everything > 0:
            organizations.add(organization)
        elif everything == 0 and own > 0:
            own_in.add(organization)
    if bound is not None:
        return Reach(organizations=bound & organizations, own_in=bound & own_in, ids=named)
    return Reach(
        organizations=frozenset(organizations),
        own=_own_vote(subject, resource, action) > 0,
        own_in=frozenset(own_in),
        ids=named,
    )
