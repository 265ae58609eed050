"""Describes an audit row in words, and makes the link to its resource: descriptions and links, as data.

Descriptions hold `{user}` and `{target}` for the client to fill in. Words, links and the exceptions for chats are those
of Coder's audit page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from chalicelib.logs.vocabulary import AUDITED_TYPES, NEWER_RESOURCE_TYPES
from chalicelib.records import AuditLog

USER = "{user}"
TARGET = "{target}"

_UNKNOWN = "unknown"
_NIL_UUID = str(UUID(int=0))
_REDIRECTED = 303
_FIRST_FAILURE = 400

ACTION_WORDS = {
    "create": "created",
    "write": "updated",
    "delete": "deleted",
    "start": "started",
    "stop": "stopped",
    "login": "logged in",
    "logout": "logged out",
    "register": "registered",
    "request_password_reset": "password reset requested",
    "connect": "connected",
    "disconnect": "disconnected",
    "open": "opened",
    "close": "closed",
}
"""Action -> what a description says of one that succeeded."""

RESOURCE_WORDS = {name: name.replace("_", " ") for name in AUDITED_TYPES} | {
    "workspace_build": "workspace",
    "api_key": "token",
    "convert_login": "login type conversion",
    "health_settings": "health_settings",
    "oauth2_provider_app": "oauth2 app",
    "oauth2_provider_app_secret": "oauth2 app secret",
    "notifications_settings": "notifications_settings",
    "idp_sync_settings_organization": "settings",
    "idp_sync_settings_group": "settings",
    "idp_sync_settings_role": "settings",
    "prebuilds_settings": "prebuilds_settings",
}
"""Resource type -> what a description calls it."""

LOOKED_UP = {
    "template": "template",
    "user": "user",
    "workspace": "workspace",
    "workspace_build": "workspace",
    "workspace_agent": "workspace",
    "workspace_app": "workspace",
    "oauth2_provider_app": "oauth2_provider_app",
    "oauth2_provider_app_secret": "oauth2_provider_app_secret",
    "task": "task",
    "chat": "chat",
    "user_secret": "user_secret",
}
"""Resource type -> the type of the resource whose absence makes a row's resource deleted; no other is ever deleted."""

LINKS = {
    "template": "/templates/{target}",
    "user": "/users?filter={target}",
    "workspace": "/@{owner}/{target}",
    "workspace_build": "/@{owner}/{workspace_name}/builds/{build_number}",
    "workspace_agent": "/@{owner}/{workspace_name}",
    "workspace_app": "/@{owner}/{workspace_name}",
    "oauth2_provider_app": "/deployment/oauth2-provider/apps/{id}",
    "oauth2_provider_app_secret": "/deployment/oauth2-provider/apps/{app}",
    "task": "/tasks/{owner}/{id}",
    "chat": "/agents/{id}",
    "group_ai_budget": "/organizations/{organization}/groups/{target}",
}
"""Resource type -> the page of the resource; other types have none."""

_PARTS = {name: tuple(part for _, part, _, _ in Formatter().parse(link) if part) for name, link in LINKS.items()}
_OWN_PARTS = {"id": "resource_id", "target": "resource_target"}
"""Part of a link -> the field of the row that has it."""
_KNOWN_PARTS = {"owner": "workspace_owner", "workspace_name": "workspace_name", "build_number": "build_number"}
"""Part of a link -> the additional field that has it, where nothing newer is known."""

UNKNOWN_FIELDS: Mapping[str, str] = dict.fromkeys(
    ("workspace_name", "build_number", "build_reason", "workspace_owner"), _UNKNOWN
)
"""The additional fields of an answer where the stored ones are not those of a workspace."""

_TEXTS = (*UNKNOWN_FIELDS, "workspace_id")
_WITHOUT_RESOURCE = {("api_key", action) for action in ("login", "logout", "register")}
_ACLS = {"user_acl", "group_acl"}


class Looked(NamedTuple):
    """A resource to look up: its type and its id."""

    type: str
    id: str


def description(row: AuditLog) -> str:
    """The sentence for a row, with placeholders: `{user} created workspace {target}`."""
    verb, regular = _verb(row)
    chat = _chat_description(row) if regular else None
    return f"{USER} {chat} {TARGET}" if chat else _sentence(row.resource_type, row.action, verb)


@lru_cache(maxsize=1_024)
def _sentence(resource_type: str, action: str, verb: str) -> str:
    requested = action == "request_password_reset"
    words = [verb] if requested else [USER, verb]
    if (resource_type, action) in _WITHOUT_RESOURCE:
        return " ".join(words)
    if resource_type == "git_ssh_key":
        return " ".join([*words, "the git ssh key"])
    words.append("for" if requested else _resource_word(resource_type))
    if resource_type == "convert_login":
        words.append("to")
    return " ".join([*words, TARGET])


def _resource_word(resource_type: str) -> str:
    if resource_type in NEWER_RESOURCE_TYPES:
        return resource_type.replace("_", " ")
    return RESOURCE_WORDS.get(resource_type, _UNKNOWN)


def additional_fields(row: AuditLog) -> Mapping[str, Any]:
    """The additional fields as clients read them: as they were sent, or `UNKNOWN_FIELDS` where a known one is wrong."""
    return row.additional_fields if _readable(row.additional_fields) else UNKNOWN_FIELDS


def looked_up(row: AuditLog) -> Looked | None:
    """The resource to look up to learn whether it is deleted; None where it counts as not deleted."""
    kind = LOOKED_UP.get(row.resource_type)
    if kind is None:
        return None
    if kind == "workspace" and row.resource_type != "workspace":
        workspace = _uuid(_known_fields(row).get("workspace_id") or _NIL_UUID)
        return Looked(kind, workspace) if workspace and workspace != _NIL_UUID else None
    return Looked(kind, row.resource_id)


def deletes(row: AuditLog) -> bool:
    """Whether the row itself says that its resource was deleted."""
    return row.action == "delete" and _verb(row)[1]


def resource_link(row: AuditLog, *, deleted: bool, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """The path of the resource's page; "" where there is none, it is deleted, or a part of the path is not known.

    Args:
        row: whose resource it is.
        deleted: whether the resource is gone.
        names: parts of the path as they are today: `owner` of the workspace or task, `workspace_name`, `build_number`,
            `target`, the name of the row's `organization`, and `app`, the id of the OAuth2 app, for a secret of it.
    """
    link = LINKS.get(row.resource_type)
    if link is None or deleted:
        return ""
    parts = {}
    for name in _PARTS[row.resource_type]:
        part = names.get(name)
        if not part and name in _OWN_PARTS:
            part = getattr(row, _OWN_PARTS[name])
        if not part and name in _KNOWN_PARTS:
            part = _known_fields(row).get(_KNOWN_PARTS[name])
        if not part:
            return ""
        parts[name] = _quoted(part)
    return link.format_map(parts)


def _verb(row: AuditLog) -> tuple[str, bool]:
    """The verb for an action, and whether the action was done: neither refused nor redirected."""
    if row.status_code >= _FIRST_FAILURE:
        return f"unsuccessfully attempted to {row.action}", False
    if row.status_code == _REDIRECTED:
        return f"was redirected attempting to {row.action}", False
    return ACTION_WORDS.get(row.action, _UNKNOWN), True


def _chat_description(row: AuditLog) -> str | None:
    if row.resource_type_action != "chat:write" or not row.diff:
        return None
    if row.diff.keys() <= _ACLS:
        return "updated sharing for chat"
    if row.diff.keys() == {"archived"}:
        match row.diff["archived"]:
            case {"old": False, "new": True}:
                return "archived chat"
            case {"old": True, "new": False}:
                return "unarchived chat"
    return None


def _readable(given: Mapping[str, Any]) -> bool:
    if not given:
        return True
    for name in _TEXTS:
        if not isinstance(given.get(name, ""), str | None):
            return False
    workspace_id = given.get("workspace_id")
    return workspace_id is None or _uuid(workspace_id) is not None


@lru_cache(maxsize=1_024)
def _uuid(text: str) -> str | None:
    """A UUID as it is usually written; None for any other text."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _known_fields(row: AuditLog) -> Mapping[str, Any]:
    return row.additional_fields if _readable(row.additional_fields) else {}


@lru_cache(maxsize=256)
def _quoted(part: str) -> str:
    return quote(part, safe="", errors="replace")
