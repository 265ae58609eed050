"""Whose roles somebody may not take away, they neither suspend nor delete."""

from __future__ import annotations

import pytest

from chalicelib.access.allow_list import ANYTHING
from chalicelib.access.assignment import irremovable
from chalicelib.access.decide import Subject
from chalicelib.access.roles import ORGANIZATION_ROLES, SITE_ROLES

ACME, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def holder(*roles: str, **organizations: tuple[str, ...]) -> Subject:
    named = {{"acme": ACME, "other": OTHER}[name]: held for name, held in organizations.items()}
    return Subject("u", roles, named, ("coder:all",), (ANYTHING,))


def test_an_owner_may_take_every_role_away() -> None:
    assert irremovable(holder("owner"), SITE_ROLES, {ACME: ORGANIZATION_ROLES}) == ()


@pytest.mark.parametrize("role", sorted(SITE_ROLES.keys() - {"member"}))
def test_a_user_admin_takes_no_site_role_away(role: str) -> None:
    assert irremovable(holder("user-admin"), (role,), {}) == (role,)


def test_a_member_of_organizations_is_a_user_admins_to_remove() -> None:
    held = {ACME: (), OTHER: ("organization-workspace-access",)}
    assert irremovable(holder("user-admin"), ("member",), held) == ()


def test_an_organization_role_is_taken_by_who_holds_the_right_in_that_organization() -> None:
    admin = holder("user-admin", acme=("organization-admin",))
    auditor = ("organization-auditor",)
    assert irremovable(admin, (), {ACME: auditor}) == ()
    assert irremovable(admin, (), {OTHER: auditor}) == auditor


def test_a_name_that_stands_for_no_role_protects_nobody() -> None:
    assert irremovable(holder("user-admin"), ("gone",), {ACME: ("also-gone",)}) == ()
