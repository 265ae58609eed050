"""Reads one term of a query to the filter that it stands for: a match over the kinds of keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.logs.applications import normalised
from chalicelib.search import values
from chalicelib.search.filter import EVERYTHING, Filter, UserChoice, UserReference
from chalicelib.search.filters import FilterKey, Kind
from chalicelib.search.lexer import Term
from chalicelib.search.values import WrongValue, quoted

_ME = "me"
MAX_CHOICES = 20
"""The most values of one key, of which either will do."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The caller of a query, the organizations and words that they may name, and whether a term excludes rows."""

    me: str
    organization: Callable[[str], str | None]
    has: Callable[[str, str], bool]
    excludes: bool


def filter_of(key: FilterKey, term: Term, asking: Asking) -> Filter:  # noqa: PLR0911 - one for each kind
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


def _value(key: FilterKey, text: str, asking: Asking) -> str:
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


def _values(field: str, chosen: frozenset[str], asking: Asking) -> Filter:
    if asking.excludes:
        return Filter(conditions=(Condition(field, Comparison.EXCLUDES, chosen),))
    return Filter(((field, chosen),))


def _networks(field: str, networks: frozenset[str], asking: Asking) -> Filter:
    if not any("/" in network for network in networks):
        # Single addresses are values like others, which a lane may answer.
        return _values(field, networks, asking)
    return Filter(
        conditions=(Condition(field, Comparison.OUTSIDE if asking.excludes else Comparison.WITHIN, networks),)
    )


def _users(key: FilterKey, texts: Sequence[str], asking: Asking) -> Filter:
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
