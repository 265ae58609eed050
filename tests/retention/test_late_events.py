"""Events that come late: a session that is kept may end, and one that was purged does not come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.logs.session import join
from chalicelib.records import Closing, ConnectionLog, Origin
from chalicelib.retention import holds
from chalicelib.retention.purge import purge
from chalicelib.store.logs import connection_requests, connection_writer
from chalicelib.store.logs.connection_requests import Stored, Tombstone
from chalicelib.store.logs.connection_writer import Rule
from chalicelib.store.logs.tables import CONNECTION_LOGS
from chalicelib.store.logs.write_pool import Written
from tests.retention.conftest import DAY, NOW, Rows, Rules, hold, in_nanoseconds


def keep_ongoing(rules: Rules) -> None:
    rules.use(connection_logs_retention=in_nanoseconds(30 * DAY), keep_ongoing=True)


def hold_ongoing(rules: Rules) -> None:
    rules(connection_logs=30 * DAY)
    hold(status="ongoing")


def hold_everything(rules: Rules) -> None:
    rules(connection_logs=30 * DAY)
    hold()


def write(row: ConnectionLog) -> Written[ConnectionLog]:
    holds.forget()
    keeping = holds.keeping("connection")
    return connection_writer.write([row], Rule(join, keeping.keeps, keeping.recent))


def ended(row: ConnectionLog, end: datetime) -> ConnectionLog:
    """The row that the disconnect of a session makes by itself."""
    return replace(row, connect_time=end, closing=Closing(end), origin=Origin.DISCONNECT)


@pytest.mark.parametrize("keep", [keep_ongoing, hold_ongoing])
def test_a_session_that_is_kept_while_it_is_open_may_end(
    rules: Rules, rows: Rows, keep: Callable[[Rules], None]
) -> None:
    keep(rules)
    second = timedelta(seconds=1)
    sessions = [rows.session(age * DAY) for age in (40, 41, 42, 43)]
    sent_again, at_once, before, later = sessions
    events = [
        replace(sent_again, closing=Closing(NOW)),
        ended(at_once, at_once.connect_time),
        ended(before, before.connect_time - second),
        ended(later, NOW),
    ]
    assert all(write(event).kept for event in events)
    stored = [CONNECTION_LOGS.get(row.id) for row in sessions]
    assert [row and row.closing for row in stored] == [event.closing for event in events]
    record = purge(60)
    assert record is not None
    assert record["purged"]["connection_logs"] == len(sessions)
    assert rows.connections == set()


@pytest.mark.parametrize("keep", [keep_ongoing, hold_ongoing, hold_everything])
def test_only_a_beginning_within_the_retention_takes_the_place_of_a_session_that_was_purged(
    rules: Rules, rows: Rows, keep: Callable[[Rules], None]
) -> None:
    rules(connection_logs=30 * DAY)
    session = rows.session(40 * DAY, closed=5 * DAY)
    assert purge(60) is not None
    keep(rules)
    began = replace(session, closing=None)
    for late in (began, session, ended(session, NOW - 5 * DAY)):
        assert write(late) == Written(None, late, kept=False)
        assert rows.connections == set()
    again = replace(began, connect_time=NOW - 30 * DAY)
    assert write(again) == Written(None, again)
    assert rows.connections == {session.id}


def test_what_a_hold_matches_is_taken_in_where_nothing_was_purged(rules: Rules, rows: Rows) -> None:
    hold_everything(rules)
    session = rows.session(40 * DAY)
    rows.engine.clear()
    hold_everything(rules)
    assert write(session).kept
    assert rows.connections == {session.id}


def test_an_event_that_was_joined_with_a_row_before_it_was_purged_does_not_bring_it_back(
    rules: Rules, rows: Rows
) -> None:
    rules(connection_logs=30 * DAY)
    session = rows.session(40 * DAY, closed=35 * DAY)
    stored = connection_requests.read(session.id)
    assert isinstance(stored, Stored)
    assert purge(60) is not None
    assert connection_requests.replace(stored, session) == Tombstone()
    assert rows.connections == set()
