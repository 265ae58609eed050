"""The text of `q=` becomes a frozen filter, or the error that names everything wrong with it; nothing else can happen.

A query is the conjunction of its terms: each term is read to a small filter of its own, and `&` joins them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from chalicelib import times
from chalicelib.errors import Invalid, Validation
from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.logs.applications import normalised
from chalicelib.search import values
from chalicelib.search.filters import FilterKey, FilterTable, Kind
from chalicelib.search.lexer import Term, WrongElement, by_key, terms
from chalicelib.search.values import WrongValue, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ME = "me"
_EXCLUDED = "-"
_TIMES = (Kind.AFTER, Kind.BEFORE, Kind.DATE_FROM, Kind.DATE_TO)


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
MAX_CHOICES = 20
"""The most values of one key, of which either will do."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks, whom they may name, and whether rows are to be left out."""

    me: str
    organization: Callable[[str], str | None]
    has: Callable[[str, str], bool]
    excludes: bool


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
    asked = {name for name, given_terms in given.items() if given_terms[0].value}
    for key, name in _names_of_keys(table):
        terms_of_key = given.pop(name, [])
        if not terms_of_key or not terms_of_key[0].value:
            continue
        if name == key.key and asked.intersection(key.alone_of):
            problem = f"{key.key} cannot be combined with {' or '.join(key.alone_of)}"
            wrong.append(Validation(key.key, problem))
            continue
        try:
            whole &= _filter(key, values.only(terms_of_key), _Asking(me, organization, has, excludes=name != key.key))
        except WrongValue as error:
            wrong.append(Validation(name, f"Query param {quoted(name)} {error}"))
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
    references = (reference for choice in asked.users for reference in choice.references)
    return (*(("name", name) for name in organizations), *((user.by, user.text) for user in references))


def _names_of_keys(table: FilterTable) -> Iterator[tuple[FilterKey, str]]:
    """Every key of a table and how it is typed: as it is, and with a minus where rows can be left out by it."""
    for key in table.keys:
        yield key, key.key
        if key.kind not in _TIMES:
            yield key, f"{_EXCLUDED}{key.key}"


def _filter(key: FilterKey, term: Term, asking: _Asking) -> Filter:  # noqa: PLR0911 - one for each kind
    """The filter that one key with this value is."""
    match key.kind:
        case Kind.AFTER:
            return _after(term.value)
        case Kind.BEFORE:
            return _before(term.value)
        case Kind.DATE_FROM:
            return Filter(after=values.date(term.value))
        case Kind.DATE_TO:
            return Filter(before=_end_of(values.date(term.value)))
        case Kind.USERNAME | Kind.EMAIL:
            return _users(key, _choices(term), asking)
        case Kind.NETWORK:
            return _networks(key.field, frozenset(map(values.network, _choices(term))), asking)
        case Kind.UUID | Kind.ORGANIZATION | Kind.ENUM | Kind.APPLICATION | Kind.TEXT | Kind.NUMBER:
            chosen = frozenset(_value(key, text, asking) for text in _choices(term))
            return EVERYTHING if chosen == {values.NIL_UUID} else _values(key.field, chosen - {values.NIL_UUID}, asking)
        case _:
            assert_never(key.kind)


def _choices(term: Term) -> tuple[str, ...]:
    texts = term.choices or (term.value,)
    if len(texts) > MAX_CHOICES:
        raise WrongValue(f"has {len(texts)} values; it takes {MAX_CHOICES} at the most")
    if not all(texts):
        raise WrongValue("has an empty value between its commas; quote a value that has a comma")
    return texts


def _after(text: str) -> Filter:
    moment = values.moment(text)
    return Filter(newer_than=moment) if isinstance(moment, timedelta) else Filter(after=moment)


def _before(text: str) -> Filter:
    moment = values.moment(text)
    if isinstance(moment, timedelta):
        return Filter(older_than=moment)
    return Filter(before=_end_of(moment) if values.is_day(text) else moment)


def _end_of(day: datetime) -> datetime:
    return day + timedelta(days=1) - timedelta.resolution


def _value(key: FilterKey, text: str, asking: _Asking) -> str:
    match key.kind:
        case Kind.UUID:
            return values.uuid(text)
        case Kind.ORGANIZATION:
            return _organization(text, asking.organization)
        case Kind.ENUM:
            is_newer = key.is_open and text not in key.values and asking.has(key.field, text)
            return text if is_newer else values.enum(text, key.values, key.aliases)
        case Kind.APPLICATION:
            return normalised(text)
        case Kind.NUMBER:
            return values.number(text)
        case _:
            return text


def _values(field: str, chosen: frozenset[str], asking: _Asking) -> Filter:
    if asking.excludes:
        return Filter(conditions=(Condition(field, Comparison.EXCLUDES, chosen),))
    return Filter(((field, chosen),))


def _networks(field: str, networks: frozenset[str], asking: _Asking) -> Filter:
    if not any("/" in network for network in networks):
        # Single addresses are values like others, which a lane may answer.
        return _values(field, networks, asking)
    return Filter(
        conditions=(Condition(field, Comparison.OUTSIDE if asking.excludes else Comparison.WITHIN, networks),)
    )


def _users(key: FilterKey, texts: Sequence[str], asking: _Asking) -> Filter:
    named = [text for text in texts if key.kind is not Kind.USERNAME or text != _ME]
    ids = frozenset({asking.me} if len(named) < len(texts) else ())
    if not named:
        return _values(key.field, ids, asking)
    references = tuple(UserReference(key.kind.value, text, key.deleted_users) for text in named)
    return Filter(users=(UserChoice(key.field, references, ids, asking.excludes),))


def _organization(text: str, organization: Callable[[str], str | None]) -> str:
    try:
        return values.uuid(text)
    except WrongValue as error:
        organization_id = organization(text)
        if organization_id is None:
            problem = "either does not exist, or you are unauthorized to view it"
            raise WrongValue(f"has invalid value: organization {quoted(text)} {problem}") from error
        return organization_id
