"""The cost of a page for which many keys are read: shards, and the organizations of an auditor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench import budgets, events, rows
from bench.measures import gate, pages
from bench.queries import CONNECTION, LOGS
from bench.results import Result, Table
from bench.service import Service, environment
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan
from chalicelib.settings import current
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.rounds import rounds_heard_by
from chalicelib.store.logs import connection_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import CONNECTION_LOGS

_ROWS = 5_000
_SHARDS = (4, 16)
_ORGANIZATIONS = 50
_AUDITED = (1, 2, 5, 10, 20, 25, 35, 50)
_CAP = 2_001


def measure(service: Service) -> Iterator[Result | Table]:
    """Pages from shards, and pages of auditors; the tables are left empty."""
    for shards in _SHARDS:
        yield from _of_shards(service, shards)
    yield from _of_auditors(service)


def _of_shards(service: Service, shards: int) -> Iterator[Result]:
    checked = gate.token_check(service)
    with environment(GATEBOOK_LOG_SHARDS=str(shards)):
        for log in LOGS:
            service.engine.load(log.table, log.items(0, _ROWS))
            costs = [pages.page(service, log, query, checked, counted=False) for query in log.queries]
            full = [cost for cost in costs if cost.returned == pages.PAGE]
            worst = max(full, key=lambda cost: cost.per_row)
            name = f"rows read per row returned, {log.name} log, the most ({worst.query or 'no filter'})"
            yield Result(f"Pages of {shards} shards", name, worst.per_row, "", budgets.ROWS_PER_ROW_OF_SHARDS)
            service.forget(log.table)


def _of_auditors(service: Service) -> Iterator[Result | Table]:
    """Pages of everything for an auditor of several of fifty equally busy organizations."""
    service.engine.load(CONNECTION.table, map(_item, range(_ROWS)))
    checked = gate.token_check(service).calls.total()
    table: list[list[str | float]] = []
    dearest = (0.0, 0)
    for number in _AUDITED:
        organizations = frozenset(events.made_id("organization", index) for index in range(number))
        made = plan(Criteria({"organization_id": organizations}), CONNECTION_LOGS.kept().read, current().log_shards)
        per_row, calls, trips = _page(service, made)
        better = min(_rows(service, replace(way, alternatives=())) for way in (made, *made.alternatives))
        ratio = _rows(service, made) / better
        dearest = max(dearest, (ratio, number))
        table.append([number, per_row, ratio, calls + checked, trips + checked])
    yield Table(
        "auditors",
        f"Auditors of some of {_ORGANIZATIONS} organizations: a page of {pages.PAGE} with its count, of everything",
        ("organizations", "read per row, the count left out", "against the better way", "calls", "round trips"),
        table,
    )
    ratio, number = dearest
    budget_of_several = budgets.ROWS_OF_SEVERAL_ORGANIZATIONS
    name = f"rows read, against the better of both ways, the most (of {number})"
    yield Result(f"Auditor of some of {_ORGANIZATIONS} organizations", name, ratio, "x", budget_of_several)
    section = f"Auditor of all of {_ORGANIZATIONS} organizations"
    for name, value, budget in zip(
        ("rows read per row returned", "calls, count and token check included", "round trips"),
        (per_row, calls + checked, trips + checked),
        (budgets.ROWS_PER_ROW_OF_AUDITOR, budgets.AUDITOR_CALLS, budgets.AUDITOR_ROUND_TRIPS),
        strict=True,
    ):
        yield Result(section, name, value, "", budget)
    service.forget(CONNECTION.table)


def _page(service: Service, made: Plan) -> tuple[float, int, int]:
    """Rows read per row returned, and the calls and round trips of the same page with its count."""
    with service.counting() as alone:
        page = read_page(CONNECTION_LOGS, [made], Budget(current().max_rows_read), Window(pages.PAGE))
    sizes: list[int] = []
    with service.counting() as counted, rounds_heard_by(sizes.append):
        read_page(CONNECTION_LOGS, [made], Budget(current().max_rows_read), Window(pages.PAGE, cap=_CAP))
    return alone.rows / len(page.rows), counted.calls.total(), pages.round_trips(counted, sizes)


def _rows(service: Service, made: Plan) -> int:
    """The rows that a page reads."""
    with service.counting() as tally:
        read_page(CONNECTION_LOGS, [made], Budget(current().max_rows_read), Window(pages.PAGE))
    return tally.rows


def _item(number: int) -> Item:
    organization = events.made_id("organization", events.choice(number, "auditor", _ORGANIZATIONS))
    row = replace(rows.connection_log(number), organization_id=organization)
    lanes = current().connection_lanes.written
    return connection_rows.to_item(row, shards=current().log_shards, revision=1, lanes=lanes)
