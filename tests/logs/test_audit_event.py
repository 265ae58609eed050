from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logs.audit_event import AuditEvent, beside, join, row
from chalicelib.records import AuditLog, Receipt

T0 = datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC)
NIL = "00000000-0000-0000-0000-000000000000"
OWN_ID = "b3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10"
OTHER_ID = "c3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10"
EVENT = AuditEvent(
    id=OWN_ID,
    time=T0,
    user_id="0c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12",
    organization_id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
    ip="127.0.0.1",
    user_agent="Mozilla/5.0",
    resource_type="template",
    resource_id="4d1a2f6e-0d2b-4a0e-8a1d-7c3b2e5f6a13",
    resource_target="rust",
    resource_icon="/icon.png",
    action="write",
    status_code=200,
    request_id="a7a1d3c5-5b0e-4c55-b7f6-52c1d9e0fb14",
    additional_fields={"name": "doug"},
    diff={"name": {"Old": "dev", "New": "prod", "Secret": False}},
)
WITHOUT_ID = replace(EVENT, id=None)
OLD = {"name": "dev", "icon": "a"}
NEW = {"name": "prod", "icon": "a"}
COMPUTED = {"name": {"old": "dev", "new": "prod", "secret": False}}


def test_a_row_holds_what_the_event_says() -> None:
    assert row(EVENT) == AuditLog(
        id=OWN_ID,
        time=T0,
        user_id=EVENT.user_id,
        organization_id=EVENT.organization_id,
        ip="127.0.0.1",
        user_agent="Mozilla/5.0",
        resource_type="template",
        resource_id=EVENT.resource_id,
        resource_target="rust",
        resource_icon="/icon.png",
        action="write",
        status_code=200,
        request_id=str(EVENT.request_id),
        diff={"name": {"old": "dev", "new": "prod", "secret": False}},
        additional_fields={"name": "doug"},
    )


def test_what_an_event_leaves_out_is_empty() -> None:
    made = row(
        replace(EVENT, organization_id=None, ip=None, user_agent=None, resource_icon=None, request_id=None, diff=None)
    )
    assert (made.organization_id, made.ip, made.user_agent) == (None, None, None)
    assert (made.resource_icon, made.request_id, made.diff) == ("", NIL, {})
    assert row(replace(EVENT, additional_fields=None)).additional_fields == {}


def test_the_id_of_an_event_without_one_never_changes() -> None:
    made = row(WITHOUT_ID)
    assert made.id == "df149222-82d4-547e-aea3-5fb914de3a37"
    assert UUID(made.id).version == 5
    assert replace(made, id=OWN_ID) == row(EVENT)


@pytest.mark.parametrize(
    "other",
    [
        {"time": T0 + timedelta(microseconds=1)},
        {"user_id": NIL},
        {"organization_id": None},
        {"ip": None},
        {"user_agent": None},
        {"resource_type": "workspace"},
        {"resource_id": NIL},
        {"resource_target": "Rust"},
        {"resource_icon": None},
        {"action": "delete"},
        {"status_code": 201},
        {"request_id": None},
        {"additional_fields": {"name": ["doug"]}},
        {"diff": {}},
        {"diff": {"name": {"old": 1, "new": "prod"}}},
    ],
    ids=str,
)
def test_events_that_differ_anywhere_have_different_ids_and_are_both_kept(other: dict[str, Any]) -> None:
    assert row(replace(WITHOUT_ID, **other)).id != row(WITHOUT_ID).id
    stored, incoming = row(EVENT), row(replace(EVENT, **other))
    assert join(stored, incoming) == beside(incoming)
    assert beside(incoming).id != stored.id


def test_an_event_differs_from_another_even_where_python_takes_true_for_one() -> None:
    stored = row(replace(EVENT, additional_fields={"flag": 1}))
    incoming = row(replace(EVENT, additional_fields={"flag": True}))
    assert stored == incoming
    assert join(stored, incoming).id != stored.id


def test_the_order_of_a_sender_s_keys_makes_no_other_event() -> None:
    one = row(replace(WITHOUT_ID, additional_fields={"a": 1, "b": 2}))
    other = row(replace(WITHOUT_ID, additional_fields={"b": 2, "a": 1}))
    assert one.id == other.id
    assert join(one, other) is one


def test_both_spellings_of_a_diff_make_one_event() -> None:
    api_form = replace(WITHOUT_ID, diff={"name": {"old": "dev", "new": "prod", "secret": False}})
    assert row(api_form) == row(WITHOUT_ID)


def test_two_events_that_lost_their_ids_to_others_stay_two() -> None:
    assert beside(row(EVENT)).id != beside(row(replace(EVENT, id=OTHER_ID))).id


@pytest.mark.parametrize(
    ("given_parts", "expected"),
    [
        ({"diff": None, "old": OLD, "new": NEW}, COMPUTED),
        ({"diff": None, "old": None, "new": {"name": "prod"}}, {"name": {"old": "", "new": "prod", "secret": False}}),
        ({"diff": None, "old": {"name": "dev"}, "new": None}, {"name": {"old": "dev", "new": "", "secret": False}}),
        ({"diff": {}, "old": OLD, "new": NEW}, {}),
        ({"diff": None}, {}),
        ({"diff": None, "old": OLD, "new": NEW, "status_code": 303}, COMPUTED),
        ({"diff": None, "old": OLD, "new": NEW, "status_code": 399}, COMPUTED),
        ({"diff": None, "old": OLD, "new": NEW, "status_code": 400}, {}),
        ({"diff": None, "old": OLD, "new": NEW, "action": "login"}, {}),
        ({"diff": None, "old": OLD, "new": NEW, "action": "logout"}, {}),
        ({"status_code": 400}, COMPUTED),
    ],
    ids=str,
)
def test_a_sent_diff_is_kept_and_another_is_computed_for_what_succeeded(
    given_parts: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert row(replace(EVENT, **given_parts)).diff == expected


def test_a_secret_is_in_no_row() -> None:
    sent = row(replace(EVENT, diff={"token": {"old": "hunter1", "new": "hunter2", "secret": True}}))
    computed = row(
        replace(EVENT, resource_type="git_ssh_key", diff=None, old={"private_key": "hunter1"}, new={"private_key": "x"})
    )
    assert sent.diff == {"token": {"old": "", "new": "", "secret": True}}
    assert computed.diff == {"private_key": {"old": "", "new": "", "secret": True}}


def test_what_is_no_diff_makes_no_row() -> None:
    with pytest.raises(ValueError, match="the change of '1' has old, new and secret"):
        row(replace(EVENT, diff={"1": {"was": 2}}))


@pytest.mark.parametrize(
    ("resource_type", "action", "fields", "expected"),
    [
        ("workspace_build", "start", {"build_reason": "autostart"}, "autostart"),
        ("workspace_build", "stop", {"build_reason": "initiator"}, "initiator"),
        ("workspace", "create", {"build_reason": "dashboard"}, "dashboard"),
        ("workspace", "write", {"build_reason": "dashboard"}, None),
        ("template", "create", {"build_reason": "dashboard"}, None),
        ("workspace_build", "start", {}, None),
        ("workspace_build", "start", {"build_reason": ""}, None),
        ("workspace_build", "start", {"build_reason": 7}, None),
    ],
)
def test_only_builds_have_a_build_reason(
    resource_type: str, action: str, fields: dict[str, Any], expected: str | None
) -> None:
    made = row(replace(EVENT, resource_type=resource_type, action=action, additional_fields=fields))
    assert made.build_reason == expected
    assert made.resource_type_action == f"{resource_type}:{action}"


@pytest.mark.parametrize(
    ("action", "expected"),
    [("connect", True), ("disconnect", True), ("open", True), ("close", True), ("create", False), ("login", False)],
)
def test_the_four_connection_actions_are_told_from_others(action: str, *, expected: bool) -> None:
    assert row(replace(EVENT, action=action)).connection_event == (action if expected else None)


@pytest.mark.parametrize(("name", "expected"), [("Rust", "rust"), ("", ""), ("İST", "ist")])
def test_targets_are_compared_whatever_their_case(name: str, expected: str) -> None:
    assert row(replace(EVENT, resource_target=name)).target == expected


objects = st.dictionaries(
    st.sampled_from(["a", "b", "workspace_name"]),
    st.none() | st.booleans() | st.integers(0, 1) | st.sampled_from(["", "x"]) | st.just(1.0),
    max_size=2,
)
events = st.builds(
    replace,
    st.just(EVENT),
    id=st.sampled_from([None, OWN_ID, OTHER_ID]),
    time=st.sampled_from([T0, T0 + timedelta(seconds=1)]),
    ip=st.sampled_from([None, "127.0.0.1"]),
    user_agent=st.sampled_from([None, "x"]),
    additional_fields=objects,
    diff=st.dictionaries(st.sampled_from(["a", "b"]), st.fixed_dictionaries({}, optional={"old": st.integers(0, 1)})),
)


def content(made: AuditLog) -> str:
    return json.dumps([str(made.time), made.ip, made.user_agent, made.diff, made.additional_fields], sort_keys=True)


@settings(deadline=None)
@given(events.map(row), events.map(row))
def test_join_never_loses_one_of_two_events(one: AuditLog, other: AuditLog) -> None:
    other = replace(other, id=one.id)
    kept = {one.id: one}
    joined = join(one, other)
    kept[joined.id] = joined
    assert {content(made) for made in kept.values()} == {content(one), content(other)}


@settings(deadline=None)
@given(events.map(row), events.map(row))
def test_join_is_idempotent(one: AuditLog, other: AuditLog) -> None:
    other = replace(other, id=one.id)
    assert join(one, one) is one
    joined = join(one, other)
    assert join(one, other) == joined
    assert join(joined, joined) is joined


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_keeps_every_event_once(sent: list[AuditEvent], random: Any) -> None:
    arrivals = [*sent, *sent]
    random.shuffle(arrivals)
    table: dict[str, AuditLog] = {}
    for event in arrivals:
        made = row(event)
        while made.id in table and (joined := join(table[made.id], made)) is not table[made.id]:
            made = joined
        table.setdefault(made.id, made)
    distinct = {(event.id, content(row(event))) for event in sent}
    assert sorted(content(made) for made in table.values()) == sorted(text for _, text in distinct)


def test_the_same_event_from_another_token_is_the_same_row_and_keeps_the_first_receipt() -> None:
    first = row(WITHOUT_ID).received(Receipt(T0, "abcdeABCDE"))
    again = row(WITHOUT_ID).received(Receipt(T0 + timedelta(hours=1), "fghijFGHIJ"))
    assert join(first, again) is first
    assert beside(first).id == beside(again).id == beside(row(WITHOUT_ID)).id
