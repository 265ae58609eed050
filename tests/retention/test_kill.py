"""Killed at any call to the store, a run leaves nothing half done: after the next one the tables are exactly right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.retention import holds, log_purge
from chalicelib.retention.lease import LEASE
from chalicelib.retention.purge import purge
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import AuditLogItem
from chalicelib.store.logs import audit_rows
from chalicelib.store.retention import runs as retention_runs
from chalicelib.store.retention import state as retention_state
from tests.retention.conftest import DAY, EVENT, NOW, Clock, Killed, Rows, Rules, hold
from tests.transport import ObservedTransport, Send


@cache
def giant() -> list[Item]:
    """A row of several items."""
    noise = "".join(f"{number * 2_654_435_761 % 2**64:016x}" for number in range(60_000))
    row = replace(EVENT, id=str(uuid4()), time=NOW - 50 * DAY, additional_fields={"noise": noise})
    return audit_rows.to_items(row, shards=1)


def put_rows(rows: Rows) -> set[str]:
    """Some of everything; the ids of what must be left."""
    kept = {rows.session(40 * DAY, type="vscode").id, rows.session(29 * DAY).id, rows.audit(40 * DAY, "open").id}
    token = rows.token(6 * DAY)
    for age in (31, 32, 33, 34):
        rows.session(age * DAY, closed=(age - 2) * DAY)
        rows.audit(age * DAY)
    rows.web(31 * DAY)
    for item in giant():
        call("PutItem", {"TableName": AuditLogItem.Meta.table_name, "Item": item})
    rows.audit(99 * DAY, "connect")
    rows.token(8 * DAY)
    rows.token(9 * DAY, token_name="", login_type="password")
    return kept | {token.id, f"name#{token.user_id}#{token.token_name}"}


@pytest.mark.parametrize("answered", [False, True], ids=["before the call", "after the call"])
def test_after_a_kill_at_any_call_the_next_run_leaves_the_tables_right(
    rules: Rules,
    rows: Rows,
    clock: Clock,
    transport: ObservedTransport,
    monkeypatch: pytest.MonkeyPatch,
    *,
    answered: bool,
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY, api_keys=7 * DAY)
    monkeypatch.setattr(log_purge, "ROUND", 3)
    calls = 0
    fatal = 0

    def dies(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls == fatal:
            if answered:
                send(operation, request)
            raise Killed
        return send(operation, request)

    transport.intercept(dies)
    for number in count(1):
        fatal = 0
        rows.engine.clear()
        holds.forget()
        clock.moment = NOW
        hold(type="vscode")
        kept = put_rows(rows)
        calls, fatal = 0, number
        try:
            record = purge(60)
        except Killed:
            fatal = 0
            clock.moment = NOW + LEASE
            record = purge(60)
            assert record is not None
        survived, fatal = fatal != 0, 0
        assert record is not None
        assert "error" not in record
        assert rows.connections | rows.audits | rows.tokens == kept
        assert retention_state.read().holder == ""
        assert record in retention_runs.latest(10)
        if survived:
            break
    assert number > 30
