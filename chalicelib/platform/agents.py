"""Agents: what is the matter with one, by its connection and how far its start or its end has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from typing import Final

from chalicelib.platform.jobs import Values

STATUSES: Final = ("connecting", "connected", "disconnected", "timeout")
SETS: Final = tuple(
    ",".join(chosen) for number in range(1, len(STATUSES) + 1) for chosen in combinations(sorted(STATUSES), number)
)
"""The sets of statuses that the agents of a workspace can have, as `set_of` writes them."""
_BY_STATUS: Final[Mapping[str, str]] = {
    "timeout": "agent is taking too long to connect",
    "disconnected": "agent has lost connection",
}
_BY_LIFECYCLE: Final[Mapping[str, str]] = {
    "start_error": "agent startup script exited with an error",
    **dict.fromkeys(("shutting_down", "shutdown_timeout", "shutdown_error", "off"), "agent is shutting down"),
}


def set_of(statuses: Iterable[str]) -> str:
    """The one way to write a set of statuses."""
    return ",".join(sorted({*statuses}))


def sets_with(statuses: Collection[str]) -> list[str]:
    """The sets that have one of these statuses."""
    return [one for one in SETS if not {*one.split(",")}.isdisjoint(statuses)]


def sets_of_health(*, healthy: bool) -> list[str]:
    """The sets that have an agent which is connected, or one that was or should be."""
    return sets_with(("connected",) if healthy else ("disconnected", "timeout"))


def complaint(agent: Values) -> str:
    """The reason why an agent is not healthy, in Coder's words; empty for one that is."""
    status, lifecycle = str(agent.get("status")), str(agent.get("lifecycle_state"))
    if lifecycle == "off" and status != "connected":
        return "agent is not running"
    return _BY_STATUS.get(status) or _BY_LIFECYCLE.get(lifecycle, "")
