"""Criteria as JSON, and read back: what a hold or an export asks for, with all names resolved. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import times
from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.lanes.criteria import Criteria


def saved(criteria: Criteria) -> dict[str, Any]:
    """The criteria as JSON."""
    return {
        "fields": {name: sorted(allowed) for name, allowed in criteria.fields.items()},
        "implied": {name: sorted(allowed) for name, allowed in criteria.implied.items()},
        "conditions": [[one.field, one.comparison.value, sorted(one.values)] for one in criteria.conditions],
        "after": criteria.after and times.fixed(criteria.after),
        "before": criteria.before and times.fixed(criteria.before),
    }


def read(kept: Mapping[str, Any]) -> Criteria:
    """The criteria that JSON holds, whatever stands beside them."""
    after, before = kept["after"], kept["before"]
    return Criteria(
        fields={field: frozenset(allowed) for field, allowed in kept["fields"].items()},
        after=after and times.from_fixed(after),
        before=before and times.from_fixed(before),
        implied={field: frozenset(allowed) for field, allowed in kept["implied"].items()},
        # Those from before there were conditions have none.
        conditions=tuple(_condition(*parts) for parts in kept.get("conditions", ())),
    )


def _condition(field: str, comparison: str, values: list[str]) -> Condition:
    return Condition(field, Comparison(comparison), frozenset(values))
