"""A count is that of a list, up to its cap, whatever the keys, the hidden rows and the budget; no row is sent."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.lanes.catalogue import ALL, EVENT_TIME
from chalicelib.lanes.plan import Excluded, Plan
from chalicelib.records import Closing, ConnectionLog
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.count import Counted, count_keys, count_plans, count_remaining
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.tables import CONNECTION_LOGS
from tests.store.index import FakeIndex, bases, entries, sessions

TABLE = CONNECTION_LOGS.table_name
OPEN = {"status": frozenset({"ongoing"})}
any_fixture = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def keys(shards: int) -> tuple[str, ...]:
    return tuple(f"all#{shard}" for shard in range(shards))


@any_fixture
@given(st.integers(0, 40), st.integers(1, 5), st.integers(1, 50), st.integers(1, 9))
def test_keys_are_counted_up_to_the_most_at_least(
    session_row: ConnectionLog, number: int, shards: int, most: int, largest: int
) -> None:
    index = FakeIndex(entries(sessions(session_row, number), shards=shards), largest=largest)
    counted = index.run(count_keys(TABLE, Plan(ALL, keys(shards)), Budget(), most))
    assert counted.complete
    assert min(counted.number, most) == min(number, most)
    assert all(request.parameters["Select"] == "COUNT" for requests in index.rounds for request in requests)


def test_all_keys_are_asked_at_once(session_row: ConnectionLog) -> None:
    index = FakeIndex(entries(sessions(session_row, 40), shards=4))
    index.run(count_keys(TABLE, Plan(ALL, keys(4)), Budget(), 100))
    assert [len(requests) for requests in index.rounds] == [4]


def test_hidden_rows_that_stand_together_are_passed_in_ever_larger_steps(session_row: ConnectionLog) -> None:
    items = entries(sessions(session_row, 600))
    hidden = [{**item, EVENT_TIME: {"S": "x"}} for item in items[100:]]
    index = FakeIndex([*items[:100], *hidden])
    plan = Plan(ALL, keys(1), connection_events=Excluded())
    counted = index.run(count_keys(TABLE, plan, Budget(), 3))
    assert counted.number >= 3
    assert len(index.rounds) < 12


def test_a_budget_ends_a_count_which_says_so(session_row: ConnectionLog) -> None:
    index = FakeIndex(entries(sessions(session_row, 30)), largest=4)
    assert index.run(count_keys(TABLE, Plan(ALL, keys(1)), Budget(rows=10), 100)) == Counted(10, complete=False)


def test_a_plan_of_nothing_is_counted_for_nothing() -> None:
    index = FakeIndex()
    assert index.run(count_keys(TABLE, Plan(""), Budget(), 9)) == Counted(0, complete=True)
    assert index.rounds == []


def test_a_plan_with_a_residual_filter_is_counted_row_by_row(session_row: ConnectionLog) -> None:
    rows = [
        row.closed(Closing(row.connect_time)) if index % 3 else row
        for index, row in enumerate(sessions(session_row, 30))
    ]
    index = FakeIndex(entries(rows), bases(rows))
    plan = Plan(ALL, keys(1), residual=OPEN, checks=OPEN)
    assert index.run(count_plans(CONNECTION_LOGS, [plan], Budget(), 99)) == Counted(10, complete=True)
    assert index.run(count_plans(CONNECTION_LOGS, [plan], Budget(), 4)) == Counted(4, complete=True)


def test_plans_are_counted_until_the_cap(session_row: ConnectionLog) -> None:
    rows = sessions(session_row, 20)
    edge = CONNECTION_LOGS.position(rows[8])
    plans = [Plan(ALL, keys(1), low=edge), Plan(ALL, keys(1)).below(edge)]
    index = FakeIndex(entries(rows))
    assert index.run(count_plans(CONNECTION_LOGS, plans, Budget(), 99)) == Counted(20, complete=True)
    assert index.run(count_plans(CONNECTION_LOGS, plans, Budget(), 99, known=7)) == Counted(27, complete=True)
    index.rounds.clear()
    assert index.run(count_plans(CONNECTION_LOGS, plans, Budget(), 12)) == Counted(12, complete=True)
    assert len(index.rounds) == 1, "the second plan is not needed"


@pytest.mark.parametrize("residual", [{}, OPEN])
@pytest.mark.parametrize("ahead", [1, 5, 19, 20])
@pytest.mark.parametrize("cap", [3, 12, 99])
def test_a_count_goes_on_from_the_rows_that_a_scan_has_ahead(
    session_row: ConnectionLog, residual: dict[str, frozenset[str]], ahead: int, cap: int
) -> None:
    rows = sessions(session_row, 20)
    index = FakeIndex(entries(rows), bases(rows))
    scan = Scan(CONNECTION_LOGS, [Plan(ALL, keys(1), residual=residual, checks=residual)], Budget())
    index.run(scan.fill(ahead))
    assert index.run(count_remaining(scan, cap)) == Counted(min(20, cap), complete=True)
    assert [one.row for one in index.run(scan.take(99))] == rows[::-1]
