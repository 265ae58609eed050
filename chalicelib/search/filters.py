"""Every key of the query language, declared once per log: its meaning, and the row field it constrains.

The parser and the filter reference in the documents read these tables. The order of the keys is the order in
which wrong values are reported.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from chalicelib.logs.applications import APPLICATIONS, FAMILIES, METHODS, PTY, SSH, type_of
from chalicelib.logs.vocabulary import (
    AUDIT_ACTIONS,
    AUDITED_TYPES,
    BUILD_REASONS,
    CONNECTION_STATUSES,
    CONNECTION_TYPES,
    NEWER_RESOURCE_TYPES,
    SESSION_TYPES,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Kind(StrEnum):
    """The kind of a key's value, and so the way to read it."""

    UUID = "uuid"
    """A UUID; the nil one asks for nothing."""
    ENUM = "enum"
    """One word of a closed list."""
    ORGANIZATION = "organization"
    """The id of an organization, or the name of one that the caller may see."""
    USERNAME = "username"
    """The name of a user, whatever its case, or `me` for the caller."""
    EMAIL = "email"
    """The e-mail address of a user, whatever its case."""
    TEXT = "text"
    """Any text, whatever its case."""
    NUMBER = "number"
    """A whole number without a sign."""
    NETWORK = "network"
    """An address, or a network in CIDR notation."""
    AFTER = "after"
    """A moment in RFC 3339, a day, or how long ago such as `-24h`: this moment and later."""
    BEFORE = "before"
    """The latest time: this moment, or the whole day, and earlier."""
    APPLICATION = "application"
    """The name of an application, as clients name themselves."""
    DATE_FROM = "date_from"
    """A day `YYYY-MM-DD` in UTC: from its first microsecond."""
    DATE_TO = "date_to"
    """A day `YYYY-MM-DD` in UTC: to its last microsecond."""


@dataclass(frozen=True, slots=True)
class FilterKey:
    """One key of the language.

    Attributes:
        key: as it is typed before the colon.
        kind: how its value is read.
        field: the row field that it constrains.
        about: one sentence for the reference.
        values: the words that an enum takes, or the names that are known.
        aliases: other words that an enum takes, each with the word that it stands for.
        deleted_users: whether it matches softly deleted users too.
        is_open: whether rows may have other words than `values`: such a word is looked for, and is wrong where no row
            that the caller may see has it.
        alone_of: the keys that it cannot be combined with.
        implies: what follows from a value: other fields, and the only values they can have.
        is_repeatable: whether a query may have it more than once: every term counts, and so the narrowest.
        repeats_add: whether a query may have it more than once: each term is one more choice, as behind a comma.
    """

    key: str
    kind: Kind
    field: str
    about: str
    values: tuple[str, ...] = ()
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    deleted_users: bool = False
    is_open: bool = False
    alone_of: tuple[str, ...] = ()
    implies: Callable[[str], Mapping[str, tuple[str, ...]]] = lambda _: {}
    is_repeatable: bool = False
    repeats_add: bool = False


@dataclass(frozen=True, slots=True)
class FilterTable:
    """The language of one log.

    Attributes:
        log: whose rows are asked for, `connection` or `audit`.
        bare: the key that words without a key give a value to; it need not be one of the keys.
        message: the message of the error for a wrong query.
        keys: every key there is.
        implied: row field -> what follows, where it is asked for: other fields and the only values they can have.
        facets: the keys by whose values a summary counts rows; the first is that of the bars.
    """

    log: str
    bare: str
    message: str
    keys: tuple[FilterKey, ...]
    implied: Mapping[str, Mapping[str, tuple[str, ...]]] = dataclasses.field(default_factory=dict, hash=False)
    facets: tuple[str, ...] = ()

    def implications(self, field: str, values: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """The fields that follow from the values of a field, and the only values they can have."""
        key = next((known for known in self.keys if known.field == field), None)
        facts = {name: frozenset(allowed) for name, allowed in self.implied.get(field, {}).items()}
        if key is None or not values:
            return facts
        first, *others = (key.implies(value) for value in sorted(values))
        for name in first:
            if all(name in other for other in others):
                facts[name] = frozenset().union(*(one[name] for one in (first, *others)))
        return facts

    def by_key(self, key: str) -> FilterKey | None:
        """The key of this name, if there is one."""
        return next((known for known in self.keys if known.key == key), None)


CONNECTION_FILTERS = FilterTable(
    log="connection",
    bare="search",
    message="Invalid connection search query.",
    keys=(
        FilterKey(
            "organization",
            Kind.ORGANIZATION,
            "organization_id",
            "Connections to workspaces of this organization, by id or name.",
        ),
        FilterKey(
            "workspace_owner",
            Kind.USERNAME,
            "workspace_owner_id",
            "Connections to workspaces of the user of this name, or of the caller with `me`.",
        ),
        FilterKey(
            "workspace_owner_email",
            Kind.EMAIL,
            "workspace_owner_id",
            "Connections to workspaces of the user with this e-mail address.",
        ),
        FilterKey(
            "type",
            Kind.ENUM,
            "type",
            "Connections of this type; `vscode` and `jetbrains` find every application of the family, `ssh` others.",
            values=CONNECTION_TYPES,
            is_open=True,
            alone_of=("method", "app"),
        ),
        FilterKey(
            "method",
            Kind.ENUM,
            "connection_method",
            "Connections made in this way; `ssh` finds those of every application.",
            values=METHODS,
            is_open=True,
            implies=lambda method: {"type": (SSH, *FAMILIES) if method == SSH else (method,)},
        ),
        FilterKey(
            "app",
            Kind.APPLICATION,
            "app",
            "Sessions whose client named itself as this application, such as `cursor`; repeats add choices.",
            values=APPLICATIONS,
            implies=lambda app: {"type": (type_of(app), PTY)},
            repeats_add=True,
        ),
        FilterKey(
            "username",
            Kind.USERNAME,
            "user_id",
            "Connections made by the user of this name, or by the caller with `me`; only web connections have a user.",
        ),
        FilterKey(
            "user_email",
            Kind.EMAIL,
            "user_id",
            "Connections made by the user with this e-mail address, deleted users included.",
            deleted_users=True,
        ),
        FilterKey("connected_after", Kind.AFTER, "time", "Connections begun at this moment or later; quote the value."),
        FilterKey(
            "connected_before",
            Kind.BEFORE,
            "time",
            "Connections begun at this moment or earlier; quote the value.",
        ),
        FilterKey(
            "after",
            Kind.AFTER,
            "time",
            "Connections begun at this moment or later; quote a time of day.",
            is_repeatable=True,
        ),
        FilterKey(
            "before",
            Kind.BEFORE,
            "time",
            "Connections begun at this moment or earlier, or to the end of this day.",
            is_repeatable=True,
        ),
        FilterKey("workspace_id", Kind.UUID, "workspace_id", "Connections to this workspace."),
        FilterKey("workspace", Kind.TEXT, "workspace", "Connections to workspaces of this name, whatever its case."),
        FilterKey("agent", Kind.TEXT, "agent", "Connections to agents of this name, whatever its case."),
        FilterKey("ip", Kind.NETWORK, "ip", "Connections from this address, or from this network; quote colons."),
        FilterKey("connection_id", Kind.UUID, "connection_id", "The session with this connection id."),
        FilterKey(
            "status",
            Kind.ENUM,
            "status",
            "Sessions that are still open, or (in lane `completed`) that have ended; web connections are neither.",
            values=CONNECTION_STATUSES,
            aliases={"connected": "ongoing", "disconnected": "completed"},
        ),
    ),
    implied={"status": {"type": SESSION_TYPES}},
    facets=("type", "status", "workspace_owner", "username", "organization", "workspace", "agent", "ip"),
)

AUDIT_FILTERS = FilterTable(
    log="audit",
    bare="resource_type",
    message="Invalid audit search query.",
    keys=(
        FilterKey("request_id", Kind.UUID, "request_id", "Events of the request with this id."),
        FilterKey("resource_id", Kind.UUID, "resource_id", "Events on the resource with this id."),
        FilterKey("resource_target", Kind.TEXT, "target", "Events on resources of this name, whatever its case."),
        FilterKey(
            "username",
            Kind.USERNAME,
            "user_id",
            "Actions of the user of this name, or of the caller with `me`.",
        ),
        FilterKey(
            "email",
            Kind.EMAIL,
            "user_id",
            "Actions of the user with this e-mail address, deleted users included.",
            deleted_users=True,
        ),
        FilterKey("date_from", Kind.DATE_FROM, "time", "Events on this day or later, in UTC."),
        FilterKey("date_to", Kind.DATE_TO, "time", "Events on this day or earlier, the whole day included, in UTC."),
        FilterKey(
            "after",
            Kind.AFTER,
            "time",
            "Events at this moment or later; quote a time of day.",
            is_repeatable=True,
        ),
        FilterKey(
            "before",
            Kind.BEFORE,
            "time",
            "Events at this moment or earlier, a whole day included.",
            is_repeatable=True,
        ),
        FilterKey("ip", Kind.NETWORK, "ip", "Events from this address, or from this network; quote colons."),
        FilterKey(
            "organization",
            Kind.ORGANIZATION,
            "organization_id",
            "Events in this organization, by id or name.",
        ),
        FilterKey(
            "resource_type",
            Kind.ENUM,
            "resource_type",
            "Events on resources of this type; a word without a key means the same.",
            values=(*AUDITED_TYPES, *NEWER_RESOURCE_TYPES),
            is_open=True,
        ),
        FilterKey("action", Kind.ENUM, "action", "Events of this action.", values=AUDIT_ACTIONS, is_open=True),
        FilterKey("status_code", Kind.NUMBER, "status", "Events of requests with this HTTP status."),
        FilterKey("api_key_id", Kind.TEXT, "api_key_id", "What the token with this id did, as Gatebook recorded it."),
        FilterKey(
            "build_reason",
            Kind.ENUM,
            "build_reason",
            "Workspace builds started for this reason.",
            values=BUILD_REASONS,
            is_open=True,
        ),
    ),
    implied={"build_reason": {"resource_type": ("workspace_build", "workspace")}},
    facets=("action", "resource_type", "username", "organization", "build_reason", "ip"),
)

FILTERS: Mapping[str, FilterTable] = {table.log: table for table in (CONNECTION_FILTERS, AUDIT_FILTERS)}
"""Log -> its language."""
