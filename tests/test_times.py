from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import times

MOMENTS = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2025, 7, 10, 10, 14, 38, 942776, UTC), "2025-07-10T10:14:38.942776Z"),
        (datetime(2025, 7, 10, 10, 14, 38, 900000, UTC), "2025-07-10T10:14:38.9Z"),
        (datetime(2025, 7, 10, 10, 14, 30, 0, UTC), "2025-07-10T10:14:30Z"),
        (times.NEVER, "0001-01-01T00:00:00Z"),
        (times.EPOCH, "1970-01-01T00:00:00Z"),
    ],
)
def test_the_wire_trims_zeros_of_the_fraction_and_nothing_else(moment: datetime, expected: str) -> None:
    assert times.wire(moment) == expected


@given(one=MOMENTS, other=MOMENTS)
@settings(deadline=None)
def test_the_order_of_stored_texts_is_the_order_of_moments(one: datetime, other: datetime) -> None:
    assert (times.fixed(one) < times.fixed(other)) == (one < other)


@given(moment=MOMENTS)
@settings(deadline=None)
def test_what_is_stored_comes_back(moment: datetime) -> None:
    text = times.fixed(moment)
    assert len(text) == 26
    assert times.from_fixed(text) == moment


@pytest.mark.parametrize("retention", [0, -1, 10**30])
def test_a_retention_of_nothing_or_of_more_than_time_keeps_for_ever(retention: int) -> None:
    assert times.cut_off(retention, times.now()) is None


def test_the_cut_off_is_the_retention_ago() -> None:
    now = times.now()
    assert times.cut_off(24 * 3_600 * 1_000_000_000, now) == now - timedelta(hours=24)
