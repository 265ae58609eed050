"""The cost of a page for which many keys are read: shards, and the organizations of an auditor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from chalicelib import times
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan
from chalicelib.search.criteria import criteria
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from chalicelib.search.parser import parse
from chalicelib.store.dynamodb import client
from chalicelib.store.dynamodb.budget import Bill, Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, rounds_heard_by
from chalicelib.store.logs import audit_rows, connection_rows
from chalicelib.store.logs.page import PageRead, Window, read_page
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS, LogTable
from scripts.local.engine import EmbeddedEngine
from tests.store.logs.test_read_budgets import (
    AUDIT_QUERIES,
    CONNECTION_QUERIES,
    audit_item,
    connection_item,
)

PAGE = 100
CAP = 2_001
TOKEN_CHECK = 2
"""Calls, each of which waits for the one before it."""
ORGANIZATIONS = [str(UUID(int=5_000 + number)) for number in range(50)]
ROWS = 4_000


class Cost(NamedTuple):
    """The cost of a page: rows read, calls and round trips, those of the token check left out."""

    rows: int
    calls: int
    trips: int
    page: PageRead[Any]


def cost(log: LogTable[Any], planned: Plan, *, cap: int | None = None, rows: int = 20_000) -> Cost:
    bill, budget, sizes = Bill(), Budget(rows), list[int]()
    with client.heard_by(bill.add), rounds_heard_by(sizes.append):
        page = read_page(log, [planned], budget, Window(PAGE, cap=cap))
    assert sum(sizes) == bill.calls, "every request is one of a round"
    return Cost(budget.rows_read, bill.calls, sum(ceil(size / IN_FLIGHT) for size in sizes), page)


def connection(number: int, random: Random, shards: int, organization: str) -> Item:
    row = connection_rows.from_item(connection_item(number, random, shards))
    return connection_rows.to_item(replace(row, organization_id=organization), shards=shards, revision=1)


def audit(number: int, random: Random, shards: int, organization: str) -> Item:
    row = audit_rows.from_item(audit_item(number, random, shards))
    return audit_rows.to_item(replace(row, organization_id=organization), shards=shards)


LOGS = [
    pytest.param(CONNECTION_LOGS, CONNECTION_FILTERS, connection, CONNECTION_QUERIES, id="connection"),
    pytest.param(AUDIT_LOGS, AUDIT_FILTERS, audit, AUDIT_QUERIES, id="audit"),
]


def planned(log: LogTable[Any], filters: FilterTable, query: str, organizations: Sequence[str], shards: int) -> Plan:
    """The plan for an auditor of organizations; of none of them for one of the whole site."""
    asked = parse(query, filters, me=str(UUID(int=101)), organization=lambda _: None)
    wanted = criteria(asked, filters, lambda _: [], times.now())
    if organizations:
        wanted = wanted.narrowed("organization_id", frozenset(organizations))
    return plan(wanted, log.kept().read, shards)


@pytest.mark.parametrize(("log", "filters", "item", "queries"), LOGS)
def test_an_auditor_of_all_of_fifty_organizations_reads_three_rows_for_each_at_most_in_six_round_trips(
    tables: EmbeddedEngine, log: LogTable[Any], filters: FilterTable, item: Any, queries: dict[str, float]
) -> None:
    random = Random(7)
    tables.load(log.table_name, (item(n, random, 1, random.choice(ORGANIZATIONS)) for n in range(ROWS)))
    for query in queries:
        if query.startswith("organization:"):
            continue
        made = planned(log, filters, query, ORGANIZATIONS, 1)
        alone = cost(log, made)
        counted = cost(log, made, cap=CAP)
        assert alone.rows <= 3 * len(alone.page.rows), query
        assert counted.calls + TOKEN_CHECK <= 60, query
        assert counted.trips + TOKEN_CHECK <= 6, query
        assert counted.page.rows == alone.page.rows == cost(log, planned(log, filters, query, [], 1)).page.rows


def zipf(random: Random) -> str:
    weights = [1 / rank for rank in range(1, len(ORGANIZATIONS) + 1)]
    return random.choices(ORGANIZATIONS, weights)[0]


def uniform(random: Random) -> str:
    return random.choice(ORGANIZATIONS)


@pytest.mark.parametrize("spread", [uniform, zipf])
@pytest.mark.parametrize("shards", [1, 4])
def test_an_auditor_of_some_organizations_reads_little_more_than_by_the_better_way(
    tables: EmbeddedEngine, shards: int, spread: Any
) -> None:
    random = Random(8)
    tables.load(CONNECTION_LOGS.table_name, (connection(n, random, shards, spread(random)) for n in range(ROWS)))
    for number in (1, 2, 5, 10, 20, 25, 35, 49):
        for own in (ORGANIZATIONS[:number], ORGANIZATIONS[-number:]):
            made = planned(CONNECTION_LOGS, CONNECTION_FILTERS, "", own, shards)
            ways = [replace(one, alternatives=()) for one in (made, *made.alternatives)]
            costs = [cost(CONNECTION_LOGS, way) for way in ways]
            chosen = cost(CONNECTION_LOGS, made)
            assert all(one.page.rows == chosen.page.rows for one in costs)
            assert chosen.rows <= 1.35 * min(one.rows for one in costs), (number, [one.rows for one in costs])


@pytest.mark.parametrize(("log", "filters", "item", "queries"), LOGS)
def test_a_page_of_sixteen_shards_reads_a_fifth_more_at_most(
    tables: EmbeddedEngine, log: LogTable[Any], filters: FilterTable, item: Any, queries: dict[str, float]
) -> None:
    random = Random(9)
    tables.load(log.table_name, (item(n, random, 16, str(UUID(int=200 + n % 5))) for n in range(ROWS)))
    for query in queries:
        made = planned(log, filters, query, [], 16)
        page = cost(log, made)
        if page.page.next is not None:
            assert page.rows <= 1.2 * PAGE, query
            assert len(page.page.rows) == PAGE


def test_a_match_that_is_rare_is_looked_for_in_a_few_round_trips(
    tables: EmbeddedEngine, shorten: Callable[[int], None]
) -> None:
    random = Random(10)
    tables.load(CONNECTION_LOGS.table_name, (connection(n, random, 1, ORGANIZATIONS[n % 2]) for n in range(6_000)))
    asked = Criteria({"organization_id": frozenset(ORGANIZATIONS[:1]), "agent_name": frozenset({"no such agent"})})
    made = plan(asked, CONNECTION_LOGS.kept().read, 1)
    shorten(1_000)
    page = cost(CONNECTION_LOGS, made, rows=2_500)
    assert (page.page.rows, page.page.next is not None) == ([], True)
    assert 2_400 <= page.rows <= 2_500
    assert page.trips <= 6, "each request asks for more than all before it"


def test_two_broad_filters_are_read_by_the_one_that_ends_first(tables: EmbeddedEngine) -> None:
    random = Random(11)
    rows = [connection_rows.from_item(connection_item(n, random, 1)) for n in range(ROWS)]
    placed = [replace(row, organization_id=ORGANIZATIONS[row.type == "ssh"]) for row in rows]
    tables.load(CONNECTION_LOGS.table_name, [connection_rows.to_item(row, shards=1, revision=1) for row in placed])
    made = planned(CONNECTION_LOGS, CONNECTION_FILTERS, "type:ssh", ORGANIZATIONS[:1], 1)
    page = cost(CONNECTION_LOGS, made)
    assert (page.page.rows, page.page.next, page.page.plans[0].lane) == ([], None, "type")
    assert page.rows <= 2 * sum(row.type == "ssh" for row in rows), "both are tried in turns, the shorter one ends"
