"""Every gated route opens for exactly the roles that grant what it needs: each request of the matrix, by each role.

What is right is read from a table of roles of its own, beside the gate's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from chalicelib.access.roles import ORGANIZATION_ROLES, SITE_ROLES
from scripts.docs.access import RIGHTS
from scripts.docs.callers import CALLERS, OUTSIDER, THEMSELVES
from tests.api.matrix import CASES, Case, Stage

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House

SPECIFIED = {
    "owner": (
        "S api_key:create,read,update,delete user:create,read,update,delete organization:create,read,update,delete"
        " organization_member:create,read,update,delete assign_role:assign,read assign_org_role:assign,read"
        " connection_log:read,update audit_log:read,create deployment_config:read,update"
        " template:read,update workspace:read,update provisioner_daemon:update provisioner_jobs:read,update"
        " notification_preference:read,update notification_template:update"
    ),
    "member": (
        "S assign_role:read U api_key:create,read,update,delete user:read user_secret:create,read,update,delete"
        " inbox_notification:read,update notification_preference:read,update"
    ),
    "auditor": (
        "S audit_log:read connection_log:read user:read organization:read organization_member:read"
        " assign_org_role:read deployment_config:read template:read"
    ),
    "template-admin": (
        "S user:read organization:read organization_member:read assign_org_role:read"
        " template:read,update workspace:read provisioner_daemon:update"
    ),
    "user-admin": (
        "S user:create,read,update,delete organization:read organization_member:create,read,update,delete"
        " assign_role:assign,read assign_org_role:assign,read"
    ),
    # Upstream lets administrators of an organization write its logs. Here who is on record does not write it.
    "organization-admin": (
        "S user:read O api_key:create,read,update,delete organization:create,read,update,delete"
        " organization_member:create,read,update,delete assign_role:assign,read assign_org_role:assign,read"
        " connection_log:read audit_log:read deployment_config:read,update"
        " template:read,update workspace:read,update provisioner_daemon:update provisioner_jobs:read,update"
    ),
    "organization-auditor": "O audit_log:read connection_log:read organization:read template:read",
    "organization-user-admin": (
        "S user:read O organization:read organization_member:create,read,update,delete assign_org_role:assign,read"
    ),
    "organization-template-admin": (
        "O organization:read organization_member:read template:read,update workspace:read provisioner_daemon:update"
        " provisioner_jobs:read,update"
    ),
    "organization-member": (
        "O organization:read organization_member:read assign_org_role:read M api_key:create,read,update,delete"
    ),
    "organization-workspace-access": "M workspace:read",
    "organization-workspace-creation-ban": "",
    "organization-service-account": "O organization:read M api_key:create,read,update,delete",
}
"""Role -> what it grants of the resources that routes are about: site-wide (S), in its organization (O), of the user's
own outside of organizations (U) and in its organization (M). `api_key`, users and their secrets belong to no
organization."""


_OWNED = ("user", "api_key", "user_secret", "notification_preference")
_ALWAYS_OWN = "inbox_notification"


MIRRORED_RESOURCES = ("template", "workspace", "provisioner_daemon", "provisioner_jobs")


@dataclass(frozen=True)
class Kind:
    """A kind of caller: the roles, and whether requests are about them and their organization."""

    roles: tuple[str, ...]
    is_at_home: bool = False
    is_about_self: bool = False

    def may(self, case: Case) -> bool:
        """Whether one of the roles grants each right that a case needs, by the specification."""
        return all(any(self._grants(role, case, right) for role in self.roles) for right in case.permissions)

    def _grants(self, role: str, case: Case, right: str) -> bool:
        resource, action = right.split(":")
        new = right in ("user:create", "organization:create") or str(case) == "POST /api/v2/organizations"
        placeless = new or resource in (*_OWNED, _ALWAYS_OWN, "assign_role", "deployment_config")
        # What the platform is like is no organization's to say.
        placeless = placeless or (action == "update" and resource in MIRRORED_RESOURCES and case.method != "GET")
        owned = self.is_about_self and not new and resource in (*_OWNED, "organization_member")
        owned = owned or resource == _ALWAYS_OWN
        level = ""
        for word in SPECIFIED[role].split():
            if ":" not in word:
                level = word
            elif word.split(":")[0] == resource and action in word.split(":")[1].split(","):
                own = resource == "workspace" and self.is_at_home and self.is_about_self
                here = {"S": True, "O": not placeless and self.is_at_home, "U": placeless and owned, "M": own}
                if here[level]:
                    return True
        return False


MEMBER = ("member", "organization-member", "organization-workspace-access")
"""The roles that every member of an organization has."""
KINDS = {
    **{name: Kind(("member", name)) for name in SITE_ROLES},
    **{name: Kind((*MEMBER, name), is_at_home=True) for name in ORGANIZATION_ROLES},
    OUTSIDER: Kind(("member", "organization-member", "organization-admin")),
    THEMSELVES: Kind(MEMBER, is_at_home=True, is_about_self=True),
}


@dataclass
class Callers:
    """Makes callers of every kind."""

    house: House
    stage: Stage
    made: int = 0

    def __call__(self, kind: str) -> Client:
        if kind == THEMSELVES:
            return self.house.client(self.stage.bob, allow_list=("*:*", *self.stage.allow_list()))
        self.made += 1
        return self.house.client(self._user(kind, f"caller{self.made}"))

    def _user(self, kind: str, username: str) -> User:
        who = CALLERS[kind]
        places = {"here": self.stage.acme.id}
        if "elsewhere" in who.organization_roles:
            places["elsewhere"] = self.house.organization(f"other{self.made}").id
        held = {places[place]: roles for place, roles in who.organization_roles.items()}
        return self.house.user(username, *who.roles, organizations=held)


def test_every_role_is_in_the_matrix_and_in_the_specification() -> None:
    assert set(SPECIFIED) == {*SITE_ROLES, *ORGANIZATION_ROLES}
    assert set(CALLERS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_opens_exactly_the_routes_that_it_is_to_open(
    house: House, owner: Client, root: User, keeps_secrets: None, keeps_exports: list[str], kind: str
) -> None:
    assert keeps_secrets is None
    assert keeps_exports == []
    stage = Stage(house, owner, root)
    callers = Callers(house, stage)
    client = callers(kind)
    for case in CASES:
        # It is another one's token, or secret, that a right is needed for.
        sent = replace(case, named=None) if case.is_of_caller else case
        reply = stage.call(sent, client)
        should = KINDS[kind].may(case)
        assert case.opened(reply) is should, f"{case} by {kind}: {reply.status} {reply.text}"
        if should and case.method != "GET":
            stage.set_up_after(case)
            client = callers(kind)
        elif not should:
            # Nobody changes their own roles, whatever they may do to others': that is said before anything else.
            refused = (200, 400, 403, 404) if kind == THEMSELVES else (200, 403, 404)
            assert reply.status in refused, f"{case} by {kind}: {reply.status} {reply.text}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_table_for_people_says_the_same(case: Case) -> None:
    assert str(case) in RIGHTS
    for name, who in CALLERS.items():
        assert who.may(str(case)) is KINDS[name].may(case), name
