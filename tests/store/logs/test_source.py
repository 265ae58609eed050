"""A source gives the rows of a plan that match: what the index leaves open is hydrated, a few rows at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.lanes.catalogue import ALL
from chalicelib.lanes.plan import BY_ID, Plan
from chalicelib.records import Closing, ConnectionLog
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.merge import Checkpoint, End, Spent
from chalicelib.store.logs.source import Source
from chalicelib.store.logs.tables import CONNECTION_LOGS
from tests.store.index import FakeIndex, bases, entries, sessions

KEY = "all#0"
OPEN = {"status": frozenset({"ongoing"})}
SSH = {"type": frozenset({"ssh"})}


@pytest.fixture
def rows(session_row: ConnectionLog) -> list[ConnectionLog]:
    """Newest first."""
    return sessions(session_row, 60)[::-1]


def source(plan: Plan, budget: Budget | None = None) -> Source[ConnectionLog]:
    return Source(CONNECTION_LOGS, plan, budget or Budget(), set())


def every(reading: Source[ConnectionLog], index: FakeIndex, missing: int) -> list[str]:
    """The ids of all rows, read in rounds for so many."""
    ids: list[str] = []
    while True:
        matched = index.run(reading.round(missing))
        ids += [candidate.row.id for candidate in matched.candidates]
        if not isinstance(matched.state, Checkpoint):
            assert matched.state == End()
            return ids


def test_a_row_is_checked_by_what_the_index_has_of_it(rows: list[ConnectionLog]) -> None:
    mixed = [replace(row, type="vscode") if index % 3 else row for index, row in enumerate(rows)]
    index = FakeIndex(entries(mixed), bases(mixed))
    reading = source(Plan(ALL, (KEY,), residual=SSH, checks=SSH))
    assert every(reading, index, 4) == [row.id for row in mixed if row.type == "ssh"]
    assert set(index.calls) == {"Query"}


def test_a_row_is_hydrated_where_the_query_asks_what_no_index_has(rows: list[ConnectionLog]) -> None:
    ended = [row.closed(Closing(row.connect_time)) if index % 2 else row for index, row in enumerate(rows)]
    index = FakeIndex(entries(ended), bases(ended))
    assert every(source(Plan(ALL, (KEY,), residual=OPEN, checks=OPEN)), index, 5) == [row.id for row in ended[::2]]
    assert "BatchGetItem" in index.calls


def test_no_more_rows_are_hydrated_than_are_likely_to_be_needed(rows: list[ConnectionLog]) -> None:
    index = FakeIndex(entries(rows), bases(rows))
    reading = source(Plan(ALL, (KEY,), residual=OPEN, checks=OPEN))
    matched = index.run(reading.round(7))
    assert [candidate.row for candidate in matched.candidates] == rows[:7]
    assert all(candidate.whole for candidate in matched.candidates)


def test_a_row_that_an_index_shows_and_the_table_has_changed_is_left_out(rows: list[ConnectionLog]) -> None:
    late = rows[0].closed(Closing(rows[0].connect_time + timedelta(hours=1)))
    index = FakeIndex(entries(rows), bases([late, *rows[1:]]))
    assert every(source(Plan(ALL, (KEY,), residual=OPEN, checks=OPEN)), index, 99) == [row.id for row in rows[1:]]


def test_a_read_that_is_out_of_time_can_go_on_where_it_ended(rows: list[ConnectionLog]) -> None:
    ended = [row if index % 10 == 9 else row.closed(Closing(row.connect_time)) for index, row in enumerate(rows)]
    index, budget, plan = (
        FakeIndex(entries(ended), bases(ended)),
        Budget(),
        Plan(ALL, (KEY,), residual=OPEN, checks=OPEN),
    )
    reading = source(plan, budget)
    first = [one.row.id for _ in range(3) for one in index.run(reading.round(3)).candidates]
    budget.give_up_at = 0.0
    matched = index.run(reading.round(3))
    assert isinstance(matched.state, Spent)
    assert matched.candidates == ()
    following = every(source(plan.below(matched.state.position)), index, 99)
    assert first + following == [row.id for row in ended[9::10]]
    assert following


def test_rows_that_a_token_names_are_read_from_the_table(rows: list[ConnectionLog]) -> None:
    named = [rows[20], rows[3], rows[40]]
    tombstone = {"id": {"S": rows[50].id}}
    index = FakeIndex((), [*bases(rows[:50]), tombstone])
    budget = Budget()
    keys = tuple(row.id for row in [*named, rows[50], rows[55]])
    reading = source(Plan(BY_ID, keys), budget)
    matched = index.run(reading.round(1))
    assert [candidate.row for candidate in matched.candidates] == [rows[3], rows[20], rows[40]]
    assert matched.state == End()
    assert budget.rows_read == 4


def test_rows_that_a_token_names_are_those_within_the_bounds(rows: list[ConnectionLog]) -> None:
    index = FakeIndex((), bases(rows))
    low, high = CONNECTION_LOGS.position(rows[20]), CONNECTION_LOGS.position(rows[10])
    keys = tuple(row.id for row in rows)
    matched = index.run(source(Plan(BY_ID, keys, low, high)).round(99))
    assert [candidate.row for candidate in matched.candidates] == rows[10:21]


def test_another_plan_takes_over_where_few_rows_match(rows: list[ConnectionLog]) -> None:
    mixed = [row if index % 20 == 0 else replace(row, type="vscode") for index, row in enumerate(rows)]
    items = [{**item, "type": {"S": f"{row.type}#0"}} for row, item in zip(mixed, entries(mixed), strict=True)]
    answered = Plan("type", ("ssh#0",), checks=SSH)
    broad = Plan(ALL, (KEY,), residual=SSH, checks=SSH, alternatives=(answered,))
    reading = source(broad)
    assert every(reading, FakeIndex(items), 30) == [row.id for row in mixed[::20]]
    assert reading.plan == answered
