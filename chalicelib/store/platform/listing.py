"""All objects of a kind that a query wants, from the lane that answers most of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.platform import part_rows
from chalicelib.platform.kinds import AGENT, Kind
from chalicelib.platform.section import Section, just_after, whole
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import Request, send
from chalicelib.store.platform.lane_reader import Range, items, rows
from chalicelib.store.platform.rows import TABLE, Mirrored, from_item, get_many

LONGEST_NAME: Final = 128
_MOST_ROWS: Final = 1_000_000
_PAGE: Final = 1_000
_MOST_AGENTS: Final = 200
_NAMES: Final = ("id",)


@dataclass(frozen=True, slots=True)
class Named:
    """The objects with a name that contains a part.

    Attributes:
        kind: of the objects.
        field: one of the kind's names.
        part: as names are compared.
        state: that the objects are in.
        organization_ids: whose objects; None for all.
    """

    kind: Kind
    field: str
    part: str
    state: str
    organization_ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Identified:
    """The objects of a kind with these ids."""

    kind: Kind
    ids: Collection[str]


Source = Range | Named | Identified
"""A place where objects are read."""


def in_lane(kind: Kind, lane: str, *choice: tuple[Any, ...]) -> Range:
    """The part of a lane that has the objects of a kind with one of these values in the lane's fields."""
    return Range(lane, whole(kind.key(lane, *values) for values in choice))


def in_state(
    kind: Kind, lane: str, choice: Iterable[tuple[Any, ...]], organization_ids: Sequence[str] | None, name: str = ""
) -> Range:
    """As `in_lane`, of a lane by state, and of these organizations alone; None means all.

    Args:
        kind: of the objects.
        lane: one that is sorted by organization.
        choice: the values in the lane's fields.
        organization_ids: of the objects.
        name: of the objects, where organizations are given, as names are compared; "" for any.
    """
    wanted = in_lane(kind, lane, *choice)
    if organization_ids is None:
        return wanted
    # No name is longer, and no key may be much longer.
    within = f"{name[:LONGEST_NAME]}#" if name else ""
    begun = [f"{organization_id}#{within}" for organization_id in organization_ids]
    return Range(lane, [Section(one.key, least, just_after(least)) for one in wanted.sections for least in begun])


def read_listing(
    source: Source, budget: Budget, test: Callable[[Mirrored], bool], *, newest_first: bool = False
) -> list[Mirrored]:
    """The objects of a source that pass a test, in the order of their places.

    Raises:
        Unavailable: the store did not answer.
    """
    if isinstance(source, Identified):
        listed = _identified(source, budget)
    elif isinstance(source, Named):
        listed = _identified(Identified(source.kind, _named(source, budget)), budget)
    else:
        listed = rows(source, _MOST_ROWS, budget)
    return sorted(filter(test, listed), key=lambda row: row.place, reverse=newest_first)


def agents_of(build_ids: Iterable[str], budget: Budget) -> dict[str, list[Mirrored]]:
    """The agents of builds, by the id of the build, in the order of their names: the first two hundred of each."""
    ids = list(dict.fromkeys(build_ids))
    by_build: dict[str, list[Mirrored]] = {}
    for build_id, answer in zip(ids, send([Request("Query", _agents_of(build_id)) for build_id in ids]), strict=True):
        budget.rows_read += answer["ScannedCount"]
        listed = [row for row in map(from_item, answer["Items"]) if row is not None]
        if listed:
            by_build[build_id] = listed
    return by_build


def _agents_of(build_id: str) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "IndexName": "parent",
        "KeyConditionExpression": "parent = :parent",
        "ExpressionAttributeValues": {":parent": {"S": AGENT.key("parent", build_id)}},
        "Limit": _MOST_AGENTS,
    }


def _identified(source: Identified, budget: Budget) -> list[Mirrored]:
    listed = get_many((source.kind, object_id) for object_id in source.ids)
    budget.rows_read += len(listed)
    return listed


def _named(named: Named, budget: Budget) -> list[str]:
    """The ids of the objects that have a row for the part of a name: all that have such a name, and hardly another."""
    lane = part_rows.SITE_LANE if named.organization_ids is None else part_rows.ORGANIZATION_LANE
    organization_ids = (None,) if named.organization_ids is None else named.organization_ids
    sections = [
        section
        for organization_id in organization_ids
        for section in part_rows.sections(named.kind, named.field, named.state, named.part, organization_id)
    ]
    read = items(Range(lane, sections), lambda: _PAGE, budget, _NAMES)
    return list(dict.fromkeys(part_rows.object_id_of(item["id"]["S"]) for item in read))
