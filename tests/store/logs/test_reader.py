"""The engine beside a list: whatever the rows, the filter, the page size and the shards, both give the same answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lanes.catalogue import Lane
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan
from chalicelib.lanes.positions import position
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import AuditLog, Closing, ConnectionLog
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.logs import audit_rows, connection_rows
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS, LogTable
from scripts.local.engine import EmbeddedEngine

NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CAP = 25
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def uuid(kind: int, number: int) -> str:
    return str(UUID(int=kind * 1_000_000 + number))


numbers = st.integers(0, 2)
moments = st.integers(0, 6).map(lambda step: NOON + step * SECOND)
connections = st.builds(
    lambda kind, moment, organization, owner, workspace, user, closed: ConnectionLog(
        id="",
        session=kind in SESSION_TYPES,
        connect_time=moment,
        organization_id=uuid(1, organization),
        workspace_owner_id=uuid(2, owner),
        workspace_id=uuid(3, workspace),
        workspace_name="dev",
        agent_name="main",
        type=kind,
        user_id=None if kind in SESSION_TYPES else uuid(2, user),
        connection_id=uuid(4, workspace) if kind in SESSION_TYPES else None,
        closing=Closing(moment) if closed and kind in SESSION_TYPES else None,
    ),
    st.sampled_from(["ssh", "vscode", "workspace_app"]),
    moments,
    numbers,
    numbers,
    numbers,
    numbers,
    st.booleans(),
)
audits = st.builds(
    lambda what, moment, organization, user, target, reason: AuditLog(
        id="",
        time=moment,
        user_id=uuid(2, user),
        organization_id=uuid(1, organization) if organization else None,
        ip=None,
        user_agent=None,
        resource_type=what[0],
        resource_id=uuid(3, target),
        resource_target=f"Dev-{target}",
        resource_icon="",
        action=what[1],
        status_code=(200, 401, 403)[target % 3],
        request_id=uuid(4, target),
        diff={},
        additional_fields={"api_key_id": ("Gbk_A", "gbk_b")[user % 2]} | ({"build_reason": reason} if reason else {}),
    ),
    st.sampled_from(
        [("workspace", "create"), ("workspace_build", "start"), ("workspace_build", "stop"), ("user", "create")]
    ),
    moments,
    numbers,
    numbers,
    numbers,
    st.sampled_from([None, "cli", "autostart"]),
)
ORGANIZATIONS = [uuid(1, number) for number in range(3)]
USERS = [uuid(2, number) for number in range(3)]
THINGS = [uuid(3, number) for number in range(3)]
CONNECTION_VALUES = {
    "organization_id": ORGANIZATIONS,
    "workspace_owner_id": USERS,
    "user_id": USERS,
    "workspace_id": THINGS,
    "connection_id": [uuid(4, number) for number in range(3)],
    "type": ["ssh", "vscode", "workspace_app"],
    "status": ["ongoing", "completed"],
}
AUDIT_VALUES = {
    "organization_id": ORGANIZATIONS,
    "user_id": USERS,
    "resource_id": THINGS,
    "request_id": [uuid(4, number) for number in range(3)],
    "target": ["dev-0", "dev-1"],
    "resource_type": ["workspace", "workspace_build", "user"],
    "action": ["create", "start", "stop"],
    "build_reason": ["cli", "autostart"],
    "status": ["200", "401"],
    "api_key_id": ["gbk_a", "gbk_b"],
}


def asked_of(values: dict[str, list[str]], ids: Sequence[str]) -> st.SearchStrategy[dict[str, frozenset[str]]]:
    choices = {name: st.frozensets(st.sampled_from(known), min_size=1, max_size=2) for name, known in values.items()}
    choices["id"] = st.frozensets(st.sampled_from(ids), max_size=4)
    return st.lists(st.sampled_from(sorted(choices)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: choices[name] for name in names})
    )


def connection_item(row: ConnectionLog, shards: int) -> Item:
    return connection_rows.to_item(row, shards=shards, revision=1, lanes=CONNECTION_LOGS.lanes)


def audit_item(row: AuditLog, shards: int) -> Item:
    return audit_rows.to_item(row, shards=shards, lanes=AUDIT_LOGS.lanes)


IDS = [uuid(9, number) for number in range(30)]
LOGS = [
    pytest.param(CONNECTION_LOGS, CONNECTION_FILTERS, connections, CONNECTION_VALUES, connection_item, id="connection"),
    pytest.param(AUDIT_LOGS, AUDIT_FILTERS, audits, AUDIT_VALUES, audit_item, id="audit"),
]


def walk(
    log: LogTable[Any], made: Plan, size: int, budget: Callable[[], Budget], offset: int = 0
) -> tuple[list[Any], int]:
    """All rows by cursor, and how many pages that took."""
    rows: list[Any] = []
    start = ""
    for pages in range(1, 200):
        page = read_page(log, [made], budget(), Window(size, offset, start))
        rows += page.rows
        if page.next is None:
            return rows, pages
        assert not start or page.next.position < start, "every page gets on"
        start, offset = page.next
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize(("log", "filters", "rows", "values", "item"), LOGS)
def test_the_engine_and_a_list_agree(
    engine: EmbeddedEngine, log: LogTable[Any], filters: Any, rows: Any, values: Any, item: Any
) -> None:
    names = [lane.name for lane in log.lanes]

    @settings(deadline=None, print_blob=True, max_examples=120)
    @given(
        st.lists(rows, max_size=30),
        asked_of(values, IDS),
        st.sampled_from([1, 3, 8]),
        st.tuples(st.integers(1, 12), st.integers(0, 8)),
        st.tuples(st.none() | moments, st.none() | moments),
        st.sets(st.sampled_from(names)),
        st.sampled_from([1, 7, 10_000]),
    )
    def agree(
        drawn: list[Any],
        asked: dict[str, frozenset[str]],
        shards: int,
        page: tuple[int, int],
        bounds: tuple[datetime | None, datetime | None],
        off: set[str],
        budget: int,
    ) -> None:
        engine.clear()
        (size, offset), (after, before) = page, bounds
        stored = [type(row)(**{**_fields(row), "id": IDS[index]}) for index, row in enumerate(drawn)]
        engine.load(log.table_name, [item(row, shards) for row in stored])
        implied = {
            field: frozenset(allowed) for name in asked for field, allowed in filters.implied.get(name, {}).items()
        }
        lanes = tuple(lane for lane in log.lanes if lane.name not in off or not lane.fields)
        made = plan(Criteria(asked, after, before, implied), lanes, shards)
        expected = sorted(
            (row for row in stored if _matches(row, asked, after, before)),
            key=lambda row: position(row.moment, row.id),
            reverse=True,
        )
        whole = read_page(log, [made], Budget(), Window(size, offset, cap=CAP))
        assert whole.rows == expected[offset : offset + size]
        assert (whole.next is not None) == (len(expected) > offset + size)
        assert whole.count == (min(CAP, len(expected)), True)
        assert count_rows(log, [made], Budget(), CAP) == whole.count
        assert walk(log, made, size, lambda: Budget(budget))[0] == expected
        assert (
            walk(log, made, size, lambda: Budget(budget, give_up_at=time.monotonic()), offset)[0] == expected[offset:]
        )

    agree()
    engine.clear()


def _fields(row: Any) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _matches(
    row: Any,
    asked: dict[str, frozenset[str]],
    after: datetime | None,
    before: datetime | None,
) -> bool:
    moment = row.moment
    inside = (after is None or moment >= after) and (before is None or moment <= before)
    return inside and all(getattr(row, name) in allowed for name, allowed in asked.items())


def same_moment(number: int) -> AuditLog:
    return AuditLog(
        id=uuid(9, number),
        time=NOON,
        user_id=uuid(2, 0),
        organization_id=None,
        ip=None,
        user_agent=None,
        resource_type="user",
        resource_id=uuid(3, 0),
        resource_target="",
        resource_icon="",
        action="create",
        status_code=200,
        request_id=uuid(4, 0),
        diff={},
        additional_fields={},
    )


@pytest.mark.parametrize("shards", [1, 3])
def test_thousands_of_rows_of_one_moment_are_each_met_once(tables: EmbeddedEngine, shards: int) -> None:
    tables.load(AUDIT_LOGS.table_name, [audit_item(same_moment(number), shards) for number in range(2_500)])
    rows, _ = walk(AUDIT_LOGS, plan(Criteria(), AUDIT_LOGS.lanes, shards), 173, Budget)
    assert [row.id for row in rows] == [uuid(9, number) for number in reversed(range(2_500))]


def test_rows_that_arrive_during_a_walk_change_nothing_below_it(tables: EmbeddedEngine) -> None:
    everything = plan(Criteria(), AUDIT_LOGS.lanes, 1)
    tables.load(AUDIT_LOGS.table_name, [audit_item(same_moment(number), 1) for number in range(0, 600, 2)])
    met: list[str] = []
    start = ""
    arriving = iter(range(599, 0, -2))
    while True:
        page = read_page(AUDIT_LOGS, [everything], Budget(), Window(50, start=start))
        met += [row.id for row in page.rows]
        if page.next is None:
            break
        start = page.next.position
        tables.load(AUDIT_LOGS.table_name, [audit_item(same_moment(next(arriving)), 1) for _ in range(20)])
    assert met == sorted({*met}, reverse=True)
    assert {*met} >= {uuid(9, number) for number in range(0, 600, 2)}


def test_a_residual_filter_reads_no_more_than_its_budget(tables: EmbeddedEngine) -> None:
    tables.load(AUDIT_LOGS.table_name, [audit_item(same_moment(number), 1) for number in range(2_000)])
    only_all: tuple[Lane, ...] = AUDIT_LOGS.lanes[-1:]
    made = plan(Criteria({"action": frozenset({"delete"})}), only_all, 1)
    budget = Budget(500)
    page = read_page(AUDIT_LOGS, [made], budget, Window(10, cap=CAP))
    assert (page.rows, page.count) == ([], (0, False))
    assert budget.rows_read == 500
    assert page.next == (position(NOON, LAST_ID), 0), "the id of a row that was not answered is not revealed"


@pytest.mark.parametrize("largest", [1, 3])
def test_a_merge_goes_over_the_pages_of_the_engine(
    tables: EmbeddedEngine, largest: int, shorten: Callable[[int], None]
) -> None:
    shorten(largest)
    tables.load(AUDIT_LOGS.table_name, [audit_item(same_moment(number), 3) for number in range(50)])
    made = plan(Criteria(), AUDIT_LOGS.lanes, 3)
    assert len(read_page(AUDIT_LOGS, [made], Budget(), Window(100)).rows) == 50
    page = read_page(AUDIT_LOGS, [made], Budget(), Window(100, 20))
    assert [row.id for row in page.rows] == [uuid(9, number) for number in reversed(range(30))]
