"""A lane answers one filter: who is in it follows from the row, where in it from its time and id."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.store.lanes import CONNECTION_LANES, TIME_LENGTH, Lane, lane_keys, position, shard_of
from chalicelib.store.records import Closing, ConnectionLog

SELECTIVE = {"connection", "workspace", "owner"}
COARSE = {"organization", "type", "all"}
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def test_an_open_session_is_in_every_lane_but_that_of_users(session_row: ConnectionLog) -> None:
    assert set(lane_keys(session_row, CONNECTION_LANES, 1)) == SELECTIVE | COARSE | {"status"}


def test_a_closed_session_leaves_the_status_lane_and_no_other(session_row: ConnectionLog) -> None:
    before = lane_keys(session_row, CONNECTION_LANES, 8)
    after = lane_keys(replace(session_row, closing=Closing(session_row.connect_time)), CONNECTION_LANES, 8)
    assert dict(before) == {**after, "status": f"ongoing#{shard_of(session_row.id, 8)}"}


def test_a_web_event_has_no_status_and_is_in_the_lane_of_its_user(web_row: ConnectionLog) -> None:
    keys = lane_keys(web_row, CONNECTION_LANES, 1)
    assert set(keys) == {"workspace", "owner", "user"} | COARSE
    assert keys["user"] == web_row.user_id


@pytest.mark.parametrize("absent", [None, ""])
def test_a_row_without_the_value_pays_nothing_for_its_lane(web_row: ConnectionLog, absent: str | None) -> None:
    assert "user" not in lane_keys(replace(web_row, user_id=absent), CONNECTION_LANES, 1)


def test_selective_lanes_hash_on_the_value_and_coarse_ones_on_value_and_shard(session_row: ConnectionLog) -> None:
    keys = lane_keys(session_row, CONNECTION_LANES, 8)
    shard = shard_of(session_row.id, 8)
    assert keys == {
        "connection": session_row.connection_id,
        "workspace": session_row.workspace_id,
        "owner": session_row.workspace_owner_id,
        "status": f"ongoing#{shard}",
        "organization": f"{session_row.organization_id}#{shard}",
        "type": f"ssh#{shard}",
        "all": f"all#{shard}",
    }


@settings(deadline=None)
@given(st.uuids().map(str), st.integers(1, 64), st.sampled_from(CONNECTION_LANES))
def test_readers_look_where_the_writer_put_it(row_id: str, shards: int, lane: Lane) -> None:
    keys = lane.keys("value", shards)
    assert lane.key("value", row_id, shards) in keys
    assert len(set(keys)) == len(keys) == (shards if lane.coarse else 1)


@settings(deadline=None)
@given(st.uuids().map(str), st.integers(1, 64), st.integers(1, 64))
def test_shards_may_grow_and_old_rows_are_still_found(row_id: str, one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert all(lane.key("value", row_id, few) in lane.keys("value", many) for lane in CONNECTION_LANES)


def test_rows_spread_evenly_over_shards() -> None:
    spread = Counter(shard_of(str(UUID(int=number << 40)), 8) for number in range(4_000))
    assert sorted(spread) == list(range(8))
    assert max(spread.values()) < 1.5 * min(spread.values())


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


def test_every_filter_of_the_language_has_the_lane_it_names() -> None:
    lanes = {lane.name: lane for lane in CONNECTION_LANES}
    for key in CONNECTION_FILTERS.keys:
        assert lanes[key.lane].field == ("" if key.field == "time" else key.field)


def test_a_lane_hashes_on_something_that_rows_have() -> None:
    known = {field.name for field in fields(ConnectionLog)} | {"status", ""}
    assert {lane.field for lane in CONNECTION_LANES} <= known
    assert len({lane.name for lane in CONNECTION_LANES}) == len(CONNECTION_LANES)


def test_the_last_lane_holds_every_row() -> None:
    assert CONNECTION_LANES[-1].field == ""
    assert CONNECTION_LANES[-1].answers("anything")


def test_only_the_ongoing_are_in_the_status_lane() -> None:
    status = next(lane for lane in CONNECTION_LANES if lane.name == "status")
    assert status.answers("ongoing")
    assert not status.answers("completed")
