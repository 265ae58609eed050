"""A backlog of any size goes with memory for a round of it, and at twenty rows a call and more."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from chalicelib.logs.connection import session_id
from chalicelib.records import AuditLog, Closing, ConnectionLog
from chalicelib.retention import log_purge
from chalicelib.retention.purge import purge
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import AuditLogItem, ConnectionLogItem
from chalicelib.store.logs import audit_rows, connection_rows
from scripts.local.engine import EmbeddedEngine
from tests.retention.conftest import DAY, EVENT, NOW, SESSION, Rules
from tests.transport import ObservedTransport, Send

SIZE = int(os.environ.get("PURGED_ROWS", "4000"))
"""`PURGED_ROWS=100000 scripts/test tests/retention/test_size.py` takes some minutes."""
ROWS_PER_CALL = 20
LOOK_EVERY = max(2, SIZE // 10_000)
"""Renewals of the lease between two looks at what is held."""
ROWS_HELD = 2 * log_purge.ROUND
"""At any one time: a round, and what was made of it."""


def connections(number: int, random: Random) -> Iterator[Item]:
    for index in range(number):
        moment = NOW - 31 * DAY - timedelta(seconds=index)
        row = replace(SESSION, connect_time=moment, connection_id=str(UUID(int=random.getrandbits(128))))
        if random.random() < 0.6:
            row_id = session_id(row.organization_id, row.connection_id or "", row.workspace_id, row.agent_name)
            row = replace(row, id=row_id, closing=Closing(moment + timedelta(hours=1)))
        else:
            row_id = str(UUID(int=random.getrandbits(128), version=4))
            row = replace(row, id=row_id, session=False, type="workspace_app", connection_id=None, code=200)
        yield connection_rows.to_item(row, shards=1, revision=1)


def audits(number: int, random: Random) -> Iterator[Item]:
    for index in range(number):
        row_id = str(UUID(int=random.getrandbits(128), version=4))
        yield audit_rows.to_item(replace(EVENT, id=row_id, time=NOW - 31 * DAY - timedelta(seconds=index)), shards=1)


@pytest.mark.parametrize("log", ["connection", "audit"])
def test_a_backlog_goes_with_flat_memory_and_many_rows_a_call(
    rules: Rules, tables: EmbeddedEngine, transport: ObservedTransport, log: str
) -> None:
    rules(connection_logs=30 * DAY, audit_logs=30 * DAY)
    table, items = {
        "connection": (ConnectionLogItem, connections),
        "audit": (AuditLogItem, audits),
    }[log]
    name = str(table.Meta.table_name)
    tables.load(name, items(SIZE, Random(4)))
    calls = Counter[str]()
    held: list[int] = []

    def counted(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        calls[operation] += 1
        if operation == "UpdateItem" and calls[operation] % LOOK_EVERY == 0:
            # The engine is in this process too: its memory is not that of the purge.
            held.append(sum(type(one) in (ConnectionLog, AuditLog) for one in gc.get_objects()))
        return send(operation, request)

    transport.intercept(counted)
    record = purge(3_600)
    assert record is not None
    assert {**record["purged"]}[f"{log}_logs"] == SIZE
    assert all(FORGET_AT in item for item in tables.items(name))
    made = calls.total()
    calls.clear()
    purge(60)
    # What every run costs, however little there is to do, is no part of the cost of a row.
    assert SIZE / (made - calls.total()) >= ROWS_PER_CALL
    assert 0 < max(held) <= ROWS_HELD
