"""A row comes back as it was stored, and costs as little as the budget says."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.lanes.catalogue import CONNECTION_LANES, POSITION
from chalicelib.records import Closing, ConnectionLog, Mark, Receipt
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import DOC, PACKED_DOC
from chalicelib.store.dynamodb.packing import unpacked
from chalicelib.store.logs.connection_rows import closing_of, closing_text, from_item, revision, to_item
from chalicelib.store.logs.connection_words import WORDS

WRITE_UNIT = 1_024
SESSION_BUDGET = 11
"""Twelve, and one for the lane of sessions that have ended."""
WEB_BUDGET = 9
LANE_NAMES = [lane.name for lane in CONNECTION_LANES]

moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)
ids = st.uuids().map(str)
pasts = st.fixed_dictionaries(
    {}, optional={"connect_time": moments, "ip": st.none() | texts, "user_id": st.none() | ids}
)
marks = st.one_of(st.none(), st.builds(Mark, moments, texts))
codes = st.one_of(st.none(), st.builds(Mark, moments, st.integers(-(2**31), 2**31 - 1)))
closings = st.one_of(st.none(), st.builds(Closing, moments, marks, codes))
rows = st.builds(
    ConnectionLog,
    id=ids,
    session=st.booleans(),
    connect_time=moments,
    organization_id=ids,
    workspace_owner_id=ids,
    workspace_id=ids,
    workspace_name=texts,
    agent_name=texts,
    type=st.sampled_from(["ssh", "vscode", "workspace_app"]),
    ip=st.none() | texts,
    user_agent=st.none() | texts,
    user_id=st.none() | ids,
    slug_or_port=st.none() | texts,
    connection_id=st.none() | ids,
    code=st.none() | st.integers(-(2**31), 2**31 - 1),
    closing=closings,
    given_id=st.none() | ids,
    was=st.lists(pasts, max_size=3).map(tuple),
)


def attribute_size(name: str, value: dict[str, object]) -> int:
    ((kind, content),) = value.items()
    if kind == "B":
        assert isinstance(content, bytes)
        return len(name) + len(content)
    # A number takes no more than a byte for two digits and one more; its text is the safe side.
    return len(name) + len(str(content).encode())


def size(item: Item) -> int:
    return sum(attribute_size(name, value) for name, value in item.items())


def in_lane(item: Item, lane: str) -> Item | None:
    projected = ("id", POSITION, lane, DOC, PACKED_DOC, *["closing"] * (lane == "completed"))
    return {name: item[name] for name in projected if name in item} if lane in item else None


def units(item: Item | None) -> int:
    return 0 if item is None else -(-size(item) // WRITE_UNIT)


def lane_units(before: Item | None, after: Item | None, lane: str) -> int:
    if before == after:
        return 0
    if before is None or after is None:
        return units(before) + units(after)
    if all(before[name] == after[name] for name in (lane, POSITION)):
        return max(units(before), units(after))
    return units(before) + units(after)


def write_units(before: Item | None, after: Item) -> int:
    lanes = sum(
        lane_units(in_lane(before, lane) if before else None, in_lane(after, lane), lane) for lane in LANE_NAMES
    )
    return max(units(before), units(after)) + lanes


@settings(deadline=None, max_examples=200)
@given(rows, st.integers(1, 64), st.integers(1, 10**9))
def test_a_row_comes_back_as_it_was(row: ConnectionLog, shards: int, writes: int) -> None:
    item = to_item(row, shards=shards, revision=writes)
    assert from_item(item) == row
    assert revision(item) == writes


@settings(deadline=None)
@given(rows)
def test_a_lane_gives_the_row_without_its_closing(row: ConnectionLog) -> None:
    lane = in_lane(to_item(row, shards=1, revision=1), "all")
    assert lane is not None
    assert from_item(lane) == replace(row, closing=None)


def test_a_row_takes_half_the_bytes_that_its_values_have(session_row: ConnectionLog, web_row: ConnectionLog) -> None:
    browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
    for row in (session_row, replace(web_row, user_agent=browser)):
        item = to_item(row, shards=1, revision=1)
        assert from_item(item) == row
        text = zlib.decompressobj(-zlib.MAX_WBITS, WORDS).decompress(item[PACKED_DOC]["B"])
        assert len(item[PACKED_DOC]["B"]) < len(text) / 2


@pytest.mark.parametrize("with_a_header", [False, True])
def test_a_row_from_before_it_was_packed_with_words_is_read(web_row: ConnectionLog, *, with_a_header: bool) -> None:
    row = replace(web_row, receipt=Receipt(web_row.connect_time + timedelta(seconds=2), "gatekeeper"))
    item = to_item(row, shards=1, revision=1)
    plain = zlib.decompressobj(-zlib.MAX_WBITS, WORDS).decompress(item.pop(PACKED_DOC)["B"])
    values = json.loads(plain)
    assert values.pop("by") == [2_000_000, "gatekeeper"]
    values["receipt"] = [times.fixed(row.connect_time + timedelta(seconds=2)), "gatekeeper"]
    text = json.dumps(values, separators=(",", ":"))
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS if with_a_header else -zlib.MAX_WBITS)
    compressed = packer.compress(text.encode()) + packer.flush()
    for older in ({DOC: {"S": text}}, {PACKED_DOC: {"B": compressed}}):
        read = from_item(item | older)
        assert (read, read.receipt) == (row, row.receipt)


def test_the_words_of_stored_rows_never_change() -> None:
    assert sha256(WORDS).hexdigest() == "1d6396bb8bb60be231589aa92cc3e99cde79fc1a1c2986553536d2fd1438c96d"


@settings(deadline=None)
@given(rows)
def test_compression_is_kept_only_where_it_is_smaller(row: ConnectionLog) -> None:
    item = to_item(row, shards=1, revision=1)
    assert (DOC in item) != (PACKED_DOC in item)
    if PACKED_DOC in item:
        packed = item[PACKED_DOC]["B"]
        assert len(packed) < len(zlib.decompressobj(-zlib.MAX_WBITS, WORDS).decompress(packed))


@pytest.mark.parametrize(
    ("closing", "text"),
    [
        (Closing(datetime(2025, 7, 10, 10, tzinfo=UTC)), '{"t":"2025-07-10T10:00:00.000000"}'),
        (
            Closing(
                datetime(2025, 7, 10, 10, tzinfo=UTC),
                Mark(datetime(2025, 7, 10, 11, tzinfo=UTC), "é"),
                Mark(datetime(2025, 7, 10, 12, tzinfo=UTC), 0),
            ),
            (
                '{"t":"2025-07-10T10:00:00.000000","r":["2025-07-10T11:00:00.000000","é"],'
                '"c":["2025-07-10T12:00:00.000000",0]}'
            ),
        ),
    ],
)
def test_the_stored_form_of_a_closing_does_not_change(closing: Closing, text: str) -> None:
    assert closing_text(closing) == text
    assert closing_of({"closing": {"S": text}}) == closing


def test_absent_values_take_no_bytes(session_row: ConnectionLog) -> None:
    doc = unpacked(to_item(session_row, shards=1, revision=1), WORDS)
    assert None not in doc.values()
    assert {"user_agent", "user_id", "code", "given_id", "closing", "connect_time", "id"}.isdisjoint(doc)


def closed(row: ConnectionLog) -> ConnectionLog:
    end = row.connect_time + timedelta(hours=8)
    return replace(row, closing=Closing(end, Mark(end, "process exited with error status: 130"), Mark(end, 130)))


def test_realistic_rows_are_under_one_write_unit(session_row: ConnectionLog, web_row: ConnectionLog) -> None:
    longer = replace(web_row, workspace_name="w" * 32, agent_name="a" * 32, connection_id=session_row.connection_id)
    for row in (session_row, closed(session_row), web_row, longer):
        item = to_item(row, shards=64, revision=1_000)
        assert size(item) < WRITE_UNIT
        assert all(units(in_lane(item, lane)) <= 1 for lane in LANE_NAMES)


def test_connect_and_disconnect_together_cost_no_more_than_the_budget(session_row: ConnectionLog) -> None:
    opened = to_item(session_row, shards=8, revision=1)
    ended = to_item(closed(session_row), shards=8, revision=2)
    connect = write_units(None, opened)
    disconnect = write_units(opened, ended)
    assert (connect, disconnect) == (8, 3)
    assert connect + disconnect <= SESSION_BUDGET


def test_a_disconnect_touches_the_row_and_the_lanes_about_that_alone(session_row: ConnectionLog) -> None:
    opened = to_item(session_row, shards=8, revision=1)
    ended = to_item(closed(session_row), shards=8, revision=2)
    touched = [lane for lane in LANE_NAMES if in_lane(opened, lane) != in_lane(ended, lane)]
    assert touched == ["status_type", "completed"]


@pytest.mark.parametrize("with_connection_id", [False, True])
def test_a_web_event_costs_no_more_than_the_budget(
    session_row: ConnectionLog, web_row: ConnectionLog, *, with_connection_id: bool
) -> None:
    row = replace(web_row, connection_id=session_row.connection_id) if with_connection_id else web_row
    assert write_units(None, to_item(row, shards=8, revision=1)) == 7 + with_connection_id <= WEB_BUDGET


def test_the_count_of_write_units_knows_what_a_changed_key_costs(session_row: ConnectionLog) -> None:
    opened = to_item(session_row, shards=1, revision=1)
    earlier = replace(session_row, connect_time=session_row.connect_time - timedelta(seconds=1))
    assert write_units(opened, opened) == 1
    assert write_units(opened, to_item(earlier, shards=1, revision=2)) == 1 + 2 * 7
