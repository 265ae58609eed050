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
    """

    id: str
    name: str
    description: str
    env_name: str
    file_path: str
    size: int
    created_at: datetime
    updated_at: datetime
