"""The requests that Coder's CLI makes about notifications are answered with the status that it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.api.conftest import Client

HEADERS = {
    "User-Agent": "coder-cli/v2.30.0 (linux/amd64; coder)",
    "Coder-CLI-Telemetry": "eyJjb21tYW5kIjoibm90aWZpY2F0aW9ucyJ9",
}
CUSTOM = {"content": {"title": "T", "message": "M"}}
COMMANDS: tuple[tuple[str, str, str, Any, int], ...] = (
    ("notifications custom T M", "POST", "custom", CUSTOM, 204),
    ("notification custom T M, again", "POST", "custom", CUSTOM, 204),
    ("notifications custom T ''", "POST", "custom", {"content": {"title": "T", "message": ""}}, 400),
    ("notifications test", "POST", "test", None, 204),
    ("notifications pause", "PUT", "settings", {"notifier_paused": True}, 200),
    ("notifications pause, again", "PUT", "settings", {"notifier_paused": True}, 304),
    ("notifications resume", "PUT", "settings", {"notifier_paused": False}, 200),
    ("notifications resume, again", "PUT", "settings", {"notifier_paused": False}, 304),
)


def test_every_command_hears_what_it_waits_for(owner: Client) -> None:
    for command, method, end, body, status in COMMANDS:
        reply = owner.send(method, f"/api/v2/notifications/{end}", body, headers=HEADERS)
        assert reply.status == status, f"{command}: {reply.status} {reply.text}"
        assert bool(reply.text) is (status in (200, 400)), command


def test_a_member_hears_why_they_may_not(as_ann: Client) -> None:
    for _, method, end, body, _ in COMMANDS[3:]:
        reply = as_ann.send(method, f"/api/v2/notifications/{end}", body, headers=HEADERS)
        assert (reply.status, reply.json["message"]) == (403, "Forbidden.")
