"""A parsed filter becomes criteria for the planner: names of users give way to ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.lanes.plan import Criteria
from chalicelib.search.filters import FilterTable
from chalicelib.search.parser import Filter, UserReference


def criteria(asked: Filter, table: FilterTable, ids: Callable[[UserReference], Sequence[str]]) -> Criteria:
    """What rows must be.

    Args:
        asked: the filter as parsed.
        table: the language of the log, which knows what follows from what is asked.
        ids: the ids of the users that a reference names: none where nobody is known by it (that is no error, it
            matches no row), several where deleted users had an e-mail address before.
    """
    made = Criteria(after=asked.after, before=asked.before)
    for name, value in asked.equals:
        facts = table.implications(name, value)
        made &= Criteria(implied={field: frozenset(values) for field, values in facts.items()})
    for name, value in asked.equals:
        made = made.narrowed(name, frozenset({value}))
    for reference in asked.users:
        made = made.narrowed(reference.field, frozenset(ids(reference)))
    return made if not asked.nothing else made.narrowed("id", frozenset())
