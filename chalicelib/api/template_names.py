"""The templates of a name: where they are read, and whether one is called so."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.casing import lowered
from chalicelib.platform import facts
from chalicelib.platform.kinds import TEMPLATE
from chalicelib.store.platform.lane_reader import Range
from chalicelib.store.platform.listing import in_lane, in_state
from chalicelib.store.platform.rows import Mirrored


def templates_named(name: str, organization_ids: Sequence[str] | None, deprecated: Sequence[bool]) -> Range:
    """The part of a lane that has the templates of a name; of certain organizations it may have a few others."""
    if organization_ids is None:
        return in_lane(TEMPLATE, "name", *((name, flag) for flag in deprecated))
    uses = [(facts.use(out_of_use=flag),) for flag in deprecated]
    return in_state(TEMPLATE, "by_use", uses, organization_ids, name)


def is_named(name: str, row: Mirrored) -> bool:
    """Whether an object has a name, whatever its case."""
    return lowered(str(row.get("name"))) == lowered(name)
