"""Positions order rows by time and then by id, and one that a client gets names no row that the client may not see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.lanes.positions import TIME_LENGTH, just_below, position, redacted_position

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
FEW_MOMENTS = st.integers(0, 3).map(lambda number: times.EPOCH + number * timedelta.resolution)
POSITIONS = st.builds(position, FEW_MOMENTS, st.uuids().map(str))


@settings(deadline=None)
@given(MOMENTS, st.uuids().map(str), MOMENTS, st.uuids().map(str))
def test_positions_order_as_time_then_id(one: datetime, one_id: str, other: datetime, other_id: str) -> None:
    assert (position(one, one_id) < position(other, other_id)) == ((one, one_id) < (other, other_id))


@settings(deadline=None)
@given(MOMENTS, st.uuids().map(str))
def test_a_position_tells_the_time(moment: datetime, row_id: str) -> None:
    text = position(moment, row_id)
    assert times.from_fixed(text[:TIME_LENGTH]) == moment
    assert text[TIME_LENGTH:] == f"#{row_id}"


@settings(deadline=None)
@given(MOMENTS, st.uuids().map(str), MOMENTS, st.uuids().map(str))
def test_just_below_a_position_holds_all_before_it_and_not_itself(
    one: datetime, one_id: str, other: datetime, other_id: str
) -> None:
    place = position(one, one_id)
    assert place > just_below(place)
    assert (position(other, other_id) <= just_below(place)) == (position(other, other_id) < place)


def test_a_position_is_rounded_to_the_end_of_its_moment() -> None:
    reached, last = position(times.EPOCH, "0" * 36), position(times.EPOCH.replace(year=1971), "1" * 36)
    assert redacted_position(reached, last, "") == position(times.EPOCH, "ffffffff-ffff-ffff-ffff-ffffffffffff")


def test_the_position_of_an_answered_row_is_not_rounded() -> None:
    reached = position(times.EPOCH, "0" * 36)
    assert redacted_position(reached, reached, "") == reached


@settings(deadline=None)
@given(st.lists(POSITIONS, min_size=1, unique=True), st.data())
def test_the_next_page_goes_on_and_repeats_no_answered_row(places: list[str], data: st.DataObject) -> None:
    """A page reads down from `start`; of the rows that it read some were answered, the last of them is `last`."""
    places.sort(reverse=True)
    begun = data.draw(st.integers(0, len(places)))
    start, below = (places[begun - 1] if begun else ""), places[begun:]
    if not below:
        return
    ended = data.draw(st.integers(0, len(below) - 1))
    answered = data.draw(st.none() | st.integers(0, ended))
    reached, last = below[ended], "" if answered is None else below[answered]
    following = redacted_position(reached, last, start)
    assert following >= reached, "no row is left out that was not read"
    assert not start or following < start, "the page after it goes on"
    assert not last or following <= last, "no answered row comes again"
