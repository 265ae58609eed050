"""An audit row comes back whole from the table and from every lane, and is written once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lanes.catalogue import AUDIT_LANES, POSITION
from chalicelib.records import AuditLog, Receipt
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.logs.audit_rows import IN_LANES, from_item, to_item, writes_of

NIL = str(UUID(int=0))
TABLE = AuditLogItem.Meta.table_name
ROW = AuditLog(
    id="b3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10",
    time=datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC),
    user_id="1d7e6c5b-4a39-4827-b615-04f3e2d1c016",
    organization_id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
    ip="203.0.113.7",
    user_agent="curl/8.0",
    resource_type="workspace_build",
    resource_id="4d1a2f6e-0d2b-4a0e-8a1d-7c3b2e5f6a13",
    resource_target="Billing-Backend",
    resource_icon="/icon/go.svg",
    action="start",
    status_code=200,
    request_id="a7a1d3c5-5b0e-4c55-b7f6-52c1d9e0fb14",
    diff={"name": {"old": "dev", "new": "prod", "secret": False}},
    additional_fields={"build_reason": "initiator", "build_number": 3},
)
BARE = replace(
    ROW,
    organization_id=None,
    ip=None,
    user_agent=None,
    resource_target="",
    resource_icon="",
    status_code=0,
    request_id=NIL,
    diff={},
    additional_fields={},
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.mark.parametrize("row", [ROW, BARE], ids=["whole", "bare"])
def test_a_row_comes_back_as_it_was(row: AuditLog) -> None:
    assert from_item(to_item(row, shards=1)) == row


@settings(deadline=None)
@given(
    st.builds(
        AuditLog,
        id=st.uuids().map(str),
        time=st.datetimes(datetime(1, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis sets the zone
        user_id=st.uuids().map(str),
        organization_id=st.none() | st.uuids().map(str),
        ip=st.none() | st.ip_addresses().map(str),
        user_agent=st.none() | TEXT.filter(bool),
        resource_type=st.sampled_from(["api_key", "workspace", "template"]),
        resource_id=st.uuids().map(str),
        resource_target=TEXT,
        resource_icon=TEXT,
        action=st.sampled_from(["create", "write", "delete"]),
        status_code=st.integers(0, 599),
        request_id=st.uuids().map(str),
        diff=st.dictionaries(TEXT, st.fixed_dictionaries({"new": TEXT, "secret": st.booleans()}), max_size=20),
        additional_fields=st.dictionaries(TEXT, TEXT | st.none() | st.integers(), max_size=3),
    ),
    st.integers(1, 8),
)
def test_any_row_comes_back_as_it_was(row: AuditLog, shards: int) -> None:
    assert from_item(to_item(row, shards=shards)) == row


def test_a_row_is_in_the_lanes_of_what_it_has() -> None:
    item = to_item(ROW, shards=1)
    assert {lane.name: item[lane.name]["S"] for lane in AUDIT_LANES if lane.name in item} == {
        "request": ROW.request_id,
        "resource": ROW.resource_id,
        "target": "billing-backend",
        "user": ROW.user_id,
        "build_reason_action": "initiator:start#0",
        "build_reason": "initiator#0",
        "resource_type_action": "workspace_build:start#0",
        "organization": f"{ROW.organization_id}#0",
        "resource_type": "workspace_build#0",
        "action": "start#0",
        "all": "all#0",
    }
    assert item[POSITION] == {"S": f"2025-07-10T10:14:38.942776#{ROW.id}"}


def test_a_row_pays_for_no_lane_of_what_it_lacks() -> None:
    item = to_item(BARE, shards=1)
    absent = {"request", "target", "organization", "build_reason_action", "build_reason", "connection_event"}
    assert {lane.name for lane in AUDIT_LANES} - item.keys() == absent


@pytest.mark.parametrize(
    ("resource_type", "action", "fields", "reason"),
    [
        ("workspace_build", "start", {"build_reason": "autostart"}, "autostart"),
        ("workspace_build", "stop", {"build_reason": "dormancy"}, "dormancy"),
        ("workspace", "create", {"build_reason": "initiator"}, "initiator"),
        ("workspace", "write", {"build_reason": "initiator"}, None),
        ("template", "create", {"build_reason": "initiator"}, None),
        ("workspace_build", "start", {"build_reason": ""}, None),
        ("workspace_build", "start", {"build_reason": 7}, None),
        ("workspace_build", "start", {}, None),
    ],
)
def test_why_a_workspace_was_built(resource_type: str, action: str, fields: dict[str, Any], reason: str | None) -> None:
    row = replace(ROW, resource_type=resource_type, action=action, additional_fields=fields)
    assert row.build_reason == reason
    assert ("build_reason" in to_item(row, shards=1)) is (reason is not None)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("lane", AUDIT_LANES, ids=lambda lane: lane.name)
def test_every_lane_gives_the_whole_row(lane: Any) -> None:
    row = replace(ROW, action="connect") if lane.name == "connection_event" else ROW
    transact(writes_of(row))
    item = to_item(row, shards=current().log_shards)
    items: list[Item] = call(
        "Query",
        {
            "TableName": TABLE,
            "IndexName": lane.name,
            "KeyConditionExpression": "#lane = :value",
            "ExpressionAttributeNames": {"#lane": lane.name},
            "ExpressionAttributeValues": {":value": item[lane.name]},
        },
    )["Items"]
    assert [from_item(one) for one in items] == [row]


@pytest.mark.usefixtures("tables")
def test_a_row_is_never_changed() -> None:
    transact(writes_of(ROW))
    with pytest.raises(TransactionCancelled):
        transact(writes_of(replace(ROW, action="stop")))
    item = call("GetItem", {"TableName": TABLE, "Key": {"id": {"S": ROW.id}}, "ConsistentRead": True})["Item"]
    assert from_item(item) == ROW


def test_a_row_of_a_token_fits_one_write_unit() -> None:
    # With all its keys; each lane has fewer attributes than the table.
    row = replace(
        BARE, resource_type="api_key", action="write", resource_target="ci", diff=dict(ROW.diff), user_agent="x" * 80
    )
    item = to_item(row, shards=1)
    assert sum(len(name) + len(next(iter(value.values()))) for name, value in item.items()) < 1_024


@pytest.mark.parametrize(
    "after", [timedelta(0), timedelta(microseconds=1), timedelta(days=3_650), -timedelta(hours=20)]
)
@pytest.mark.parametrize("text", ["", "x" * 3_000], ids=["small", "with a rest"])
def test_a_row_and_its_lanes_know_which_token_wrote_it_and_when(after: timedelta, text: str) -> None:
    receipt = Receipt(ROW.time + after, "abcdeABCDE")
    row = replace(ROW, diff={"readme": {"new": text, "secret": False}}).received(receipt)
    item = to_item(row, shards=1)
    assert from_item(item).receipt == receipt
    assert from_item({name: item[name] for name in IN_LANES if name in item}).receipt == receipt


def test_a_row_that_was_stored_without_a_receipt_is_read_without_one() -> None:
    assert from_item(to_item(ROW, shards=1)) == ROW
    assert from_item(to_item(ROW, shards=1)).receipt is None
