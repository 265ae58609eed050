"""Retention on the wire: runs that are asked for, and holds."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from chalicelib.models.base import Model

_MAX_QUERY = 2_000
_MAX_REASON = 1_000


class StartRun(Model):
    """The body of `POST /retention/runs`."""

    dry_run: Annotated[bool, Field(strict=True)] = False


class PutHold(Model):
    """The body of `PUT /retention/holds/{name}`; an empty `q` holds every row of the log."""

    log: Literal["connection", "audit"]
    q: Annotated[str, Field(max_length=_MAX_QUERY)]
    reason: Annotated[str, Field(min_length=1, max_length=_MAX_REASON)]


class HoldJSON(TypedDict):
    """A hold as clients read it; `matches` and `conditions` are its filter with all names resolved."""

    name: str
    log: str
    q: str
    reason: str
    created_by: str
    created_at: str
    matches: dict[str, list[str]]
    conditions: list[str]
