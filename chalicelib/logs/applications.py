"""The names of a connection: its method, the application at the client's end, and the type that stands for both.

Old servers send a type; newer ones a method and, where the client named itself, an application. Names that are not in
the registry are kept and answered as they are: what a newer server says is never refused for its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.casing import lowered, spellings
from chalicelib.logs.vocabulary import CONNECTION_TYPES, SESSION_TYPES, WEB_TYPES

SSH = "ssh"
PTY = "reconnecting_pty"
METHODS = (SSH, PTY, *WEB_TYPES)
"""Ways to connect to a workspace; every type belongs to one."""
NAMED = (SSH, PTY)
"""The methods whose clients may name their application."""

_VSCODE = {
    "vscode": "VS Code",
    "vscode_insiders": "VS Code Insiders",
    "vscode_web": "VS Code Web",
    "code_server": "code-server",
    "cursor": "Cursor",
    "windsurf": "Windsurf",
    "positron": "Positron",
    "vscodium": "VSCodium",
    "codium": "VSCodium",
    "antigravity": "Antigravity",
    "trae": "Trae",
    "kiro": "Kiro",
    "devin": "Devin",
    "code_oss": "Code - OSS",
    "vscodium_insiders": "VSCodium Insiders",
    "devin_next": "Devin Next",
    "trae_cn": "Trae CN",
}
_JETBRAINS = {
    "jetbrains": "JetBrains",
    "intellij": "IntelliJ IDEA",
    "pycharm": "PyCharm",
    "goland": "GoLand",
    "webstorm": "WebStorm",
    "phpstorm": "PhpStorm",
    "rubymine": "RubyMine",
    "clion": "CLion",
    "rider": "Rider",
    "rustrover": "RustRover",
    "datagrip": "DataGrip",
    "dataspell": "DataSpell",
    "mps": "MPS",
    "android_studio": "Android Studio",
}
FAMILIES: Mapping[str, Mapping[str, str]] = {"vscode": _VSCODE, "jetbrains": _JETBRAINS}
"""Type -> its applications, each with the name to show; the applications of all other clients are of type ssh."""

_OTHERS = {
    "ssh": "SSH",
    "zed": "Zed",
    "sftp": "SFTP",
    "reconnecting_pty": "Web Terminal",
    "workspace_app": "Workspace App",
    "port_forwarding": "Port Forwarding",
    "tunnel": "Tunnel",
}
_DISPLAY_NAMES = _OTHERS | _VSCODE | _JETBRAINS
APPLICATIONS = (*_VSCODE, *_JETBRAINS, "zed", "sftp")
"""The applications that are known, for completion; any other is found as well."""
_TYPES = {app: family for family, apps in FAMILIES.items() for app in apps}
_LONGEST = 64
_UNNAMED = "unknown"


class Named(NamedTuple):
    """The method, application and type of a connection in a row.

    Attributes:
        type: one of CONNECTION_TYPES, or the word that a single event of another kind came with, in lower case.
        app_name: the application, where the type does not say it.
        slug_or_port: of a web connection.
        spelled: the type as it came, where it is another word with capitals.
    """

    type: str
    app_name: str | None = None
    slug_or_port: object = None
    spelled: Mapping[str, str] | None = None


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
"""The characters of Unicode's category Cc, which is closed."""


def normalised(name: str) -> str:
    """An application's name as it is stored: at most 64 characters in lower case, `_` for `-`, no control characters.

    What is empty then is `unknown`.
    """
    printable = _CONTROL.sub("", name).strip()
    return (printable[:_LONGEST].strip() or _UNNAMED).lower().replace("-", "_")


def type_of(app: str) -> str:
    """The type of a session over SSH whose client is this application."""
    return _TYPES.get(app, SSH)


def display_name(name: str) -> str:
    """The display name of an application, a type or a method; the name itself where the registry does not have it."""
    return _DISPLAY_NAMES.get(name, name)


def named(event: Mapping[str, Any]) -> Named | None:
    """The names that an event gives its connection; None where it gives none, or none that is a text.

    A method says it alone; the type counts where there is no method. A name that is neither is the application of a
    session, or the type of a single event where the event has what only those have.
    """
    app = event.get("app_name") or event.get("app_name_or_port")
    slug = event.get("slug_or_port") or event.get("app_name_or_port")
    word = event.get("connection_method") or event.get("type")
    if not isinstance(word, str) or not word:
        return None
    known = word if word in CONNECTION_TYPES else normalised(word)
    if known in WEB_TYPES:
        return Named(known, slug_or_port=slug)
    if known not in SESSION_TYPES and _is_single(event):
        return Named(lowered(word), slug_or_port=slug, spelled=spellings(type=word))
    if known not in NAMED:
        return _session(known)
    if not isinstance(app, str) or not app:
        return Named(known, slug_or_port=event.get("slug_or_port"))
    return _session(normalised(app)) if known == SSH else Named(known, normalised(app))


def _session(app: str) -> Named:
    kind = type_of(app)
    return Named(kind, None if app == kind else app)


def _is_single(event: Mapping[str, Any]) -> bool:
    ends = event.get("connection_id") or event.get("connection_status") == "disconnected"
    return not ends and any(event.get(name) for name in ("user_agent", "user_id", "slug_or_port", "app_name_or_port"))
