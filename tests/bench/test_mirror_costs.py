"""The cost of each request by which a platform mirrors itself in, exactly: a lane more is seen here."""

from __future__ import annotations

import pytest

from bench import budgets
from bench.measures import mirror
from bench.measures.mirror import NAMED, STEPS, Cost, Step, letters_of
from bench.service import Service
from chalicelib.platform.kinds import KINDS

CALLS_AND_UNITS = {
    "daemon, new": (6, 5, 0),
    "daemon, a heartbeat": (1, 5, 0),
    "job of an import, new": (1, 6, 0),
    "job of an import, begun": (5, 12, 0),
    "daemon at work, a heartbeat": (3, 5, 0),
    "job of an import, ended": (4, 12, 0),
    "template, new": (5, 12, 69),
    "version, new": (3, 4, 0),
    "template, with its active version": (3, 7, 0),
    "workspace, new": (7, 23, 9),
    "build, the latest": (7, 17, 0),
    "job of a build, new": (7, 8, 0),
    "job of a build, begun": (11, 25, 0),
    "agent, new": (8, 16, 0),
    "job of a build, ended": (10, 26, 0),
    "agent, connected": (8, 17, 0),
    "workspace, used": (5, 14, 0),
    "workspace, as it was": (5, 2, 0),
}
"""Step -> calls beside the token check, write units, and those of the rows of its names."""


@pytest.fixture(scope="module")
def costs(service: Service) -> dict[str, Cost]:
    return mirror.costs(service)


def test_every_kind_is_mirrored() -> None:
    assert {step.kind for step in STEPS} == {*KINDS}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_request_costs_so_many_calls_and_write_units(costs: dict[str, Cost], step: Step) -> None:
    cost = costs[step.name]
    assert (cost.calls, cost.written, cost.names) == CALLS_AND_UNITS[step.name]
    assert 0 <= cost.lanes <= cost.written + cost.names
    assert budgets.MIRROR_CALLS.kept(cost.calls)
    assert budgets.MIRROR_WRITE_UNITS.kept(cost.written)
    assert step.budget is None or step.budget.kept(cost.written)


@pytest.mark.parametrize("step", NAMED, ids=lambda step: step.name)
def test_a_letter_of_a_name_costs_its_row_and_two_lanes(costs: dict[str, Cost], step: Step) -> None:
    assert budgets.LETTER_WRITE_UNITS.kept(costs[step.name].names / letters_of(step))
