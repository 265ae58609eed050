"""A parsed filter becomes criteria for the planner: names of users give way to ids, relative times to moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from chalicelib import times
from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.lanes.criteria import Criteria
from chalicelib.search.filter import Filter, UserReference
from chalicelib.search.filters import FilterTable


def criteria(
    asked: Filter, table: FilterTable, ids: Callable[[UserReference], Sequence[str]], now: datetime
) -> Criteria:
    """The criteria of a filter.

    Args:
        asked: the filter as parsed.
        table: the language of the log, which knows what follows from what is asked.
        ids: the ids of the users that a reference names: none where nobody is known by it (that is no error, it
            matches no row), several where deleted users had an e-mail address before.
        now: the moment that relative times count from.
    """
    after = times.latest(asked.after, times.ago(asked.newer_than, now))
    before = times.earliest(asked.before, times.ago(asked.older_than, now))
    made = Criteria(after=after, before=before)
    for name, values in asked.fields:
        made &= Criteria(implied=table.implications(name, values))
    for name, values in asked.fields:
        made = made.narrowed(name, values)
    conditions = [*asked.conditions]
    for choice in asked.users:
        known = choice.ids.union(*map(ids, choice.references))
        if choice.excluded:
            conditions.append(Condition(choice.field, Comparison.EXCLUDES, known))
        else:
            made = made.narrowed(choice.field, known)
    made = made.where(*conditions)
    return made if not asked.nothing else made.narrowed("id", frozenset())
