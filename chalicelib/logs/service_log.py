"""Reads the structured log lines that a Coder server prints, so that a log shipper can point here without a transform.

JSON lines are `{"msg": "connection_log", "fields": {"WorkspaceID": ..., ...}, ...}`; human lines are
`... [info]  coderd: connection_log  WorkspaceID=... UserAgent="..." ...`. Names of fields are CamelCase (`Ip` up
to v2.31, `IP` since); an absent value is null, `""` or `<nil>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

CONNECTION_LOG = "connection_log"

_FIELDS = {
    "ID": "id",
    "Time": "time",
    "OrganizationID": "organization_id",
    "WorkspaceOwnerID": "workspace_owner_id",
    "WorkspaceID": "workspace_id",
    "WorkspaceName": "workspace_name",
    "AgentName": "agent_name",
    "Type": "type",
    "Code": "code",
    "Ip": "ip",
    "IP": "ip",
    "UserAgent": "user_agent",
    "UserID": "user_id",
    "SlugOrPort": "slug_or_port",
    "ConnectionID": "connection_id",
    "DisconnectReason": "disconnect_reason",
    "ConnectionStatus": "connection_status",
}
_NOTHING = ("", "<nil>", None)
_MAY_BE_EMPTY = frozenset({"workspace_name", "agent_name"})

_HUMAN = re.compile(
    r"\[(?:debu|debug|info|warn|erro|error|crit|critical|fata|fatal)\]\s+"
    r"(?:[\w.]+:\s+)?(?P<message>\S+)(?P<fields>.*)"
)
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')


def is_service_log(line: Mapping[str, Any]) -> bool:
    """Whether an object is a line of a service log and not an event."""
    return isinstance(line.get("msg"), str) and ("fields" in line or "ts" in line or "level" in line)


def event_of(line: Mapping[str, Any], message: str) -> dict[str, Any] | None:
    """The event of a JSON line, in snake_case and without absent values; None for a line of another message."""
    if line["msg"] != message:
        return None
    given = line.get("fields")
    return _named(given) if isinstance(given, Mapping) else {}


def event_of_human(line: str, message: str) -> dict[str, Any] | None:
    """The event that a human line reports; None for a line of another message.

    Raises:
        ValueError: the text is no line of a service log.
    """
    match = _HUMAN.search(line)
    if match is None:
        raise ValueError("neither a JSON object nor a line of a service log")
    if match["message"] != message:
        return None
    named = _named({key: _unquoted(value) for key, value in _PAIR.findall(match["fields"])})
    if re.fullmatch(r"-?\d+", named.get("code", "")):
        named["code"] = int(named["code"])
    return named


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    named = {_FIELDS[key]: value for key, value in given.items() if key in _FIELDS}
    return {name: value for name, value in named.items() if value not in _NOTHING or name in _MAY_BE_EMPTY}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        text: str = json.loads(value)
    except ValueError:
        return value.strip('"')
    return text
