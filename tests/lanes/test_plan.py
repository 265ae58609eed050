"""The planner takes the most selective lane that answers, and leaves the rest to be checked row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.lanes.catalogue import AUDIT_LANES, CONNECTION_LANES, POSITION, Lane
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import NOTHING, All, ConnectionEvents, Excluded, Plan, Since, plan
from chalicelib.lanes.positions import position
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.search.filters import AUDIT_FILTERS

OPEN_KEYS = tuple(f"ongoing:{kind}#0" for kind in sorted(SESSION_TYPES))
SESSIONS = {"status": {"type": frozenset(SESSION_TYPES)}}
BUILDS = {"build_reason": {"resource_type": frozenset({"workspace", "workspace_build"})}}
NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)

Fields = dict[str, set[str]]


def planned(
    fields: Fields,
    lanes: tuple[Lane, ...] = CONNECTION_LANES,
    *,
    shards: int = 1,
    after: datetime | None = None,
    before: datetime | None = None,
) -> Plan:
    facts = SESSIONS if lanes is not AUDIT_LANES else BUILDS
    implied = {name: values for key in fields for name, values in facts.get(key, {}).items()}
    asked = {name: frozenset(values) for name, values in fields.items()}
    return plan(Criteria(asked, after, before, implied), lanes, shards)


def without(*names: str) -> tuple[Lane, ...]:
    return tuple(lane for lane in CONNECTION_LANES if lane.name not in names)


@pytest.mark.parametrize(
    ("fields", "lane", "keys", "residual"),
    [
        pytest.param({}, "all", ("all#0",), [], id="nothing asked: every row"),
        pytest.param({"connection_id": {"c"}}, "connection", ("c",), [], id="one session"),
        pytest.param({"workspace_id": {"w"}}, "workspace", ("w",), [], id="one workspace"),
        pytest.param({"user_id": {"u"}}, "user", ("u",), [], id="one user"),
        pytest.param({"user_id": {"u", "v"}}, "user", ("u", "v"), [], id="an address two users had: merged"),
        pytest.param({"workspace_owner_id": {"o"}}, "owner", ("o",), [], id="one owner"),
        pytest.param({"status": {"ongoing"}}, "status_type", OPEN_KEYS, [], id="the lane alone counts the ongoing"),
        pytest.param({"organization_id": {"g"}}, "organization", ("g#0",), [], id="one organization"),
        pytest.param({"organization_id": {"h", "g"}}, "organization", ("g#0", "h#0"), [], id="all an auditor may see"),
        pytest.param({"type": {"ssh"}}, "type", ("ssh#0",), [], id="one type"),
        pytest.param({"status": {"completed"}}, "completed", ("completed#0",), [], id="and another the completed"),
        pytest.param(
            {"status": {"completed"}, "type": {"vscode"}}, "type", ("vscode#0",), ["status"], id="of one type only"
        ),
        pytest.param(
            {"status": {"ongoing"}, "type": {"ssh"}}, "status_type", ("ongoing:ssh#0",), [], id="the preset of the UI"
        ),
        pytest.param(
            {"status": {"ongoing"}, "type": {"ssh"}, "organization_id": {"g", "h"}},
            "status_type",
            ("ongoing:ssh#0",),
            ["organization_id"],
            id="two answers are better than one",
        ),
        pytest.param(
            {"status": {"completed"}, "organization_id": {"g"}},
            "organization",
            ("g#0",),
            ["status"],
            id="an organization is narrower than all that have ended",
        ),
        pytest.param(
            {"status": {"ongoing"}, "organization_id": {"g"}},
            "status_type",
            OPEN_KEYS,
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
        pytest.param({"id": {"j", "i"}}, "id", ("i", "j"), [], id="single rows are read by id"),
        pytest.param({"id": {"i"}, "type": {"ssh"}}, "id", ("i",), ["type"], id="and checked for the rest"),
    ],
)
def test_the_most_selective_lane_answers(fields: Fields, lane: str, keys: tuple[str, ...], residual: list[str]) -> None:
    made = planned(fields)
    assert (made.lane, made.keys, sorted(made.residual)) == (lane, keys, residual)
    assert {name: set(values) for name, values in made.checks.items()} == fields


FOUR = ("close#0", "connect#0", "disconnect#0", "open#0")


@pytest.mark.parametrize(
    ("fields", "lane", "keys", "residual"),
    [
        ({"request_id": {"r"}, "action": {"delete"}}, "request", ("r",), ["action"]),
        ({"resource_id": {"r"}}, "resource", ("r",), []),
        ({"target": {"dev"}}, "target", ("dev",), []),
        ({"user_id": {"u"}}, "user", ("u",), []),
        ({"build_reason": {"cli"}}, "build_reason", ("cli#0",), []),
        ({"build_reason": {"cli"}, "action": {"start"}}, "build_reason", ("cli#0",), ["action"]),
        (
            {"build_reason": {"initiator"}, "action": {"start"}, "resource_type": {"workspace_build"}},
            "build_reason_action",
            ("initiator:start#0",),
            [],
        ),
        (
            {"build_reason": {"cli"}, "resource_type": {"workspace"}, "action": {"create"}},
            "resource_type_action",
            ("workspace:create#0",),
            ["build_reason"],
        ),
        ({"resource_type": {"user"}, "action": {"delete"}}, "resource_type_action", ("user:delete#0",), []),
        ({"resource_type": {"user"}}, "resource_type", ("user#0",), []),
        ({"action": {"login"}}, "action", ("login#0",), []),
        ({"action": {"connect"}}, "action", ("connect#0",), []),
        ({"action": {"connect", "disconnect", "open", "close"}}, "action", FOUR, []),
        ({"connection_event": {"connect", "disconnect", "open", "close"}}, "connection_event", FOUR, []),
        ({"organization_id": {"g"}}, "organization", ("g#0",), []),
        ({"organization_id": {"g"}, "action": {"login"}}, "organization", ("g#0",), ["action"]),
        ({}, "all", ("all#0",), []),
    ],
)
def test_the_audit_log_is_planned_by_the_same_rule(
    fields: Fields, lane: str, keys: tuple[str, ...], residual: list[str]
) -> None:
    made = planned(fields, AUDIT_LANES)
    assert (made.lane, made.keys, sorted(made.residual)) == (lane, keys, residual)


@pytest.mark.parametrize(
    ("fields", "off", "lane", "residual"),
    [
        ({"user_id": {"u"}}, ["user"], "all", ["user_id"]),
        ({"status": {"ongoing"}, "type": {"ssh"}}, ["status_type"], "type", ["status"]),
        ({"status": {"ongoing"}, "type": {"ssh"}}, ["status_type", "type"], "all", ["status", "type"]),
        ({"workspace_id": {"w"}, "organization_id": {"g"}}, ["workspace"], "organization", ["workspace_id"]),
        ({"status": {"ongoing"}}, ["status_type"], "type", ["status"]),
    ],
)
def test_what_a_lane_that_is_off_would_answer_the_next_best_one_does(
    fields: Fields, off: list[str], lane: str, residual: list[str]
) -> None:
    made = planned(fields, without(*off))
    assert (made.lane, sorted(made.residual)) == (lane, residual)


def test_no_query_of_the_audit_log_is_answered_from_the_lane_of_the_purge() -> None:
    fields = [key.field for key in AUDIT_FILTERS.keys if key.field != "time"]
    for size in range(len(fields) + 1):
        for chosen in combinations(fields, size):
            assert planned({name: {"connect"} for name in chosen}, AUDIT_LANES).lane != "connection_event"


FIELDS = ("connection_id", "workspace_id", "user_id", "workspace_owner_id", "status", "organization_id", "type")


def test_every_combination_of_filters_is_answered_by_the_most_selective_lane_or_by_most_of_it() -> None:
    for size in range(len(FIELDS) + 1):
        for chosen in combinations(FIELDS, size):
            values = {"status": "ongoing", "type": "ssh"}
            made = planned({name: {values.get(name, "x")} for name in chosen})
            lane = next(lane for lane in CONNECTION_LANES if lane.name == made.lane)
            # A status implies the types of sessions.
            asked = {*chosen, "type"} if "status" in chosen else {*chosen}
            able = [other for other in CONNECTION_LANES if {*other.fields} <= asked]
            selective = [other for other in able if not other.coarse]
            assert lane == selective[0] if selective else len(lane.fields) == max(len(other.fields) for other in able)
            assert set(made.residual) == {*chosen} - {*lane.fields}
            assert made.lane in made.why
            assert all(name in made.why for name in made.residual)


def test_so_many_keys_that_calls_would_cost_more_than_rows_are_not_merged() -> None:
    made = planned({"organization_id": {str(number) for number in range(100)}}, shards=8)
    assert (made.lane, len(made.keys), sorted(made.residual)) == ("all", 8, ["organization_id"])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"workspace_id": {"w"}, "type": {"ssh"}},
            "Lane workspace: few rows have one workspace_id; checked row by row: type.",
        ),
        (
            {"status": {"ongoing"}, "type": {"ssh"}},
            (
                "Lane status_type: of the lanes that the deployment keeps it answers most of the query: status, type;"
                " nothing is left to check."
            ),
        ),
        (
            {"status": {"completed"}},
            (
                "Lane completed: of the lanes that the deployment keeps it answers most of the query: status;"
                " nothing is left to check."
            ),
        ),
        ({}, "Lane all: no other lane holds every row that may match; nothing is left to check."),
    ],
)
def test_a_plan_says_why(fields: Fields, why: str) -> None:
    assert planned(fields).why == why


@pytest.mark.parametrize(
    ("fields", "shards", "count"),
    [
        ({}, 8, 8),
        ({"workspace_id": {"w"}}, 8, 1),
        ({"organization_id": {"g", "h"}}, 4, 8),
        ({"status": {"ongoing"}}, 3, 3 * len(SESSION_TYPES)),
        ({"status": {"ongoing"}}, 16, 16 * len(SESSION_TYPES)),
        ({"status": {"completed"}}, 3, 3),
        ({"status": {"completed", "ongoing"}}, 3, 3 * len(SESSION_TYPES)),
    ],
)
def test_coarse_lanes_are_read_over_every_shard(fields: Fields, shards: int, count: int) -> None:
    keys = planned(fields, shards=shards).keys
    assert len(keys) == len(set(keys)) == count


@pytest.mark.parametrize(
    "fields",
    [
        {"user_id": set()},
        {"workspace_id": {"w"}, "organization_id": set()},
        {"status": {"completed"}, "type": {"workspace_app"}},
    ],
)
def test_a_field_without_values_matches_nothing(fields: Fields) -> None:
    assert planned(fields) is NOTHING
    assert NOTHING.nothing


def test_bounds_that_cross_match_nothing() -> None:
    assert planned({}, after=NOON, before=NOON - timedelta(microseconds=1)) is NOTHING
    assert not planned({}, after=NOON, before=NOON).nothing


TICKS = [NOON + timedelta(microseconds=step) for step in range(-2, 3)]
IDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")


@pytest.mark.parametrize(("after", "before"), list(product([None, *TICKS], repeat=2)))
def test_time_bounds_are_inclusive_key_ranges(after: datetime | None, before: datetime | None) -> None:
    made = planned({}, after=after, before=before)
    for moment, row_id in product(TICKS, IDS):
        inside = (after is None or after <= moment) and (before is None or moment <= before)
        assert inside == (not made.nothing and made.low <= position(moment, row_id) <= made.high)


def test_narrowing_keeps_what_both_allow() -> None:
    both = Criteria({"type": frozenset("ab")}, NOON).narrowed("type", frozenset("bc")).narrowed("id", frozenset("x"))
    assert both == Criteria({"type": frozenset("b"), "id": frozenset("x")}, NOON)


@pytest.mark.parametrize(
    ("after", "moment", "expected"),
    [(None, None, None), (None, NOON, NOON), (NOON, None, NOON), (NOON, TICKS[0], NOON), (TICKS[0], NOON, NOON)],
)
def test_a_bound_only_ever_narrows(after: datetime | None, moment: datetime | None, expected: datetime | None) -> None:
    made = Criteria({"type": frozenset("a")}, after, NOON) & Criteria(after=moment)
    assert made == Criteria({"type": frozenset("a")}, expected, NOON)


@settings(deadline=None)
@given(st.sampled_from(TICKS), st.uuids().map(str), st.sampled_from(TICKS), st.uuids().map(str))
def test_below_a_position_is_all_that_comes_after_it(
    start: datetime, start_id: str, moment: datetime, row_id: str
) -> None:
    place, other = position(start, start_id), position(moment, row_id)
    made = planned({}, before=NOON).below(place)
    assert (made.low <= other <= made.high) == (other < place and moment <= NOON)


def test_the_cut_off_is_in_the_key_range() -> None:
    assert plan(Criteria(after=NOON), CONNECTION_LANES, 1).low == times.fixed(NOON)


EARLIER = NOON - timedelta(days=90)


@pytest.mark.parametrize(
    ("fields", "after", "low", "events"),
    [
        pytest.param({}, None, " ", Since(EARLIER), id="other rows may be older"),
        pytest.param({"action": {"create"}}, None, " ", Since(EARLIER), id="the lane says of each"),
        pytest.param({"action": {"connect"}}, None, times.fixed(EARLIER), All(), id="of events alone it is a bound"),
        pytest.param({}, EARLIER, times.fixed(EARLIER), All(), id="nothing asked for is older"),
        pytest.param({}, NOON, times.fixed(NOON), All(), id="nor here"),
        pytest.param({"data_set": {"audit_logs"}}, None, " ", Excluded(), id="no event at all"),
    ],
)
def test_connection_events_may_have_to_be_younger_than_other_rows(
    fields: Fields, after: datetime | None, low: str, events: ConnectionEvents
) -> None:
    asked = {name: frozenset(values) for name, values in fields.items()}
    made = plan(Criteria(asked, after), AUDIT_LANES, 1, events_since=EARLIER)
    assert (made.low, made.connection_events, made.by_row) == (low, events, False)


def test_connection_events_among_single_rows_are_looked_at() -> None:
    made = plan(Criteria({"id": frozenset("x")}), AUDIT_LANES, 1, events_since=EARLIER)
    assert made.any_of == (Criteria({"data_set": frozenset({"audit_logs"})}), Criteria(after=EARLIER))


def test_a_log_without_a_lane_for_everything_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        plan(Criteria(), (Lane("workspace", ("workspace_id",)),), 1)


def test_the_range_key_is_no_lane() -> None:
    assert POSITION not in {lane.name for lane in CONNECTION_LANES}
