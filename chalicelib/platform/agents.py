"""Agents: what is the matter with one, by its connection and how far its start or its end has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.platform.jobs import Values

STATUSES: Final = ("connecting", "connected", "disconnected", "timeout")
_BY_STATUS: Final[Mapping[str, str]] = {
    "timeout": "agent is taking too long to connect",
    "disconnected": "agent has lost connection",
}
_BY_LIFECYCLE: Final[Mapping[str, str]] = {
    "start_error": "agent startup script exited with an error",
    **dict.fromkeys(("shutting_down", "shutdown_timeout", "shutdown_error", "off"), "agent is shutting down"),
}


def complaint(agent: Values) -> str:
    """The reason why an agent is not healthy, in Coder's words; empty for one that is."""
    status, lifecycle = str(agent.get("status")), str(agent.get("lifecycle_state"))
    if lifecycle == "off" and status != "connected":
        return "agent is not running"
    return _BY_STATUS.get(status) or _BY_LIFECYCLE.get(lifecycle, "")
