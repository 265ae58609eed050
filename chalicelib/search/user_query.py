"""The text of `q=` about users becomes conditions on a user, or the error that names everything wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chalicelib.casing import lowered
from chalicelib.errors import Invalid, Validation
from chalicelib.records import User
from chalicelib.search import values
from chalicelib.search.lexer import WrongElement, by_key, terms
from chalicelib.search.user_filters import UserKey, UserKind, UserTable
from chalicelib.search.values import WrongValue, quoted

_EVERYBODY: Final = "member"
"""The role that every user has; to ask for it alone is to ask for nothing."""

Test = Callable[[object], bool]
"""Whether the value of a field is as asked."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of one term of a query on a user.

    Attributes:
        key: of the table.
        value: the value as typed, in lower case; of several the first.
        words: the words of all values, which commas part.
        test: holds for the value of a field; one field that passes is enough.
    """

    key: UserKey
    value: str
    words: tuple[str, ...]
    test: Test

    def matches(self, user: User) -> bool:
        """Whether the user is as asked."""
        return any(self.test(getattr(user, field)) for field in self.key.fields)


@dataclass(frozen=True, slots=True)
class UserFilter:
    """A parsed query: conditions on a user, all of which must hold; without any, every user matches."""

    conditions: tuple[Condition, ...] = ()

    def matches(self, user: User) -> bool:
        """Whether every condition holds for the user."""
        return all(condition.matches(user) for condition in self.conditions)

    @property
    def unique(self) -> tuple[str, str] | None:
        """The field and value of a condition that one user at most can match; None where there is none."""
        exact = (condition for condition in self.conditions if condition.key.kind in (UserKind.EXACT, UserKind.ID))
        return next(((condition.key.fields[0], condition.value) for condition in exact), None)


def parse(query: str, table: UserTable) -> UserFilter:
    """The filter that a query asks for; a key with an empty value counts as not given.

    Args:
        query: the text of `q=` as the client sent it.
        table: the language of the list.

    Raises:
        Invalid: either one error about an element that cannot be read, or all errors about values in the order of the
            table, then those about unknown keys in the order typed.
    """
    try:
        given = by_key(terms(query, table.bare))
    except WrongElement as error:
        raise Invalid([Validation("q", str(error))], table.message) from error
    wrong: list[Validation] = []
    conditions: list[Condition] = []
    for key in table.keys:
        texts = [term.value.strip('"') for term in given.pop(key.key, ())]
        if not any(texts):
            continue
        try:
            test = _READERS[key.kind](key, texts)
        except WrongValue as error:
            wrong.append(Validation(key.key, f"Query param {quoted(key.key)} {error}"))
            continue
        if test is not None:
            conditions.append(Condition(key, texts[0], _listed(texts), test))
    wrong += [Validation(key, f"{quoted(key)} is not a valid query param") for key in given]
    if wrong:
        raise Invalid(wrong, table.message)
    return UserFilter(tuple(conditions))


def _part(_key: UserKey, texts: Sequence[str]) -> Test:
    part = values.only(texts)
    return lambda value: part in lowered(str(value))


def _exact(_key: UserKey, texts: Sequence[str]) -> Test:
    whole = values.only(texts)
    return lambda value: lowered(str(value)) == whole


def _words(key: UserKey, texts: Sequence[str]) -> Test:
    words = _listed(texts)
    wrong = [word for word in words if word not in key.words]
    if wrong:
        problems = ", ".join(f"{quoted(word)} is not a valid value" for word in wrong)
        raise WrongValue(f"has invalid values: {problems}")
    return lambda value: value in words


def _roles(_key: UserKey, texts: Sequence[str]) -> Test | None:
    roles = frozenset(_listed(texts))
    if roles == {_EVERYBODY}:
        return None
    return lambda value: isinstance(value, Collection) and not roles.isdisjoint(value)


def _flag(_key: UserKey, texts: Sequence[str]) -> Test:
    flag = values.boolean(values.only(texts))
    return lambda value: value is flag


def _id(_key: UserKey, texts: Sequence[str]) -> Test | None:
    row_id = values.uuid(values.only(texts))
    return None if row_id == values.NIL_UUID else (lambda value: value == row_id)


def _ids(_key: UserKey, texts: Sequence[str]) -> Test:
    row_ids = frozenset(values.uuid(text) for text in _listed(texts))
    return lambda value: value in row_ids


def _system(_key: UserKey, texts: Sequence[str]) -> None:
    values.boolean(values.only(texts))


def _number(_key: UserKey, texts: Sequence[str]) -> Test | None:
    number = values.int64(values.only(texts))
    return (lambda value: value == number) if number else None


def _after(_key: UserKey, texts: Sequence[str]) -> Test:
    moment = values.timestamp(values.only(texts))
    return lambda value: isinstance(value, datetime) and value >= moment


def _before(_key: UserKey, texts: Sequence[str]) -> Test:
    moment = values.timestamp(values.only(texts))
    return lambda value: isinstance(value, datetime) and value <= moment


def _listed(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for text in texts for word in text.split(","))


_READERS: Mapping[UserKind, Callable[[UserKey, Sequence[str]], Test | None]] = {
    UserKind.PART: _part,
    UserKind.EXACT: _exact,
    UserKind.WORDS: _words,
    UserKind.ROLES: _roles,
    UserKind.FLAG: _flag,
    UserKind.ID: _id,
    UserKind.NUMBER: _number,
    UserKind.IDS: _ids,
    UserKind.SYSTEM: _system,
    UserKind.AFTER: _after,
    UserKind.BEFORE: _before,
}
"""The reader of the values of each kind: it returns the test for them, or None where there is nothing to test."""
