"""The explanation of a page that `explain=true` asks for: the plans, and their costs."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.lanes.plan import Plan
from chalicelib.models.log_answers import ExplanationJSON, PlanJSON
from chalicelib.store.dynamodb.budget import Bill, Budget


def explanation(plans: Sequence[Plan], budget: Budget, bill: Bill) -> ExplanationJSON:
    """The plans by which rows were read, newest rows first, and what that cost, as clients read it."""
    newest, *older = map(_explained, plans)
    body: ExplanationJSON = {
        "lane": newest["lane"],
        "keys": newest["keys"],
        "why": newest["why"],
        "residual": newest["residual"],
        "conditions": newest["conditions"],
        "rows_read": budget.rows_read,
        "calls": bill.calls,
        "read_units": bill.read_units,
    }
    if older:
        body["older"] = older
    return body


def _explained(planned: Plan) -> PlanJSON:
    return {
        "lane": planned.lane,
        "keys": list(planned.keys),
        "why": planned.why,
        "residual": {name: sorted(allowed) for name, allowed in planned.residual.items()},
        "conditions": [str(condition) for condition in planned.conditions],
    }
