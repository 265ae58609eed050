"""Events as senders send them, of ordinary size: sessions, web events, and audit events with a diff of ten fields.

The same every time: ids are made of numbers, and every event has a time of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import NAMESPACE_URL, uuid5

NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

ORGANIZATIONS = 3
PEOPLE = 8
WORKSPACES = 12
SESSIONS = ("ssh", "vscode", "jetbrains", "reconnecting_pty")
AUDITED = (
    ("workspace", "create"),
    ("workspace", "write"),
    ("workspace_build", "start"),
    ("workspace_build", "stop"),
    ("template", "create"),
    ("template", "write"),
    ("user", "delete"),
    ("api_key", "login"),
)
_REASONS = ("initiator", "autostart")
_SECONDS_BETWEEN = 60
_LONGEST_SESSION_MINUTES = 120
_OF_A_HUNDRED_NEVER_CLOSED = 2


@lru_cache(maxsize=1_000)
def made_id(kind: str, number: int) -> str:
    """The id of a thing: a UUID as random as any."""
    return str(uuid5(NAMESPACE_URL, f"https://gatebook.invalid/bench/{kind}/{number}"))


def opening(number: int) -> dict[str, Any]:
    """The connect of a session."""
    return _connection(number) | {
        "type": SESSIONS[choice(number, "type", len(SESSIONS))],
        "connection_id": made_id("connection", number),
    }


def closing(number: int) -> dict[str, Any]:
    """The disconnect of the same session, up to two hours later."""
    return opening(number) | {
        "id": made_id("disconnect", number),
        "time": wire(_moment(number) + _length(number)),
        "connection_status": "disconnected",
        "disconnect_reason": "process exited with error status: 130",
        "code": 130,
    }


def has_ended(number: int) -> bool:
    """Whether a session was closed before now, which is `NOON`; a few never are."""
    return choice(number, "lost", 100) >= _OF_A_HUNDRED_NEVER_CLOSED and _moment(number) + _length(number) < NOON


def web(number: int) -> dict[str, Any]:
    """A request to an app in a workspace."""
    port = choice(number, "type", 3) == 0
    return _connection(number) | {
        "type": "port_forwarding" if port else "workspace_app",
        "user_id": _of("user", number, PEOPLE, "visitor"),
        "user_agent": BROWSER,
        "slug_or_port": "8080" if port else "code-server",
        "code": 200,
    }


def audit(number: int, resource_type: str = "template", action: str = "write") -> dict[str, Any]:
    """A change, with a diff of ten fields."""
    resource = choice(number, "resource", WORKSPACES)
    built = resource_type == "workspace_build"
    return {
        "id": made_id("audit", number),
        "time": wire(_moment(number)),
        "organization_id": _of("organization", number, ORGANIZATIONS),
        "user_id": _of("user", number, PEOPLE),
        "ip": f"203.0.113.{number % 256}",
        "user_agent": BROWSER,
        "resource_type": resource_type,
        "resource_id": made_id(resource_type, resource),
        "resource_target": f"{resource_type}-{resource}",
        "resource_icon": "/icon/docker.png",
        "action": action,
        "status_code": 200,
        "request_id": made_id("request", number),
        "additional_fields": {"build_reason": _REASONS[choice(number, "reason", len(_REASONS))]} if built else {},
        "diff": ten_fields(number),
    }


def any_audit(number: int) -> dict[str, Any]:
    """A change of any kind."""
    return audit(number, *AUDITED[choice(number, "audited", len(AUDITED))])


def ten_fields(number: int) -> dict[str, Any]:
    """The ten fields of a template that one change has."""
    return {
        "name": _change(f"template-{number}", f"template-{number}-next"),
        "display_name": _change("Docker containers", "Docker containers on the new hosts"),
        "description": _change("", "Provision Docker containers as workspaces, with a home volume that is kept"),
        "icon": _change("/icon/docker.png", "/icon/container.svg"),
        "default_ttl": _change(28_800_000_000_000, 3_600_000_000_000),
        "activity_bump": _change(3_600_000_000_000, 7_200_000_000_000),
        "active_version_id": _change(made_id("version", number), made_id("version", number + 1)),
        "autostart_block_days_of_week": _change(0, 96),
        "require_active_version": _change(old=False, new=True),
        "deprecated": _change("", "Use template docker-next, this one goes at the end of the quarter"),
    }


def wire(moment: datetime) -> str:
    """A moment as events carry it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def _change(old: Any, new: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {"old": old, "new": new, "secret": False}


def _connection(number: int) -> dict[str, Any]:
    workspace = choice(number, "workspace", WORKSPACES)
    return {
        "id": made_id("event", number),
        "time": wire(_moment(number)),
        "organization_id": _of("organization", workspace, ORGANIZATIONS),
        "workspace_owner_id": _of("user", workspace, PEOPLE),
        "workspace_id": made_id("workspace", workspace),
        "workspace_name": f"billing-backend-{workspace}",
        "agent_name": "main",
        "ip": f"203.0.113.{number % 256}",
        "connection_status": "connected",
    }


def _moment(number: int) -> datetime:
    return NOON - timedelta(seconds=number * _SECONDS_BETWEEN, microseconds=number * 7_919 % 1_000_000)


def _length(number: int) -> timedelta:
    return timedelta(minutes=1 + choice(number, "length", _LONGEST_SESSION_MINUTES))


def _of(kind: str, number: int, many: int, role: str = "") -> str:
    return made_id(kind, choice(number, role or kind, many))


def choice(number: int, of: str, many: int) -> int:
    """One of so many, the same every time and not the same for every choice."""
    return int.from_bytes(blake2b(f"{of} {number}".encode(), digest_size=4).digest()) % many
