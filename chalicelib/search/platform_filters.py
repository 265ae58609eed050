"""The query languages of templates and of workspaces, as tables: what Coder's lists of them take, as far as it is kept.

The fields are those of the mirrored objects and what follows from them; see `chalicelib.api.templates` and
`chalicelib.api.workspaces`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.platform import agents, workspaces
from chalicelib.search.user_filters import UserKey, UserKind, UserTable
from chalicelib.search.user_query import UserFilter

TEMPLATE_FILTERS = UserTable(
    "name",
    "Invalid template search query.",
    (
        UserKey(
            "organization", UserKind.EXACT, ("organization_id",), "Templates of the organization with this name or id."
        ),
        UserKey("exact_name", UserKind.EXACT, ("name",), "Templates of this name."),
        UserKey("exact_display_name", UserKind.EXACT, ("display_name",), "Templates of this display name."),
        UserKey("name", UserKind.PART, ("name",), "Templates whose name contains this text; words without a key, too."),
        UserKey("display_name", UserKind.PART, ("display_name",), "Templates whose display name contains this text."),
        UserKey("ids", UserKind.IDS, ("id",), "Templates with one of these ids."),
        UserKey("deleted", UserKind.FLAG, ("deleted",), "Deleted templates (`true`), or those that are there."),
        UserKey(
            "deprecated", UserKind.FLAG, ("is_deprecated",), "Deprecated templates (`true`), or all others (default)."
        ),
        UserKey("has-ai-task", UserKind.FLAG, ("has_ai_task",), "Templates for tasks; none is one here."),
        UserKey("author_id", UserKind.ID, ("created_by_id",), "Templates made by the user with this id."),
        UserKey("author", UserKind.EXACT, ("created_by_id",), "Templates made by this user; `me` is whoever asks."),
        UserKey(
            "has_external_agent",
            UserKind.FLAG,
            ("has_external_agent",),
            "Templates whose active version has an external agent (`true`), or all others.",
        ),
    ),
)
"""Of the lists of templates."""

WORKSPACE_FILTERS = UserTable(
    "name",
    "Invalid workspace search query.",
    (
        UserKey("owner", UserKind.EXACT, ("owner_id",), "Workspaces of this user; `me` is whoever asks."),
        UserKey(
            "name", UserKind.PART, ("name",), "Workspaces whose name contains this text; words without a key, too."
        ),
        UserKey("template", UserKind.EXACT, ("template_name",), "Workspaces of templates of this name."),
        UserKey("id", UserKind.IDS, ("id",), "Workspaces with one of these ids."),
        UserKey(
            "organization", UserKind.EXACT, ("organization_id",), "Workspaces of the organization with this name or id."
        ),
        UserKey(
            "status", UserKind.WORDS, ("status",), "Workspaces of one of these statuses.", words=workspaces.STATUSES
        ),
        UserKey(
            "has_external_agent",
            UserKind.FLAG,
            ("has_external_agent",),
            "Workspaces whose latest build has an external agent (`true`), or all others.",
        ),
        UserKey(
            "has-agent",
            UserKind.WORDS,
            ("agents",),
            "Workspaces whose latest build has an agent of one of these statuses.",
            words=agents.STATUSES,
        ),
        UserKey(
            "healthy",
            UserKind.FLAG,
            (),
            "Workspaces with an agent that is connected (`true`), or with one that is disconnected or timed out.",
        ),
        UserKey("has-ai-task", UserKind.FLAG, ("has_ai_task",), "Workspaces of tasks; none is one here."),
        UserKey("shared", UserKind.FLAG, ("is_shared",), "Workspaces that are shared; none is here."),
        UserKey("shared_with_user", UserKind.EXACT, (), "Workspaces that are shared with this user; none is here."),
        UserKey("shared_with_group", UserKind.EXACT, (), "Workspaces that are shared with this group; none is here."),
        UserKey("dormant", UserKind.FLAG, ("is_dormant",), "Dormant workspaces (`true`), or all others."),
        UserKey(
            "outdated",
            UserKind.FLAG,
            ("is_outdated",),
            "Workspaces that were not built from the active version of their template (`true`), or all others.",
        ),
        UserKey("deleted", UserKind.FLAG, ("deleted",), "Deleted workspaces (`true`), or those that are there."),
        UserKey("last_used_after", UserKind.AFTER, ("last_used_moment",), "Workspaces used at this moment or later."),
        UserKey(
            "last_used_before", UserKind.BEFORE, ("last_used_moment",), "Workspaces used at this moment or before."
        ),
    ),
)
"""Of the list of workspaces."""


def matches(asked: UserFilter, fields: Mapping[str, Any], resolved: frozenset[str]) -> bool:
    """Whether an object is as asked.

    Args:
        asked: the filter.
        fields: of the object, and what follows from them.
        resolved: the keys whose values name other objects, and which were answered by the choice of rows.
    """
    return all(
        any(condition.test(fields.get(name)) for name in condition.key.fields)
        for condition in asked.conditions
        if condition.key.key not in resolved
    )


def words_of(asked: UserFilter, key: str) -> tuple[str, ...]:
    """The words that a query gives a key, with commas between or by several terms."""
    return next((condition.words for condition in asked.conditions if condition.key.key == key), ())


def value_of(asked: UserFilter, key: str) -> str | None:
    """The value that a query gives a key, as it was typed; None where it gives none."""
    return next((condition.value for condition in asked.conditions if condition.key.key == key), None)
