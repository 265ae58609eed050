"""Criteria: the conditions on rows that a query, a hold or a cut-off comes to, all of which must hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.records import AuditLog, ConnectionLog


@dataclass(frozen=True, slots=True)
class Criteria:
    """Conditions on rows, all of which must hold.

    Attributes:
        fields: row field -> the values it may have.
        after: the earliest time, inclusive.
        before: the latest time, inclusive.
        implied: row field -> the values that follow from what is asked; true of every such row, so never checked.
        conditions: what each row is checked for beside that, which no lane answers.
    """

    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    after: datetime | None = None
    before: datetime | None = None
    implied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def narrowed(self, name: str, values: frozenset[str]) -> Criteria:
        """These criteria, and a field that must have one of these values."""
        return replace(self, fields={**self.fields, name: self.fields.get(name, values) & values})

    def where(self, *conditions: Condition) -> Criteria:
        """These criteria and, beside them, conditions; what they exclude of the values of a field is taken from it."""
        made, left = self, []
        for condition in conditions:
            allowed = made.fields.get(condition.field)
            if condition.comparison is Comparison.EXCLUDES and allowed is not None:
                made = made.narrowed(condition.field, allowed - condition.values)
            else:
                left.append(condition)
        return replace(made, conditions=(*made.conditions, *left))

    def __and__(self, other: Criteria) -> Criteria:
        """The criteria of the rows that both let through."""
        return Criteria(
            _both(self.fields, other.fields),
            max((bound for bound in (self.after, other.after) if bound), default=None),
            min((bound for bound in (self.before, other.before) if bound), default=None),
            _both(self.implied, other.implied),
            tuple(dict.fromkeys(self.conditions + other.conditions)),
        )

    def match(self, row: ConnectionLog | AuditLog) -> bool:
        """Whether a row is all of this, as far as the row is known."""
        return (
            all(getattr(row, name) in allowed for name, allowed in self.fields.items())
            and (self.after is None or row.moment >= self.after)
            and (self.before is None or row.moment <= self.before)
            and all(condition.match(row) for condition in self.conditions)
        )

    def ever_matched(self, row: ConnectionLog | AuditLog) -> bool:
        """Whether a row is all of this, or was when an event completed it."""
        return self.match(row) or any(map(self.match, row.earlier))


def _both(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    return {**one, **{name: one.get(name, values) & values for name, values in other.items()}}
