"""The health of an agent, as Coder's clients print it, follows from its status and its lifecycle."""

from __future__ import annotations

import pytest

from chalicelib.platform.agents import complaint


@pytest.mark.parametrize(
    ("status", "lifecycle", "reason"),
    [
        ("connected", "ready", ""),
        ("connected", "starting", ""),
        ("connected", "start_timeout", ""),
        ("connecting", "created", ""),
        ("connected", "start_error", "agent startup script exited with an error"),
        ("connected", "shutting_down", "agent is shutting down"),
        ("connected", "shutdown_timeout", "agent is shutting down"),
        ("connected", "shutdown_error", "agent is shutting down"),
        ("connected", "off", "agent is shutting down"),
        ("disconnected", "off", "agent is not running"),
        ("timeout", "off", "agent is not running"),
        ("timeout", "created", "agent is taking too long to connect"),
        ("disconnected", "ready", "agent has lost connection"),
        ("disconnected", "start_error", "agent has lost connection"),
    ],
)
def test_the_first_reason_that_holds_is_given(status: str, lifecycle: str, reason: str) -> None:
    assert complaint({"status": status, "lifecycle_state": lifecycle}) == reason
