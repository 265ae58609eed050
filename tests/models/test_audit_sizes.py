"""Whatever audit event is taken in can be sent again: its row alone is below what Lambda answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import Invalid
from chalicelib.models.audit_events import (
    MAX_ADDITIONAL_BYTES,
    MAX_ROW_BYTES,
    MAX_SIDE_BYTES,
    MAX_TARGET,
    check_sizes,
    parse_row,
)
from chalicelib.models.audit_logs import audit_log_json
from chalicelib.models.directory import Beside
from chalicelib.models.sending import json_text

LAMBDA_BYTES = 6_000_000
ID = str(UUID(int=7))
EVENT: dict[str, Any] = {
    "time": "2025-07-10T10:14:38Z",
    "user_id": ID,
    "resource_type": "template",
    "resource_id": ID,
    "resource_target": "docker",
    "action": "write",
    "status_code": 200,
}
COSTLY = st.sampled_from(["<", "&", '"', "\\", "\n", "\x01", "\u2028", "é", "\U0001f600", "a", "\ud7ff"])
LENGTHS = st.sampled_from([0, 1, 100, 2_000, 20_000, 50_000, 100_000, 150_000, MAX_SIDE_BYTES, 1_500_000])
TEXTS = st.builds(lambda character, length: character * length, COSTLY, LENGTHS)
VALUES = TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
CHANGES = st.dictionaries(st.sampled_from(["old", "new"]), VALUES) | VALUES
MANY = st.builds(
    lambda name, number, change: {f"{name}{index}": change for index in range(number)},
    st.text("<&a", max_size=10),
    st.sampled_from([1, 100, 10_000, 40_000]),
    st.sampled_from([{}, {"old": ""}, {"new": 0}, {"old": 1, "new": "<"}, {"old": [], "new": {}}]),
)


def sent(event: dict[str, Any]) -> int:
    """How long the row of an event is in an answer, as Lambda writes it."""
    return len(json.dumps(json_text(audit_log_json(parse_row(event), Beside({}, {})))))


@settings(deadline=None, max_examples=60)
@given(
    diff=st.dictionaries(TEXTS, CHANGES, max_size=4) | MANY,
    fields=st.dictionaries(TEXTS, TEXTS, max_size=2),
    target=COSTLY,
    icon=TEXTS,
)
def test_every_event_makes_a_row_that_can_be_stored_and_sent(
    diff: dict[str, Any], fields: dict[str, Any], target: str, icon: str
) -> None:
    event = {**EVENT, "diff": diff, "additional_fields": fields, "resource_target": target * MAX_TARGET}
    row = parse_row({**event, "resource_icon": icon})
    check_sizes(row)
    assert sent({**event, "resource_icon": icon}) < LAMBDA_BYTES
    assert parse_row({**event, "resource_icon": icon}) == row


@pytest.mark.parametrize("character", ["<", "&", "\u2028", "\x01", '"', "é", "\U0001f600"])
def test_a_diff_of_the_largest_sides_is_accepted_whatever_it_says(character: str) -> None:
    room = (MAX_SIDE_BYTES - len('{"a":""}')) // len(json.dumps(character, ensure_ascii=False)[1:-1].encode())
    side = character * room
    assert sent({**EVENT, "diff": {"a": {"old": side, "new": side}}}) < MAX_ROW_BYTES


def test_what_passes_each_limit_and_not_that_of_the_answer_is_cut_to_that() -> None:
    side, more = "<" * (MAX_SIDE_BYTES - len('{"a":""}')), "<" * (MAX_ADDITIONAL_BYTES - len('{"a":""}'))
    event = {**EVENT, "diff": {"a": {"old": side, "new": side}}, "additional_fields": {"a": more}}
    assert parse_row(event).diff["a"]["old"] == side
    wide = {**event, "resource_target": "\U0001f600" * MAX_TARGET, "resource_icon": "\U0001f600" * MAX_TARGET}
    row = parse_row(wide)
    assert sent(wide) < MAX_ROW_BYTES
    assert row.diff["a"]["old"].endswith(f"… [cut: {len(side)} characters]")
    assert (row.resource_target, row.additional_fields) == (wide["resource_target"], {"a": more})


@pytest.mark.parametrize("names", [{"<" * 1_500_000: {}}, {f"{n:05}" * 200: {"new": 1} for n in range(400)}])
def test_names_count_on_both_sides(names: dict[str, Any]) -> None:
    check_sizes(parse_row({**EVENT, "diff": names}))
    with pytest.raises(Invalid) as caught:
        check_sizes(replace(parse_row(EVENT), diff=names))
    assert [problem.field for problem in caught.value.validations] == ["diff.old", "diff.new"]


def test_a_user_agent_is_cut_where_the_table_of_the_platform_cuts_it() -> None:
    for given_length, kept in ((256, 256), (257, 256), (20_000, 256)):
        assert parse_row({**EVENT, "user_agent": "x" * given_length}).user_agent == "x" * kept
    assert parse_row({**EVENT, "user_agent": ""}).user_agent is None


def test_a_target_is_bounded() -> None:
    assert parse_row({**EVENT, "resource_target": "x" * MAX_TARGET}).resource_target == "x" * MAX_TARGET
    target = parse_row({**EVENT, "resource_target": "x" * (MAX_TARGET + 1)}).resource_target
    assert len(target) == MAX_TARGET
    assert target.endswith(f"x… [cut: {MAX_TARGET + 1} characters]")


def test_of_a_diff_that_is_too_large_short_values_are_whole_and_the_long_ones_equally_long() -> None:
    long = {f"long {n}": {"old": "x" * 200_000, "new": n} for n in range(3)}
    short = {f"short {n}": {"old": "y" * n} for n in range(300)}
    diff = parse_row({**EVENT, "diff": {**long, **short}}).diff
    assert {name: change["old"] for name, change in diff.items() if name in short} == {
        name: change["old"] for name, change in short.items()
    }
    lengths = {len(diff[name]["old"]) for name in long}
    assert len(lengths) == 1
    assert 3 * lengths.pop() > MAX_SIDE_BYTES - 60_000


def test_events_that_differ_in_what_is_cut_have_ids_of_their_own() -> None:
    first, second = ({**EVENT, "diff": {"a": {"new": "x" * 400_000 + end}}} for end in "ab")
    assert parse_row(first).diff == parse_row(second).diff
    assert parse_row(first).id == parse_row(dict(first)).id != parse_row(second).id
