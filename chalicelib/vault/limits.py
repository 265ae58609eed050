"""How many secrets a user may have, how large they may be together, and which of their fields must be unique."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chalicelib.errors import BadRequest, Conflict, Validation
from chalicelib.vault.secret import Secret

MOST: Final = 50
MOST_BYTES: Final = 204_800
MOST_ENV_BYTES: Final = 24_576

_UNIQUE = {
    "name": "name already in use",
    "env_name": "environment variable already in use",
    "file_path": "file path already in use",
}
"""Field -> what is said of a value that another secret of the user has; nothing is not unique."""


def check(secret: Secret, others: Iterable[Secret]) -> None:
    """Make sure that a user may have a secret beside their others.

    Raises:
        Conflict: another one has the name, the variable or the file.
        BadRequest: there would be too many, or too large ones.
    """
    kept = tuple(others)
    if taken := conflicts(secret, kept):
        raise Conflict("Validation failed.", validations=taken[:1])
    check_room(secret, kept)


def conflicts(secret: Secret, others: Iterable[Secret]) -> list[Validation]:
    """The fields of a secret whose values others of the user have; of fields that one and the same has, the first."""
    kept = tuple(others)
    taken: dict[str, Validation] = {}
    for field, detail in _UNIQUE.items():
        value = getattr(secret, field)
        for other in kept:
            if value and getattr(other, field) == value:
                taken.setdefault(other.id, Validation(field, detail))
    return list(taken.values())


def check_room(secret: Secret, others: Iterable[Secret]) -> None:
    """Make sure that there is room for a secret beside the others of a user.

    Raises:
        BadRequest: there would be too many, or too large ones.
    """
    kept = tuple(others)
    if len(kept) >= MOST:
        raise BadRequest("User secrets limit reached.", f"Each user can have at most {MOST} secrets.")
    every = (*kept, secret)
    total = sum(one.size for one in every)
    if total > MOST_BYTES:
        raise BadRequest(
            "User secrets value-bytes limit reached.",
            f"The values would have {total} bytes, more than the per-user budget ({MOST_BYTES} bytes).",
        )
    injected = sum(one.size for one in every if one.env_name)
    if secret.env_name and injected > MOST_ENV_BYTES:
        raise BadRequest(
            "Environment-injected user secrets bytes limit reached.",
            f"The values of secrets with an env_name would have {injected} bytes,"
            f" more than the per-user budget ({MOST_ENV_BYTES} bytes).",
        )
