"""The cost of an audit row: its items by their sizes, from a bare event to one that no single item can hold."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from string import ascii_letters, digits
from typing import Any
from uuid import UUID

import pytest

from chalicelib.errors import Unavailable
from chalicelib.lanes.catalogue import AUDIT_LANES
from chalicelib.logs.diff import diff
from chalicelib.records import AuditLog, Receipt
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import DOC, PACKED_DOC
from chalicelib.store.dynamodb.sizes import WRITE_UNIT_BYTES, item_bytes, write_units
from chalicelib.store.logs import audit_rows
from chalicelib.store.logs.audit_rows import (
    IN_LANES,
    LARGEST_ITEM_BYTES,
    OVERFLOW,
    from_item,
    further_ids,
    overflow_bytes,
    overflow_ids,
    to_items,
    with_overflow,
    writes_of,
)
from chalicelib.store.logs.audit_words import WORDS
from chalicelib.store.logs.stamps import UNLESS_STAMPED
from tests.store.audit import wide

WRITE_UNITS = 11
READ_UNITS = 15
PAGE = 100
DYNAMODB_ITEM_BYTES = 409_600
DYNAMODB_TRANSACTION_BYTES = 4_000_000
SIDE = 300 * 1_024
AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
    " Safari/537.36"
)


def drawn_id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def workspace_created(seed: int) -> AuditLog:
    """A row in every lane that an event can be in, with a diff of ten fields."""
    random = Random(seed)
    workspace: dict[str, Any] = {
        "id": drawn_id(random),
        "owner_id": drawn_id(random),
        "template_id": drawn_id(random),
        "name": "billing-backend-dev",
        "autostart_schedule": "CRON_TZ=Europe/Berlin 30 9 * * 1-5",
        "ttl": 28_800_000_000_000,
        "automatic_updates": "always",
        "favorite": True,
        "next_start_at": "2026-11-23T08:30:00Z",
        "group_acl": {drawn_id(random): ["read", "use"]},
    }
    return AuditLog(
        id=drawn_id(random),
        time=datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC),
        user_id=workspace["owner_id"],
        organization_id=drawn_id(random),
        ip="203.0.113.77",
        user_agent=AGENT,
        resource_type="workspace",
        resource_id=workspace["id"],
        resource_target=workspace["name"],
        resource_icon="/emojis/1f9a7.png",
        action="create",
        status_code=201,
        request_id=drawn_id(random),
        diff=diff(None, workspace, "workspace"),
        additional_fields={
            "workspace_name": workspace["name"],
            "build_number": "1",
            "build_reason": "initiator",
            "workspace_owner": "margaret.hamilton",
            "workspace_id": workspace["id"],
        },
    )


def template_changed(seed: int) -> AuditLog:
    random = Random(seed)
    before = {
        "name": "docker",
        "display_name": "Docker",
        "description": "Develop in containers",
        "icon": "/icon/docker.png",
        "default_ttl": 28_800_000_000_000,
        "active_version_id": drawn_id(random),
        "allow_user_autostart": True,
        "failure_ttl": 0,
        "deprecated": "",
        "activity_bump": 3_600_000_000_000,
    }
    after = {
        "name": "docker-dev",
        "display_name": "Docker (development)",
        "description": "Develop in Docker containers on our own machines",
        "icon": "/icon/container.svg",
        "default_ttl": 43_200_000_000_000,
        "active_version_id": drawn_id(random),
        "allow_user_autostart": False,
        "failure_ttl": 86_400_000_000_000,
        "deprecated": "Use docker-next",
        "activity_bump": 7_200_000_000_000,
    }
    made = workspace_created(seed)
    return replace(
        made,
        resource_type="template",
        resource_target="docker-dev",
        action="write",
        status_code=200,
        diff=diff(before, after, "template"),
        additional_fields={},
    )


def workspace_built(seed: int) -> AuditLog:
    """A build as Coder tells of it, which names no target, with more in its diff than Coder would put there."""
    made = workspace_created(seed)
    return replace(made, resource_type="workspace_build", resource_target="", action="start", status_code=200)


def user_changed(seed: int) -> AuditLog:
    """Values that nobody else has: names, addresses, an agent that is not among the known words."""
    random = Random(seed)
    fields = {f"field_{index}": f"{random.getrandbits(48):x}" for index in range(10)}
    return replace(
        template_changed(seed),
        resource_type="user",
        user_agent="coder-cli/v2.35.1 (linux/arm64; ssh 9.6)",
        diff={name: {"old": value[::-1], "new": value, "secret": False} for name, value in fields.items()},
    )


def huge(seed: int, old: int, new: int) -> AuditLog:
    return wide(workspace_created(seed), seed, old, new)


def in_lanes(item: Item) -> dict[str, Item]:
    """The entries of an item in each lane."""
    shared = {name: item[name] for name in IN_LANES if name in item}
    return {lane.name: {**shared, lane.name: item[lane.name]} for lane in AUDIT_LANES if lane.name in item}


def cost(items: list[Item]) -> int:
    """Write units: of each item, and of each lane it is in."""
    return sum(
        write_units(item_bytes(item)) + sum(write_units(item_bytes(one)) for one in in_lanes(item).values())
        for item in items
    )


ORDINARY = {
    "workspace": workspace_created,
    "build": workspace_built,
    "template": template_changed,
    "user": user_changed,
}


def number_of(seed: int) -> int:
    return Random(seed).randrange(10**9)


def token_of(seed: int) -> str:
    return "".join(Random(seed).choices(ascii_letters + digits, k=10))


every_ordinary = pytest.mark.parametrize("make", ORDINARY.values(), ids=ORDINARY)


@every_ordinary
@pytest.mark.parametrize("seed", range(20))
def test_an_event_with_ten_changed_fields_is_one_unit_in_the_row_and_in_each_lane(make: Any, seed: int) -> None:
    row = make(seed)
    row = row.received(Receipt(row.time + timedelta(microseconds=number_of(seed)), token_of(seed)))
    assert len(row.diff) == 10
    (item,) = to_items(row, shards=64)
    assert item_bytes(item) < WRITE_UNIT_BYTES
    assert OVERFLOW not in item
    assert cost([item]) == 1 + len(in_lanes(item)) <= WRITE_UNITS
    assert (from_item(item), from_item(item).receipt) == (row, row.receipt)


def test_what_is_created_with_a_build_reason_is_in_ten_lanes_and_what_has_none_in_nine() -> None:
    assert cost(to_items(workspace_created(1), shards=1)) == WRITE_UNITS
    assert cost(to_items(template_changed(1), shards=1)) == WRITE_UNITS - 1


def test_a_build_is_in_one_lane_more_and_pays_for_it_only_where_its_sender_names_a_target() -> None:
    built = workspace_built(1)
    lanes, named = (
        in_lanes(to_items(row, shards=1)[0]).keys() for row in (built, replace(built, resource_target="dev"))
    )
    assert {"build_reason", "build_reason_action"} <= lanes
    assert named - lanes == {"target"}
    assert cost(to_items(built, shards=1)) == WRITE_UNITS
    assert cost(to_items(replace(built, resource_target="dev"), shards=1)) == WRITE_UNITS + 1


@every_ordinary
def test_a_page_of_such_events_is_within_its_read_units(make: Any) -> None:
    lanes = [in_lanes(to_items(make(seed), shards=64)[0]) for seed in range(PAGE)]
    for lane in lanes[0]:
        size = sum(item_bytes(items[lane]) for items in lanes)
        assert -(-size // 4_096) / 2 <= READ_UNITS


@pytest.mark.parametrize("action", ["connect", "disconnect", "open", "close"])
def test_only_deprecated_connection_events_pay_for_their_lane(action: str) -> None:
    row = template_changed(1)
    (deprecated,), (ordinary,) = to_items(replace(row, action=action), shards=1), to_items(row, shards=1)
    assert deprecated["connection_event"] == {"S": f"{action}#0"}
    assert deprecated["event_time"] == {"S": deprecated["position"]["S"][:26]}
    assert deprecated.keys() - ordinary.keys() == {"connection_event", "event_time"}


def padded(size: int) -> AuditLog:
    text = f"{Random(9).getrandbits(8 * size):x}"[:size]
    return replace(template_changed(3), diff={"readme": {"new": text, "secret": False}})


def test_a_diff_leaves_the_lanes_when_they_would_cost_a_second_unit_for_it() -> None:
    edge = next(size for size in range(200, 2_000) if OVERFLOW in to_items(padded(size), shards=1)[0])
    (kept,), (moved,) = to_items(padded(edge - 1), shards=1), to_items(padded(edge), shards=1)
    assert max(map(item_bytes, in_lanes(kept).values())) <= WRITE_UNIT_BYTES
    assert max(map(item_bytes, in_lanes(kept).values())) >= WRITE_UNIT_BYTES - 8
    assert all(OVERFLOW not in item for item in in_lanes(moved).values())
    assert cost([moved]) <= cost([kept]) + 1
    for item, size in ((kept, edge - 1), (moved, edge)):
        assert from_item(item) == padded(size)


def test_what_is_large_beside_the_diff_moves_nothing_that_saves_nothing() -> None:
    agent = f"{Random(1).getrandbits(12_000):x}"
    row = replace(template_changed(1), user_agent=agent, diff={"a": {"new": 1, "secret": False}})
    (item,) = to_items(row, shards=1)
    assert OVERFLOW not in item
    assert from_item(item) == row


def test_a_long_icon_leaves_the_lanes_and_comes_back() -> None:
    icon = f"data:image/png;base64,{Random(1).getrandbits(32_000):x}"
    row = replace(template_changed(1), resource_icon=icon)
    (item,) = to_items(row, shards=1)
    lanes = in_lanes(item)
    assert all(item_bytes(one) <= WRITE_UNIT_BYTES for one in lanes.values())
    assert cost([item]) <= len(lanes) + write_units(len(icon)) + 1
    for one in lanes.values():
        read = from_item(one)
        assert read.overflow is not None
        assert with_overflow(read, {row.id: item}) == row
    assert from_item(item) == row


@pytest.mark.parametrize("make", [workspace_created, template_changed], ids=["with a reason", "without"])
def test_a_row_read_from_a_lane_says_what_it_lacks_and_what_queries_check(make: Any) -> None:
    row = replace(make(5), diff=huge(5, 30_000, 30_000).diff)
    (item,) = to_items(row, shards=1)
    assert cost([item]) < cost([{**item, DOC: {"S": "x" * 60_000}}]) / 5
    for lane in in_lanes(item).values():
        read = from_item(lane)
        assert read.overflow is not None
        assert (read.diff, read.overflow.items) == ({}, 0)
        assert read.build_reason == row.build_reason
        assert read.overflow.bytes == overflow_bytes(read) > 60_000
        assert overflow_ids(read) == (row.id,)
        assert further_ids(read) == ()
        assert replace(read, overflow=None, diff=row.diff, additional_fields=row.additional_fields) == row
        assert with_overflow(read, {row.id: item}) == row
    assert from_item(item) == row
    assert overflow_ids(row) == ()


@pytest.mark.parametrize(
    ("old", "new", "items"),
    [(3, 3, 1), (SIDE // 2, SIDE // 2, 1), (SIDE, 0, 1), (SIDE, SIDE, 3), (SIDE, SIDE - 90_000, 1)],
)
def test_a_diff_of_any_size_comes_back_whole(old: int, new: int, items: int) -> None:
    row = huge(7, old, new)
    made = to_items(row, shards=64)
    assert len(made) == items
    assert all(item_bytes(item) <= LARGEST_ITEM_BYTES < DYNAMODB_ITEM_BYTES for item in made)
    assert sum(map(item_bytes, made)) < DYNAMODB_TRANSACTION_BYTES
    read = from_item(next(iter(in_lanes(made[0]).values())))
    assert with_overflow(read, {item["id"]["S"]: item for item in made}) == row
    assert [item["id"]["S"] for item in made] == [row.id, *further_ids(read)]
    assert all(item.keys() == {"id", OVERFLOW} for item in made[1:])


def test_a_row_takes_further_items_exactly_where_one_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    row = huge(7, 9_000, 0)
    (whole,) = to_items(row, shards=1)
    monkeypatch.setattr(audit_rows, "LARGEST_ITEM_BYTES", item_bytes(whole))
    assert len(to_items(row, shards=1)) == 1
    monkeypatch.setattr(audit_rows, "LARGEST_ITEM_BYTES", item_bytes(whole) - 1)
    first, *further = to_items(row, shards=1)
    assert len(further) > 0
    assert OVERFLOW not in first
    assert with_overflow(from_item(first), {item["id"]["S"]: item for item in further}) == row


def test_a_diff_that_compresses_well_stays_in_the_row() -> None:
    row = replace(workspace_created(1), diff={"readme": {"old": "a" * SIDE, "new": "b" * SIDE, "secret": False}})
    (item,) = to_items(row, shards=1)
    assert item_bytes(item) < 4_096
    assert from_item(item) == row


def test_all_items_of_a_row_are_one_transaction_that_begins_with_the_row() -> None:
    row = huge(7, SIDE, SIDE)
    writes = writes_of(row)
    assert [write.request["Item"]["id"]["S"] for write in writes] == [row.id, f"{row.id}#1", f"{row.id}#2"]
    conditions = [write.request.get("ConditionExpression") for write in writes]
    assert conditions == [UNLESS_STAMPED, None, None]


@pytest.mark.usefixtures("tables")
def test_a_row_without_its_rest_is_not_passed_for_a_whole_one() -> None:
    read = from_item(to_items(huge(7, SIDE, SIDE), shards=1)[0])
    with pytest.raises(Unavailable):
        with_overflow(read, {})


def test_rows_written_before_there_were_words_can_be_read() -> None:
    row = template_changed(1)
    (item,) = to_items(row, shards=1)
    plain = zlib.decompressobj(-zlib.MAX_WBITS, WORDS).decompress(item[PACKED_DOC]["B"])
    own, _, diff = plain.decode().partition("\n")
    assert (json.loads(own)["resource_type"], json.loads(diff)) == ("template", row.diff)
    without = {name: value for name, value in item.items() if name != PACKED_DOC}
    for text in (plain, json.dumps({**json.loads(own), "diff": row.diff}).encode()):
        assert from_item({**item, PACKED_DOC: {"B": zlib.compress(text)}}) == row
        assert from_item({**without, DOC: {"S": text.decode()}}) == row
        packer = zlib.compressobj(9, zdict=WORDS)
        assert from_item({**item, PACKED_DOC: {"B": packer.compress(text) + packer.flush()}}) == row


def test_the_words_never_change_for_rows_are_read_with_them() -> None:
    assert sha256(WORDS).hexdigest() == "72541ce3c0e1c0c4cc2acf332a31225934ed98351cd23a685ce8c927607a4f28"
    assert len(WORDS) < 32_768
