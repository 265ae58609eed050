"""The counted budgets of the design, as `scripts/bench` measures them: over HTTP, through the meter, at two sizes."""

from __future__ import annotations

from math import ceil

import pytest

from bench import budgets
from bench.measures import dollars, gate, ingest, lanes, pages, pairs, purge
from bench.queries import LOGS, Log
from bench.service import Service, environment
from scripts.docs import published

SMALL, LARGE = 500, 2_000
QUERIES = [pytest.param(log, query, id=f"{log.name} {query}") for log in LOGS for query in log.queries]


@pytest.fixture(scope="module")
def costs(service: Service) -> dict[str, ingest.Cost]:
    return ingest.costs(service)


@pytest.fixture(scope="module")
def loaded(service: Service, costs: object) -> dict[tuple[str, str, int], pages.Cost]:
    """The cost of every page at both sizes; the tables are filled once events have been counted."""
    assert costs
    measured, checked = {}, gate.token_check(service)
    for log in LOGS:
        begun = 0
        for size in (SMALL, LARGE):
            service.engine.load(log.table, log.items(begun, size))
            begun = size
            for query in log.queries:
                measured[log.name, query, size] = pages.page(service, log, query, checked, size)
    return measured


def test_a_token_check_takes_few_calls(service: Service) -> None:
    assert budgets.TOKEN_CALLS.kept(gate.token_check(service).calls.total())


@pytest.mark.parametrize("kind", [kind for kind in ingest.KINDS if kind.budget], ids=lambda kind: kind.name)
def test_an_event_takes_few_write_units(costs: dict[str, ingest.Cost], kind: ingest.Kind) -> None:
    assert kind.budget
    assert kind.budget.kept(costs[kind.name].written), costs[kind.name].units


def test_a_session_takes_few_write_units(costs: dict[str, ingest.Cost]) -> None:
    units = costs["connect"].written + costs["disconnect"].written
    assert not budgets.SESSION_WRITE_UNITS.missed(units)
    # What the budget lacks for a lane for every filter is a lane that a deployment may do without.
    assert budgets.SESSION_WRITE_UNITS.kept(units - costs["disconnect"].units["completed"])


@pytest.mark.parametrize("kind", ingest.KINDS, ids=lambda kind: kind.name)
def test_new_events_are_written_twenty_five_a_call_and_the_end_of_a_session_by_one(
    service: Service, costs: dict[str, ingest.Cost], kind: ingest.Kind
) -> None:
    calls = round(costs[kind.name].calls * ingest.EVENTS_A_REQUEST)
    writes = ingest.EVENTS_A_REQUEST if kind.name == "disconnect" else ceil(ingest.EVENTS_A_REQUEST / 25)
    checked = gate.token_check(service).calls.total()
    # An audit request also reads once what is held back from the purge.
    assert writes + checked <= calls <= writes + checked + 1


def test_a_million_events_cost_no_more_than_they_may(service: Service, costs: dict[str, ingest.Cost]) -> None:
    assert budgets.ALL_LANES_DOLLARS.kept(dollars.of_the_mix(costs))
    with environment(**lanes.lean()):
        assert budgets.LEAN_DOLLARS.kept(dollars.of_the_mix(ingest.costs(service)))


@pytest.mark.parametrize(("log", "query"), QUERIES)
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_page_reads_little_more_than_it_returns(
    loaded: dict[tuple[str, str, int], pages.Cost], log: Log, query: str, size: int
) -> None:
    cost = loaded[log.name, query, size]
    assert cost.returned
    assert log.queries[query].kept(cost.per_row), cost
    assert log.units.kept(cost.units), cost
    assert pages.call_budgets(query)[0].kept(cost.calls), cost


@pytest.mark.parametrize(("log", "query"), QUERIES)
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_page_with_its_count_takes_few_calls(
    loaded: dict[tuple[str, str, int], pages.Cost], log: Log, query: str, size: int
) -> None:
    cost = loaded[log.name, query, size]
    assert pages.call_budgets(query)[1].kept(cost.calls + cost.count_calls), cost


@pytest.mark.parametrize(("log", "query"), QUERIES)
def test_a_full_page_costs_the_same_in_a_larger_table(
    loaded: dict[tuple[str, str, int], pages.Cost], log: Log, query: str
) -> None:
    small, large = loaded[log.name, query, SMALL], loaded[log.name, query, LARGE]
    if small.returned == large.returned == pages.PAGE:
        assert budgets.GROWTH_OF_ROWS.kept(large.rows / small.rows)
        assert budgets.GROWTH_OF_CALLS.kept(large.calls / small.calls)
    else:
        assert small.returned <= large.returned


PAIR_ROUND_TRIPS = 14
"""Two of the token check, and those of a count row by row."""
PAIRED = [pytest.param(log, query, id=f"{log.name} {query}") for log in LOGS for query in pairs.PAIRS[log.name]]


def test_a_dozen_pairs_of_filters_are_measured() -> None:
    assert len(PAIRED) >= 12


@pytest.mark.parametrize(("log", "query"), PAIRED)
def test_a_page_of_two_filters_takes_few_round_trips(service: Service, loaded: object, log: Log, query: str) -> None:
    assert loaded
    cost = pairs.cost(service, log, query)
    assert cost.trips <= PAIR_ROUND_TRIPS
    assert cost.rows <= LARGE


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_a_match_that_is_rare_is_looked_for_in_few_round_trips(service: Service, loaded: object, log: Log) -> None:
    assert loaded
    cost = pairs.cost(service, log, pairs.RARE[log.name])
    assert not cost.returned
    assert cost.rows > pages.PAGE
    assert cost.trips <= PAIR_ROUND_TRIPS


def test_the_purge_takes_a_row_for_two_units_and_few_calls(service: Service, loaded: object) -> None:
    assert loaded
    for log in LOGS:
        service.forget(log.table)
    results = list(purge.measure(service))
    held = [result for result in results if result.budget is not None]
    assert len(held) == len(purge.KINDS) - 1
    assert [result.name for result in held if result.mark != "ok"] == []
    assert max(result.value for result in results if result.name.endswith("calls per row")) < 0.2


def test_what_is_published_of_events_is_what_they_cost(costs: dict[str, ingest.Cost]) -> None:
    published_costs = {
        row[0]: float(row[2])
        for row in published.latest_run()["tables"]["dollars events"]["rows"]
        if row[1] == "all lanes"
    }
    assert {kind: cost.written for kind, cost in costs.items()}.items() <= published_costs.items()
