"""A cursor comes back as it went out, for the query that it was made for, and nothing else is one."""

from __future__ import annotations

import base64
import string
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.lanes.positions import position
from chalicelib.search.cursor import CarriedCount, Cursor, WrongCursor, decode, encode
from chalicelib.search.filter import Filter

LOGS = ("connection", "audit")
ALPHABET = string.ascii_letters + string.digits + "-_"
NUMBERS = st.integers(0, 2**31 - 1)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9998, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
COUNTS = st.builds(CarriedCount, NUMBERS, st.text("0123456789abcdef", min_size=8, max_size=8))
CURSORS = st.builds(
    Cursor,
    st.builds(lambda moment, row_id: position(moment, str(row_id)), MOMENTS, st.uuids()),
    NUMBERS,
    st.none() | COUNTS,
)
FILTERS = st.builds(
    lambda fields, after: Filter(
        fields=tuple((name, frozenset(values)) for name, values in fields.items()), after=after
    ),
    st.dictionaries(st.sampled_from(["type", "action", "ip"]), st.sets(st.text(max_size=8), min_size=1, max_size=3)),
    st.none() | MOMENTS,
)


@given(CURSORS, st.sampled_from(LOGS), FILTERS)
def test_a_cursor_is_read_as_it_was_made(cursor: Cursor, log: str, asked: Filter) -> None:
    text = encode(cursor, log, asked)
    assert decode(text, log, asked) == cursor
    assert {*text} <= {*ALPHABET}, "it stands in an address as it is"


@given(CURSORS, FILTERS, FILTERS)
def test_a_cursor_is_of_one_query_of_one_log(cursor: Cursor, asked: Filter, other: Filter) -> None:
    text = encode(cursor, "connection", asked)
    with pytest.raises(WrongCursor):
        decode(text, "audit", asked)
    assume(({*asked.fields}, asked.after) != ({*other.fields}, other.after))
    with pytest.raises(WrongCursor):
        decode(text, "connection", other)


@given(CURSORS, FILTERS, st.data())
def test_a_cursor_that_was_changed_is_noticed(cursor: Cursor, asked: Filter, data: st.DataObject) -> None:
    text = encode(cursor, "audit", asked)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(ALPHABET + "=+/ é"))
    changed = data.draw(
        st.sampled_from([text[:place] + letter + text[place + 1 :], text[:place] + letter + text[place:], text[:place]])
    )
    assume(changed != text)
    with pytest.raises(WrongCursor):
        decode(changed, "audit", asked)


@given(
    st.text()
    | st.text(ALPHABET, max_size=500)
    | st.binary(max_size=400).map(lambda raw: base64.b64encode(raw).decode())
)
def test_no_other_text_is_a_cursor(text: str) -> None:
    with pytest.raises(WrongCursor):
        decode(text, "connection", Filter())


def test_a_skip_is_no_longer_than_an_offset_may_be() -> None:
    place = position(times.EPOCH, str(UUID(int=1)))
    text = encode(Cursor(place, 2**31), "audit", Filter())
    with pytest.raises(WrongCursor):
        decode(text, "audit", Filter())
