"""The query language of users, declared once: each key, the kind of its value, and what it compares.

The parser and the filter reference in the docs read this table. The order of the keys is the order in which wrong
values are reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from chalicelib.records import LoginType, UserStatus


class UserKind(StrEnum):
    """The kind of a key's value, and so the way to compare it with a user."""

    PART = "part"
    """A text that a field contains, whatever its case."""
    EXACT = "exact"
    """A text that a field is, whatever its case."""
    WORDS = "words"
    """Words of a closed list, with commas between; the field is one of them."""
    ROLES = "roles"
    """Names of site roles, with commas between; the user has one of them."""
    FLAG = "flag"
    """True or false; the field is that."""
    ID = "id"
    """A UUID that a field is; the nil one asks for nothing."""
    NUMBER = "number"
    """A whole number that a field is; 0 asks for nothing."""
    IDS = "ids"
    """UUIDs, with commas between; the field is one of them."""
    SYSTEM = "system"
    """True or false, and nothing is asked by it: users of the platform's own are not kept here."""
    AFTER = "after"
    """A moment in RFC 3339; the field is this moment or later."""
    BEFORE = "before"
    """A moment in RFC 3339; the field is this moment or earlier."""


@dataclass(frozen=True, slots=True)
class UserKey:
    """One key of the language.

    Attributes:
        key: as it is typed before the colon.
        kind: how its value is read and compared.
        fields: the fields of `records.User` that it is compared with; one of them is enough.
        about: one sentence for the reference.
        words: the words that the kind `WORDS` takes.
    """

    key: str
    kind: UserKind
    fields: tuple[str, ...]
    about: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserTable:
    """The language of one list.

    Attributes:
        bare: the key that words without a key give a value to.
        message: what a client is answered when a query is wrong.
        keys: every key there is.
    """

    bare: str
    message: str
    keys: tuple[UserKey, ...]


_KEYS = (
    UserKey(
        "search",
        UserKind.PART,
        ("username", "email", "name"),
        "Users whose username, e-mail address or name contains this text; words without a key mean the same.",
    ),
    UserKey("name", UserKind.PART, ("name",), "Users whose name contains this text."),
    UserKey("username", UserKind.EXACT, ("username",), "The user of this username."),
    UserKey("email", UserKind.EXACT, ("email",), "The user with this e-mail address."),
    UserKey("status", UserKind.WORDS, ("status",), "Users of one of these statuses.", words=get_args(UserStatus)),
    UserKey(
        "login_type",
        UserKind.WORDS,
        ("login_type",),
        "Users who sign in to the platform in one of these ways.",
        words=tuple(word for word in get_args(LoginType) if word),
    ),
    UserKey("role", UserKind.ROLES, ("roles",), "Users who have one of these site roles; everybody is a `member`."),
    UserKey(
        "service_account",
        UserKind.FLAG,
        ("is_service_account",),
        "Service accounts (`true`), or all other users (`false`).",
    ),
    UserKey("last_seen_after", UserKind.AFTER, ("last_seen_at",), "Users last seen at this moment or later."),
    UserKey("last_seen_before", UserKind.BEFORE, ("last_seen_at",), "Users last seen at this moment or earlier."),
    UserKey("created_after", UserKind.AFTER, ("created_at",), "Users created at this moment or later."),
    UserKey("created_before", UserKind.BEFORE, ("created_at",), "Users created at this moment or earlier."),
    UserKey(
        "github_com_user_id",
        UserKind.NUMBER,
        ("github_com_user_id",),
        "The user with this number at github.com, where the platform mirrored it.",
    ),
)

USER_FILTERS = UserTable("search", "Invalid user search query.", _KEYS)
"""Of the list of users."""

PAGED_MEMBER_FILTERS = UserTable("search", "Invalid member search query.", _KEYS)
"""Of the list of an organization's members that is read by pages."""

MEMBER_FILTERS = UserTable(
    "user_id",
    "Invalid organization member search query.",
    (
        UserKey("user_id", UserKind.ID, ("id",), "The member with this id."),
        UserKey("include_system", UserKind.SYSTEM, (), "Asks for nothing: there are no system users here."),
        UserKey("github_user_id", UserKind.NUMBER, ("github_com_user_id",), "The member of this number at github.com."),
    ),
)
"""Of the list of all of an organization's members."""
