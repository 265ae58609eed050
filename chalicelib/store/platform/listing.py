"""All objects of a kind that a query wants, by the lane that answers most of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.platform.kinds import AGENT, Kind
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform.lane_reader import Range, rows
from chalicelib.store.platform.rows import Mirrored, get_many

_MOST_ROWS: Final = 1_000_000
Choice = Sequence[tuple[Any, ...]]
"""The values of a lane's fields, of each of which the rows are wanted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of a list of a kind.

    Attributes:
        ids: those objects alone; None for any.
        lanes: lane -> the values that rows must have there, most selective first.
        span: the least and the greatest place of the rows, where the first of the lanes is read for that.
    """

    kind: Kind
    ids: Sequence[str] | None
    lanes: Mapping[str, Choice]
    span: tuple[str, str] = ("", "")


def read_listing(
    wanted: Wanted, budget: Budget, test: Callable[[Mirrored], bool], *, newest_first: bool = False
) -> list[Mirrored]:
    """The objects that are wanted and pass a test, in the order of their places.

    Raises:
        Unavailable: the store did not answer.
    """
    kind = wanted.kind
    if wanted.ids is not None:
        named = get_many((kind, object_id) for object_id in wanted.ids)
        budget.rows_read += len(named)
        return sorted(filter(test, named), key=lambda row: kind.places(row.values)["place"], reverse=newest_first)
    lane, choice = next(iter(wanted.lanes.items()))
    keys = [key for values in choice if (key := kind.key(lane, *values)) is not None]
    return rows(Range(lane, keys, newest_first, "", *wanted.span), _MOST_ROWS, budget, test) if keys else []


def agents_of(build_ids: Iterable[str], budget: Budget) -> dict[str, list[Mirrored]]:
    """The agents of builds, by the id of the build, in the order of their names."""
    keys = [key for build_id in build_ids if (key := AGENT.key("parent", build_id)) is not None]
    by_build: dict[str, list[Mirrored]] = {}
    for agent in rows(Range("parent", keys), _MOST_ROWS, budget):
        by_build.setdefault(str(agent.get("workspace_build_id")), []).append(agent)
    return by_build
