"""Any rows, policy, holds and clock: what is shown and what is left is what a naive reading of the rules says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.positions import position
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import AuditLog, ConnectionLog
from chalicelib.retention import holds, log_purge
from chalicelib.retention.purge import purge
from chalicelib.settings import Settings
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS, LogTable
from scripts.local.engine import EmbeddedEngine
from tests.retention.conftest import DAY, NOW, Clock, Rows, Rules, hold, in_nanoseconds

TICK = timedelta.resolution
RETENTIONS = st.sampled_from([timedelta(0), -DAY, 30 * DAY, 90 * DAY, 365 * DAY])
DAYS = (0, 29, 30, 31, 60, 89, 90, 91, 364, 365, 400)
EDGES = [days * DAY + tick for days in DAYS for tick in (-TICK, timedelta(0), TICK)]
AGES = st.sampled_from([age for age in EDGES if age >= timedelta(0)])
ACTIONS = ("create", "write", "connect", "close")
Row = ConnectionLog | AuditLog


class Sample(NamedTuple):
    """A row to be put: its kind (a connection type or an audit action), its age, and how long ago it was closed."""

    kind: str
    age: timedelta
    closed: timedelta | None


class World(NamedTuple):
    """A policy, and holds by log as field and value."""

    connection: timedelta
    audit: timedelta
    keep_ongoing: bool
    holds: list[tuple[str, str, str]]
    later: timedelta


SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from(["ssh", "vscode", "workspace_app", *ACTIONS]),
        AGES,
        st.none() | st.sampled_from([timedelta(0), 29 * DAY, 30 * DAY]),
    ),
    max_size=14,
)
HOLDS = st.lists(
    st.sampled_from(
        [
            ("connection", "type", "vscode"),
            ("connection", "status", "completed"),
            ("connection", "session", ""),
            ("audit", "action", "create"),
            ("audit", "action", "connect"),
        ]
    ),
    max_size=3,
    unique=True,
)
WORLDS = st.builds(World, RETENTIONS, RETENTIONS, st.booleans(), HOLDS, st.sampled_from([timedelta(0), TICK, 2 * DAY]))


def is_kept(row: Row, world: World, now: datetime) -> bool:
    """The rules, once more and one by one."""
    if isinstance(row, ConnectionLog):
        log, retention, moment = "connection", world.connection, row.connect_time
        if world.keep_ongoing and row.session and row.closing is None:
            return True
    else:
        event = row.action in ("connect", "disconnect", "open", "close")
        log, retention, moment = "audit", 90 * DAY if event else world.audit, row.time
    for held, field, value in world.holds:
        if held == log and (field == "session" or str(getattr(row, field)) == value):
            return True
    return retention <= timedelta(0) or moment >= now - retention


def put(rows: Rows, sample: Sample) -> Row:
    if sample.kind in ACTIONS:
        return rows.audit(sample.age, sample.kind)
    if sample.kind in SESSION_TYPES:
        closed = None if sample.closed is None else min(sample.closed, sample.age)
        return rows.session(sample.age, closed=closed, type=sample.kind)
    return rows.web(sample.age)


def walked(log: LogTable[Any], query: Mapping[str, str], limit: int, shards: int) -> tuple[list[str], list[int]]:
    """The ids that a walk of pages meets, and the count of each page."""
    asked = Criteria({field: frozenset({value}) for field, value in query.items()})
    met: list[str] = []
    counts: list[int] = []
    place = ""
    while True:
        plans = holds.keeping(log.name).plans(asked, log.kept().read, shards)
        page = read_page(log, plans, Budget(), Window(limit, start=place, cap=2_001))
        met += [row.id for row in page.rows]
        assert page.count is not None
        counts.append(page.count.number)
        assert count_rows(log, plans, Budget(), 2_001) == page.count
        skipping = read_page(log, plans, Budget(), Window(1, offset=len(met), cap=2_001))
        assert (skipping.rows != [], skipping.count) == (page.next is not None, page.count)
        if page.next is None:
            return met, counts
        place = page.next.position


@pytest.mark.parametrize("shards", [1, 3])
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=SAMPLES, world=WORLDS, limit=st.integers(1, 5))
def test_what_is_shown_and_what_is_left_is_what_the_rules_say(
    tables: EmbeddedEngine,
    rules: Rules,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    shards: int,
    samples: list[Sample],
    world: World,
    limit: int,
) -> None:
    tables.clear()
    holds.forget()
    clock.moment = NOW
    monkeypatch.setattr(log_purge, "current", lambda: Settings(log_shards=shards))
    monkeypatch.setattr(log_purge, "ROUND", 3)
    rules.use(
        connection_logs_retention=in_nanoseconds(world.connection),
        audit_logs_retention=in_nanoseconds(world.audit),
        keep_ongoing=world.keep_ongoing,
    )
    for index, (log, field, value) in enumerate(world.holds):
        hold(f"h{index}", log, **({} if field == "session" else {field: value}))
    rows = Rows(tables, shards)
    made = [put(rows, sample) for sample in samples]
    clock.moment = NOW + world.later
    now = times.now()

    def check(there: list[Row]) -> None:
        for log, kind, queries in (
            (CONNECTION_LOGS, ConnectionLog, ({}, {"type": "vscode"}, {"status": "ongoing"})),
            (AUDIT_LOGS, AuditLog, ({}, {"action": "create"}, {"action": "connect"}, {"resource_type": "workspace"})),
        ):
            of_log = sorted((row for row in there if isinstance(row, kind)), key=place_of, reverse=True)
            for query in queries:
                right = [row for row in of_log if all(getattr(row, field) == value for field, value in query.items())]
                expected = [row.id for row in right if is_kept(row, world, now)]
                met, counts = walked(log, query, limit, shards)
                assert met == expected
                assert set(counts) == {len(expected)}

    check(made)
    dry, real = purge(60, dry_run=True), purge(60)
    assert dry is not None
    assert real is not None
    assert dry["purged"] == real["purged"]
    left = {row.id for row in made if is_kept(row, world, now)}
    assert rows.connections | rows.audits == left
    assert sum(cast("dict[str, int]", real["purged"]).values()) == len(made) - len(left)
    check([row for row in made if row.id in left])
    again = purge(60)
    assert again is not None
    assert not any(again["purged"].values())


def place_of(row: Row) -> str:
    return position(row.moment, row.id)
