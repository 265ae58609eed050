"""Names of roles in a request become the roles that are granted: implied ones are left out, and so are repetitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.access.roles import Role
from chalicelib.errors import BadRequest, Validation
from chalicelib.search.values import quoted


def supported(names: Sequence[str], roles: Mapping[str, Role], implied: str) -> tuple[str, ...]:
    """The roles to grant.

    Args:
        names: as the client sent them.
        roles: those that can be granted, by name.
        implied: the role that everybody has, which is not granted.

    Raises:
        BadRequest: a name is none of a role.
    """
    for name in names:
        if name not in roles:
            raise BadRequest(f"{quoted(name)} is not a supported role")
    return tuple(dict.fromkeys(name for name in names if name != implied))


def known(
    names: Sequence[str], roles: Mapping[str, Role], implied: str, field: str, warnings: list[Validation]
) -> tuple[str, ...]:
    """The roles to grant, of names that another program sent: one that is not known here costs that role alone.

    Args:
        names: as the platform has them.
        roles: those that can be granted, by name.
        implied: the role that everybody has, which is not granted.
        field: where the names stand in the request.
        warnings: a warning for each name that is left out is added to it.
    """
    for index, name in enumerate(names):
        if name not in roles:
            warnings.append(Validation(f"{field}.{index}", f"{quoted(name)} is not a supported role and was left out"))
    return supported([name for name in names if name in roles], roles, implied)
