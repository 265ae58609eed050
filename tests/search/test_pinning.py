"""A query that is pinned asks at any later time what the query asked at the first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Invalid
from chalicelib.lanes.criteria import Criteria
from chalicelib.search.criteria import criteria
from chalicelib.search.filters import FILTERS
from chalicelib.search.parser import parse
from chalicelib.search.pinning import pinned

NOW = datetime(2025, 7, 10, 12, tzinfo=UTC)
CONNECTIONS = FILTERS["connection"]
WORDS = st.sampled_from(
    [
        "after:-24h",
        'connected_after:"-7d"',
        "BEFORE:-1h30m",
        "before:2025-01-01",
        'after:"2025-01-01T00:00:00Z"',
        "after:-999999h",
        "after:-",
        "-after:-24h",
        "workspace:-24h",
        'workspace:"a  after:-24h"',
        "dev",
        "-type:tunnel",
        "a:b:c",
        "after:",
    ]
)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ""),
        ("type:ssh   dev", "type:ssh   dev"),
        ("after:-24h type:SSH", 'after:"2025-07-09T12:00:00Z" type:SSH'),
        ('connected_before:"-90s"', 'connected_before:"2025-07-10T11:58:30Z"'),
        ("After:-1d  dev", 'after:"2025-07-09T12:00:00Z" dev'),
        ("after:-1000000h", 'after:"1911-06-12T20:00:00Z"'),
        ('workspace:"x after:-24h"', 'workspace:"x after:-24h"'),
        ("workspace:-24h after:soon", "workspace:-24h after:soon"),
    ],
)
def test_times_that_are_counted_from_now_become_moments(query: str, wanted: str) -> None:
    assert pinned(query, CONNECTIONS, NOW) == wanted


def meaning(query: str, now: datetime) -> Criteria | str:
    try:
        asked = parse(query, CONNECTIONS, me="", organization=lambda _name: None)
    except Invalid as error:
        return str(error.validations)
    return criteria(asked, CONNECTIONS, lambda _reference: (), now)


@given(st.lists(WORDS, max_size=4), st.integers(1, 10**6))
def test_a_pinned_query_means_later_what_it_meant(words: list[str], seconds: int) -> None:
    query = " ".join(words)
    made = pinned(query, CONNECTIONS, NOW)
    assert meaning(made, NOW + timedelta(seconds=seconds)) == meaning(query, NOW)
    assert pinned(made, CONNECTIONS, NOW + timedelta(seconds=seconds)) == made
