"""The cost of a month: the purge and the storage are of the rows as they are in the end, lane by lane."""

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


def test_a_row_is_purged_for_two_units_and_a_disconnect_has_none(every: Deployment) -> None:
    assert every.kept.units_to_purge == pytest.approx(2 * (1 - bill.ASSUMED["mix"]["disconnect"]))


def test_rows_are_a_part_of_what_is_stored(every: Deployment) -> None:
    assert 300 < every.kept.row_bytes < every.kept.all_bytes / 4


def test_a_lean_deployment_stores_less_and_purges_for_the_same(service: Service, every: Deployment) -> None:
    with environment(**lanes.lean()):
        lean = dollars.deployment(service)
    assert lean.kept.row_bytes < every.kept.row_bytes
    assert lean.kept.units_to_purge == pytest.approx(every.kept.units_to_purge)
    assert lean.kept.all_bytes < every.kept.all_bytes / 1.5
    (table,) = dollars.of_months(every, lean)
    assert isinstance(table, Table)
    for row in table.rows:
        parts = [cell for cell in row[2:-1] if isinstance(cell, float | int)]
        assert row[-1] == pytest.approx(sum(parts))
