"""What a month costs: the purge and what is stored are of the rows as they are in the end, lane by lane."""

from __future__ import annotations

import pytest

from bench import bill
from bench.measures import dollars, lanes
from bench.measures.dollars import Deployment
from bench.results import Table
from bench.service import Service, environment


@pytest.fixture(scope="module")
def every(service: Service) -> Deployment:
    return dollars.deployment(service)


def test_a_row_is_deleted_from_every_lane_that_it_is_in_once_its_session_has_ended(every: Deployment) -> None:
    mix = bill.ASSUMED["mix"]
    closed, web, audit = 8, 7, 10
    expected = mix["connect"] * closed + mix["web"] * web + mix["audit"] * audit
    assert every.kept.units_to_delete == pytest.approx(expected)


def test_rows_are_a_part_of_what_is_stored(every: Deployment) -> None:
    assert 300 < every.kept.row_bytes < every.kept.all_bytes / 4


def test_a_lean_deployment_stores_and_deletes_less(service: Service, every: Deployment) -> None:
    with environment(**lanes.lean()):
        lean = dollars.deployment(service)
    assert lean.kept.row_bytes < every.kept.row_bytes
    assert lean.kept.units_to_delete < every.kept.units_to_delete / 2
    assert lean.kept.all_bytes < every.kept.all_bytes / 1.5
    (table,) = dollars.of_months(every, lean)
    assert isinstance(table, Table)
    for row in table.rows:
        parts = [cell for cell in row[2:-1] if isinstance(cell, float | int)]
        assert row[-1] == pytest.approx(sum(parts))
