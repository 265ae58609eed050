"""The keys of a query language on the wire, from which a page completes what is typed."""

from __future__ import annotations

from typing_extensions import TypedDict

from chalicelib.search.filters import FilterKey, FilterTable, Kind

_TIMES = frozenset({Kind.AFTER, Kind.BEFORE, Kind.DATE_FROM, Kind.DATE_TO})


class FilterJSON(TypedDict):
    """One key: what its value is, the values it can have where they are known, and whether rows can be left out."""

    key: str
    kind: str
    values: list[str]
    about: str
    excludes: bool


class FiltersJSON(TypedDict):
    """A language: the key that words without a key give a value to, its keys, and those that a summary counts by."""

    bare: str
    filters: list[FilterJSON]
    facets: list[str]


def filters_json(table: FilterTable) -> FiltersJSON:
    """The language of a log."""
    return {
        "bare": table.bare,
        "filters": [_filter_json(key) for key in table.keys],
        "facets": [*table.facets],
    }


def _filter_json(key: FilterKey) -> FilterJSON:
    return {
        "key": key.key,
        "kind": key.kind.value,
        "values": [*key.values, *key.aliases],
        "about": key.about,
        "excludes": key.kind not in _TIMES,
    }
