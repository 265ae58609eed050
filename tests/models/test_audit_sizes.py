"""Whatever audit event is taken in can be sent again: its row alone is below what Lambda answers."""

from __future__ import annotations

import json
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
    parse_row,
)
from chalicelib.models.audit_logs import audit_log_json
from chalicelib.models.base import LONG_TEXT
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
def test_every_accepted_row_can_be_sent(diff: dict[str, Any], fields: dict[str, Any], target: str, icon: str) -> None:
    event = {**EVENT, "diff": diff, "additional_fields": fields, "resource_target": target * MAX_TARGET}
    try:
        assert sent({**event, "resource_icon": icon}) < LAMBDA_BYTES
    except Invalid:
        return


@pytest.mark.parametrize("character", ["<", "&", "\u2028", "\x01", '"', "é", "\U0001f600"])
def test_a_diff_of_the_largest_sides_is_accepted_whatever_it_says(character: str) -> None:
    room = (MAX_SIDE_BYTES - len('{"a":""}')) // len(json.dumps(character, ensure_ascii=False)[1:-1].encode())
    side = character * room
    assert sent({**EVENT, "diff": {"a": {"old": side, "new": side}}}) < MAX_ROW_BYTES


def test_what_passes_each_limit_and_not_that_of_the_answer_is_refused() -> None:
    side, more = "<" * (MAX_SIDE_BYTES - len('{"a":""}')), "<" * (MAX_ADDITIONAL_BYTES - len('{"a":""}'))
    event = {**EVENT, "diff": {"a": {"old": side, "new": side}}, "additional_fields": {"a": more}}
    assert sent(event) < MAX_ROW_BYTES
    wide = "\U0001f600"
    with pytest.raises(Invalid) as caught:
        parse_row({**event, "resource_target": wide * MAX_TARGET, "resource_icon": wide * LONG_TEXT})
    (problem,) = caught.value.validations
    assert problem.field == "diff"


@pytest.mark.parametrize("names", [{"<" * 1_500_000: {}}, {f"{n:05}" * 200: {"new": 1} for n in range(400)}])
def test_names_count_on_both_sides(names: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        parse_row({**EVENT, "diff": names})
    assert [problem.field for problem in caught.value.validations] == ["diff.old", "diff.new"]


def test_a_user_agent_is_cut_where_the_table_of_the_platform_cuts_it() -> None:
    for given_length, kept in ((256, 256), (257, 256), (20_000, 256)):
        assert parse_row({**EVENT, "user_agent": "x" * given_length}).user_agent == "x" * kept
    assert parse_row({**EVENT, "user_agent": ""}).user_agent is None


def test_a_target_is_bounded_because_every_lane_has_it() -> None:
    assert len(parse_row({**EVENT, "resource_target": "x" * MAX_TARGET}).resource_target) == MAX_TARGET
    with pytest.raises(Invalid):
        parse_row({**EVENT, "resource_target": "x" * (MAX_TARGET + 1)})
