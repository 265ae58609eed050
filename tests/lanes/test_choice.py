"""Which plan is read on with: the one that is likely to read fewer rows, by what was observed."""

from __future__ import annotations

import pytest

from chalicelib.lanes.catalogue import AUDIT_LANES, CONNECTION_LANES, EVERY_CONNECTION_LANE
from chalicelib.lanes.choice import Observed, choose
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan

MANY = frozenset(f"organization-{number:02}" for number in range(50))
FEW = frozenset({"g", "h"})


def asked(**fields: frozenset[str] | str) -> Criteria:
    return Criteria({name: frozenset({value}) if isinstance(value, str) else value for name, value in fields.items()})


def outline(made: Plan) -> list[tuple[str, int, list[str]]]:
    return [(one.lane, len(one.keys), sorted(one.residual)) for one in (made, *made.alternatives)]


ORGANIZATION, TYPE = "organization_id", "type"


@pytest.mark.parametrize(
    ("criteria", "shards", "expected"),
    [
        pytest.param(asked(), 4, [("all", 4, [])], id="nothing to weigh"),
        pytest.param(asked(organization_id=FEW), 1, [("organization", 2, [])], id="few keys, nothing to check"),
        pytest.param(
            asked(organization_id=MANY),
            1,
            [("all", 1, [ORGANIZATION]), ("organization", 50, [])],
            id="more keys than go out at once: the broad way is tried first",
        ),
        pytest.param(
            asked(organization_id=MANY, type="ssh"),
            1,
            [("type", 1, [ORGANIZATION]), ("organization", 50, [TYPE])],
            id="of broad ways the one that answers most",
        ),
        pytest.param(
            asked(organization_id=FEW, type="ssh"),
            1,
            [("organization", 2, [TYPE]), ("type", 1, [ORGANIZATION])],
            id="two ways that each leave something to check",
        ),
    ],
)
def test_a_plan_has_its_rivals_beside_it(
    criteria: Criteria, shards: int, expected: list[tuple[str, int, list[str]]]
) -> None:
    assert outline(plan(criteria, CONNECTION_LANES, shards)) == expected


def test_the_keys_of_a_product_are_merged_where_a_lane_has_it() -> None:
    made = plan(asked(organization_id=FEW, type=frozenset({"ssh", "vscode"})), EVERY_CONNECTION_LANE, 2)
    assert outline(made) == [("organization_type", 8, [])]


def test_every_rival_holds_the_same_rows() -> None:
    made = plan(asked(organization_id=MANY, action="create", resource_type="workspace"), AUDIT_LANES, 2)
    assert len(made.alternatives) >= 1
    assert {(one.low, one.high, tuple(one.checks)) for one in (made, *made.alternatives)} == {
        (made.low, made.high, tuple(made.checks))
    }
    assert made.below("2025-07-10T12:00:00.000000#x").alternatives[0].high < made.alternatives[0].high


BROAD_FIRST = plan(asked(organization_id=MANY), CONNECTION_LANES, 1)
CHECKED_BOTH = plan(asked(organization_id=FEW, type="ssh"), CONNECTION_LANES, 1)


@pytest.mark.parametrize(
    ("made", "current", "observed", "expected"),
    [
        pytest.param(BROAD_FIRST, 0, [(10, 0), (0, 0)], 0, id="too little is known"),
        pytest.param(BROAD_FIRST, 0, [(24, 24), (0, 0)], 0, id="every row matches"),
        pytest.param(BROAD_FIRST, 0, [(24, 21), (0, 0)], 0, id="nearly every row"),
        pytest.param(BROAD_FIRST, 0, [(24, 12), (0, 0)], 1, id="half of them: own keys read fewer"),
        pytest.param(BROAD_FIRST, 0, [(24, 0), (0, 0)], 1, id="none of them"),
        pytest.param(BROAD_FIRST, 1, [(24, 0), (60, 60)], 1, id="and there is no way back"),
        pytest.param(CHECKED_BOTH, 0, [(101, 50), (0, 0)], 0, id="half match: the other is not tried"),
        pytest.param(CHECKED_BOTH, 0, [(101, 5), (0, 0)], 1, id="few match: it is"),
        pytest.param(CHECKED_BOTH, 1, [(101, 5), (60, 0)], 0, id="worse: back again"),
        pytest.param(CHECKED_BOTH, 1, [(101, 5), (24, 3)], 1, id="better: on with it"),
    ],
)
def test_the_plan_that_is_likely_to_read_fewer_rows_is_gone_on_with(
    made: Plan, current: int, observed: list[tuple[int, int]], expected: int
) -> None:
    plans = [made, *made.alternatives]
    assert choose(current, plans, [Observed(*one) for one in observed], 100) == expected


def test_a_request_grows_with_what_is_known() -> None:
    assert Observed().wanted(100) == 100
    assert Observed(100, 0).wanted(100) == 800
    assert Observed(900, 0).wanted(100) == 7_200
    assert Observed(99, 9).wanted(100) == pytest.approx(1_000, rel=0.1)


def test_where_rows_differ_a_few_more_are_read_than_are_likely_to_match() -> None:
    assert Observed(99, 9).rows_for(1) == pytest.approx(10)
    assert 15 < Observed(99, 9).wanted(1) < 25
    assert Observed(99, 99).wanted(100) == pytest.approx(100), "all match: there is nothing to be careful of"
