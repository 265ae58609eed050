"""The cost of each request by which a platform mirrors itself in, exactly: a lane more is seen here."""

from __future__ import annotations

import pytest

from bench import budgets
from bench.measures import mirror
from bench.measures.mirror import STEPS, Cost, Step
from bench.service import Service
from chalicelib.platform.kinds import KINDS

CALLS_AND_UNITS = {
    "daemon, new": (1, 3),
    "daemon, a heartbeat": (1, 5),
    "job of an import, new": (1, 6),
    "job of an import, begun": (1, 8),
    "job of an import, ended": (1, 8),
    "template, new": (3, 13),
    "version, new": (2, 3),
    "template, with its active version": (3, 7),
    "workspace, new": (4, 16),
    "build, the latest": (7, 15),
    "job of a build, new": (6, 6),
    "job of a build, begun": (7, 20),
    "agent, new": (1, 2),
    "job of a build, ended": (7, 20),
    "agent, connected": (1, 2),
    "workspace, used": (5, 12),
    "workspace, as it was": (5, 2),
}
"""Step -> calls beside the token check, and write units."""


@pytest.fixture(scope="module")
def costs(service: Service) -> dict[str, Cost]:
    return mirror.costs(service)


def test_every_kind_is_mirrored() -> None:
    assert {step.kind for step in STEPS} == {*KINDS}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_request_costs_so_many_calls_and_write_units(costs: dict[str, Cost], step: Step) -> None:
    cost = costs[step.name]
    assert (cost.calls, cost.written) == CALLS_AND_UNITS[step.name]
    assert 0 <= cost.lanes <= cost.written
    assert budgets.MIRROR_CALLS.kept(cost.calls)
    assert budgets.MIRROR_WRITE_UNITS.kept(cost.written)
    assert step.budget is None or step.budget.kept(cost.written)
