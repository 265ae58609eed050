"""A user secret without its value: what lists, answers and audit rows may hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of a user.

    Attributes:
        id: a UUID, by which allow lists name it.
        name: unique among the secrets of the user, byte by byte, as are `env_name` and `file_path` where given.
        description: for people.
        env_name: the environment variable that an agent is to set; empty for none.
        file_path: the file that an agent is to write; empty for none.
        size: of the value, in bytes.
        created_at: when it was made.
        updated_at: when it was last changed.
        disabled: whether its user keeps it from agents.
    """

    id: str
    name: str
    description: str
    env_name: str
    file_path: str
    size: int
    created_at: datetime
    updated_at: datetime
    disabled: bool = False

    @property
    def enabled(self) -> bool:
        """Whether an agent is to put the value anywhere: it may, and knows where."""
        return not self.disabled and bool(self.env_name or self.file_path)
