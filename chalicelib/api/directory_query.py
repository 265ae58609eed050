"""Parses `q` of a list of the directory: the filter, and the objects that its values name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from chalicelib.access.decide import decide
from chalicelib.api import lookup
from chalicelib.api.caller import Caller
from chalicelib.search import platform_filters, user_query, values
from chalicelib.search.user_filters import UserTable
from chalicelib.search.user_query import UserFilter
from chalicelib.search.values import WrongValue
from chalicelib.store.directory import people

NOBODY = "nobody"
"""Stands for an object that a query names and that is not there: no id is like it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter that was read."""

    filter: UserFilter

    @classmethod
    def of(cls, query: str, table: UserTable) -> Self:
        """The filter that a query asks for.

        Raises:
            Invalid: it means none.
        """
        return cls(user_query.parse(query, table))

    def value(self, key: str) -> str | None:
        """The value of a key as it was typed, in lower case; None where there is none."""
        return platform_filters.value_of(self.filter, key)

    def flag(self, key: str) -> bool | None:
        """The value of a key that is a flag; None where there is none."""
        text = self.value(key)
        return None if text is None else values.boolean(text)

    def words(self, key: str) -> list[str]:
        """The words that a key names, each once; of a key that is given several times those of all."""
        return list(dict.fromkeys(platform_filters.words_of(self.filter, key)))

    def ids(self, key: str) -> list[str] | None:
        """The UUIDs that a key names; None where there are none."""
        return [values.uuid(word) for word in self.words(key)] or None

    def matches(self, fields: Mapping[str, Any], resolved: frozenset[str]) -> bool:
        """Whether an object is as asked; see `platform_filters.matches`."""
        return platform_filters.matches(self.filter, fields, resolved)


def user_id_of(caller: Caller, name: str) -> str:
    """The id of the user that a query names: `me`, an id, or a username; `NOBODY` where there is none."""
    if name == "me":
        return caller.user.id
    try:
        return values.uuid(name)
    except WrongValue:
        return next(iter(people.user_ids("username", name)), NOBODY)


def organization_id_of(caller: Caller, name: str) -> str:
    """The id of the organization that a query names by name or id, among those that the caller may read."""
    try:
        row_id: str | None = values.uuid(name)
    except WrongValue:
        row_id = people.organization_id(name)
    if row_id is None or not decide(caller.subject, "read", lookup.organization_object(row_id)):
        return NOBODY
    return row_id
