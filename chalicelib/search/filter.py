"""A parsed query: conditions on a row, frozen, with users that are still to be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib import times
from chalicelib.lanes.conditions import Condition


@dataclass(frozen=True, slots=True)
class UserReference:
    """A user as a query names one, still to be looked up.

    Attributes:
        by: what is known of the user, `username` or `email`.
        text: that name or address, in lower case.
        deleted: whether a softly deleted user counts.
    """

    by: str
    text: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class UserChoice:
    """Users of whom a row must have one, or, where they are excluded, none.

    Attributes:
        field: the row field that holds a user's id, `user_id` or `workspace_owner_id`.
        references: users to be looked up before the filter can be used; see `chalicelib.search.criteria`.
        ids: users whose id is known.
        excluded: whether rows of these users are left out.
    """

    field: str
    references: tuple[UserReference, ...]
    ids: frozenset[str] = frozenset()
    excluded: bool = False

    @property
    def is_single(self) -> bool:
        """Whether it is one user to be looked up, and not excluded."""
        return len(self.references) == 1 and not self.ids and not self.excluded


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed query: conditions on a row, all of which must hold.

    Attributes:
        fields: row field and the values that it may have, each field once. UUIDs are lower-case and hyphenated, enums
            canonical, texts in lower case, to be compared with the field in lower case.
        users: users that a row must have, or must not.
        conditions: what is checked on each row beside that.
        after: rows of this moment (UTC) and later.
        before: rows of this moment (UTC) and earlier.
        newer_than: rows that are at most so old when the query is answered.
        older_than: rows that are at least so old then.
        nothing: no row can be all of this; the other parts are then empty.
    """

    fields: tuple[tuple[str, frozenset[str]], ...] = ()
    users: tuple[UserChoice, ...] = ()
    conditions: tuple[Condition, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    newer_than: timedelta | None = None
    older_than: timedelta | None = None
    nothing: bool = False

    @property
    def asked(self) -> frozenset[str]:
        """The row fields that it asks about, times left out."""
        users = (choice.field for choice in self.users)
        return frozenset({*dict(self.fields), *users, *(condition.field for condition in self.conditions)})

    def __and__(self, other: Filter) -> Filter:
        """The filter of the rows that both let through."""
        fields = dict(self.fields)
        for name, allowed in other.fields:
            fields[name] = fields.get(name, allowed) & allowed
        if self.nothing or other.nothing or not all(fields.values()):
            return NOTHING
        return Filter(
            tuple(fields.items()),
            tuple(dict.fromkeys(self.users + other.users)),
            tuple(dict.fromkeys(self.conditions + other.conditions)),
            times.latest(self.after, other.after),
            times.earliest(self.before, other.before),
            min((age for age in (self.newer_than, other.newer_than) if age is not None), default=None),
            max((age for age in (self.older_than, other.older_than) if age is not None), default=None),
        )


EVERYTHING = Filter()
NOTHING = Filter(nothing=True)
