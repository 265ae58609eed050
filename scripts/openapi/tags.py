"""The tags of operations, by the paths of their routes."""

from __future__ import annotations

TAGS = {
    "users": "Users, their roles and their organizations.",
    "organizations": "Organizations and their members.",
    "tokens": "Tokens: minted, narrowed, rotated and ended.",
    "connectionlog": "The connection log: events in, rows out.",
    "platform": "What the platform mirrors in, and what is answered from it.",
    "notifications": "Notifications, and the inbox of each user.",
    "secrets": "Secrets of users, for their workspaces.",
    "collectors": "Events of both logs by the protocols of collectors: Splunk's HEC, and OTLP.",
    "audit": "The audit log: events in, rows out.",
    "retention": "Retention: policy, runs and legal holds.",
    "page": "The auditors' page and its session.",
    "service": "What the service says of itself, and what a caller may do.",
}
_PLATFORM = frozenset(
    {
        "directory",
        "entitlements",
        "external-auth",
        "init-script",
        "licenses",
        "prebuilds",
        "provisionerdaemons",
        "provisionerjobs",
        "templates",
        "templateversions",
        "usage",
        "workspace",
        "workspaceagents",
        "workspacebuilds",
        "workspaces",
    }
)
_TAG_OF = {"ui": "page", "services": "collectors", "v1": "collectors", "cli-auth": "page", "": "page", "keys": "tokens"}


def tag(path: str) -> str:
    """The tag of the route of a path."""
    parts = path.strip("/").split("/")
    names = parts[2:] if parts[:2] == ["api", "v2"] else parts
    if "keys" in names:
        return "tokens"
    if "notifications" in names:
        return "notifications"
    if {"secrets", "user-secrets"} & {*names}:
        return "secrets"
    if _PLATFORM & {*names}:
        return "platform"
    name = _TAG_OF.get(names[0], names[0])
    return name if name in TAGS else "service"
