"""Reads the structured log lines that a Coder server prints, so that a log shipper can point here without a transform.

JSON lines are `{"msg": "connection_log", "fields": {"WorkspaceID": ..., ...}, ...}`; human lines are
`... [info]  coderd: connection_log  WorkspaceID=... UserAgent="..." ...`. Names of fields are CamelCase (`Ip` up
to v2.31, `IP` since); an absent value is null, `""` or `<nil>`. `Diff` and `AdditionalFields` of an `audit_log` are
objects; a human line has them as JSON in quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from chalicelib.logs.nesting import too_deep

CONNECTION_LOG = "connection_log"
AUDIT_LOG = "audit_log"

FIELDS: Mapping[str, Mapping[str, str]] = {
    CONNECTION_LOG: {
        "ID": "id",
        "OrganizationID": "organization_id",
        "WorkspaceOwnerID": "workspace_owner_id",
        "WorkspaceID": "workspace_id",
        "WorkspaceName": "workspace_name",
        "AgentName": "agent_name",
        "Type": "type",
        "Code": "code",
        "IP": "ip",
        "UserAgent": "user_agent",
        "UserID": "user_id",
        "SlugOrPort": "slug_or_port",
        "ConnectionID": "connection_id",
        "DisconnectReason": "disconnect_reason",
        "Time": "time",
        "ConnectionStatus": "connection_status",
    },
    AUDIT_LOG: {
        "ID": "id",
        "Time": "time",
        "UserID": "user_id",
        "OrganizationID": "organization_id",
        "Ip": "ip",
        "UserAgent": "user_agent",
        "ResourceType": "resource_type",
        "ResourceID": "resource_id",
        "ResourceTarget": "resource_target",
        "Action": "action",
        "Diff": "diff",
        "StatusCode": "status_code",
        "AdditionalFields": "additional_fields",
        "RequestID": "request_id",
        "ResourceIcon": "resource_icon",
    },
}
"""Message -> name in a line -> name of an event's field, in the order in which a line has them."""

_READ = {message: {"Ip": "ip", "IP": "ip", **names} for message, names in FIELDS.items()}
_NOTHING = ("", "<nil>", None)
_MAY_BE_EMPTY = frozenset({"workspace_name", "agent_name", "resource_target"})
_NUMBERS = ("code", "status_code")
_OBJECTS = ("diff", "additional_fields")

_HUMAN = re.compile(
    r"\[(?:debu|debug|info|warn|erro|error|crit|critical|fata|fatal)\]\s+"
    r"(?:[\w.]+:\s+)?(?P<message>\S+)(?P<fields>.*)"
)
_NUMBER = re.compile(r"-?[0-9]{1,18}")
# A name begins where a word does: a long word that is none is walked once, and not once from each of its letters.
_PAIR = re.compile(r'(?<!\w)(\w+)=("(?:[^"\\]|\\.)*"|\S*)')


def is_service_log(line: Mapping[str, Any]) -> bool:
    """Whether an object is a line of a service log and not an event."""
    return isinstance(line.get("msg"), str) and ("fields" in line or "ts" in line or "level" in line)


def event_of(line: Mapping[str, Any], message: str) -> dict[str, Any] | None:
    """The event of a JSON line, in snake_case and without absent values; None for a line of another message."""
    if line["msg"] != message:
        return None
    given = line.get("fields")
    return _named(given, message) if isinstance(given, Mapping) else {}


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
    named = _named({key: _unquoted(value) for key, value in _PAIR.findall(match["fields"])}, message)
    numbers = {name: int(named[name]) for name in _NUMBERS if _NUMBER.fullmatch(named.get(name, ""))}
    objects = {name: _object(named[name]) for name in _OBJECTS if name in named}
    return named | numbers | objects


def _named(given: Mapping[str, Any], message: str) -> dict[str, Any]:
    names = _READ[message]
    named = {names[key]: value for key, value in given.items() if key in names}
    return {name: value for name, value in named.items() if value not in _NOTHING or name in _MAY_BE_EMPTY}


def _object(text: str) -> Any:  # noqa: ANN401 - a JSON value, or the text for its reader to refuse
    try:
        value = json.loads(text)
        # What UTF-8 or JSON cannot carry, lone surrogates and infinities, could be read here and never be stored.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return text
    return text if too_deep(value) else value


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        text: str = json.loads(value)
    except ValueError:
        return value.strip('"')
    return text
