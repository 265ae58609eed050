"""How many rows to ask of a key at first, and down to which time so many rows of all keys are expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.lanes.density import Density, Front, first_limit, rates, time_of

fronts = st.lists(
    st.builds(
        lambda time, rows, seconds: Front(time, Density(rows, seconds)),
        st.floats(1e9, 1e9 + 1e5),
        st.floats(1, 100),
        st.floats(1, 1e5),
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize(
    ("wanted", "keys", "expected"), [(101, 1, 101), (101, 4, 20), (101, 16, 4), (101, 50, 1), (1, 9, 1)]
)
def test_the_first_request_of_a_key_stays_below_its_share(wanted: float, keys: int, expected: int) -> None:
    assert first_limit(wanted, keys) == expected


def expected_rows(time: float, known: list[Front], waiting: list[float]) -> float:
    pairs = zip(known, rates(known), strict=True)
    return sum(rate * max(0.0, front.time - time) for front, rate in pairs) + sum(moment >= time for moment in waiting)


@given(fronts, st.lists(st.floats(1e9, 1e9 + 1e5), max_size=20), st.floats(1, 1e4))
def test_down_to_the_time_as_many_rows_are_expected_as_are_wanted(
    known: list[Front], waiting: list[float], wanted: float
) -> None:
    time = time_of(wanted, known, waiting)
    assert time is not None
    assert expected_rows(time - 1, known, waiting) >= wanted * 0.999
    assert expected_rows(time + 1, known, waiting) <= wanted * 1.001


def test_nothing_is_known_of_rows_that_all_stand_at_one_moment() -> None:
    assert time_of(100, [Front(1e9, Density(50, 0))], []) is None


def test_a_key_of_which_little_was_read_is_taken_for_an_ordinary_one() -> None:
    quick, slow, unknown = rates([Front(0, Density(100, 10)), Front(0, Density(100, 1_000)), Front(0, Density(0, 0))])
    assert slow < unknown < quick


def test_parts_of_one_key_follow_each_other_and_do_not_add_up() -> None:
    parts = [Front(1_000, Density(10, 10), 500), Front(500, Density(10, 10))]
    assert time_of(600, parts, []) == pytest.approx(400)


def test_where_every_key_ends_it_is_the_time_of_the_last_end() -> None:
    assert time_of(9_999, [Front(1_000, Density(10, 10), 500), Front(900, Density(10, 10), 700)], []) == 500


def test_a_busy_key_is_not_taken_for_a_slow_one_because_the_others_are() -> None:
    busy, *_ = rates([Front(0, Density(20, 20)), *[Front(0, Density(20, 20_000))] * 3])
    assert busy == pytest.approx(1, rel=0.1)


def test_the_latest_answer_weighs_most() -> None:
    assert Density(8, 80).then(8, 8) == Density(12, 48)
