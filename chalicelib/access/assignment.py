"""The roles of a user that a caller may not remove; who may not remove the roles may not suspend or delete the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.access.decide import Subject
from chalicelib.access.roles import ROLES, assignable


def irremovable(
    subject: Subject, roles: Iterable[str], organization_roles: Mapping[str, Iterable[str]]
) -> tuple[str, ...]:
    """The roles of a user that the subject may not take away, by name; none when there are no such roles.

    Args:
        subject: who wants to take them.
        roles: the site roles of the user.
        organization_roles: organization id -> the roles of the user in it.
    """
    kept = {*roles} - assignable(subject.roles)
    for organization, names in organization_roles.items():
        held = (*subject.roles, *subject.organization_roles.get(organization, ()))
        kept |= {*names} - assignable(held)
    # A name that stands for no role grants nothing: it protects nobody.
    return tuple(sorted(kept & ROLES.keys()))
