"""The text of a query as key and value pairs, in the order in which they are to be read.

The language is the one of Coder's list endpoints: words parted by spaces, `key:value`, and double quotes that keep
spaces and colons in a value. Two things are added: `-key:value` leaves out, and commas part values of which either will
do; quotes keep a comma too. There is no wildcard and no way to escape a quote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.casing import lowered
from chalicelib.search.values import quoted

# A quote hides the separator up to the next quote or, where none follows, up to the end of the text.
_WORDS = re.compile(r'(?:[^" ]+|"[^"]*"?)+')
_PARTS = re.compile(r'(?:[^":]+|"[^"]*"?)+')
_CHOICE = re.compile(r'(?:[^",]+|"[^"]*"?)*')


class Term(NamedTuple):
    """One constraint as it was written, in lower case and without the quotes round it.

    Attributes:
        key: before the colon.
        value: after it.
        choices: the values that commas part; empty where there is no comma.
    """

    key: str
    value: str
    choices: tuple[str, ...] = ()


class WrongElement(ValueError):
    """A part of the query that is no term; its text is the sentence for the client."""


def together(terms_of_key: Sequence[Term]) -> Term:
    """Terms of one key as one that has the choices of all."""
    if len(terms_of_key) == 1:
        return terms_of_key[0]
    choices = [choice for term in terms_of_key for choice in term.choices or (term.value,)]
    return terms_of_key[0]._replace(choices=tuple(dict.fromkeys(choices)))


def terms(query: str, bare: str) -> list[Term]:
    """The terms of a query.

    Words without a colon are joined by one space into a single term, read last. A word whose colons are all quoted is a
    bare term of its own, in its place. Bare terms keep their quotes.

    Args:
        query: the text as the client sent it, in any case.
        bare: the key that a bare term gives a value to.

    Raises:
        WrongElement: the first element that cannot be read; it hides all others.
    """
    parted = words(lowered(query))
    elements = [word for word in parted if ":" in word]
    loose = [word for word in parted if ":" not in word]
    if loose:
        elements.append(" ".join(loose))
    return [_term(element, bare) for element in elements]


def words(query: str) -> list[str]:
    """The words of a query, as spaces outside of quotes part them."""
    return _WORDS.findall(query)


def _term(element: str, bare: str) -> Term:
    if element.startswith(":") or element.endswith(":"):
        raise WrongElement(f"Query element {quoted(element)} cannot start or end with ':'")
    match _PARTS.findall(element):
        case [_]:
            return Term(bare, element)
        case [key, value]:
            return Term(key.strip('"'), value.strip('"'), _choices(value))
        case _:
            raise WrongElement(f"Query element {quoted(element)} can only contain 1 ':'")


def by_key(given: list[Term]) -> dict[str, list[Term]]:
    """The terms of each key, keys and terms in their order."""
    of_key: dict[str, list[Term]] = {}
    for term in given:
        of_key.setdefault(term.key, []).append(term)
    return of_key


def _choices(value: str) -> tuple[str, ...]:
    if "," not in value:
        return ()
    choices, start = [], 0
    while start <= len(value):
        match = _CHOICE.match(value, start)
        assert match is not None  # noqa: S101 - the pattern matches nothing too
        choices.append(match[0].strip('"'))
        start = match.end() + 1
    return tuple(choices) if len(choices) > 1 else ()
