"""Usage events of the platform: their kinds, and how those of one day become one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

AGENTS: Final = "dc_managed_agents_v1"
"""A workspace with a managed agent was built; counts of a day are added up."""
SEATS: Final = "hb_ai_seats_v1"
"""How many seats are in use; of a day the largest number counts."""
TYPES: Final = (AGENTS, SEATS)

_LEAST: Final[Mapping[str, int]] = {AGENTS: 1, SEATS: 0}
_MOST: Final = 2**31


class WrongData(ValueError):
    """The data of an event are not those of its type; the message says why."""


def count_of(event_type: str, data: Mapping[str, Any]) -> int:
    """The count that the data of an event hold.

    Raises:
        WrongData: they hold none, one that is out of range, or anything beside it.
    """
    unknown = sorted(set(data) - {"count"})
    if unknown:
        raise WrongData(f"event_data has unknown fields: {', '.join(unknown)[:100]}")
    count = data.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not _LEAST[event_type] <= count < _MOST:
        raise WrongData(f"event_data.count must be a whole number from {_LEAST[event_type]}")
    return count


def adds_up(event_type: str) -> bool:
    """Whether the counts of a day are added up; else the largest counts."""
    return event_type == AGENTS
