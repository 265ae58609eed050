"""Texts of `q`, as people write them and as nobody should, made of the tables of filters: Schemathesis loads it.

It also keeps the token that a run comes with from being ended by the run itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import schemathesis
from hypothesis import strategies as st

from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable, Kind
from chalicelib.search.user_filters import MEMBER_FILTERS, PAGED_MEMBER_FILTERS, USER_FILTERS, UserKind, UserTable

OWN_KEY = "GATEBOOK_FUZZ_OWN_KEY"
"""The variable with the id of the token that the requests come with."""

_ID = st.uuids().map(str)
_NAMES = st.sampled_from(["me", "root", "linus", "acme", "nobody", "linus@example.com", ""])
_MOMENTS = st.sampled_from(
    ["2025-07-10", "-24h", "-1w", "2025-07-10T10:14:38Z", "9999-12-31T23:59:59.9999999Z", "0001-01-01", "-99999999h"]
)
_NETWORKS = st.sampled_from(["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::", "300.1.1.1", "1.2.3.4/99"])
_NUMBERS = st.sampled_from(["0", "200", "404", "-1", "9" * 40, "1e3"])
_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
_VALUES: Mapping[str, st.SearchStrategy[str]] = {
    Kind.UUID: _ID,
    Kind.ORGANIZATION: _ID | _NAMES,
    Kind.USERNAME: _NAMES,
    Kind.EMAIL: _NAMES,
    Kind.NUMBER: _NUMBERS,
    Kind.NETWORK: _NETWORKS,
    **dict.fromkeys((Kind.AFTER, Kind.BEFORE, Kind.DATE_FROM, Kind.DATE_TO), _MOMENTS),
    UserKind.ID: _ID,
    UserKind.FLAG: st.sampled_from(["true", "false", "maybe"]),
}
_GLUE = st.sampled_from(["", "-", "!", "NOT "])


def queries(table: FilterTable | UserTable) -> st.SearchStrategy[str]:
    """Texts in the language of a table, right and nearly right."""
    terms = [_term(key.key, _values(key)) for key in table.keys]
    return st.lists(st.one_of(*terms, _TEXTS), max_size=4).map(" ".join)


def _values(key: object) -> st.SearchStrategy[str]:
    words = (*getattr(key, "values", ()), *getattr(key, "words", ()), *getattr(key, "aliases", ()))
    known = _VALUES.get(getattr(key, "kind", ""), _TEXTS)
    values = st.sampled_from(words) | known if words else known
    return values | st.lists(values, min_size=2, max_size=3).map(",".join)


def _term(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quoted = values.map(lambda value: f'"{value}"' if set(value) & {" ", ":"} else value)
    return st.tuples(_GLUE, quoted).map(lambda parts: f"{parts[0]}{name}:{parts[1]}")


_TABLES: Mapping[str, FilterTable | UserTable] = {
    "gatebook-connections": CONNECTION_FILTERS,
    "gatebook-audits": AUDIT_FILTERS,
    "gatebook-users": USER_FILTERS,
    "gatebook-members": MEMBER_FILTERS,
    "gatebook-paged-members": PAGED_MEMBER_FILTERS,
}
for _name, _table in _TABLES.items():
    schemathesis.openapi.format(_name, queries(_table))


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, object]) -> None:
    """Let a request that would end the token of the run name another one."""
    own = os.environ[OWN_KEY]
    if case.path_parameters and own in str(case.path_parameters.get("keyid")):
        case.path_parameters["keyid"] = "0123456789"
