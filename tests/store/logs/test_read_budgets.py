"""The cost of a page: as many rows as it returns, and the same few calls, however many rows there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from chalicelib import times
from chalicelib.lanes.catalogue import (
    AUDIT_LANES,
    CONNECTION_LANES,
    EVERY_AUDIT_LANE,
    EVERY_CONNECTION_LANE,
    Lane,
)
from chalicelib.lanes.plan import plan
from chalicelib.logs.vocabulary import SESSION_TYPES, WEB_TYPES
from chalicelib.records import AuditLog, Closing, ConnectionLog
from chalicelib.search.criteria import criteria
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from chalicelib.search.parser import parse
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb.budget import Bill, Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.logs import audit_rows, connection_rows
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS, LogTable
from scripts.local.engine import EmbeddedEngine
from tests.transport import ObservedTransport, Send

SIZES = (1_000, 20_000)
PAGE = 100
ROWS_PER_ROW = 1.1
ROWS_PER_ROW_OF_A_PRESET = 1.5
CALLS = 3
"""The query; how sessions ended, and whom rows name, are more than a hundred items: two requests in one round."""
COUNT_CALLS = 2
"""Two thousand rows are about a megabyte, and so one page of DynamoDB or two."""
READ_UNITS = {"connection": 65, "audit": 15}
CAP = 2_001

NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)
CONNECTION_QUERIES = {
    "": ROWS_PER_ROW,
    f"organization:{UUID(int=201)}": ROWS_PER_ROW,
    "workspace_owner:me": ROWS_PER_ROW,
    "type:vscode": ROWS_PER_ROW,
    "type:workspace_app": ROWS_PER_ROW,
    "username:me": ROWS_PER_ROW,
    f"workspace_id:{UUID(int=301)}": ROWS_PER_ROW,
    "status:ongoing": ROWS_PER_ROW,
    "status:completed": ROWS_PER_ROW,
    'connected_before:"2025-07-10T11:50:00Z"': ROWS_PER_ROW,
    'connected_after:"2025-07-10T11:50:00Z"': ROWS_PER_ROW,
    "status:ongoing type:ssh": ROWS_PER_ROW_OF_A_PRESET,
}
AUDIT_QUERIES = {
    "": ROWS_PER_ROW,
    f"request_id:{UUID(int=401)}": ROWS_PER_ROW,
    f"resource_id:{UUID(int=301)}": ROWS_PER_ROW,
    "resource_target:dev-1": ROWS_PER_ROW,
    "username:me": ROWS_PER_ROW,
    f"organization:{UUID(int=201)}": ROWS_PER_ROW,
    "resource_type:template": ROWS_PER_ROW,
    "action:create": ROWS_PER_ROW,
    "build_reason:initiator": ROWS_PER_ROW,
    "date_to:2025-07-10": ROWS_PER_ROW,
    "resource_type:workspace action:create": ROWS_PER_ROW_OF_A_PRESET,
    "resource_type:workspace action:delete": ROWS_PER_ROW_OF_A_PRESET,
    "resource_type:template action:create": ROWS_PER_ROW_OF_A_PRESET,
    "resource_type:user action:delete": ROWS_PER_ROW_OF_A_PRESET,
    "resource_type:workspace_build action:start build_reason:initiator": ROWS_PER_ROW_OF_A_PRESET,
    "resource_type:api_key action:login": ROWS_PER_ROW_OF_A_PRESET,
}


class Tally:
    """The cost of one reading, counted on the requests that the store sends."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.rows = 0
        self.counted = 0
        self.page_calls = 0

    def count(self, send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request, as a fault does, and add what it read."""
        answer = send(operation, request)
        self.operations.append(operation)
        if operation == "Query" and request.get("Select") == "COUNT":
            self.counted += answer["ScannedCount"]
            return answer
        self.page_calls += 1
        if operation == "Query":
            self.rows += answer["ScannedCount"]
        return answer


def connection_item(number: int, random: Random, shards: int, lanes: tuple[Lane, ...] = CONNECTION_LANES) -> Item:
    kind = random.choice(SESSION_TYPES[:3] + WEB_TYPES[:2])
    session = kind in SESSION_TYPES
    moment = NOON - timedelta(seconds=number)
    row = ConnectionLog(
        id=str(UUID(int=number + 10_000)),
        session=session,
        connect_time=moment,
        organization_id=str(UUID(int=200 + random.randrange(5))),
        workspace_owner_id=str(UUID(int=100 + random.randrange(9))),
        workspace_id=str(UUID(int=300 + random.randrange(9))),
        workspace_name="billing-backend",
        agent_name="main",
        type=kind,
        ip="203.0.113.7",
        user_id=None if session else str(UUID(int=100 + random.randrange(5))),
        user_agent=None if session else "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        slug_or_port=None if session else "code-server",
        connection_id=str(UUID(int=number + 900_000)) if session else None,
        closing=Closing(moment + timedelta(hours=1)) if session and random.random() < 0.5 else None,
    )
    return connection_rows.to_item(row, shards=shards, revision=1, lanes=lanes)


AUDITED = (
    ("workspace", "create"),
    ("workspace", "delete"),
    ("template", "create"),
    ("user", "delete"),
    ("workspace_build", "start"),
    ("workspace_build", "stop"),
    ("api_key", "login"),
)


def audit_item(number: int, random: Random, shards: int, lanes: tuple[Lane, ...] = AUDIT_LANES) -> Item:
    resource_type, action = random.choice(AUDITED)
    build = {"build_reason": random.choice(["initiator", "autostart"])} if resource_type == "workspace_build" else {}
    row = AuditLog(
        id=str(UUID(int=number + 10_000)),
        time=NOON - timedelta(seconds=number),
        user_id=str(UUID(int=100 + random.randrange(9))),
        organization_id=str(UUID(int=200 + random.randrange(5))),
        ip="203.0.113.7",
        user_agent="curl/8.5.0",
        resource_type=resource_type,
        resource_id=str(UUID(int=300 + random.randrange(9))),
        resource_target=f"Dev-{random.randrange(9)}",
        resource_icon="",
        action=action,
        status_code=200,
        request_id=str(UUID(int=400 + random.randrange(9))),
        diff={"name": {"old": "a", "new": "b", "secret": False}},
        additional_fields=build,
    )
    return audit_rows.to_item(row, shards=shards, lanes=lanes)


def read(
    log: LogTable[Any],
    filters: FilterTable,
    query: str,
    shards: int,
    transport: ObservedTransport,
    lanes: tuple[Lane, ...] | None = None,
) -> tuple[Tally, Bill, int, bool]:
    asked = parse(query, filters, me=str(UUID(int=101)), organization=lambda _: None)
    planned = plan(criteria(asked, filters, lambda _: [], times.now()), lanes or log.kept().read, shards)
    tally, bill, budget = Tally(), Bill(), Budget(20_000)
    transport.intercept(tally.count)
    with store_engine.heard_by(bill.add):
        page = read_page(log, [planned], budget, Window(PAGE))
    rows, more = page.rows, page.next is not None
    if more:
        count_rows(log, [planned], budget, CAP)
    transport.restore()
    assert "Scan" not in tally.operations
    assert budget.rows_read == tally.rows + tally.counted
    assert len(rows) == PAGE or not more
    return tally, bill, len(rows), more


LOGS = [
    pytest.param(CONNECTION_LOGS, CONNECTION_FILTERS, connection_item, CONNECTION_QUERIES, id="connection"),
    pytest.param(AUDIT_LOGS, AUDIT_FILTERS, audit_item, AUDIT_QUERIES, id="audit"),
]


@pytest.mark.parametrize(("log", "filters", "item", "queries"), LOGS)
def test_a_page_reads_what_it_returns_at_any_size(
    tables: EmbeddedEngine,
    log: LogTable[Any],
    filters: FilterTable,
    item: Any,
    queries: dict[str, float],
    transport: ObservedTransport,
) -> None:
    random = Random(4)
    costs: dict[str, list[tuple[int, int]]] = {query: [] for query in queries}
    loaded = 0
    for size in SIZES:
        tables.load(log.table_name, (item(number, random, 1) for number in range(loaded, size)))
        loaded = size
        for query, most in queries.items():
            tally, bill, returned, _ = read(log, filters, query, 1, transport)
            assert returned >= 10, query
            assert tally.rows <= most * returned, query
            keys = len(SESSION_TYPES) if query == "status:ongoing" else 1
            assert tally.page_calls <= CALLS + 3 * (keys - 1), query
            assert len(tally.operations) - tally.page_calls <= COUNT_CALLS * keys, query
            # Of several keys each is counted beyond its share, so that a small one makes no round trip more.
            assert tally.counted <= (CAP if keys == 1 else 1.25 * CAP + keys), query
            assert bill.read_units <= READ_UNITS[log.name], query
            if keys == 1:
                costs[query].append((returned, tally.rows))
    whole = [cost for cost in costs.values() if cost and all(returned == PAGE for returned, _ in cost)]
    assert len(whole) > len(queries) // 2
    assert {read for cost in whole for _, read in cost} <= {PAGE, PAGE + 1}, "a page costs the same at any size"


OPTIONAL = [
    pytest.param(
        CONNECTION_LOGS,
        CONNECTION_FILTERS,
        connection_item,
        EVERY_CONNECTION_LANE,
        [f"organization:{UUID(int=201)} type:ssh"],
        id="connection",
    ),
    pytest.param(
        AUDIT_LOGS,
        AUDIT_FILTERS,
        audit_item,
        EVERY_AUDIT_LANE,
        [f"organization:{UUID(int=201)} resource_type:workspace"],
        id="audit",
    ),
]


@pytest.mark.parametrize(("log", "filters", "item", "lanes", "queries"), OPTIONAL)
def test_with_optional_lanes_their_queries_read_what_they_return_as_well(
    tables: EmbeddedEngine,
    log: LogTable[Any],
    filters: FilterTable,
    item: Any,
    lanes: tuple[Lane, ...],
    queries: list[str],
    transport: ObservedTransport,
) -> None:
    random = Random(4)
    tables.load(log.table_name, (item(number, random, 1, lanes) for number in range(3_000)))
    for query in queries:
        tally, _, returned, _ = read(log, filters, query, 1, transport, lanes)
        assert returned >= 100
        assert tally.rows <= ROWS_PER_ROW * returned, query
        assert tally.page_calls <= CALLS, query
        assert len(tally.operations) - tally.page_calls <= COUNT_CALLS, query


@pytest.mark.parametrize("shards", [4, 8])
@pytest.mark.parametrize(("log", "filters", "item", "queries"), LOGS)
def test_a_page_from_shards_reads_little_more(
    tables: EmbeddedEngine,
    log: LogTable[Any],
    filters: FilterTable,
    item: Any,
    queries: dict[str, float],
    shards: int,
    transport: ObservedTransport,
) -> None:
    random = Random(4)
    tables.load(log.table_name, (item(number, random, shards) for number in range(3_000)))
    for query in queries:
        tally, _, returned, more = read(log, filters, query, shards, transport)
        if more:
            assert tally.rows <= PAGE * (1.05 + 0.025 * shards), query
            assert returned == PAGE
