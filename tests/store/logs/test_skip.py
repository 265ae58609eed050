"""Skipping moves a scan over as many rows of a list, and reads none of them where the index alone names them."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.lanes.catalogue import ALL, EVENT_TIME, POSITION
from chalicelib.lanes.plan import Excluded, Plan
from chalicelib.records import ConnectionLog
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.merge import Checkpoint, End, Spent
from chalicelib.store.logs.scan import Scan
from chalicelib.store.logs.skip import Skipped, skip, skip_by_count, skip_by_keys
from chalicelib.store.logs.tables import CONNECTION_LOGS
from tests.store.index import FakeIndex, entries, sessions

TABLE = CONNECTION_LOGS.table_name
SSH = {"type": frozenset({"ssh"})}


def keys(shards: int) -> tuple[str, ...]:
    return tuple(f"all#{shard}" for shard in range(shards))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, 30),
    offset=st.integers(0, 40),
    shards=st.integers(1, 4),
    largest=st.integers(1, 20),
    cut=st.integers(0, 29),
    by_row=st.booleans(),
)
def test_the_row_after_those_that_were_skipped_is_that_of_a_list(
    session_row: ConnectionLog, *, number: int, offset: int, shards: int, largest: int, cut: int, by_row: bool
) -> None:
    rows = sessions(session_row, number)
    index = FakeIndex(entries(rows, shards=shards), largest=largest)
    residual = SSH if by_row else {}
    plans = [Plan(ALL, keys(shards), residual=residual, checks=residual)]
    if cut < number:
        edge = CONNECTION_LOGS.position(rows[cut])
        plans = [Plan(ALL, keys(shards), low=edge, residual=residual), plans[0].below(edge)]
    scan = Scan(CONNECTION_LOGS, plans, Budget())
    assert index.run(skip(scan, offset)) == min(offset, number)
    following = [candidate.row.id for candidate in index.run(scan.take(3))]
    newest = [row.id for row in reversed(rows)]
    assert following == newest[offset : offset + 3]
    assert scan.progress.rows >= min(offset, number)


def test_one_key_is_skipped_by_count_and_no_row_is_sent(session_row: ConnectionLog) -> None:
    rows = sessions(session_row, 20)
    index, budget = FakeIndex(entries(rows), largest=6), Budget(rows=5)
    skipped = index.run(skip_by_count(TABLE, Plan(ALL, keys(1)), budget, 15))
    assert skipped == Skipped(15, Checkpoint(CONNECTION_LOGS.position(rows[5])))
    assert all(request.parameters["Select"] == "COUNT" for requests in index.rounds for request in requests)
    assert (budget.rows_read, budget.rows_left) == (15, 5), "rows that are skipped are no part of the budget"


def test_fewer_rows_than_were_to_be_skipped_are_the_end(session_row: ConnectionLog) -> None:
    index = FakeIndex(entries(sessions(session_row, 4)))
    assert index.run(skip_by_count(TABLE, Plan(ALL, keys(1)), Budget(), 9)) == Skipped(4, End())


def test_a_count_with_hidden_rows_stops_where_it_knows_its_place(session_row: ConnectionLog) -> None:
    items = entries(sessions(session_row, 20))
    for item in items[15:18]:
        item[EVENT_TIME] = {"S": "x"}
    index = FakeIndex(items)
    plan = Plan(ALL, keys(1), connection_events=Excluded())
    skipped = index.run(skip_by_count(TABLE, plan, Budget(), 4))
    assert skipped == Skipped(2, Checkpoint(items[16][POSITION]["S"]))
    scan = Scan(CONNECTION_LOGS, [plan], Budget())
    assert index.run(skip(scan, 4)) == 4
    (following,) = index.run(scan.take(1))
    assert following.row.id == items[12]["id"]["S"]


def test_time_that_is_up_ends_a_skip_after_its_first_request(session_row: ConnectionLog) -> None:
    rows = sessions(session_row, 20)
    index = FakeIndex(entries(rows), largest=6)
    skipped = index.run(skip_by_count(TABLE, Plan(ALL, keys(1)), Budget(give_up_at=0.0), 15))
    assert skipped == Skipped(6, Spent(CONNECTION_LOGS.position(rows[14])))
    scan = Scan(CONNECTION_LOGS, [Plan(ALL, keys(1))], Budget(give_up_at=0.0))
    assert index.run(skip(scan, 15)) == 6
    assert scan.state == skipped.state


def test_merged_keys_are_skipped_by_their_positions_alone(session_row: ConnectionLog) -> None:
    rows = sessions(session_row, 50)
    index = FakeIndex(entries(rows, shards=4))
    skipped = index.run(skip_by_keys(TABLE, Plan(ALL, keys(4)), Budget(), 30))
    assert skipped == Skipped(30, Checkpoint(CONNECTION_LOGS.position(rows[20])))
    names = [request.parameters["ProjectionExpression"] for requests in index.rounds for request in requests]
    assert set(names) == {"#0, #1"}
