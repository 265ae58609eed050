"""A scan takes the rows of several plans as one list, once each, and stops where its budget says."""

from __future__ import annotations

import pytest

from chalicelib.lanes.catalogue import ALL
from chalicelib.lanes.plan import Plan
from chalicelib.records import ConnectionLog
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.merge import End, Spent
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.tables import CONNECTION_LOGS
from tests.store.index import FakeIndex, entries, sessions

KEY = "all#0"


@pytest.fixture
def rows(session_row: ConnectionLog) -> list[ConnectionLog]:
    """Oldest first."""
    return sessions(session_row, 12)


def spans(rows: list[ConnectionLog], cut: int) -> list[Plan]:
    """Two plans over one lane: the rows from the cut on, and those before it."""
    edge = CONNECTION_LOGS.position(rows[cut])
    return [Plan(ALL, (KEY,), low=edge), Plan(ALL, (KEY,)).below(edge)]


def ids(scan: Scan[ConnectionLog], index: FakeIndex, number: int) -> list[str]:
    return [candidate.row.id for candidate in index.run(scan.take(number))]


def test_the_rows_of_plans_come_as_one_list_newest_first(rows: list[ConnectionLog]) -> None:
    index, plans = FakeIndex(entries(rows)), spans(rows, 5)
    scan = Scan(CONNECTION_LOGS, plans, Budget())
    newest = [row.id for row in reversed(rows)]
    assert ids(scan, index, 3) + ids(scan, index, 6) + ids(scan, index, 99) == newest
    assert scan.ended
    assert scan.plans == plans
    assert scan.progress.matched == len(rows)
    assert scan.progress.position == CONNECTION_LOGS.position(rows[0])


def test_a_plan_is_begun_when_its_rows_are_wanted(rows: list[ConnectionLog]) -> None:
    index, plans = FakeIndex(entries(rows)), spans(rows, 5)
    scan = Scan(CONNECTION_LOGS, plans, Budget())
    assert scan.plan is None
    ids(scan, index, 2)
    assert [*scan.later] == plans[1:]
    assert len(index.rounds) == 1


def test_a_row_of_two_plans_comes_once(rows: list[ConnectionLog]) -> None:
    index = FakeIndex(entries(rows))
    scan = Scan(CONNECTION_LOGS, [Plan(ALL, (KEY,)), Plan(ALL, (KEY,))], Budget())
    assert ids(scan, index, 99) == [row.id for row in reversed(rows)]


def test_a_plan_of_nothing_is_not_read(rows: list[ConnectionLog]) -> None:
    index = FakeIndex(entries(rows))
    scan = Scan(CONNECTION_LOGS, [Plan(""), Plan(ALL, (KEY,), low="b", high="a")], Budget())
    assert scan.ended
    assert ids(scan, index, 9) == []
    assert index.rounds == []


def test_rows_ahead_are_kept_and_a_spent_budget_ends_the_scan_below_them(rows: list[ConnectionLog]) -> None:
    index = FakeIndex(entries(rows))
    scan = Scan(CONNECTION_LOGS, [Plan(ALL, (KEY,))], Budget(rows=4))
    taken = ids(scan, index, 2)
    assert taken == [row.id for row in rows[:-3:-1]]
    taken += ids(scan, index, 99)
    assert taken == [row.id for row in rows[:-5:-1]]
    assert scan.state == Spent(CONNECTION_LOGS.position(rows[-4]))
    assert not scan.ended
    assert ids(scan, index, 99) == []


def test_reading_a_plan_stays_in_it_and_takes_nothing(rows: list[ConnectionLog]) -> None:
    index, plans = FakeIndex(entries(rows)), spans(rows, 5)
    scan = Scan(CONNECTION_LOGS, plans, Budget())
    ids(scan, index, 1)
    index.run(scan.read_plan(99))
    assert scan.state == End()
    assert scan.progress.rows == len(rows) - 5
    assert [one.row.id for one in scan.ahead] == [row.id for row in reversed(rows[5:-1])]
