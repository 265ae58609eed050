"""Exports on the wire: what is asked for; and as they are kept while they run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from chalicelib.access.decide import Subject
from chalicelib.models.base import Model, Moment

_MAX_QUERY = 2_000

State = Literal["running", "complete", "partial"]


class NewExport(Model):
    """The body of `POST /exports`."""

    log: Literal["connection", "audit"]
    q: Annotated[str, Field(max_length=_MAX_QUERY)] = ""
    begin: Annotated[Moment | None, Field(alias="from")] = None
    end: Annotated[Moment | None, Field(alias="to")] = None
    format: Literal["ndjson", "csv", "ocsf"] = "ndjson"


class Job(Model):
    """An export as it is kept.

    Attributes:
        user_id: whose it is.
        key_id: of the token that it was asked for with.
        asked: the fingerprint of the request, in hexadecimal, where it may be retried.
        subject: who asked, as the gate knew them then: it holds what they might read.
        sees_holds: whether they may read the holds.
        question: what was asked, as JSON.
        criteria: what rows must be, with all names resolved, as JSON.
        holds: those on the log as it began.
        progress: how far it is, as JSON.
        reasons: why it is partial.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    user_id: str
    key_id: str
    asked: str = ""
    subject: Subject
    sees_holds: bool
    question: dict[str, Any]
    criteria: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    state: State = "running"
    holds: list[dict[str, str]]
    progress: dict[str, Any]
    reasons: tuple[str, ...] = ()


class PartJSON(TypedDict):
    """A part of an export: its file, and the positions of its first and last row. `url` fetches it for a while."""

    name: str
    rows: int
    bytes: int
    sha256: str
    first: str
    last: str
    url: NotRequired[str]


RangeJSON = TypedDict("RangeJSON", {"from": str | None, "to": str})
"""The first and the last moment of an export; without a first one it covers whatever is kept."""


class ExportJSON(RangeJSON):
    """An export: what was asked, how far it is, and once it has ended the links of its files."""

    id: str
    state: State
    log: str
    q: str
    format: str
    created_at: str
    updated_at: str
    expires_at: str
    rows: int
    bytes: int
    parts: list[PartJSON]
    reasons: NotRequired[list[str]]
    manifest_url: NotRequired[str]
    links_expire_at: NotRequired[str]
