"""The explanation of a page that `explain=true` asks for: the plans, and their costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.budget import Bill, Budget


def explanation(plans: Sequence[Plan], budget: Budget, bill: Bill) -> dict[str, Any]:
    """The plans by which rows were read, newest rows first, and what that cost, as clients read it."""
    newest, *older = map(_explained, plans)
    return {
        **newest,
        **({"older": older} if older else {}),
        "rows_read": budget.rows_read,
        "calls": bill.calls,
        "read_units": bill.read_units,
    }


def _explained(planned: Plan) -> dict[str, Any]:
    return {
        "lane": planned.lane,
        "keys": list(planned.keys),
        "why": planned.why,
        "residual": {name: sorted(allowed) for name, allowed in planned.residual.items()},
        "conditions": [str(condition) for condition in planned.conditions],
    }
