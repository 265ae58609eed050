"""Which rows of an index belong to a plan: by what the index holds, and then by what only the table holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan
from chalicelib.store.dynamodb.client import Item

Predicate = Callable[[Any], bool]
RowFilter = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class Matching:
    """The predicates of a plan.

    Attributes:
        before: filters rows by the fields that the index has.
        after: those that it must pass once it is hydrated.
        hydrates: whether the plan depends on `after`, or rows may have been purged, so that they are looked up before
            they are counted. Otherwise `after` only leaves out rows that have changed since the index was written.
    """

    before: RowFilter
    after: tuple[Predicate, ...]
    hydrates: bool


def matching(plan: Plan, base_only: frozenset[str]) -> Matching:
    """The predicates of a plan.

    Args:
        plan: what is asked.
        base_only: the fields that no index holds.
    """
    fields = {name: allowed for name, allowed in plan.checks.items() if name not in base_only}
    after = [_field(name, allowed) for name, allowed in plan.checks.items() if name in base_only]
    conditions = [condition for condition in plan.conditions if condition.field not in base_only]
    after += [condition.match for condition in plan.conditions if condition.field in base_only]
    asked = {*plan.residual, *(condition.field for condition in plan.conditions)}
    asked = asked.union(*(_fields(criteria) for criteria in plan.any_of))
    hydrates = not base_only.isdisjoint(asked)
    if plan.any_of and hydrates:
        after.append(_any_of(plan.any_of))
    any_of = plan.any_of if not hydrates else ()

    def before(rows: list[Any]) -> list[Any]:
        # A page asks this of each of its rows: a call for each row would take as long as reading it.
        for name, allowed in fields.items():
            rows = [row for row in rows if getattr(row, name) in allowed]
        for condition in conditions:
            rows = [row for row in rows if condition.match(row)]
        return [row for row in rows if any(criteria.ever_matched(row) for criteria in any_of)] if any_of else rows

    return Matching(before, tuple(after), hydrates or bool(plan.past))


def matches(row: object, predicates: Sequence[Predicate]) -> bool:
    """Whether a row passes all predicates."""
    return all(predicate(row) for predicate in predicates)


def _field(name: str, allowed: frozenset[str]) -> Predicate:
    return lambda row: getattr(row, name) in allowed


def _fields(criteria: Criteria) -> set[str]:
    return {*criteria.fields, *(condition.field for condition in criteria.conditions)}


def _any_of(alternatives: Sequence[Criteria]) -> Predicate:
    return lambda row: any(criteria.ever_matched(row) for criteria in alternatives)


def seen_once(items: Sequence[Item], seen: set[str]) -> Sequence[Item]:
    """The items that were not seen before; their ids are added to `seen`.

    A row whose time is corrected while it is read is met again in its new place.
    """
    ids = [item["id"]["S"] for item in items]
    if seen.isdisjoint(ids) and len({*ids}) == len(ids):
        # So it is of nearly every answer.
        seen.update(ids)
        return items
    once: list[Item] = []
    for row_id, item in zip(ids, items, strict=True):
        if row_id not in seen:
            seen.add(row_id)
            once.append(item)
    return once
