"""A filter is a conjunction: joining only ever takes rows away, and contradictions leave none."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.search.filter import EVERYTHING, NOTHING, Filter

FIELDS = ("type", "status")
WORDS = ("a", "b")
ROWS = [
    ({"type": kind, "status": status}, datetime(2024, 1, day, tzinfo=UTC))
    for kind in WORDS
    for status in WORDS
    for day in (1, 2, 3)
]


def lets_through(asked: Filter, row: dict[str, str], time: datetime) -> bool:
    inside = (asked.after is None or asked.after <= time) and (asked.before is None or time <= asked.before)
    allowed = all(row[field] in values for field, values in asked.fields)
    excluded = any(row[one.field] in one.values for one in asked.conditions)
    return not asked.nothing and inside and allowed and not excluded


CHOICES = st.frozensets(st.sampled_from(WORDS), min_size=1)
EXCLUSIONS = st.builds(Condition, st.sampled_from(FIELDS), st.just(Comparison.EXCLUDES), CHOICES)
moments = st.none() | st.integers(1, 3).map(lambda day: datetime(2024, 1, day, tzinfo=UTC))
small_filters = st.builds(
    Filter,
    fields=st.dictionaries(st.sampled_from(FIELDS), CHOICES).map(lambda pairs: tuple(pairs.items())),
    conditions=st.lists(
        st.builds(Condition, st.sampled_from(FIELDS), st.just(Comparison.EXCLUDES), CHOICES), max_size=2
    ).map(tuple),
    after=moments,
    before=moments,
) | st.just(NOTHING)


@settings(deadline=None)
@given(small_filters, small_filters)
def test_both_filters_let_through_what_each_does(one: Filter, other: Filter) -> None:
    for row, time in ROWS:
        assert lets_through(one & other, row, time) == (lets_through(one, row, time) and lets_through(other, row, time))


@settings(deadline=None)
@given(small_filters)
def test_everything_changes_nothing_and_nothing_leaves_nothing(one: Filter) -> None:
    for same in (one & EVERYTHING, EVERYTHING & one, one & one):
        assert [lets_through(same, row, time) for row, time in ROWS] == [
            lets_through(one, row, time) for row, time in ROWS
        ]
    assert one & NOTHING == NOTHING & one == NOTHING
