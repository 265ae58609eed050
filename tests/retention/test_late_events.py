"""Events that come late: a session that is kept may end, and one that was purged does not come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.logs import connection
from chalicelib.retention import holds
from chalicelib.retention.purge import purge
from chalicelib.store import connection_writer
from chalicelib.store.log_tables import CONNECTION_LOGS
from chalicelib.store.records import Closing, ConnectionLog
from chalicelib.store.write_pool import Written
from tests.retention.conftest import DAY, NOW, Rows, Rules, hold, in_nanoseconds


def keep_ongoing(rules: Rules) -> None:
    rules.use(connection_logs_retention=in_nanoseconds(30 * DAY), keep_ongoing=True)


def hold_ongoing(rules: Rules) -> None:
    rules(connection_logs=30 * DAY)
    hold(status="ongoing")


kept_while_open = pytest.mark.parametrize("keep", [keep_ongoing, hold_ongoing])


def write(row: ConnectionLog) -> Written[ConnectionLog]:
    holds.forget()
    return connection_writer.write(row, connection.join, holds.keeping("connection").keeps)


@kept_while_open
def test_a_session_that_is_kept_while_it_is_open_may_end(
    rules: Rules, rows: Rows, keep: Callable[[Rules], None]
) -> None:
    keep(rules)
    second = timedelta(seconds=1)
    sessions = [rows.session(age * DAY) for age in (40, 41, 42, 43)]
    sent_again, at_once, before, later = sessions
    events = [
        replace(sent_again, closing=Closing(NOW)),
        replace(at_once, closing=Closing(at_once.connect_time)),
        replace(before, connect_time=before.connect_time - second, closing=Closing(before.connect_time - second)),
        replace(later, connect_time=NOW, closing=Closing(NOW)),
    ]
    assert all(write(event).kept for event in events)
    stored = [CONNECTION_LOGS.get(row.id) for row in sessions]
    assert [row and row.closing for row in stored] == [event.closing for event in events]
    record = purge(60)
    assert record is not None
    assert record["purged"]["connection_logs"] == len(sessions)
    assert rows.connections == set()
