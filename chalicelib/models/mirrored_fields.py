"""The fields that objects of the platform have, and the base of their shapes."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from chalicelib.models.base import EventTime, Model, Moment, ShortText
from chalicelib.search.values import quoted

_MOST_TAGS: Final = 64

Int64 = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
LongText = Annotated[str, Field(max_length=8_192)]
OptionalMoment = Annotated[Moment | None, BeforeValidator(lambda value: None if value == "" else value)]
PastMoment = Annotated[EventTime | None, BeforeValidator(lambda value: None if value == "" else value)]
"""A moment that a version of an object is told by: one of the future would keep every later version out."""
Name = Annotated[str, Field(min_length=1, max_length=128)]
Reason = Annotated[ShortText, Field(min_length=1)]
"""Why a workspace is built: any word, as in the audit log, so that no build of a newer server is refused for it."""
Days = Annotated[list[ShortText], Field(max_length=7)]
Tags = Annotated[
    dict[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=256)]], Field(max_length=_MOST_TAGS)
]


def _cors(value: object) -> object:
    if value in (None, ""):
        return "simple"
    if value not in ("simple", "passthru"):
        given = value if isinstance(value, str) else type(value).__name__
        raise ValueError(f"Invalid CORS behavior {quoted(given)}. Must be one of [simple, passthru]")
    return value


Cors = Annotated[Literal["simple", "passthru"], BeforeValidator(_cors)]


class Mirror(Model):
    """The fields of every object.

    `updated_at` says when the platform saw it so: a version that is older than the stored one changes nothing.
    """

    updated_at: PastMoment = None
    created_at: PastMoment = None
