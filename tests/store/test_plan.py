"""The planner takes the most selective lane that answers, and leaves the rest to be checked row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, product

import pytest

from chalicelib import times
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.store.lanes import CONNECTION_LANES, POSITION, Lane, position
from chalicelib.store.plan import Criteria, Plan, plan

MORE = {"type": SESSION_TYPES}
NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)

Fields = dict[str, set[str]]


def planned(
    fields: Fields, *, shards: int = 1, after: datetime | None = None, before: datetime | None = None
) -> Plan | None:
    criteria = Criteria({name: frozenset(values) for name, values in fields.items()}, after, before)
    return plan(criteria, CONNECTION_LANES, shards, more=MORE)


def found(plan: Plan | None) -> Plan:
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    ("fields", "lane", "keys", "residual"),
    [
        pytest.param({}, "all", ("all#0",), [], id="nothing asked: every row"),
        pytest.param({"connection_id": {"c"}}, "connection", ("c",), [], id="one session"),
        pytest.param({"workspace_id": {"w"}}, "workspace", ("w",), [], id="one workspace"),
        pytest.param({"user_id": {"u"}}, "user", ("u",), [], id="one user"),
        pytest.param({"user_id": {"u", "v"}}, "user", ("u", "v"), [], id="an address two users had: merged"),
        pytest.param({"workspace_owner_id": {"o"}}, "owner", ("o",), [], id="one owner"),
        pytest.param({"status": {"ongoing"}}, "status", ("ongoing#0",), [], id="the lane alone counts the ongoing"),
        pytest.param({"organization_id": {"g"}}, "organization", ("g#0",), [], id="one organization"),
        pytest.param({"organization_id": {"h", "g"}}, "organization", ("g#0", "h#0"), [], id="all an auditor may see"),
        pytest.param({"type": {"ssh"}}, "type", ("ssh#0",), [], id="one type"),
        pytest.param(
            {"status": {"completed"}},
            "type",
            tuple(f"{kind}#0" for kind in sorted(SESSION_TYPES)),
            ["status"],
            id="the completed have no lane: sessions by type",
        ),
        pytest.param(
            {"status": {"completed"}, "type": {"vscode"}}, "type", ("vscode#0",), ["status"], id="of one type only"
        ),
        pytest.param(
            {"status": {"completed"}, "type": {"workspace_app"}},
            "type",
            ("workspace_app#0",),
            ["status"],
            id="a web type is never completed, and is looked at",
        ),
        pytest.param(
            {"status": {"completed"}, "organization_id": {"g"}},
            "organization",
            ("g#0",),
            ["status"],
            id="an organization is narrower than a type",
        ),
        pytest.param(
            {"status": {"ongoing"}, "organization_id": {"g"}},
            "status",
            ("ongoing#0",),
            ["organization_id"],
            id="the ongoing are fewer than an organization's rows",
        ),
        pytest.param(
            {"status": {"ongoing", "completed"}},
            "type",
            tuple(f"{kind}#0" for kind in sorted(SESSION_TYPES)),
            ["status"],
            id="a lane that lacks one of the values answers none",
        ),
        pytest.param(
            {"status": {"ongoing"}, "workspace_owner_id": {"o"}, "organization_id": {"g"}},
            "owner",
            ("o",),
            ["organization_id", "status"],
            id="an owner is narrower than both",
        ),
        pytest.param(
            {"connection_id": {"c"}, "workspace_id": {"w"}, "type": {"ssh"}, "organization_id": {"g"}},
            "connection",
            ("c",),
            ["organization_id", "type", "workspace_id"],
            id="one session is narrowest",
        ),
        pytest.param({"id": {"i"}}, "all", ("all#0",), ["id"], id="no lane for it: every row is checked"),
    ],
)
def test_the_most_selective_lane_answers(fields: Fields, lane: str, keys: tuple[str, ...], residual: list[str]) -> None:
    made = found(planned(fields))
    assert (made.lane, made.keys, sorted(made.residual)) == (lane, keys, residual)
    assert {name: set(values) for name, values in made.checks.items()} == fields


def test_every_combination_of_filters_has_the_first_lane_that_answers_it() -> None:
    lanes = [lane for lane in CONNECTION_LANES if lane.field]
    for size in range(len(lanes) + 1):
        for chosen in combinations(lanes, size):
            made = found(planned({lane.field: {lane.values[0] if lane.values else "x"} for lane in chosen}))
            assert made.lane == (chosen[0].name if chosen else "all")
            assert set(made.residual) == {lane.field for lane in chosen[1:]}


@pytest.mark.parametrize(
    ("fields", "shards", "count"),
    [
        ({}, 8, 8),
        ({"workspace_id": {"w"}}, 8, 1),
        ({"organization_id": {"g", "h"}}, 4, 8),
        ({"status": {"ongoing"}}, 3, 3),
        ({"status": {"completed"}}, 3, 3 * len(SESSION_TYPES)),
    ],
)
def test_coarse_lanes_are_read_over_every_shard(fields: Fields, shards: int, count: int) -> None:
    keys = found(planned(fields, shards=shards)).keys
    assert len(keys) == len(set(keys)) == count


@pytest.mark.parametrize("fields", [{"user_id": set()}, {"workspace_id": {"w"}, "organization_id": set()}])
def test_a_field_without_values_matches_nothing(fields: Fields) -> None:
    assert planned(fields) is None


def test_bounds_that_cross_match_nothing() -> None:
    assert planned({}, after=NOON, before=NOON - timedelta(microseconds=1)) is None
    assert planned({}, after=NOON, before=NOON) is not None


TICKS = [NOON + timedelta(microseconds=step) for step in range(-2, 3)]
IDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")


@pytest.mark.parametrize(("after", "before"), list(product([None, *TICKS], repeat=2)))
def test_time_bounds_are_inclusive_key_ranges(after: datetime | None, before: datetime | None) -> None:
    made = planned({}, after=after, before=before)
    for moment, row_id in product(TICKS, IDS):
        inside = (after is None or after <= moment) and (before is None or moment <= before)
        assert inside == (made is not None and made.low <= position(moment, row_id) <= made.high)


def test_narrowing_keeps_what_both_allow() -> None:
    both = Criteria({"type": frozenset("ab")}, NOON).narrowed("type", frozenset("bc")).narrowed("id", frozenset("x"))
    assert both == Criteria({"type": frozenset("b"), "id": frozenset("x")}, NOON)


@pytest.mark.parametrize(
    ("after", "moment", "expected"),
    [(None, None, None), (None, NOON, NOON), (NOON, None, NOON), (NOON, TICKS[0], NOON), (TICKS[0], NOON, NOON)],
)
def test_the_cut_off_only_ever_narrows(
    after: datetime | None, moment: datetime | None, expected: datetime | None
) -> None:
    made = Criteria({"type": frozenset("a")}, after, NOON).since(moment)
    assert made == Criteria({"type": frozenset("a")}, expected, NOON)


def test_the_cut_off_is_in_the_key_range() -> None:
    made = plan(Criteria().since(NOON), CONNECTION_LANES, 1, more=MORE)
    assert found(made).low == times.fixed(NOON)


def test_a_log_without_a_lane_for_everything_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        plan(Criteria(), (Lane("workspace", "workspace_id"),), 1, more={})


def test_the_range_key_is_no_lane() -> None:
    assert POSITION not in {lane.name for lane in CONNECTION_LANES}
