"""A lane answers one filter: who is in it follows from the row, where in it from its time and id."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lanes.catalogue import (
    AUDIT_LANES,
    CONNECTION_LANES,
    EVERY_CONNECTION_LANE,
    Lane,
    chosen,
    lane_keys,
    lane_of,
    shard_of,
)
from chalicelib.records import AuditLog, Closing, ConnectionLog
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable

SELECTIVE = {"connection", "workspace", "owner"}
COARSE = {"organization", "type", "all"}
OPEN = {"status_type"}
NIL = "00000000-0000-0000-0000-000000000000"
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def test_an_open_session_is_in_every_lane_but_that_of_users(session_row: ConnectionLog) -> None:
    assert set(lane_keys(session_row, CONNECTION_LANES, 1)) == SELECTIVE | COARSE | OPEN


def test_a_closed_session_leaves_the_lanes_of_open_sessions_for_that_of_ended_ones(session_row: ConnectionLog) -> None:
    before = lane_keys(session_row, CONNECTION_LANES, 8)
    after = lane_keys(replace(session_row, closing=Closing(session_row.connect_time)), CONNECTION_LANES, 8)
    shard = shard_of(session_row.id, 8)
    assert before.items() - after.items() == {("status_type", f"ongoing:ssh#{shard}")}
    assert after.items() - before.items() == {("completed", f"completed#{shard}")}


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
        "status_type": f"ongoing:ssh#{shard}",
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


LOGS = [
    pytest.param(CONNECTION_FILTERS, CONNECTION_LANES, ConnectionLog, id="connection"),
    pytest.param(AUDIT_FILTERS, AUDIT_LANES, AuditLog, id="audit"),
]


def names_of(record: type[Any]) -> set[str]:
    return {*dir(record), *(field.name for field in fields(record))}


CHECKED_BY_ROW = {"time", "workspace", "agent", "ip", "status", "api_key_id"}
"""Fields that no lane answers, unless a deployment names an optional one."""


@pytest.mark.parametrize(("filters", "declared", "record"), LOGS)
def test_every_filter_of_the_language_asks_about_what_rows_have_and_is_answered_by_a_lane_that_knows_it(
    filters: FilterTable, declared: tuple[Lane, ...], record: type
) -> None:
    for key in filters.keys:
        # What no lane has follows from what one has: an application belongs to a type.
        fields = (key.field, *key.implies("ssh"))
        assert key.field in CHECKED_BY_ROW or any(lane_of(field, declared).fields == (field,) for field in fields)
        assert key.field == "time" or key.field in names_of(record)
    assert lane_of("no such field", declared) is declared[-1]


@pytest.mark.parametrize(("filters", "declared", "record"), LOGS)
def test_lanes_hash_on_what_rows_have_and_the_last_holds_every_row(
    filters: FilterTable, declared: tuple[Lane, ...], record: type
) -> None:
    assert filters.keys
    assert {name for lane in declared for name in (*lane.fields, *lane.only)} <= names_of(record)
    assert len({lane.name for lane in declared}) == len(declared) < 20
    assert declared[-1].values_for({}) == ["all"]


@pytest.mark.parametrize(
    ("lane", "known", "values"),
    [
        ("status", {"status": {"ongoing"}}, ["ongoing"]),
        ("status", {"status": {"completed"}}, None),
        ("status", {"status": {"ongoing", "completed"}}, None),
        ("status", {}, None),
        ("status_type", {"status": {"ongoing"}}, None),
        ("status_type", {"status": {"ongoing"}, "type": {"vscode", "ssh"}}, ["ongoing:ssh", "ongoing:vscode"]),
        ("workspace", {"workspace_id": {"w"}}, ["w"]),
        ("workspace", {"workspace_id": {NIL}}, None),
        ("organization", {"organization_id": {NIL}}, [NIL]),
    ],
)
def test_a_lane_answers_only_when_it_holds_every_such_row(
    lane: str, known: dict[str, set[str]], values: list[str] | None
) -> None:
    (lane_chosen,) = chosen(EVERY_CONNECTION_LANE, [lane])
    assert lane_chosen.values_for({name: frozenset(allowed) for name, allowed in known.items()}) == values


def test_the_nil_id_is_no_key_of_a_selective_lane(web_row: ConnectionLog) -> None:
    keys = lane_keys(replace(web_row, user_id=NIL, organization_id=NIL), CONNECTION_LANES, 1)
    assert "user" not in keys
    assert keys["organization"] == f"{NIL}#0"


@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_value_too_long_for_a_key_is_found_by_its_digest(letter: str) -> None:
    (target,) = chosen(AUDIT_LANES, ["target"])
    long = letter * 1_025
    assert target.keys(long, 1) == [target.key(long, "id", 1)] != [long]
    assert len(target.key(long, "id", 1)) < 100
    assert target.key(letter * 500, "id", 1) == letter * 500


def test_lanes_are_chosen_by_name_in_the_order_of_declaration() -> None:
    assert [lane.name for lane in chosen(CONNECTION_LANES, ["all", "workspace", "type"])] == [
        "workspace",
        "type",
        "all",
    ]
    assert chosen(AUDIT_LANES, ["*"]) == AUDIT_LANES
