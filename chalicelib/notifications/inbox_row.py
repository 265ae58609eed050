"""One row of the inbox of a user, and which rows a list asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

READ: Final = "read"
UNREAD: Final = "unread"
READ_STATUSES: Final = ("all", READ, UNREAD)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One notification in the inbox; title and content are Markdown, and `read_at` is None until somebody reads it."""

    id: str
    user_id: str
    template_id: str
    title: str
    content: str
    icon: str
    targets: tuple[str, ...]
    created_at: datetime
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """The parameters of a list.

    Attributes:
        targets: a row must have all of them.
        templates: a row must be of one of them; empty asks for nothing.
        read_status: one of READ_STATUSES.
    """

    targets: frozenset[str] = frozenset()
    templates: frozenset[str] = frozenset()
    read_status: str = "all"

    def matches(self, row: InboxRow) -> bool:
        """Whether a list has a row."""
        if not self.targets <= {*row.targets} or (self.templates and row.template_id not in self.templates):
            return False
        return self.read_status == "all" or (self.read_status == READ) is (row.read_at is not None)
