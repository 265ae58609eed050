"""The rules of the fields of a user secret: a table for each field, in the order in which fields are checked.

Rules and words are those of Coder's newest servers. A field tells of the first rule that it breaks, and all fields are
looked at. The lengths of name and description are bounded here and not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from chalicelib.errors import Invalid, Validation
from chalicelib.vault.secret import Secret

Rule = Callable[[str], str]
"""A text -> what is wrong with it; empty where the rule holds."""

MAX_VALUE_BYTES: Final = 24_576

_OF_THE_WORKSPACE = """
PATH HOME SHELL USER LOGNAME PWD OLDPWD LANG TERM IFS CDPATH ENV BASH_ENV TMPDIR TMP TEMP HOSTNAME SSH_AUTH_SOCK
SSH_CLIENT SSH_CONNECTION SSH_TTY EDITOR VISUAL PAGER VSCODE_PROXY_URI CS_DISABLE_GETTING_STARTED_OVERRIDE
XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME
"""
_RESERVED = frozenset(_OF_THE_WORKSPACE.split())
"""Variables that a workspace sets itself."""
_RESERVED_PREFIXES = ("GIT_", "LC_", "LD_", "DYLD_")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def _refusing(detail: str, broken: Callable[[str], bool]) -> Rule:
    return lambda text: detail if broken(text) else ""


def _longest(what: str, most: int) -> Rule:
    return _refusing(f"{what} must not exceed {most} bytes", lambda text: len(text.encode()) > most)


def _reserved(text: str) -> str:
    name = text.upper()
    return f"{name} is a reserved environment variable name" if name in _RESERVED else ""


def _reserved_prefix(text: str) -> str:
    prefix = next((prefix for prefix in _RESERVED_PREFIXES if text.upper().startswith(prefix)), "")
    return f"environment variables starting with {prefix} are reserved" if prefix else ""


_VALUE: Final[tuple[Rule, ...]] = (
    _refusing("secret value must not contain null bytes", lambda text: "\0" in text),
    _longest("secret value", MAX_VALUE_BYTES),
)

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "name": (
        _refusing("Name is required.", lambda text: not text.strip()),
        _refusing("Name must not have leading or trailing whitespace.", lambda text: text != text.strip()),
        _refusing("Name must not contain /, ?, or #.", lambda text: not {*"/?#"}.isdisjoint(text)),
        _refusing("Name must not be batch: a route is called so.", lambda text: text == "batch"),
        _longest("Name", 256),
    ),
    "value": (_refusing("Value is required.", lambda text: not text), *_VALUE),
    "env_name": (
        _longest("environment variable name", 256),
        _refusing(
            "must start with a letter or underscore, followed by letters, digits, or underscores",
            lambda text: _VARIABLE.fullmatch(text) is None,
        ),
        _reserved,
        _refusing(
            "environment variable names starting with CODER_ are reserved for internal use",
            lambda text: text.upper() == "CODER" or text.upper().startswith("CODER_"),
        ),
        _reserved_prefix,
    ),
    "file_path": (
        _refusing("file path must start with ~/ or /", lambda text: not text.startswith(("~/", "/"))),
        _refusing("file path must not contain null bytes", lambda text: "\0" in text),
        _longest("file path", 4_096),
    ),
    "description": (_longest("description", 1_024),),
}
"""Field -> its rules, in the order in which fields are checked."""

_NO_PLACE = "An enabled secret needs an env_name or a file_path: give it one, or set enabled to false."
_NO_FILES = "This deployment puts no secrets in files: leave file_path out or empty, and use env_name."
_NO_VARIABLE = (
    "This deployment puts no secrets in files, so an enabled secret needs an env_name, or set enabled to false."
)

_OPTIONAL = frozenset({"env_name", "file_path"})
"""Fields of which an empty text says that there is none."""

_CHANGED: Final[Mapping[str, tuple[Rule, ...]]] = {**RULES, "value": _VALUE}
"""Field -> its rules for a change, which may empty a value."""


def check(fields: Mapping[str, str], *, new: bool) -> None:
    """Make sure that the fields may hold what they are to hold.

    Args:
        fields: by name; those that are not to change are left out.
        new: whether the secret is to be made.

    Raises:
        Invalid: names each field that breaks a rule.
    """
    if broken := wrong(fields, RULES if new else _CHANGED):
        raise Invalid(broken)


def check_place(secret: Secret, before: Secret | None, *, enabled: bool | None, files: bool) -> None:
    """Make sure that a secret may be put where it says, and has a place where its client says that it is enabled.

    Coder's newest servers ask for a place of a client that says nothing, too; older clients, which do not know the
    field, keep secrets without a place.

    Args:
        secret: as it is to be.
        before: as it was; None for a new one.
        enabled: as the client says.
        files: whether the deployment gives secrets to agents in files; where it does not, a secret may keep its path.

    Raises:
        Invalid: names the place that it may not have, or lacks.
    """
    wrong_place = []
    if secret.file_path and not files and (before is None or secret.file_path != before.file_path):
        wrong_place.append(Validation("file_path", _NO_FILES))
    newly = enabled and (before is None or not before.enabled)
    if (enabled and not secret.enabled) or (newly and not files and not secret.env_name):
        wrong_place.append(Validation("env_name", _NO_PLACE if files else _NO_VARIABLE))
    if wrong_place:
        raise Invalid(wrong_place)


def wrong(fields: Mapping[str, str], rules: Mapping[str, tuple[Rule, ...]] = RULES) -> list[Validation]:
    """The fields that break a rule, each with the first that it breaks."""
    return [
        Validation(name, detail)
        for name, of_field in rules.items()
        if name in fields
        and not (name in _OPTIONAL and not fields[name])
        and (detail := _broken(fields[name], of_field))
    ]


def variable(name: str) -> str:
    """The environment variable of a secret that was imported with this name; empty where none may be called so."""
    return "" if _broken(name, RULES["env_name"]) else name


def _broken(text: str, rules: tuple[Rule, ...]) -> str:
    return next(filter(None, (rule(text) for rule in rules)), "")
