"""The text of `q=` becomes a frozen filter, or the error that names everything wrong with it; nothing else can happen.

A query is the conjunction of its terms: each term is read to a small filter of its own, and `&` joins them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from chalicelib.errors import Invalid, Validation
from chalicelib.logs.applications import normalised
from chalicelib.search import values
from chalicelib.search.filters import FilterKey, FilterTable, Kind
from chalicelib.search.lexer import WrongElement, by_key, terms
from chalicelib.search.values import WrongValue, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

_ME = "me"
_UP_TO_THE_LAST_MICROSECOND = timedelta(days=1) - timedelta.resolution


@dataclass(frozen=True, slots=True)
class UserReference:
    """A user as a query names one, still to be looked up.

    Attributes:
        field: the row field that holds the user's id, `user_id` or `workspace_owner_id`.
        by: what is known of the user, `username` or `email`.
        text: that name or address, in lower case.
        deleted: whether a softly deleted user counts as found.
    """

    field: str
    by: str
    text: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """What a row must be to belong to the answer: every part of this at once.

    Attributes:
        equals: row field and the value that it has, each field once. UUIDs are lower-case and hyphenated, enums
            canonical, texts in lower case, to be compared with the field in lower case.
        users: users to be looked up before the filter can be used; see `chalicelib.search.criteria`.
        after: rows of this moment (UTC) and later.
        before: rows of this moment (UTC) and earlier.
        nothing: no row can be all of this; the other parts are then empty.
    """

    equals: tuple[tuple[str, str], ...] = ()
    users: tuple[UserReference, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    nothing: bool = False

    def __and__(self, other: Filter) -> Filter:
        """The filter of the rows that both let through."""
        pairs = self.equals + other.equals
        equals = dict(pairs)
        contradictory = len(equals) < len(set(pairs))
        if self.nothing or other.nothing or contradictory:
            return NOTHING
        return Filter(
            tuple(equals.items()),
            self.users + other.users,
            max((bound for bound in (self.after, other.after) if bound), default=None),
            min((bound for bound in (self.before, other.before) if bound), default=None),
        )


EVERYTHING = Filter()
NOTHING = Filter(nothing=True)


def _nothing(_field: str, _word: str) -> bool:
    return False


def parse(
    query: str,
    table: FilterTable,
    *,
    me: str,
    organization: Callable[[str], str | None],
    has: Callable[[str, str], bool] = _nothing,
) -> Filter:
    """The filter that a query asks for.

    A key with an empty value counts as not given. Users are not looked up here, organizations are.

    Args:
        query: the text of `q=` as the client sent it.
        table: the language of the log.
        me: the id of the caller, for `username:me`.
        organization: the id of the organization with this lower-case name, or None where the caller may see none.
        has: whether a row that the caller may see has this word in this field: asked about a word that is not known.

    Raises:
        Invalid: either one error about an element that cannot be read, or all errors about values in the order of the
            table, then those about unknown keys in the order typed.
    """
    try:
        given = by_key(terms(query, table.bare))
    except WrongElement as error:
        raise Invalid([Validation("q", str(error))], table.message) from error
    wrong: list[Validation] = []
    whole = EVERYTHING
    asked = {name for name, texts in given.items() if texts[0]}
    for key in table.keys:
        texts = given.pop(key.key, [""])
        if not texts[0]:
            continue
        if asked.intersection(key.alone_of):
            problem = f"{key.key} cannot be combined with {' or '.join(key.alone_of)}"
            wrong.append(Validation(key.key, problem))
            continue
        try:
            text = values.only(texts)
            newer = key.is_open and text not in key.values and has(key.field, text)
            whole &= Filter(((key.field, text),)) if newer else _filter(key, text, me, organization)
        except WrongValue as error:
            wrong.append(Validation(key.key, f"Query param {quoted(key.key)} {error}"))
    wrong += [Validation(key, f"{quoted(key)} is not a valid query param") for key in given]
    if wrong:
        raise Invalid(wrong, table.message)
    return whole


def names(query: str, table: FilterTable) -> tuple[tuple[str, str], ...]:
    """The names in a query, to be looked up ahead: `name` of an organization, `username` or `email`, and the text.

    There are none in a query that cannot be understood.
    """
    organizations: list[str] = []

    def organization(name: str) -> str:
        organizations.append(name)
        return values.NIL_UUID

    try:
        asked = parse(query, table, me=values.NIL_UUID, organization=organization, has=lambda _field, _word: True)
    except Invalid:
        return ()
    return (*(("name", name) for name in organizations), *((user.by, user.text) for user in asked.users))


def _filter(  # noqa: C901, PLR0911 - one for each kind
    key: FilterKey, text: str, me: str, organization: Callable[[str], str | None]
) -> Filter:
    """The filter that one key with this value is."""
    match key.kind:
        case Kind.UUID:
            return _id(key.field, values.uuid(text))
        case Kind.ORGANIZATION:
            return _id(key.field, _organization(text, organization))
        case Kind.ENUM:
            return Filter(((key.field, values.enum(text, key.values, key.aliases)),))
        case Kind.APPLICATION:
            return Filter(((key.field, normalised(text)),))
        case Kind.TEXT:
            return Filter(((key.field, text),))
        case Kind.USERNAME | Kind.EMAIL:
            return _user(key, text, me)
        case Kind.AFTER:
            return Filter(after=values.timestamp(text))
        case Kind.BEFORE:
            return Filter(before=values.timestamp(text))
        case Kind.DATE_FROM:
            return Filter(after=values.date(text))
        case Kind.DATE_TO:
            return Filter(before=values.date(text) + _UP_TO_THE_LAST_MICROSECOND)
        case _:
            assert_never(key.kind)


def _id(field: str, value: str) -> Filter:
    return EVERYTHING if value == values.NIL_UUID else Filter(((field, value),))


def _organization(text: str, organization: Callable[[str], str | None]) -> str:
    try:
        return values.uuid(text)
    except WrongValue as error:
        found = organization(text)
        if found is None:
            problem = "either does not exist, or you are unauthorized to view it"
            raise WrongValue(f"has invalid value: organization {quoted(text)} {problem}") from error
        return found


def _user(key: FilterKey, text: str, me: str) -> Filter:
    if key.kind is Kind.USERNAME and text == _ME:
        return Filter(((key.field, me),))
    return Filter(users=(UserReference(key.field, key.kind.value, text, key.deleted_users),))
