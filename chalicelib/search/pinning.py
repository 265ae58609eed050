"""A query whose times that are counted from now are written as the moments that they are, so that it stays the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib import times
from chalicelib.search import values
from chalicelib.search.filters import FilterTable, Kind
from chalicelib.search.lexer import WrongElement, terms, words
from chalicelib.search.values import WrongValue

_RELATIVE = frozenset({Kind.AFTER, Kind.BEFORE})


def pinned(query: str, table: FilterTable, now: datetime) -> str:
    """The query with moments in the place of times such as `-24h`; as it is where it has none.

    Args:
        query: the text of `q=`; what cannot be read in it is left as it is.
        table: the language of the log.
        now: what such times are counted from.
    """
    keys = frozenset(key.key for key in table.keys if key.kind in _RELATIVE)
    given = words(query)
    made = [_pinned(word, keys, now) for word in given]
    return query if made == given else " ".join(made)


def _pinned(word: str, keys: frozenset[str], now: datetime) -> str:
    try:
        (term,) = terms(word, "")
        age = values.moment(term.value) if term.key in keys else None
    except (WrongElement, WrongValue):
        return word
    moment = times.ago(age, now) if isinstance(age, timedelta) else None
    return word if moment is None else f'{term.key}:"{times.wire(moment)}"'
