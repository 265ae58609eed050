"""Purged rows stand in other lanes for days: whatever happens meanwhile, none of them is ever a row again by itself.

A model has the rows, which of them were purged, and of each data set the latest cut-off that a run has finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, assert_never

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.positions import position
from chalicelib.logs import audit_event
from chalicelib.logs.session import join
from chalicelib.records import AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, CONNECTION_LOGS, AuditLog, ConnectionLog
from chalicelib.retention import holds
from chalicelib.retention.purge import purge
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.tables import AuditLogItem, ConnectionLogItem
from chalicelib.store.logs import audit_writer, connection_writer, tables
from chalicelib.store.logs.connection_writer import Rule
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import LogTable
from chalicelib.store.retention import state as retention_state
from scripts.local.engine import EmbeddedEngine
from tests.retention.conftest import DAY, NOW, Clock, Rows, Rules, hold, in_nanoseconds, lift
from tests.transport import ObservedTransport, Send

Row = ConnectionLog | AuditLog
EVENTS_KEPT = 90 * DAY
QUERIES: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "connection": ({}, {"type": "vscode"}, {"status": "ongoing"}, {"status": "completed"}),
    "audit": ({}, {"action": "create"}, {"action": "connect"}, {"resource_type": "workspace"}),
}
LOGS: Mapping[str, LogTable[Any]] = {"connection": tables.CONNECTION_LOGS, "audit": tables.AUDIT_LOGS}


class Policy(NamedTuple):
    """Use a policy from now on."""

    connection: timedelta
    audit: timedelta
    keep_ongoing: bool = False


class Hold(NamedTuple):
    """Place a hold on the rows of a log whose field has a value."""

    log: str
    field: str
    value: str


class Lift(NamedTuple):
    """Lift the hold that was placed first."""


class Later(NamedTuple):
    """Let time pass."""

    by: timedelta


class Purge(NamedTuple):
    """Run the purge."""


class Forget(NamedTuple):
    """Let the engine delete what is stamped."""


class Again(NamedTuple):
    """Send the events of a row once more."""

    number: int


Step = Policy | Hold | Lift | Later | Purge | Forget | Again
RETENTIONS = st.sampled_from([timedelta(0), 30 * DAY, 60 * DAY, 120 * DAY])
STEPS = st.lists(
    st.one_of(
        st.builds(Policy, RETENTIONS, RETENTIONS, st.booleans()),
        st.sampled_from(
            [
                Hold("connection", "type", "vscode"),
                Hold("connection", "status", "completed"),
                Hold("audit", "action", "create"),
                Hold("audit", "resource_type", "workspace"),
            ]
        ),
        st.just(Lift()),
        st.builds(Later, st.sampled_from([timedelta(hours=1), DAY, 8 * DAY, 45 * DAY])),
        st.just(Purge()),
        st.just(Purge()),
        st.just(Forget()),
        st.builds(Again, st.integers(0, 9)),
    ),
    max_size=10,
)


class Model:
    """The rows that there are by the rules, one by one."""

    def __init__(self, rows: list[Row], clock: Clock) -> None:
        self.rows = rows
        self.standing = {row.id for row in rows}
        self.policy = Policy(timedelta(0), timedelta(0))
        self.holds: list[Hold] = []
        self.floors: dict[str, datetime] = {}
        self._clock = clock

    def cut_off(self, data_set: str) -> datetime | None:
        kept = {
            CONNECTION_LOGS: self.policy.connection,
            AUDIT_LOGS: self.policy.audit,
            AUDIT_CONNECTION_EVENTS: EVENTS_KEPT,
        }[data_set]
        by_policy = self._clock() - kept if kept else None
        return max(filter(None, (by_policy, self.floors.get(data_set))), default=None)

    def is_recent(self, row: Row) -> bool:
        cut_off = self.cut_off(row.data_set)
        return cut_off is None or row.moment >= cut_off

    def is_held(self, row: Row) -> bool:
        log = "connection" if isinstance(row, ConnectionLog) else "audit"
        if isinstance(row, ConnectionLog) and self.policy.keep_ongoing and row.session and row.closing is None:
            return True
        return any(held.log == log and getattr(row, held.field) == held.value for held in self.holds)

    def is_kept(self, row: Row) -> bool:
        return self.is_recent(row) or self.is_held(row)

    def purge(self) -> None:
        self.standing -= {row.id for row in self.rows if not self.is_kept(row)}
        for data_set in (CONNECTION_LOGS, AUDIT_LOGS, AUDIT_CONNECTION_EVENTS):
            if cut_off := self.cut_off(data_set):
                self.floors[data_set] = cut_off

    def read(self, log: str, query: Mapping[str, str]) -> list[str]:
        kind = ConnectionLog if log == "connection" else AuditLog
        rows = [row for row in self.rows if isinstance(row, kind) and row.id in self.standing and self.is_kept(row)]
        rows = [row for row in rows if all(getattr(row, name) == value for name, value in query.items())]
        return [row.id for row in sorted(rows, key=lambda row: position(row.moment, row.id), reverse=True)]


class Store:
    """The steps, done by the code under test."""

    def __init__(self, engine: EmbeddedEngine, rules: Rules, clock: Clock) -> None:
        self._engine = engine
        self._rules = rules
        self._clock = clock
        self._placed: list[str] = []
        self._number = 0

    def use(self, policy: Policy) -> None:
        self._rules.use(
            connection_logs_retention=in_nanoseconds(policy.connection),
            audit_logs_retention=in_nanoseconds(policy.audit),
            keep_ongoing=policy.keep_ongoing,
        )

    def place(self, held: Hold) -> None:
        self._number += 1
        self._placed.append(f"h{self._number}")
        hold(self._placed[-1], held.log, **{held.field: held.value})

    def lift(self) -> None:
        lift(self._placed.pop(0))

    def purge(self) -> None:
        record = purge(60)
        assert record is not None
        assert "error" not in record
        assert not record["remaining"]
        again = purge(60, dry_run=True)
        assert again is not None
        assert not any(again["purged"].values())

    def forget(self) -> None:
        self._engine.forget(self._clock().timestamp())

    def has_item(self, row: Row) -> bool:
        table = ConnectionLogItem if isinstance(row, ConnectionLog) else AuditLogItem
        return any(item["id"]["S"] == row.id for item in self._engine.items(table.Meta.table_name))

    def send(self, row: Row) -> None:
        holds.forget()
        if isinstance(row, ConnectionLog):
            keeping = holds.keeping_of("connection", [row])
            connection_writer.write([row], Rule(join, keeping.keeps, keeping.recent))
        elif holds.keeping_of("audit", [row]).keeps(row):
            audit_writer.write(row, audit_event.join)

    def read(self, log: str, query: Mapping[str, frozenset[str]]) -> list[str]:
        holds.forget()
        plans = holds.keeping(log).plans(Criteria(query), LOGS[log].kept().read, 1)
        page = read_page(LOGS[log], plans, Budget(), Window(100, cap=2_001))
        assert page.count is not None
        assert page.count.number == len(page.rows)
        return [row.id for row in page.rows]


def make_rows(rows: Rows) -> list[Row]:
    """Rows on both sides of each retention, open and closed, of every kind."""
    made: list[Row] = [
        rows.session(20 * DAY, type="vscode"),
        rows.session(50 * DAY, closed=50 * DAY - timedelta(hours=2), type="vscode"),
        rows.session(70 * DAY, closed=59 * DAY),
        rows.session(100 * DAY),
        rows.web(45 * DAY),
        rows.audit(25 * DAY, "connect"),
        rows.audit(50 * DAY, "create"),
        rows.audit(100 * DAY, "create", resource_type="template"),
        rows.audit(100 * DAY, "connect"),
        rows.audit(130 * DAY, "write"),
    ]
    return made


def send_again(model: Model, store: Store, row: Row) -> None:
    """Purged rows are taken in again where a hold wants them and nothing of them is left."""
    left = store.has_item(row)
    store.send(row)
    if row.id not in model.standing and model.is_kept(row) and not (left and isinstance(row, ConnectionLog)):
        model.standing.add(row.id)


def do(step: Step, model: Model, store: Store, clock: Clock) -> None:
    match step:
        case Policy():
            store.use(step)
            model.policy = step
        case Hold():
            store.place(step)
            model.holds.append(step)
        case Lift():
            if model.holds:
                store.lift()
                del model.holds[0]
        case Later(by):
            clock.moment += by
        case Purge():
            store.purge()
            model.purge()
        case Forget():
            store.forget()
        case Again(number):
            send_again(model, store, model.rows[number])
        case _:
            assert_never(step)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[Policy(30 * DAY, 30 * DAY), Purge(), Policy(timedelta(0), timedelta(0), keep_ongoing=True)])
@example(steps=[Policy(30 * DAY, 60 * DAY), Purge(), Hold("connection", "type", "vscode"), Again(1), Forget()])
@example(steps=[Hold("audit", "action", "create"), Policy(30 * DAY, 30 * DAY), Purge(), Lift(), Purge()])
@example(steps=[Policy(30 * DAY, 30 * DAY), Purge(), Hold("audit", "resource_type", "workspace"), Again(8)])
@example(steps=[Policy(60 * DAY, 60 * DAY), Purge(), Policy(120 * DAY, 120 * DAY), Later(8 * DAY)])
@pytest.mark.needs("time to live", "transactions")
def test_what_was_purged_is_no_row_any_more(
    tables: EmbeddedEngine, rules: Rules, clock: Clock, steps: list[Step]
) -> None:
    tables.clear()
    holds.forget()
    clock.moment = NOW
    rules()
    model = Model(make_rows(Rows(tables)), clock)
    store = Store(tables, rules, clock)
    store.use(model.policy)

    def check() -> None:
        for log, queries in QUERIES.items():
            ids = frozenset(row.id for row in model.rows)
            assert store.read(log, {"id": ids}) == model.read(log, {})
            for query in queries:
                asked = {name: frozenset({value}) for name, value in query.items()}
                assert store.read(log, asked) == model.read(log, query), (log, query)

    check()
    for step in steps:
        do(step, model, store, clock)
        check()


def test_a_floor_is_stored_before_the_first_row_is_stamped(
    rules: Rules, rows: Rows, transport: ObservedTransport
) -> None:
    rules(connection_logs=30 * DAY)
    old, later, kept = (rows.web(age * DAY) for age in (50, 40, 20))
    floors: list[datetime] = []

    def noted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "BatchExecuteStatement":
            floors.append(retention_state.read().floors[CONNECTION_LOGS])
        return send(operation, request)

    transport.intercept(noted)
    assert purge(60) is not None
    assert floors == [later.connect_time + timedelta.resolution]
    assert retention_state.read().floors[CONNECTION_LOGS] == NOW - 30 * DAY
    rules()
    holds.forget()
    keeping = holds.keeping("connection")
    assert [keeping.keeps(row) for row in (old, later, kept)] == [False, False, True]
    assert not keeping.keeps(replace(kept, connect_time=NOW - 31 * DAY)), "it is below what a run has finished"
