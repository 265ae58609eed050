"""Reads what a Coder server's log says of connections and changes: a shipper can point here without a transform.

JSON lines are `{"msg": "connection_log", "fields": {"WorkspaceID": ..., ...}, ...}`. In the form of Stackdriver, and as
other logging libraries write it, the name is `message` and the fields stand beside it. Human lines are read by
`chalicelib.logs.human_line`. Names of fields are CamelCase (`Ip` up to v2.31, `IP` since) or those of an event; an
absent value is null, `""` or `<nil>`. `Diff` and `AdditionalFields` of an `audit_log` are objects; a human line has
them as JSON in quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.logs import human_line
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

_NEWER: Mapping[str, Mapping[str, str]] = {
    CONNECTION_LOG: {
        "ConnectionMethod": "connection_method",
        "AppNameOrPort": "app_name_or_port",
        "AppName": "app_name",
    },
    AUDIT_LOG: {},
}
"""The names that newer servers print in place of a type and a slug."""
_READ = {
    message: {
        "Ip": "ip",
        "IP": "ip",
        **names,
        **_NEWER[message],
        **{name: name for name in (*names.values(), *_NEWER[message].values())},
    }
    for message, names in FIELDS.items()
}
_NOTHING = ("", "<nil>", None)
_MAY_BE_EMPTY = frozenset({"workspace_name", "agent_name", "resource_target"})
_NUMBERS = ("code", "status_code")
_OBJECTS = ("diff", "additional_fields")
_NUMBER = re.compile(r"-?[0-9]{1,18}")

_MESSAGE_KEYS = ("msg", "message", "body")
_FIELD_KEYS = ("extra", "meta", "metadata", "attributes")
_OWN_FIELDS: Mapping[str, frozenset[str]] = {
    CONNECTION_LOG: frozenset({"connection_status", "workspace_id"}),
    AUDIT_LOG: frozenset({"resource_type", "action"}),
}
"""Message -> the fields by which an event that stands for itself shows which log it belongs to."""
_TELLING: Mapping[str, frozenset[str]] = {
    CONNECTION_LOG: frozenset(
        {
            *("connection_status", "connection_method", "connection_id", "disconnect_reason", "slug_or_port"),
            *("app_name_or_port", "agent_name", "workspace_id", "workspace_name", "workspace_owner_id"),
        }
    ),
    AUDIT_LOG: frozenset({"resource_type", "resource_id", "resource_target", "resource_icon", "additional_fields"}),
}
"""Message -> the fields that events of its log have and other programs' JSON has not."""
_BELOW_IS_MISSING = "..."


class Reported(NamedTuple):
    """The event of a line.

    Attributes:
        message: CONNECTION_LOG or AUDIT_LOG.
        event: the event in snake_case, without absent values.
    """

    message: str
    event: dict[str, Any]


def read_object(line: Mapping[str, Any]) -> Reported | None:
    """The event of an object that names one of the two messages; None for any other object."""
    for key in _MESSAGE_KEYS:
        message = line.get(key)
        if isinstance(message, str) and message in FIELDS:
            return Reported(message, _named(_fields(line), message))
    return None


def read_human(text: str, below: Sequence[str] = ()) -> Reported | None:
    """The event of a human line, given the lines below it; None for a line of any other message.

    Where the lines below did not come with it, a text that every event has is `...`, as the line itself has it.
    """
    message = human_line.message_of(text)
    if message is None:
        return None
    given = human_line.fields_of(text, below)
    named = _named(given, message)
    numbers = {name: int(named[name]) for name in _NUMBERS if _NUMBER.fullmatch(named.get(name, ""))}
    objects = {name: _object(named[name]) for name in _OBJECTS if name in named}
    missing = {}
    if text.rstrip().endswith(human_line.CUT) and not below:
        texts = _MAY_BE_EMPTY & {*FIELDS[message].values()}
        missing = dict.fromkeys(sorted(texts - named.keys()), _BELOW_IS_MISSING)
    return Reported(message, named | numbers | objects | missing)


def message_by_fields(event: Mapping[str, Any]) -> str | None:
    """The message of the log that an event belongs to, by the fields that it has; None where it has neither's."""
    return next((message for message, own in _OWN_FIELDS.items() if own <= event.keys()), None)


def log_meant(event: Mapping[str, Any]) -> str | None:
    """The message of the log that an object has most fields of; None where it is of neither and so no event at all."""
    most, message = max((len(telling & event.keys()), message) for message, telling in _TELLING.items())
    return message if most else None


def _fields(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a line, which stand beside the message or in an object of their own."""
    if "OrganizationID" in line or message_by_fields(line) is not None:
        return line
    if "fields" in line:
        given = line["fields"]
        return given if isinstance(given, Mapping) else {}
    return next((line[key] for key in _FIELD_KEYS if isinstance(line.get(key), Mapping)), line)


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
