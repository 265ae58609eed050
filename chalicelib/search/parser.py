"""The text of `q=` becomes a frozen filter, or the error that names everything wrong with it; nothing else can happen.

A query is the conjunction of its terms: each term is read to a small filter of its own, and `&` joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chalicelib.errors import Invalid, Validation
from chalicelib.search import values
from chalicelib.search.filter import EVERYTHING, Filter
from chalicelib.search.filters import FilterKey, FilterTable, Kind
from chalicelib.search.lexer import WrongElement, by_key, terms, together
from chalicelib.search.term_filters import Asking, filter_of
from chalicelib.search.values import WrongValue, quoted

_EXCLUDED = "-"
_TIMES = (Kind.AFTER, Kind.BEFORE, Kind.DATE_FROM, Kind.DATE_TO)


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
        if key.is_repeatable or key.repeats_add:
            terms_of_key = [term for term in terms_of_key if term.value]
        if not terms_of_key or not terms_of_key[0].value:
            continue
        if name == key.key and asked.intersection(key.alone_of):
            problem = f"{key.key} cannot be combined with {' or '.join(key.alone_of)}"
            wrong.append(Validation(key.key, problem))
            continue
        try:
            if key.repeats_add:
                terms_of_key = [together(terms_of_key)]
            asking = Asking(me, organization, has, excludes=name != key.key)
            for term in terms_of_key if key.is_repeatable else [values.only(terms_of_key)]:
                whole &= filter_of(key, term, asking)
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
