"""Every kind of caller, and the requests that the gate lets each make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from chalicelib.access import allow_list
from chalicelib.access.decide import CLOSED_TO_REPLACED_SECRETS, Object, Subject, decide
from chalicelib.access.roles import (
    IMPLICIT_ORGANIZATION_ROLE,
    IMPLICIT_SITE_ROLE,
    ORGANIZATION_ROLES,
    SITE_ROLES,
)
from scripts.docs.access import MIRRORS, RIGHTS, WITHOUT_OLD_SECRETS
from scripts.markdown import markdown

_PREFIX = "/api/v2"
_CALLER, _OTHER = "caller", "other"
_HERE, _ELSEWHERE = "here", "elsewhere"
THEMSELVES: Final = "a member, about themselves"
OUTSIDER: Final = "organization-admin elsewhere"


class Who(NamedTuple):
    """A kind of caller.

    Attributes:
        roles: site roles.
        organization_roles: organization -> roles there; `here` is the organization that a request is about.
        about: the user whom a request is about.
    """

    roles: tuple[str, ...] = ()
    organization_roles: Mapping[str, tuple[str, ...]] = {}
    about: str = _OTHER

    def may(self, request: str) -> bool:
        """Whether the roles open a request of `RIGHTS`."""
        subject = Subject(_CALLER, self.roles, self.organization_roles, ("coder:all",), (allow_list.ANYTHING,))
        return all(decide(subject, action, obj) for action, obj in self._asked(request))

    def _asked(self, request: str) -> Iterator[tuple[str, Object]]:
        """The actions that a request takes, and what on: the objects as the routes hand them to the gate."""
        for right in RIGHTS[request].split():
            resource, action = right.split(":")
            match resource:
                case "inbox_notification":
                    obj = Object(resource, owner=_CALLER)
                case "user" | "api_key" | "user_secret" | "notification_preference":
                    obj = Object(resource, owner="" if right == "user:create" else self.about)
                case "organization_member" | "workspace":
                    obj = Object(resource, owner=self.about, organization=_place(request))
                case "deployment_config" | "assign_role" | "notification_template":
                    obj = Object(resource)
                case _:
                    obj = Object(resource, organization=_place(request))
            yield action, obj


CALLERS: Final[Mapping[str, Who]] = {
    **{name: Who(() if name == IMPLICIT_SITE_ROLE else (name,)) for name in SITE_ROLES},
    **{name: Who((), {_HERE: () if name == IMPLICIT_ORGANIZATION_ROLE else (name,)}) for name in ORGANIZATION_ROLES},
    OUTSIDER: Who((), {_ELSEWHERE: ("organization-admin",)}),
    THEMSELVES: Who((), {_HERE: ()}, about=_CALLER),
}
"""Every kind of caller by name: one for each role, in requests about other users, and two more."""


def opens_for_old_secrets(request: str) -> bool:
    """Whether a secret in its grace opens a request that its token opens."""
    rights = {tuple(right.split(":")) for right in RIGHTS[request].split()}
    return request not in WITHOUT_OLD_SECRETS and not rights & CLOSED_TO_REPLACED_SECRETS


def table() -> str:
    """Requests by callers, as Markdown; callers for whom the same requests open share a column."""
    columns: dict[tuple[bool, ...], list[str]] = {}
    for name, who in CALLERS.items():
        columns.setdefault(tuple(who.may(request) for request in RIGHTS), []).append(name)
    heads = ("request", "needs", *(_names(names) for names in columns.values()), "secret in its grace")
    cells = zip(*columns, strict=True)
    rows = (
        (f"`{request.replace(_PREFIX, '')}`", _names(needs.split()), *map(_cell, opened), _cell(old))
        for (request, needs), opened in zip(RIGHTS.items(), cells, strict=True)
        for old in (opens_for_old_secrets(request),)
    )
    return markdown(heads, rows)


def _place(request: str) -> str:
    """The organization that a request is about; none for a new one, which belongs to none yet."""
    new = request.endswith("(new)") or request == f"POST {_PREFIX}/organizations"
    return "" if new or request in MIRRORS else _HERE


def _names(names: Iterable[str]) -> str:
    return ", ".join(name if " " in name else f"`{name}`" for name in names)


def _cell(opened: bool) -> str:  # noqa: FBT001 - what the cell says
    return "yes" if opened else ""
